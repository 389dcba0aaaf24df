//! The change filter: which readings are worth storing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::event::Reading;
use crate::metric::Metric;
use crate::value::Value;

/// Which readings of a device are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those that differ from the last stored one by more than noise, and one
    /// per heartbeat.
    #[default]
    Changes,
    /// Those that differ from the last stored one in any digit, and one per
    /// heartbeat.
    Exact,
    /// All.
    All,
    /// None.
    Nothing,
}

/// What a reading is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Nothing new.
    Nothing,
    /// It repeats what is stored, and says that this still holds.
    Heartbeat,
    /// It says something new.
    News,
}

/// Decides for the readings of one device, in their order.
#[derive(Debug)]
pub struct Filter {
    keep: Keep,
    heartbeat: Duration,
    last: Option<Arc<Reading>>,
}

impl Filter {
    /// A filter that has seen nothing: the first reading passes.
    pub fn new(keep: Keep, heartbeat: Duration) -> Self {
        Self {
            keep,
            heartbeat,
            last: None,
        }
    }

    /// Whether `reading` is to be stored, and why; remembers it then.
    pub fn judge(&mut self, reading: &Arc<Reading>) -> Worth {
        let worth = match (&self.last, self.keep) {
            (_, Keep::Nothing) => Worth::Nothing,
            (None, _) | (_, Keep::All) => Worth::News,
            (Some(last), keep) if differs(reading, last, keep) => Worth::News,
            (Some(last), _) if self.beats(last) != self.beats(reading) => Worth::Heartbeat,
            _ => Worth::Nothing,
        };
        if worth != Worth::Nothing {
            self.last = Some(reading.clone());
        }
        worth
    }

    /// Heartbeats since 1970. All devices have theirs at about the same time,
    /// so that one commit can take them all.
    fn beats(&self, reading: &Reading) -> i64 {
        let heartbeat = i64::try_from(self.heartbeat.as_millis()).unwrap_or(i64::MAX);
        let time = reading.fetched_at.timestamp_millis();
        time.div_euclid(heartbeat.max(1))
    }
}

fn differs(reading: &Reading, last: &Reading, keep: Keep) -> bool {
    if keep == Keep::Changes {
        !reading.values.alike(&last.values, Metric::alike)
            || !fields_alike(&reading.extra, &last.extra)
    } else {
        let equal = |_: &Metric, one: &Value, other: &Value| one == other;
        !reading.values.alike(&last.values, equal) || reading.extra != last.extra
    }
}

/// What the catalogue has no row for has no noise of its own: a hundredth.
const NOISE: f64 = 0.01;

fn fields_alike(one: &Map<String, Json>, other: &Map<String, Json>) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, one)| {
            let other = other.get(key);
            other.is_some_and(|other| json_alike(one, other))
        })
}

