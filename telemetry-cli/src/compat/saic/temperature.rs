//! Temperatures jump now and then for one reading: that one does not count.

use chrono::{DateTime, Utc};
use saic_ismart::BasicStatus;
use serde::{Deserialize, Serialize};

/// A change within this, °C, is always believed.
const STEP_C: f64 = 3.0;

/// And so much more for each second between two readings, °C.
const RATE_C_PER_S: f64 = 0.1;

/// The temperatures of a car that were believed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Temperatures {
    interior: Course,
    exterior: Course,
}

impl Temperatures {
    /// Takes out of a status what jumps.
    pub fn check(&mut self, basic: &mut BasicStatus, now: DateTime<Utc>) {
        for (course, reading) in [
            (&mut self.interior, &mut basic.interior_temperature_c),
            (&mut self.exterior, &mut basic.exterior_temperature_c),
        ] {
            *reading = reading.filter(|reading| course.believes(*reading, now));
        }
    }
}

/// The course of one temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Course {
    last: Option<(i8, DateTime<Utc>)>,
    /// The reading before was not believed.
    doubted: bool,
}

impl Course {
    /// Only one reading is doubted: a second one in a row counts, whatever it is.
    fn believes(&mut self, reading: i8, now: DateTime<Utc>) -> bool {
        let jumps = self.last.is_some_and(|(last, at)| {
            let seconds = (now - at).num_seconds().max(0) as f64;
            let change = (f64::from(reading) - f64::from(last)).abs();
            change > STEP_C + RATE_C_PER_S * seconds
        });
        self.doubted = jumps && !self.doubted;
        if !self.doubted {
            self.last = Some((reading, now));
        }
        !self.doubted
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn one_reading_that_jumps_does_not_count() {
        // Seconds, reading, and whether it counts.
        let days: [&[(i64, i8, bool)]; 7] = [
            &[(0, 85, true)],
            &[(0, 20, true), (0, 23, true), (0, 26, true)],
            &[(0, 20, true), (30, 26, true), (60, 20, true)],
            &[
                (0, 20, true),
                (30, 27, false),
                (60, 20, true),
                (90, 29, false),
            ],
            &[
                (0, 20, true),
                (30, -7, false),
                (60, -7, true),
                (90, -6, true),
            ],
            // A second one in a row counts even if it jumps elsewhere.
            &[(0, 20, true), (30, 60, false), (60, -30, true)],
            // Time heals, and a clock that is set back does not hurt.
            &[
                (0, 20, true),
                (3600, 40, true),
                (1800, 39, true),
                (1800, 35, false),
            ],
        ];
        for day in days {
            let mut course = Course::default();
            for (seconds, reading, counts) in day {
                assert_eq!(course.believes(*reading, at(*seconds)), *counts, "{day:?}");
            }
        }
    }

    #[test]
    fn each_temperature_has_its_own_course() {
        let mut temperatures = Temperatures::default();
        let mut status = |interior, exterior, seconds| {
            let mut basic = BasicStatus::default();
            basic.interior_temperature_c = interior;
            basic.exterior_temperature_c = exterior;
            temperatures.check(&mut basic, at(seconds));
            (basic.interior_temperature_c, basic.exterior_temperature_c)
        };
        assert_eq!(status(Some(21), Some(-3), 0), (Some(21), Some(-3)));
        assert_eq!(status(Some(60), Some(-3), 30), (None, Some(-3)));
        assert_eq!(status(None, Some(40), 60), (None, None));
        // What is missing is no reading between.
        assert_eq!(status(Some(60), Some(-3), 90), (Some(60), Some(-3)));
        let json = serde_json::to_string(&temperatures).unwrap();
        assert_eq!(
            serde_json::from_str::<Temperatures>(&json).unwrap(),
            temperatures
        );
    }
}
