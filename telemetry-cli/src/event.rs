//! What travels from sources to sinks.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::control::Offer;
use crate::metric::{self, Metric};
use crate::native::Native;
use crate::value::{Value, rfc3339};

/// One thing a source tells the hub, and the hub tells the sinks.
#[derive(Clone, Debug)]
pub enum Event {
    /// A device appeared, or its description changed.
    Device(Arc<Device>),
    /// A device was measured.
    Reading(Arc<Reading>),
    /// A device came within reach, or went out of it.
    Availability(DeviceId, Availability),
}

/// Stable name of a device: the same in topics, tables and identifiers.
///
/// Only `[a-z0-9_-]`, so that it needs no escaping anywhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DeviceId(Arc<str>);

impl DeviceId {
    /// The id made of `parts`, joined by `-`: `["jbd", "A4:C1:38:30:C2:8E"]`
    /// gives `jbd-a4c13830c28e`. Colons vanish, other foreign characters
    /// become `-`.
    pub fn new(parts: &[&str]) -> Self {
        let mut id = String::new();
        for part in parts {
            if !id.is_empty() {
                id.push('-');
            }
            for character in part.chars() {
                match character {
                    ':' => {}
                    'a'..='z' | '0'..='9' | '_' | '-' => id.push(character),
                    'A'..='Z' => id.push(character.to_ascii_lowercase()),
                    _ => id.push('-'),
                }
            }
        }
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For messages and logs: the id, but of a car, whose id is its VIN, no
    /// more than tells it from the others.
    pub fn masked(&self) -> Cow<'_, str> {
        const VIN: usize = 17;
        let is_vin = self.0.len() == VIN && self.0.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match (is_vin, self.0.get(..3), self.0.get(VIN - 4..)) {
            (true, Some(start), Some(end)) => Cow::Owned(format!("{start}...{end}")),
            _ => Cow::Borrowed(&self.0),
        }
    }
}

impl Borrow<str> for DeviceId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a device is: decides its catalogue, its table, its place in the UI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A battery pack with its own management system.
    Battery,
    /// A portable or home power station.
    PowerStation,
    /// A car.
    Vehicle,
    /// This program itself.
    Gateway,
}

impl DeviceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Battery,
        Self::PowerStation,
        Self::Vehicle,
        Self::Gateway,
    ];

    /// The name used in JSON and as table name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Battery => "battery",
            Self::PowerStation => "power_station",
            Self::Vehicle => "vehicle",
            Self::Gateway => "gateway",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A device's description.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Stable name.
    pub id: DeviceId,
    /// What it is.
    pub kind: DeviceKind,
    /// What the owner calls it.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// Model, as the device or its cloud names it.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Bluetooth address, upper case with colons.
    pub address: Option<String>,
    /// Hardware version.
    pub hardware_version: Option<String>,
    /// Firmware version.
    pub software_version: Option<String>,
    /// What it can be told.
    pub controls: Vec<Offer>,
}

impl Device {
    /// A device of which nothing is known but its id, which is its name, too.
    pub fn unknown(id: DeviceId, kind: DeviceKind) -> Self {
        Self {
            name: id.to_string(),
            id,
            kind,
            vendor: String::new(),
            model: None,
            serial: None,
            address: None,
            hardware_version: None,
            software_version: None,
            controls: Vec::new(),
        }
    }
}

/// The measurements of one device at one time.
///
/// A reading is complete: what it does not contain is unknown now, whatever
/// an earlier reading said.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Whose measurements.
    pub device: DeviceId,
    /// Catalogue that the values belong to.
    pub kind: DeviceKind,
    /// When the device measured.
    pub measured_at: DateTime<Utc>,
    /// When we received it.
    pub fetched_at: DateTime<Utc>,
    /// The values, by catalogue row.
    pub values: Values,
    /// What the catalogue has no row for, under the SDK's own name.
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// What the device said, as its SDK has it; `None` for a reading that comes
    /// from the journal.
    pub native: Option<Native>,
}

impl Reading {
    /// An empty reading, measured and fetched at `now`.
    pub fn new(device: DeviceId, kind: DeviceKind, now: DateTime<Utc>) -> Self {
        Self {
            device,
            kind,
            measured_at: now,
            fetched_at: now,
            values: Values::default(),
            extra: serde_json::Map::new(),
            native: None,
        }
    }
}

/// A reading with its device, as JSON everywhere: values in the order of the
/// catalogue, unknown ones left out.
#[derive(Clone, Copy, Debug)]
pub struct ReadingJson<'a> {
    /// The device.
    pub device: &'a Device,
    /// Its reading.
    pub reading: &'a Reading,
}

