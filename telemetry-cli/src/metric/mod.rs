//! The catalogue: every metric that a reading can hold, one row each.
//!
//! Topics, Home Assistant discovery, table columns and the plausibility check
//! derive from it; a new metric is one row here and one line in the source
//! that measures it. The rows stand in one file per kind of device:
//! [`battery`], [`power_station`], [`vehicle`], [`gateway`].

use chrono::{DateTime, Utc};

use crate::event::DeviceKind;
use crate::value::Value;

pub mod battery;
pub mod gateway;
pub mod power_station;
pub mod vehicle;

/// The catalogue of one kind of device, in the order in which people read it.
pub fn catalogue(kind: DeviceKind) -> &'static [&'static Metric] {
    match kind {
        DeviceKind::Battery => battery::ALL,
        DeviceKind::PowerStation => power_station::ALL,
        DeviceKind::Vehicle => vehicle::ALL,
        DeviceKind::Gateway => gateway::ALL,
    }
}

/// One row of the catalogue. Rows are statics and compare by identity.
#[derive(Debug)]
pub struct Metric {
    /// Topic level, JSON key and column: quantity and unit.
    pub key: &'static str,
    /// What people call it; `{}` stands for the index of a part.
    pub name: &'static str,
    /// Unit of measurement, empty without one.
    pub unit: &'static str,
    /// What sort of quantity it is.
    pub kind: Kind,
    /// Type of one value, or of each of its parts.
    pub form: Form,
    /// One value, or parts of which kind.
    pub shape: Shape,
    /// Digits kept after the point.
    pub decimals: u8,
    /// Lowest and highest believable number; others are rejected and counted.
    pub range: Option<(f64, f64)>,
    /// Home Assistant device class, empty without one.
    pub device_class: &'static str,
    /// Every word that a [`Kind::State`] text or a flag can be; empty if open.
    pub options: &'static [&'static str],
    /// Technical detail: Home Assistant's category `diagnostic`.
    pub diagnostic: bool,
    /// Shown by Home Assistant without being asked for.
    pub shown: bool,
    /// A change of this value alone makes a reading worth storing.
    pub telling: bool,
    /// A number that differs by no more than this from the stored one has not
    /// changed: what the instrument's last digits do by themselves.
    pub noise: f64,
}

/// What sort of quantity a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up, but for a reset.
    Total,
    /// One of a few conditions.
    State,
    /// A word without further meaning to us.
    Text,
    /// A moment.
    Timestamp,
    /// Part of a place on earth.
    Position,
}

/// Type of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// [`Value::Bool`]
    Bool,
    /// [`Value::Integer`]
    Integer,
    /// [`Value::Float`]
    Float,
    /// [`Value::Text`]
    Text,
    /// [`Value::Time`]
    Time,
    /// [`Value::Map`] with the vendor's own names: a pack of a station.
    Object,
}

/// One value, or parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    Single,
    /// [`Value::List`]: numbered parts, such as cells.
    Numbered,
    /// [`Value::Map`]: named parts, such as doors.
    Named,
    /// [`Value::Flags`]: conditions that hold at the same time.
    Flags,
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Metric {}

impl Metric {
    const fn new(key: &'static str, name: &'static str, kind: Kind, form: Form) -> Self {
        Self {
            key,
            name,
            unit: "",
            kind,
            form,
            shape: Shape::Single,
            decimals: 0,
            range: None,
            device_class: "",
            options: &[],
            diagnostic: false,
            shown: true,
            telling: true,
            noise: 0.0,
        }
    }

    const fn gauge(
        key: &'static str,
        name: &'static str,
        unit: &'static str,
        decimals: u8,
        range: (f64, f64),
    ) -> Self {
        let mut row = Self::new(key, name, Kind::Gauge, Form::Float);
        row.unit = unit;
        row.decimals = decimals;
        row.range = Some(range);
        row
    }

    /// A gauge in whole seconds.
    const fn seconds(key: &'static str, name: &'static str) -> Self {
        let mut row = Self::new(key, name, Kind::Gauge, Form::Integer);
        row.unit = "s";
        row.range = Some((0.0, 31_536_000.0));
        row.device_class = "duration";
        row
    }

    const fn energy(key: &'static str, name: &'static str) -> Self {
        Self::gauge(key, name, "kWh", 3, (0.0, 1e9))
            .class("energy")
            .total()
    }

