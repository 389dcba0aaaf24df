//! What a car can be told beyond the original's commands: sunroof, windows, seats
//! behind and steering wheel. Only where the car has it, by its configuration
//! and by what it reports.

use saic_ismart::vehicle::{Command, Panes, Seat, Seats, WindowAction, Windows};
use saic_ismart::{BasicStatus, Profile, SeatHeating, VehicleInfo};
use serde::{Deserialize, Serialize};

/// What of a car can be commanded beyond the original's commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extras {
    /// The sunroof.
    pub sunroof: bool,
    /// The windows, all at once.
    pub windows: bool,
    /// The seats behind.
    pub rear_seats: bool,
    /// The steering wheel.
    pub steering_wheel: bool,
}

impl Extras {
    /// As far as the car list tells it; `reported` by the car until now.
    pub fn of(info: &VehicleInfo, profile: &Profile, reported: Reported) -> Self {
        let lacks = |feature| info.feature(feature).map(str::trim) == Some("0");
        if lacks("S61") {
            return Self::default();
        }
        // Cars of these series have no windows behind that could be moved.
        let few_windows = ["EC32", "ZP22"].iter();
        let has_few = few_windows
            .clone()
            .any(|key| profile.series().starts_with(key));
        Self {
            sunroof: profile.has_sunroof,
            windows: !has_few,
            rear_seats: reported.rear_seats && profile.seat_heating != SeatHeating::None,
            steering_wheel: reported.steering_wheel && !lacks("SWH"),
        }
    }
}

/// What the car reports, and so has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reported {
    /// Levels of the seats behind.
    pub rear_seats: bool,
    /// The heating of the steering wheel.
    pub steering_wheel: bool,
}

impl Reported {
    /// Adds what a status has. A status that leaves it out takes nothing away.
    pub fn learn(&mut self, basic: &BasicStatus) {
        self.rear_seats |=
            basic.seat_heating_rear_left.is_some() && basic.seat_heating_rear_right.is_some();
        self.steering_wheel |= basic.steering_wheel_heating.is_some();
    }
}

/// A command beyond the original's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Opens or closes the sunroof.
    Sunroof {
        /// Opens.
        open: bool,
    },
    /// Moves all windows.
    Windows(WindowAction),
    /// Heats a seat behind.
    RearSeat {
        /// Left or right.
        seat: Seat,
        /// On.
        on: bool,
    },
    /// Heats the steering wheel.
    SteeringWheel {
        /// On.
        on: bool,
    },
}

impl Extra {
    /// What is told to a car that has these extras.
    ///
    /// # Errors
    /// If it has no such thing.
    pub fn order(self, extras: Extras, profile: &Profile) -> Result<Command, String> {
        let (has, what) = match self {
            Self::Sunroof { .. } => (extras.sunroof, "sunroof"),
            Self::Windows(_) => (extras.windows, "windows that can be moved from afar"),
            Self::RearSeat { .. } => (extras.rear_seats, "heated seats behind"),
            Self::SteeringWheel { .. } => (extras.steering_wheel, "heated steering wheel"),
        };
        if !has {
            return Err(format!(
                "This car has no {what}, or has not reported it yet"
            ));
        }
        Ok(match self {
            Self::Sunroof { open } => Command::Windows(Windows {
                panes: Panes::SUNROOF,
                action: match open {
                    true => WindowAction::OpenOld,
                    false => WindowAction::Close,
                },
            }),
            Self::Windows(action) => Command::Windows(Windows {
                panes: Panes::WINDOWS,
                action: match action {
                    // The newer app's number, where that app was watched.
                    WindowAction::Open if !profile.series().starts_with("MIS3E") => {
                        WindowAction::OpenOld
                    }
                    action => action,
                },
            }),
            // Seats behind know off and 3.
            Self::RearSeat { seat, on } => Command::Seats(Seats::One {
                seat,
                level: if on { 3 } else { 0 },
            }),
            Self::SteeringWheel { on } => Command::SteeringWheelHeating { on },
        })
    }
}

#[cfg(test)]
mod tests {
    use saic_ismart::vehicle::VehicleListAnswer;

    use super::*;

    const ALL: Reported = Reported {
        rear_seats: true,
        steering_wheel: true,
    };

