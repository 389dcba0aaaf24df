//! How many commands a car still takes: it carries out a few, and refuses all
//! others until somebody has driven it.

use saic_ismart::{BasicStatus, Error, Rejection};
use serde::{Deserialize, Serialize};

/// Whether the commands are used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allowance {
    used_up: bool,
    /// Where it was then, 0.1 km.
    odometer: Option<u32>,
}

impl Allowance {
    /// Whether they are.
    pub fn is_used_up(self) -> bool {
        self.used_up
    }

    /// A command was not carried out.
    pub fn refused(&mut self, error: &Error) {
        self.used_up |= is_limit(error);
    }

    /// The car says how it is: it runs, or was driven meanwhile.
    pub fn seen(&mut self, basic: &BasicStatus) {
        let moved = self.odometer.zip(basic.odometer_deci_km);
        if basic.is_running() || moved.is_some_and(|(before, now)| now > before) {
            self.renew();
        }
        self.odometer = basic.odometer_deci_km.or(self.odometer);
    }

    /// Somebody drives, or the car has obeyed again.
    pub fn renew(&mut self) {
        self.used_up = false;
    }
}

/// Code 8 says so by its number, or by nothing: all other reasons have numbers.
pub fn is_limit(error: &Error) -> bool {
    matches!(
        error,
        Error::Rejected {
            rejection: Rejection::TooFrequent | Rejection::Unknown,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use saic_ismart::Call;

    use super::*;

    fn refusal(message: &str) -> Error {
        Error::Rejected {
            call: Call {
                name: "lock",
                vin: None,
            },
            rejection: Rejection::of(message),
            message: message.to_owned(),
        }
    }

    fn basic(json: &str) -> BasicStatus {
        let json = format!(r#"{{"basicVehicleStatus": {{{json}}}}}"#);
        saic_ismart::VehicleStatus::from_json(&json).unwrap().basic
    }

    #[test]
    fn commands_are_used_up_until_the_car_is_driven() {
        for (message, limit) in [
            ("Too many remote operations (71)", true),
            ("operation too frequent", true),
            ("Please lock the vehicle (2)", false),
            ("The operation failed (33)", false),
            ("Something (12)", false),
        ] {
            let mut allowance = Allowance::default();
            allowance.refused(&refusal(message));
            assert_eq!(is_limit(&refusal(message)), limit, "{message}");
            assert_eq!(allowance.is_used_up(), limit, "{message}");
        }
        let parked = basic(r#""engineStatus": 0, "mileage": 1000"#);
        for (then, used_up) in [
            (parked.clone(), true),
            (basic(r#""engineStatus": 0"#), true),
            (basic(r#""engineStatus": 1, "mileage": 1000"#), false),
            (basic(r#""engineStatus": 0, "mileage": 1001"#), false),
        ] {
            let mut allowance = Allowance::default();
            allowance.seen(&parked);
            allowance.refused(&refusal("(71)"));
            allowance.refused(&refusal("(2)"));
            allowance.seen(&then);
            assert_eq!(allowance.is_used_up(), used_up, "{then:?}");
        }
        let mut allowance = Allowance::default();
        allowance.refused(&refusal("(71)"));
        allowance.renew();
        assert!(!allowance.is_used_up(), "it takes some again");
    }
}