fn json_alike(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => fields_alike(one, other),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| json_alike(one, other))
        }
        (Json::Number(number), Json::Number(known)) => match (number.as_f64(), known.as_f64()) {
            // Whole numbers may be codes and counts.
            (Some(one), Some(other)) if number.is_f64() && known.is_f64() => {
                (one - other).abs() <= NOISE * one.abs().max(other.abs())
            }
            _ => number == known,
        },
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::event::{DeviceId, DeviceKind};
    use crate::metric::battery;

    fn reading(seconds: i64, soc: f64) -> Arc<Reading> {
        let time = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut reading = Reading::new(DeviceId::new(&["pack"]), DeviceKind::Battery, time);
        reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
        reading
            .values
            .set(&battery::TIME_TO_EMPTY_S, Value::from(seconds));
        Arc::new(reading)
    }

    fn passed(keep: Keep, readings: &[(i64, f64)]) -> Vec<bool> {
        let mut filter = Filter::new(keep, Duration::from_secs(300));
        readings
            .iter()
            .map(|(seconds, soc)| filter.judge(&reading(*seconds, *soc)) != Worth::Nothing)
            .collect()
    }

    #[test]
    fn heartbeats_of_all_devices_come_together() {
        let mut filter = Filter::new(Keep::Changes, Duration::from_secs(300));
        let judged = [
            (250, 80.0),
            (280, 80.0),
            (310, 80.0),
            (340, 79.0),
            (590, 79.0),
            (620, 79.0),
        ]
        .map(|(seconds, soc)| filter.judge(&reading(seconds, soc)));
        let expected = [
            Worth::News,
            Worth::Nothing,
            Worth::Heartbeat,
            Worth::News,
            Worth::Nothing,
            Worth::Heartbeat,
        ];
        assert_eq!(judged, expected);
    }

    #[test]
    fn changes_and_heartbeats_pass() {
        let readings = [(0, 80.0), (30, 80.0), (60, 79.0), (90, 79.0), (360, 79.0)];
        assert_eq!(
            passed(Keep::Changes, &readings),
            [true, false, true, false, true]
        );
        assert_eq!(passed(Keep::All, &readings), [true; 5]);
        assert_eq!(passed(Keep::Nothing, &readings), [false; 5]);
    }

    /// Voltage of the pack, of a cell, and of something without a row.
    fn noisy(pack_v: f64, cell_v: f64, extra_v: f64) -> Arc<Reading> {
        let mut reading = reading(0, 80.0).as_ref().clone();
        let cells: Value = [Some(3.3), Some(cell_v), None].into_iter().collect();
        reading.values.set(&battery::CELL_VOLTAGES_V, cells);
        reading
            .values
            .set(&battery::PACK_VOLTAGE_V, Value::from(pack_v));
        let inner = serde_json::json!({"voltage": extra_v, "code": 7});
        reading.extra.insert("inner".to_owned(), inner);
        Arc::new(reading)
    }

    #[test]
    fn noise_does_not_pass_unless_every_digit_is_asked_for() {
        let readings = [
            noisy(52.8, 3.3, 24.0),
            noisy(52.82, 3.302, 24.1),
            noisy(52.78, 3.298, 23.9),
            noisy(52.83, 3.3, 24.0),
            noisy(52.83, 3.303, 24.0),
            noisy(52.83, 3.303, 24.5),
        ];
        let passed = |keep| {
            let mut filter = Filter::new(keep, Duration::from_secs(300));
            let judged = readings.iter().map(|reading| filter.judge(reading));
            judged.map(|worth| worth == Worth::News).collect::<Vec<_>>()
        };
        assert_eq!(
            passed(Keep::Changes),
            [true, false, false, true, true, true]
        );
        assert_eq!(passed(Keep::Exact), [true; 6]);
    }

    /// Each step is noise, and together they are a change.
    #[test]
    fn a_slow_drift_passes() {
        let mut filter = Filter::new(Keep::Changes, Duration::from_secs(300));
        let passed = (0..10).map(|step| {
            let drift = f64::from(step) * 0.01;
            filter.judge(&noisy(52.8 + drift, 3.3, 24.0)) == Worth::News
        });
        let expected = [
            true, false, false, true, false, false, true, false, false, true,
        ];
        assert_eq!(passed.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn other_parts_pass() {
        let mut filter = Filter::new(Keep::Changes, Duration::from_secs(300));
        let first = noisy(52.8, 3.3, 24.0);
        assert_eq!(filter.judge(&first), Worth::News);
        let changes: [fn(&mut Reading); 4] = [
            |reading| drop(reading.extra.remove("inner")),
            |reading| {
                let inner = serde_json::json!({"voltage": 24.0, "code": 8});
                reading.extra.insert("inner".to_owned(), inner);
            },
            |reading| {
                let cells: Value = [Some(3.3), Some(3.3)].into_iter().collect();
                reading.values.set(&battery::CELL_VOLTAGES_V, cells);
            },
            |reading| {
                let cells: Value = [Some(3.3), None, None].into_iter().collect();
                reading.values.set(&battery::CELL_VOLTAGES_V, cells);
            },
        ];
        for change in changes {
            let mut other = first.as_ref().clone();
            change(&mut other);
            assert_eq!(filter.judge(&Arc::new(other)), Worth::News);
            assert_eq!(filter.judge(&first), Worth::News);
        }
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_device() {
        assert_eq!(passed(Keep::Changes, &[(900, 80.0), (0, 80.0)]), [true; 2]);
    }
}