    fn extras(series: &str, features: &[(&str, &str)], reported: Reported) -> Extras {
        let features: Vec<_> = features
            .iter()
            .map(|(code, value)| serde_json::json!({"itemCode": code, "itemValue": value}))
            .collect();
        let list = serde_json::json!({
            "vinList": [{"series": series, "vehicleModelConfiguration": features}],
        });
        let list = VehicleListAnswer::from_json(&list.to_string()).unwrap();
        let info = &list.vehicles[0];
        Extras::of(info, &Profile::of(info), reported)
    }

    fn list(extras: Extras) -> [bool; 4] {
        [
            extras.sunroof,
            extras.windows,
            extras.rear_seats,
            extras.steering_wheel,
        ]
    }

    #[test]
    fn a_car_has_what_its_list_and_its_reports_say() {
        let seats = ("HeatedSeat", "1");
        for (series, features, reported, has) in [
            ("EH32 S", &[seats, ("S35", "1")][..], ALL, [true; 4]),
            (
                "EH32 S",
                &[seats, ("S35", "0")],
                ALL,
                [false, true, true, true],
            ),
            ("EH32 S", &[("S35", "1")], ALL, [true, true, false, true]),
            (
                "EH32 S",
                &[seats, ("SWH", "0")],
                ALL,
                [true, true, true, false],
            ),
            (
                "EH32 S",
                &[seats],
                Reported::default(),
                [true, true, false, false],
            ),
            ("ZP22 EU", &[seats], ALL, [true, false, true, true]),
            (
                "EC32 S",
                &[seats, ("S35", "0")],
                ALL,
                [false, false, true, true],
            ),
            ("EH32 S", &[seats, ("S61", "0")], ALL, [false; 4]),
        ] {
            assert_eq!(
                list(extras(series, features, reported)),
                has,
                "{series} {features:?}"
            );
        }
    }

    #[test]
    fn what_was_reported_once_is_there() {
        let mut reported = Reported::default();
        let mut basic = BasicStatus::default();
        reported.learn(&basic);
        assert_eq!(reported, Reported::default());
        basic.seat_heating_rear_left = Some(0);
        basic.seat_heating_rear_right = Some(0);
        basic.steering_wheel_heating = Some(0);
        reported.learn(&basic);
        reported.learn(&BasicStatus::default());
        assert_eq!(reported, ALL);
    }

    #[test]
    fn orders_are_what_the_car_takes() {
        let all = extras("EH32 S", &[("HeatedSeat", "1"), ("S35", "1")], ALL);
        let profile = Profile::default();
        let params = |extra: Extra| extra.order(all, &profile).unwrap().params();
        let panes = |roof, windows, action| {
            let window = |id| (id, windows);
            vec![
                (8, roof),
                window(9),
                window(10),
                window(11),
                window(12),
                (13, action),
            ]
        };
        assert_eq!(params(Extra::Sunroof { open: true }), panes(1, 0, 3));
        assert_eq!(params(Extra::Sunroof { open: false }), panes(1, 0, 0));
        assert_eq!(params(Extra::Windows(WindowAction::Open)), panes(0, 1, 3));
        assert_eq!(
            params(Extra::Windows(WindowAction::Ventilate)),
            panes(0, 1, 1)
        );
        assert_eq!(params(Extra::Windows(WindowAction::Close)), panes(0, 1, 0));
        let seat = |seat, on| params(Extra::RearSeat { seat, on });
        assert_eq!(seat(Seat::RearLeft, true), [(25, 3)]);
        assert_eq!(seat(Seat::RearRight, false), [(26, 0)]);
        assert_eq!(params(Extra::SteeringWheel { on: true }), [(24, 1)]);
        let mgs6 = Profile::default().with_series("MIS3E S");
        let open = Extra::Windows(WindowAction::Open)
            .order(all, &mgs6)
            .unwrap();
        assert_eq!(open.params(), panes(0, 1, 2));
    }

    #[test]
    fn a_car_is_not_told_what_it_has_not_got() {
        for extra in [
            Extra::Sunroof { open: true },
            Extra::Windows(WindowAction::Open),
            Extra::RearSeat {
                seat: Seat::RearLeft,
                on: true,
            },
            Extra::SteeringWheel { on: true },
        ] {
            let refused = extra.order(Extras::default(), &Profile::default());
            assert!(refused.unwrap_err().starts_with("This car has no "));
        }
    }
}
