//! A reading as payloads of the unified topics.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::topics::Topics;
use crate::event::Reading;
use crate::metric::{Metric, Shape, catalogue};
use crate::value::Value;

/// Everything that is known of a device as one JSON object: every key of its
/// catalogue, in its order, null when unknown; then `measured_at`,
/// `fetched_at`, and under `extra` what the catalogue has no row for.
pub(in crate::sink) fn state(reading: &Reading) -> String {
    // Cannot fail: all keys are strings, and JSON has a word for every value.
    serde_json::to_string(&State(reading)).unwrap_or_default()
}

struct State<'a>(&'a Reading);

impl Serialize for State<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reading = self.0;
        let mut map = serializer.serialize_map(None)?;
        for metric in catalogue(reading.kind) {
            map.serialize_entry(metric.key, &reading.values.get(metric))?;
        }
        map.serialize_entry("measured_at", &Value::Time(reading.measured_at))?;
        map.serialize_entry("fetched_at", &Value::Time(reading.fetched_at))?;
        map.serialize_entry("extra", &reading.extra)?;
        map.end()
    }
}

/// A value on a topic of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) topic: String,
    /// Empty when unknown: the broker forgets the topic, and who listens sees
    /// that there is no value any more.
    pub(super) payload: String,
    /// One of several parts; their number is known only from the reading.
    pub(super) part: bool,
}

/// The values of `reading`, one by one: single ones always, parts as far as
/// the reading has them.
pub(super) fn plain(topics: &Topics, reading: &Reading) -> Vec<Plain> {
    let mut all = Vec::new();
    for metric in catalogue(reading.kind) {
        let value = reading.values.get(metric);
        match metric.shape {
            Shape::Single | Shape::Flags => all.push(Plain {
                topic: topics.value(&reading.device, metric.key, None),
                payload: value.map(Value::to_string).unwrap_or_default(),
                part: false,
            }),
            Shape::Numbered | Shape::Named => parts(topics, reading, metric, value, &mut all),
        }
    }
    all
}

fn parts(
    topics: &Topics,
    reading: &Reading,
    metric: &Metric,
    value: Option<&Value>,
    all: &mut Vec<Plain>,
) {
    for (index, part) in value.map(Value::parts).unwrap_or_default() {
        all.push(Plain {
            topic: topics.value(&reading.device, metric.key, Some(&index)),
            payload: part.to_string(),
            part: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::event::{DeviceId, DeviceKind};
    use crate::metric::{battery, vehicle};

    fn reading(kind: DeviceKind) -> Reading {
        Reading::new(DeviceId::new(&["it"]), kind, DateTime::<Utc>::UNIX_EPOCH)
    }

    #[test]
    fn a_state_has_every_key() {
        for kind in DeviceKind::ALL {
            let json: serde_json::Value = serde_json::from_str(&state(&reading(kind))).unwrap();
            let json = json.as_object().unwrap();
            for metric in catalogue(kind) {
                assert!(json[metric.key].is_null(), "{}", metric.key);
            }
            assert_eq!(json["measured_at"], "1970-01-01T00:00:00.000Z");
            assert_eq!(json.len(), catalogue(kind).len() + 3);
        }
    }

    #[test]
    fn a_state_is_readable() {
        let mut reading = reading(DeviceKind::Battery);
        reading.values.set(&battery::SOC_PERCENT, Value::from(87.0));
        let cells: Value = [Some(3.331), None].into_iter().collect();
        reading.values.set(&battery::CELL_VOLTAGES_V, cells);
        reading
            .values
            .set(&battery::PROTECTION, Value::Flags(vec![]));
        reading.extra.insert("odd".into(), f64::NAN.into());
        let state = state(&reading);
        assert!(state.starts_with(r#"{"soc_percent":87,"soh_percent":null,"#));
        assert!(state.contains(r#""cell_voltages_v":[3.331,null]"#));
        assert!(state.contains(r#""protection":[]"#));
        assert!(state.ends_with(r#""extra":{"odd":null}}"#));
    }

    #[test]
    fn values_are_plain() {
        let mut reading = reading(DeviceKind::Vehicle);
        reading.values.set(&vehicle::SOC_PERCENT, Value::from(64.5));
        reading.values.set(&vehicle::LOCKED, Value::from(true));
        reading.values.set(
            &vehicle::DOORS_OPEN,
            Value::Map([("front left".to_owned(), Value::from(false))].into()),
        );
        let all = plain(&Topics::new("t").unwrap(), &reading);
        let payload = |topic: &str| {
            let plain = all.iter().find(|plain| plain.topic == topic).unwrap();
            plain.payload.as_str()
        };
        assert_eq!(payload("t/it/soc_percent"), "64.5");
        assert_eq!(payload("t/it/locked"), "true");
        assert_eq!(payload("t/it/doors_open/front_left"), "false");
        assert_eq!(payload("t/it/fuel_percent"), "");
        assert!(!all.iter().any(|plain| plain.topic == "t/it/doors_open"));
    }
}