impl Serialize for ReadingJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct About<'a> {
            id: &'a DeviceId,
            kind: DeviceKind,
            name: &'a str,
            model: Option<&'a str>,
            serial: Option<&'a str>,
        }

        struct InOrder<'a>(&'a Reading);

        impl Serialize for InOrder<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let known =
                    |metric: &&'static Metric| Some((metric.key, self.0.values.get(metric)?));
                serializer.collect_map(metric::catalogue(self.0.kind).iter().filter_map(known))
            }
        }

        let Self { device, reading } = *self;
        let extra = !reading.extra.is_empty();
        let mut json = serializer.serialize_struct("Reading", 4 + usize::from(extra))?;
        json.serialize_field(
            "device",
            &About {
                id: &device.id,
                kind: device.kind,
                name: &device.name,
                model: device.model.as_deref(),
                serial: device.serial.as_deref(),
            },
        )?;
        json.serialize_field("measured_at", &rfc3339(reading.measured_at))?;
        json.serialize_field("fetched_at", &rfc3339(reading.fetched_at))?;
        json.serialize_field("values", &InOrder(reading))?;
        if extra {
            json.serialize_field("extra", &reading.extra)?;
        }
        json.end()
    }
}

/// Values by metric. A flat list: a reading has some thirty of them, and ten
/// thousand devices keep their last reading in memory.
#[derive(Clone, Default)]
pub struct Values(Vec<(&'static Metric, Value)>);

/// In whatever order they were set.
impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .iter()
                .all(|(metric, value)| other.get(metric) == Some(value))
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(metric, value)| (metric.key, value)))
            .finish()
    }
}

impl Values {
    /// Sets one value, replacing an earlier one. `None` removes it: unknown.
    pub fn set(&mut self, metric: &'static Metric, value: impl Into<Option<Value>>) {
        let place = self.0.iter().position(|(known, _)| *known == metric);
        match (place, value.into()) {
            (Some(place), Some(value)) => self.0[place].1 = value,
            (Some(place), None) => drop(self.0.remove(place)),
            (None, Some(value)) => self.0.push((metric, value)),
            (None, None) => {}
        }
    }

    /// The value of `metric`, if known.
    pub fn get(&self, metric: &'static Metric) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| *known == metric)
            .map(|(_, value)| value)
    }

    /// The number of `metric`, if known and a number.
    pub fn number(&self, metric: &'static Metric) -> Option<f64> {
        self.get(metric).and_then(Value::as_f64)
    }

    /// Every value, in the order in which it was set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Metric, &Value)> {
        self.0.iter().map(|(metric, value)| (*metric, value))
    }

    /// Replaces each value by what `change` makes of it; `None` removes it.
    pub fn retain_map(&mut self, mut change: impl FnMut(&'static Metric, Value) -> Option<Value>) {
        self.0 = std::mem::take(&mut self.0)
            .into_iter()
            .filter_map(|(metric, value)| Some((metric, change(metric, value)?)))
            .collect();
    }

    /// True if both have the same values as `same` judges them, those aside
    /// that never make a reading worth storing by themselves.
    pub fn alike(&self, other: &Self, same: impl Fn(&Metric, &Value, &Value) -> bool) -> bool {
        let telling = |(metric, _): &(&'static Metric, &Value)| metric.telling;
        let count = self.iter().filter(telling).count();
        count == other.iter().filter(telling).count()
            && self.iter().filter(telling).all(|(metric, value)| {
                let other = other.get(metric);
                other.is_some_and(|other| same(metric, value, other))
            })
    }
}

/// Whether a device can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It answers.
    Online,
    /// It does not.
    Offline {
        /// Why, in plain words.
        reason: String,
    },
}

impl Availability {
    /// Of a device that nothing is known of yet.
    pub fn not_read() -> Self {
        Self::Offline {
            reason: "not read yet".to_owned(),
        }
    }
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Online => f.write_str("online"),
            Self::Offline { reason } => write!(f, "offline: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::battery;

    #[test]
    fn ids_need_no_escaping() {
        assert_eq!(
            DeviceId::new(&["jbd", "A4:C1:38:30:C2:8E"]).as_str(),
            "jbd-a4c13830c28e"
        );
        assert_eq!(
            DeviceId::new(&["bluetti", "AC300", "23 05/#+é"]).as_str(),
            "bluetti-ac300-23-05----"
        );
    }

    #[test]
    fn cars_are_not_named_in_full() {
        let masked = |text: &str| DeviceId::new(&[text]).masked().into_owned();
        assert_eq!(masked("LSJDEMO0000000001"), "lsj...0001");
        for other in ["jbd-a4c13830c28e", "bluetti-ac300-12345", ""] {
            assert_eq!(masked(other), other);
        }
    }

    #[test]
    fn setting_none_removes() {
        let mut values = Values::default();
        values.set(&battery::SOC_PERCENT, Value::from(80.0));
        values.set(&battery::SOC_PERCENT, Value::from(81.0));
        assert_eq!(values.number(&battery::SOC_PERCENT), Some(81.0));
        values.set(&battery::SOC_PERCENT, None);
        assert_eq!(values, Values::default());
    }

    #[test]
    fn estimates_alone_make_no_difference() {
        let alike = |one: &Values, other: &Values| one.alike(other, |_, one, other| one == other);
        let mut one = Values::default();
        one.set(&battery::SOC_PERCENT, Value::from(80.0));
        let mut other = one.clone();
        other.set(&battery::TIME_TO_EMPTY_S, Value::from(100_i64));
        assert!(alike(&one, &other) && alike(&other, &one));
        other.set(&battery::SOC_PERCENT, Value::from(79.0));
        assert!(!alike(&one, &other));
    }
}
