//! One measured value.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// One measured value, in the unit of its metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unknown: an absent probe within a list. A whole value that is unknown
    /// is left out of its reading instead.
    Unknown,
    /// Yes or no.
    Bool(bool),
    /// A whole number: counters, seconds.
    Integer(i64),
    /// A measurement. Finite; the hub removes others.
    Float(f64),
    /// A word or a version.
    Text(String),
    /// A moment.
    Time(DateTime<Utc>),
    /// Numbered parts, the first is number 1: cells, probes, packs.
    List(Vec<Self>),
    /// Named parts: doors, tyres, components.
    Map(BTreeMap<String, Self>),
    /// The conditions that hold now, by name: protections, alarms.
    Flags(Vec<String>),
}

impl Value {
    /// The number in it: integers, floats.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Unknown
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::List(_)
            | Self::Map(_)
            | Self::Flags(_) => None,
        }
    }

    /// The parts of a list or a map, each with its index as topics spell it
    /// (`1`, `2`, …, or the name); none for a single value.
    pub fn parts(&self) -> Vec<(String, &Self)> {
        match self {
            Self::List(parts) => (1..)
                .map(|number: usize| number.to_string())
                .zip(parts)
                .collect(),
            Self::Map(parts) => parts.iter().map(|(k, v)| (k.clone(), v)).collect(),
            Self::Unknown
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Flags(_) => Vec::new(),
        }
    }

    /// How many parts of it are unknown.
    pub fn unknown_parts(&self) -> usize {
        match self {
            Self::Unknown => 1,
            Self::List(parts) => parts.iter().map(Self::unknown_parts).sum(),
            Self::Map(parts) => parts.values().map(Self::unknown_parts).sum(),
            Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Flags(_) => 0,
        }
    }

    /// Floats throughout, rounded to `decimals`.
    #[must_use]
    pub fn rounded(self, decimals: u8) -> Self {
        match self {
            Self::Float(number) => {
                let scale = 10f64.powi(decimals.into());
                // Adding zero turns -0.0 into 0.0.
                Self::Float((number * scale).round() / scale + 0.0)
            }
            Self::List(parts) => {
                Self::List(parts.into_iter().map(|v| v.rounded(decimals)).collect())
            }
            Self::Map(parts) => Self::Map(
                parts
                    .into_iter()
                    .map(|(k, v)| (k, v.rounded(decimals)))
                    .collect(),
            ),
            other @ (Self::Unknown
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Text(_)
            | Self::Time(_)
            | Self::Flags(_)) => other,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Time(value)
    }
}

impl<T: Into<Self>> FromIterator<Option<T>> for Value {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(parts: I) -> Self {
        Self::List(
            parts
                .into_iter()
                .map(|part| part.map_or(Self::Unknown, Into::into))
                .collect(),
        )
    }
}

/// RFC 3339 in UTC with milliseconds, as everywhere in the gateway.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As in JSON: lists as arrays, maps as objects, flags as an array of names;
/// whole floats without fraction, as Home Assistant wants them.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => {
                serializer.serialize_i64(*value as i64)
            }
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Time(value) => serializer.serialize_str(&rfc3339(*value)),
            Self::List(value) => value.serialize(serializer),
            Self::Map(value) => value.serialize(serializer),
            Self::Flags(value) => value.serialize(serializer),
        }
    }
}

/// As a plain topic payload: flags separated by commas, `none` without any;
/// unknown as nothing; lists and maps as JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Time(value) => f.write_str(&rfc3339(*value)),
            Self::Flags(value) if value.is_empty() => f.write_str("none"),
            Self::Flags(value) => f.write_str(&value.join(",")),
            Self::List(_) | Self::Map(_) => {
                f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &Value) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn whole_floats_have_no_fraction() {
        assert_eq!(json(&Value::Float(87.0)), "87");
        assert_eq!(json(&Value::Float(-0.53)), "-0.53");
        assert_eq!(Value::Float(87.0).to_string(), "87");
        assert_eq!(Value::Float(13.31).to_string(), "13.31");
    }

    #[test]
    fn rounding_reaches_every_part_and_knows_no_negative_zero() {
        let list: Value = [Some(3.3271), None].into_iter().collect();
        assert_eq!(json(&list.rounded(3)), "[3.327,null]");
        assert_eq!(Value::Float(-0.001).rounded(2).to_string(), "0");
    }

    #[test]
    fn flags_read_as_words() {
        assert_eq!(Value::Flags(vec![]).to_string(), "none");
        let two = Value::Flags(vec!["short_circuit".into(), "bit_13".into()]);
        assert_eq!(two.to_string(), "short_circuit,bit_13");
        assert_eq!(json(&two), r#"["short_circuit","bit_13"]"#);
    }

    #[test]
    fn parts_count_from_one() {
        let list: Value = [Some(3.3), Some(3.4)].into_iter().collect();
        let index: Vec<_> = list.parts().into_iter().map(|(i, _)| i).collect();
        assert_eq!(index, ["1", "2"]);
    }
}
