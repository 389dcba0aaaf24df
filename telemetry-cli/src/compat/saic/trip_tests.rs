use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Parked with 50 kWh and 80 % of fuel at 1000 km.
fn parked(seconds: i64, km: f64, kwh: impl Into<Option<f64>>) -> Seen {
    Seen {
        at: at(seconds),
        period: TimeDelta::seconds(30),
        running: false,
        charging: false,
        odometer_km: Some(km),
        energy_kwh: kwh.into(),
        fuel_percent: Some(80),
    }
}

fn runs(seconds: i64, km: f64, kwh: impl Into<Option<f64>>) -> Seen {
    Seen {
        running: true,
        ..parked(seconds, km, kwh)
    }
}

/// After all of these answers, with a restart after each.
fn last(answers: &[Seen]) -> Option<Trip> {
    last_with(answers, None)
}

fn last_with(answers: &[Seen], said: Option<i64>) -> Option<Trip> {
    let mut trips = Trips::default();
    for seen in answers {
        if let Some(said) = said.filter(|said| at(*said) <= seen.at) {
            trips.started(at(said));
        }
        let last = |trips: &Trips| trips.last().copied().map(row);
        let before = last(&trips);
        let told = trips.seen(*seen);
        assert_eq!(told, before != last(&trips), "{seen:?}");
        let json = serde_json::to_string(&trips).unwrap();
        trips = serde_json::from_str(&json).unwrap();
    }
    trips.last().copied()
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Start, end, km, kWh.
type Row = (Option<i64>, i64, f64, Option<f64>);

fn row(trip: Trip) -> Row {
    (
        trip.started_at.map(|at| at.timestamp()),
        trip.ended_at.timestamp(),
        rounded(trip.distance_km),
        trip.energy_kwh.map(rounded),
    )
}

#[test]
fn a_trip_is_what_lies_between_two_stops() {
    let night = parked(0, 1000.0, 50.0);
    let full = parked(0, 1000.0, 30.0);
    let table: &[(&str, &[Seen], Option<Row>)] = &[
        ("nothing yet", &[night], None),
        ("no drive", &[night, parked(600, 1000.0, 49.5)], None),
        (
            "switched on and off",
            &[night, runs(60, 1000.0, 50.0), parked(90, 1000.0, 50.0)],
            None,
        ),
        (
            "a drive",
            &[
                night,
                runs(7200, 1001.0, 49.8),
                runs(8000, 1010.0, 48.0),
                parked(8030, 1010.5, 47.9),
            ],
            Some((Some(7200), 8030, 10.5, Some(2.1))),
        ),
        (
            "seen only once on the way",
            &[night, runs(7200, 1005.0, 49.0), parked(7500, 1010.0, 48.0)],
            Some((Some(7200), 7500, 10.0, Some(2.0))),
        ),
        (
            "the first thing that is seen",
            &[runs(0, 1000.0, 50.0), parked(600, 1008.0, 48.4)],
            Some((Some(0), 600, 8.0, Some(1.6))),
        ),
        (
            "charged unseen before it",
            &[
                full,
                runs(40_000, 1001.0, 59.8),
                runs(40_900, 1010.0, 58.2),
                parked(41_000, 1011.0, 58.0),
            ],
            Some((Some(40_000), 41_000, 11.0, Some(1.8))),
        ),
        (
            "downhill",
            &[night, runs(60, 1000.0, 50.0), parked(600, 1010.0, 50.4)],
            Some((Some(60), 600, 10.0, Some(-0.4))),
        ),
        (
            "the end was out of reach",
            &[
                night,
                runs(60, 1000.0, 50.0),
                runs(1200, 1020.0, 47.0),
                parked(50_000, 1020.5, 46.5),
            ],
            Some((Some(60), 1200, 20.5, Some(3.5))),
        ),
        (
            "nobody saw it",
            &[night, parked(50_000, 1020.0, 47.0)],
            Some((None, 50_000, 20.0, Some(3.0))),
        ),
        (
            "nobody saw it, nor the charge after it",
            &[night, parked(50_000, 1020.0, 57.0)],
            Some((None, 50_000, 20.0, None)),
        ),
        (
            "two in a row",
            &[
                night,
                runs(60, 1000.0, 50.0),
                parked(600, 1010.0, 48.0),
                runs(1200, 1010.0, 48.0),
                parked(1800, 1013.0, 47.5),
            ],
            Some((Some(1200), 1800, 3.0, Some(0.5))),
        ),
        (
            "the odometer is missing at first",
            &[
                night,
                runs(60, 1000.0, 50.0),
                Seen {
                    odometer_km: None,
                    ..parked(600, 0.0, 48.0)
                },
                parked(900, 1010.0, 47.9),
            ],
            Some((Some(60), 600, 10.0, Some(2.1))),
        ),
        (
            "the battery is known later",
            &[
                night,
                runs(60, 1000.0, None),
                parked(600, 1010.0, None),
                parked(720, 1010.0, 48.0),
            ],
            Some((Some(60), 600, 10.0, Some(2.0))),
        ),
        (
            "it charges before the battery is known",
            &[
                night,
                runs(60, 1000.0, None),
                parked(600, 1010.0, None),
                Seen {
                    charging: true,
                    ..parked(720, 1010.0, 48.0)
                },
            ],
            Some((Some(60), 600, 10.0, None)),
        ),
        (
            "the odometer runs backwards",
            &[night, runs(60, 1000.0, 50.0), parked(600, 900.0, 48.0)],
            None,
        ),
        (
            "the odometer jumps",
            &[night, runs(60, 1000.0, 50.0), parked(600, 6553.5, 48.0)],
            None,
        ),
    ];
    for (what, answers, trip) in table {
        assert_eq!(last(answers).map(row), *trip, "{what}");
    }
}

#[test]
fn a_trip_begins_when_the_car_says_so() {
    let drive = [
        parked(0, 1000.0, 50.0),
        runs(7260, 1001.0, 49.8),
        parked(8000, 1010.0, 48.0),
    ];
    for (said, start) in [(7190, 7190), (7260, 7260), (-10, 7260), (7300, 7260)] {
        let trip = last_with(&drive, Some(said)).unwrap();
        assert_eq!(row(trip).0, Some(start), "{said}");
    }
    let missed = [parked(0, 1000.0, 50.0), parked(8000, 1010.0, 48.0)];
    assert_eq!(row(last_with(&missed, Some(7190)).unwrap()).0, Some(7190));
}

#[test]
fn fuel_is_what_the_tank_has_lost() {
    for (before, after, used) in [
        (Some(80), Some(77), Some(3)),
        (Some(80), Some(80), Some(0)),
        (Some(20), Some(95), None),
        (None, Some(50), None),
        (Some(50), None, None),
    ] {
        let with = |fuel_percent, seen| Seen {
            fuel_percent,
            ..seen
        };
        let trip = last(&[
            with(before, parked(0, 1000.0, None)),
            with(before, runs(60, 1000.0, None)),
            with(after, parked(3600, 1060.0, None)),
        ]);
        assert_eq!(trip.unwrap().fuel_percent, used, "{before:?} {after:?}");
    }
}

#[test]
fn who_asks_rarely_sees_the_end_late() {
    let slow = |seen| Seen {
        period: TimeDelta::seconds(3600),
        ..seen
    };
    let drive = [
        parked(0, 1000.0, 50.0),
        runs(60, 1000.0, 50.0),
        parked(3700, 1010.0, 48.0),
    ];
    assert_eq!(row(last(&drive).unwrap()).1, 60);
    assert_eq!(row(last(&drive.map(slow)).unwrap()).1, 3700);
}

proptest::proptest! {
    /// Whatever a car says, no trip is longer than what its odometer has gained.
    #[test]
    fn no_trip_is_out_of_thin_air(
        answers in proptest::collection::vec(
            (0i64..100_000, proptest::bool::ANY, proptest::option::of(0.0f64..10_000.0), proptest::option::of(0.0f64..100.0)),
            0..30,
        ),
    ) {
        let (mut trips, mut now) = (Trips::default(), 0);
        let (mut lowest, mut highest) = (f64::MAX, f64::MIN);
        for (wait, running, odometer_km, energy_kwh) in answers {
            now += wait;
            lowest = lowest.min(odometer_km.unwrap_or(lowest));
            highest = highest.max(odometer_km.unwrap_or(highest));
            trips.seen(Seen { running, odometer_km, energy_kwh, ..parked(now, 0.0, None) });
            if let Some(trip) = trips.last() {
                proptest::prop_assert!(trip.distance_km > 0.0 && trip.distance_km <= highest - lowest);
                proptest::prop_assert!(trip.started_at.is_none_or(|start| start <= trip.ended_at));
                proptest::prop_assert!(trip.energy_kwh.is_none_or(f64::is_finite));
            }
        }
    }
}