    const fn count(key: &'static str, name: &'static str) -> Self {
        let mut row = Self::new(key, name, Kind::Total, Form::Integer);
        row.range = Some((0.0, 1e15));
        row
    }

    const fn switch(key: &'static str, name: &'static str) -> Self {
        Self::new(key, name, Kind::State, Form::Bool)
    }

    const fn state(
        key: &'static str,
        name: &'static str,
        options: &'static [&'static str],
    ) -> Self {
        let mut row = Self::new(key, name, Kind::State, Form::Text);
        row.options = options;
        if !options.is_empty() {
            row.device_class = "enum";
        }
        row
    }

    const fn flags(
        key: &'static str,
        name: &'static str,
        options: &'static [&'static str],
    ) -> Self {
        let mut row = Self::new(key, name, Kind::State, Form::Text);
        row.shape = Shape::Flags;
        row.options = options;
        row
    }

    const fn text(key: &'static str, name: &'static str) -> Self {
        Self::new(key, name, Kind::Text, Form::Text).diagnostic()
    }

    const fn time(key: &'static str, name: &'static str) -> Self {
        let mut row = Self::new(key, name, Kind::Timestamp, Form::Time);
        row.device_class = "timestamp";
        row
    }

    const fn total(mut self) -> Self {
        self.kind = Kind::Total;
        self
    }

    const fn position(mut self) -> Self {
        self.kind = Kind::Position;
        self
    }

    const fn class(mut self, device_class: &'static str) -> Self {
        self.device_class = device_class;
        self
    }

    const fn numbered(mut self) -> Self {
        self.shape = Shape::Numbered;
        self
    }

    const fn named(mut self) -> Self {
        self.shape = Shape::Named;
        self
    }

    const fn diagnostic(mut self) -> Self {
        self.diagnostic = true;
        self
    }

    /// Not shown by Home Assistant unless the user asks for it.
    const fn hidden(mut self) -> Self {
        self.shown = false;
        self
    }

    /// An estimate or a jitter: never by itself a reason to store a reading.
    const fn quiet(mut self) -> Self {
        self.telling = false;
        self
    }

    const fn noise(mut self, noise: f64) -> Self {
        self.noise = noise;
        self
    }

    /// True if two values of this metric differ by no more than noise.
    pub fn alike(&self, one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Float(one), Value::Float(other)) => {
                // 3.302 - 3.3 is a little more than 0.002.
                (one - other).abs() <= self.noise + 1e-9
            }
            (Value::List(one), Value::List(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| self.alike(one, other))
            }
            (Value::Map(one), Value::Map(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|((key, one), (known, other))| key == known && self.alike(one, other))
            }
            (one, other) => one == other,
        }
    }

    /// Home Assistant's state class, empty without one.
    pub fn state_class(&self) -> &'static str {
        match self.kind {
            Kind::Gauge => "measurement",
            Kind::Total => "total_increasing",
            Kind::Position if self.unit == "°" => "measurement_angle",
            Kind::Position if !self.unit.is_empty() => "measurement",
            Kind::Position | Kind::State | Kind::Text | Kind::Timestamp => "",
        }
    }

    /// `value` as the catalogue wants it, or `None` if it is of another type,
    /// not a number, or outside the believable range. A part that fails
    /// becomes unknown and leaves the others in place.
    pub fn plausible(&self, value: &Value) -> Option<Value> {
        let part = |part: &Value| match self.plausible_part(part) {
            true => part.clone(),
            false => Value::Unknown,
        };
        let value = match (self.shape, value) {
            (Shape::Single, single) if self.plausible_part(single) => single.clone(),
            (Shape::Numbered, Value::List(parts)) => Value::List(parts.iter().map(part).collect()),
            (Shape::Named, Value::Map(parts)) => {
                Value::Map(parts.iter().map(|(k, v)| (k.clone(), part(v))).collect())
            }
            (Shape::Flags, flags @ Value::Flags(_)) => flags.clone(),
            _ => return None,
        };
        Some(match self.form {
            // Its fields have scales of their own.
            Form::Object => value,
            _ => value.rounded(self.decimals),
        })
    }

    fn plausible_part(&self, value: &Value) -> bool {
        let in_range = |number: f64| {
            number.is_finite()
                && self
                    .range
                    .is_none_or(|(low, high)| (low..=high).contains(&number))
        };
        match (self.form, value) {
            (Form::Bool, Value::Bool(_))
            | (Form::Text, Value::Text(_))
            | (Form::Time, Value::Time(_))
            | (Form::Object, Value::Map(_)) => true,
            (Form::Integer, Value::Integer(number)) => in_range(*number as f64),
            (Form::Float, Value::Float(number)) => in_range(*number),
            _ => false,
        }
    }

    /// The value that serializes to `json`; `None` for null and for what is of
    /// another type, such as an entry that another version wrote.
    pub fn from_json(&self, json: &serde_json::Value) -> Option<Value> {
        let part = |json: &serde_json::Value| self.part_from_json(json).unwrap_or(Value::Unknown);
        match (self.shape, json) {
            (Shape::Single, json) => self.part_from_json(json),
            (Shape::Numbered, serde_json::Value::Array(parts)) => {
                Some(Value::List(parts.iter().map(part).collect()))
            }
            (Shape::Named, serde_json::Value::Object(parts)) => Some(Value::Map(
                parts.iter().map(|(k, v)| (k.clone(), part(v))).collect(),
            )),
            (Shape::Flags, serde_json::Value::Array(flags)) => Some(Value::Flags(
                flags
                    .iter()
                    .filter_map(|flag| flag.as_str().map(str::to_owned))
                    .collect(),
            )),
            _ => None,
        }
    }

    fn part_from_json(&self, json: &serde_json::Value) -> Option<Value> {
        match self.form {
            Form::Bool => json.as_bool().map(Value::Bool),
            Form::Integer => json.as_i64().map(Value::Integer),
            Form::Float => json.as_f64().map(Value::Float),
            Form::Text => json.as_str().map(Value::from),
            Form::Time => DateTime::parse_from_rfc3339(json.as_str()?)
                .ok()
                .map(|time| Value::Time(time.with_timezone(&Utc))),
            Form::Object => Some(Value::Map(
                json.as_object()?
                    .iter()
                    .map(|(name, json)| (name.clone(), open_value(json)))
                    .collect(),
            )),
        }
    }

    /// The name with the index of one part in it.
    pub fn part_name(&self, index: &str) -> String {
        self.name.replace("{}", &index.replace('_', " "))
    }
}

/// A value outside the catalogue: a field of a pack.
fn open_value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Unknown,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(parts) => Value::List(parts.iter().map(open_value).collect()),
        serde_json::Value::Object(parts) => Value::Map(
            parts
                .iter()
                .map(|(name, json)| (name.clone(), open_value(json)))
                .collect(),
        ),
    }
}

/// Writes a table of rows: one static per row, and `ALL` over them.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident = $row:expr;)*) => {
        $($(#[$doc])* pub static $name: Metric = $row;)*

        /// Every row, in reading order.
        pub static ALL: &[&Metric] = &[$(&$name),*];
    };
}
use rows;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn rows() -> impl Iterator<Item = (DeviceKind, &'static Metric)> {
        DeviceKind::ALL
            .into_iter()
            .flat_map(|kind| catalogue(kind).iter().map(move |metric| (kind, *metric)))
    }

    #[test]
    fn keys_are_unique_per_kind_and_need_no_escaping() {
        for kind in DeviceKind::ALL {
            let mut seen = Vec::new();
            for metric in catalogue(kind) {
                assert!(!seen.contains(&metric.key), "{} twice", metric.key);
                seen.push(metric.key);
                let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                assert!(metric.key.chars().all(snake), "{}", metric.key);
            }
        }
    }

    #[test]
    fn a_key_means_the_same_for_every_kind() {
        let mut meaning = HashMap::new();
        for (_, metric) in rows() {
            let this = (metric.unit, metric.form, metric.shape, metric.device_class);
            assert_eq!(
                *meaning.entry(metric.key).or_insert(this),
                this,
                "{}",
                metric.key
            );
        }
    }

    #[test]
    fn keys_name_their_unit() {
        let suffix = HashMap::from([
            ("%", "_percent"),
            ("V", "_v"),
            ("A", "_a"),
            ("W", "_w"),
            ("Ah", "_ah"),
            ("kWh", "_kwh"),
            ("°C", "_c"),
            ("km", "_km"),
            ("m", "_m"),
            ("km/h", "_kmh"),
            ("bar", "_bar"),
            ("Hz", "_hz"),
            ("s", "_s"),
            ("dBm", "_dbm"),
        ]);
        for (_, metric) in rows() {
            if metric.kind == Kind::Position && metric.unit == "°" {
                continue;
            }
            match metric.unit {
                "" => assert!(
                    suffix.values().all(|end| !metric.key.ends_with(end)),
                    "{} has no unit",
                    metric.key
                ),
                unit => assert!(
                    metric.key.ends_with(suffix[unit]),
                    "{} is in {unit}",
                    metric.key
                ),
            }
        }
    }

    #[test]
    fn parts_have_a_place_for_their_index() {
        for (_, metric) in rows() {
            let parts = matches!(metric.shape, Shape::Numbered | Shape::Named);
            assert_eq!(metric.name.contains("{}"), parts, "{}", metric.key);
        }
    }

    /// Units and state classes that Home Assistant accepts for a device class.
    #[test]
    fn home_assistant_accepts_every_row() {
        for (_, metric) in rows() {
            let (units, classes): (&[&str], &[&str]) = match (metric.form, metric.device_class) {
                (_, "") => continue,
                (Form::Bool, class) => {
                    let known = [
                        "plug",
                        "lock",
                        "door",
                        "window",
                        "running",
                        "moving",
                        "battery_charging",
                        "power",
                        "connectivity",
                        "problem",
                        "heat",
                    ];
                    assert!(known.contains(&class), "{class}");
                    (&[""], &[""])
                }
                (_, "battery") => (&["%"], &["measurement"]),
                (_, "voltage") => (&["V"], &["measurement"]),
                (_, "current") => (&["A"], &["measurement"]),
                (_, "power") => (&["W"], &["measurement"]),
                (_, "energy") => (&["kWh"], &["total", "total_increasing"]),
                (_, "energy_storage") => (&["kWh"], &["measurement"]),
                (_, "temperature") => (&["°C"], &["measurement"]),
                (_, "frequency") => (&["Hz"], &["measurement"]),
                (_, "distance") => (&["km", "m"], &["measurement", "total_increasing"]),
                (_, "speed") => (&["km/h"], &["measurement"]),
                (_, "pressure") => (&["bar"], &["measurement"]),
                (_, "duration") => (&["s"], &["measurement"]),
                (_, "signal_strength") => (&["dBm"], &["measurement"]),
                (_, "timestamp" | "enum") => (&[""], &[""]),
                (_, class) => panic!("{}: device class {class}", metric.key),
            };
            assert!(units.contains(&metric.unit), "{}", metric.key);
            assert!(classes.contains(&metric.state_class()), "{}", metric.key);
        }
    }

    #[test]
    fn one_battery_class_per_kind() {
        for kind in DeviceKind::ALL {
            let count = catalogue(kind)
                .iter()
                .filter(|metric| metric.device_class == "battery")
                .count();
            assert!(count <= 1, "{kind:?}");
        }
    }

    #[test]
    fn numbers_have_a_range_and_only_they_have_a_unit() {
        for (_, metric) in rows() {
            let number = matches!(metric.form, Form::Integer | Form::Float);
            assert_eq!(metric.range.is_some(), number, "{}", metric.key);
            assert!(number || metric.unit.is_empty(), "{}", metric.key);
            assert!(metric.form == Form::Float || metric.decimals == 0);
            assert!(metric.form == Form::Float || metric.noise == 0.0);
        }
    }

    #[test]
    fn implausible_values_do_not_pass() {
        let soc = &battery::SOC_PERCENT;
        assert_eq!(
            soc.plausible(&Value::Float(64.04)),
            Some(Value::Float(64.0))
        );
        assert_eq!(soc.plausible(&Value::Float(100.5)), None);
        assert_eq!(soc.plausible(&Value::Float(f64::NAN)), None);
        assert_eq!(soc.plausible(&Value::Integer(64)), None);
        assert_eq!(soc.plausible(&Value::List(vec![])), None);
    }

    #[test]
    fn an_implausible_part_leaves_the_others_in_place() {
        let value: Value = [Some(18.4), Some(-273.1), Some(17.9)].into_iter().collect();
        let expected: Value = [Some(18.4), None, Some(17.9)].into_iter().collect();
        assert_eq!(battery::TEMPERATURES_C.plausible(&value), Some(expected));
    }
}
