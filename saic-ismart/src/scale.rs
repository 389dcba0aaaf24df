//! Raw values of the cloud: what each field can hold, and what stands for "not
//! known". One table, used by every model.
//!
//! The cloud has no null: a missing value is a number that the field cannot
//! have (−128 everywhere; 255, 1023, 2047, 65535 or 2147483647 by width; 0 where
//! 0 is impossible). Such a number becomes `None`. Numbers may come as JSON
//! numbers, as text or as booleans; what is none of these is `None`, too.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// "Not reported", in any field.
const NOT_REPORTED: i64 = -128;

/// Defines how a field is read: which raw values it can hold, and exceptions.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $range:expr $(, not $except:expr)*;)*) => {
        $(
            $(#[$doc])*
            pub(crate) fn $name<'de, D: Deserializer<'de>>(json: D) -> Result<Option<$type>, D::Error> {
                let raw = integer(json)?.filter(|raw| {
                    *raw != NOT_REPORTED && ($range).contains(raw) $(&& *raw != $except)*
                });
                Ok(raw.and_then(|raw| <$type>::try_from(raw).ok()))
            }
        )*
    };
}

rules! {
    // Of any kind.
    raw: i64 = i64::MIN..=i64::MAX;
    count: u32 = 0..=2_147_483_646;
    byte: u8 = 0..=254;
    percent: u8 = 0..=100;

    // Status.
    /// 0.1 km.
    odometer: u32 = 1..=2_147_483_646;
    /// 0.1 km.
    electric_range: u32 = 1..=20_459;
    /// 0.1 km.
    fuel_range: u32 = 0..=65_534;
    /// 0.1 km.
    distance: u32 = 0..=65_534;
    /// 0.1 V.
    aux_voltage: u16 = 1..=65_534;
    /// °C. 87 is a placeholder.
    temperature: i8 = -127..=126, not 87;
    /// 4 kPa.
    tyre_pressure: u8 = 1..=254;

    // Position.
    /// 0.1 km/h.
    speed: i16 = -1_000..=4_500;
    heading: u16 = 0..=359;
    hdop: u16 = 0..=1_000;
    satellites: u8 = 0..=127;
    /// m.
    altitude: i16 = -500..=8_899;
    /// 1e-6 °.
    latitude: i32 = -90_000_000..=90_000_000;
    /// 1e-6 °.
    longitude: i32 = -180_000_000..=180_000_000;

    // Charging.
    /// 0.1 %. 1023 stands for "no data yet".
    soc: u16 = 0..=1_000;
    /// (raw − 20000) × 0.05 A.
    pack_current: u16 = 0..=65_534;
    /// 0.25 V.
    pack_voltage: u16 = 0..=65_534;
    /// km.
    estimated_range: u16 = 0..=2_045;
    /// min. 1023 stands for "none".
    minutes: u16 = 0..=1_022;
    /// 0.05 A.
    requested_current: u16 = 0..=1_022;
    /// A / 5, V × 2.
    grid: u16 = 0..=65_534;
    /// 0.1 kWh.
    energy: u16 = 0..=65_534;
    /// 0.1 kWh. 0 stands for "unknown".
    capacity: u16 = 1..=65_534;
    seconds: u32 = 0..=2_147_483_646;
    hour: u8 = 0..=23;
    minute: u8 = 0..=59;
}

/// 0 is false, more is true.
pub(crate) fn flag<'de, D: Deserializer<'de>>(json: D) -> Result<Option<bool>, D::Error> {
    Ok(byte(json)?.map(|raw| raw > 0))
}

/// 1 is true: so the flags that say that a value is not valid.
pub(crate) fn is_one<'de, D: Deserializer<'de>>(json: D) -> Result<Option<bool>, D::Error> {
    Ok(byte(json)?.map(|raw| raw == 1))
}

/// Unix time in seconds.
pub(crate) fn epoch_s<'de, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let seconds = integer(json)?.filter(|seconds| (1..=2_147_483_646).contains(seconds));
    Ok(seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
}

/// Unix time in milliseconds.
pub(crate) fn epoch_ms<'de, D: Deserializer<'de>>(
    json: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let ms = integer(json)?.filter(|ms| *ms > 0);
    Ok(ms.and_then(DateTime::from_timestamp_millis))
}

/// A number in whatever form.
pub(crate) fn integer<'de, D: Deserializer<'de>>(json: D) -> Result<Option<i64>, D::Error> {
    Ok(json.deserialize_any(Anything)?.integer())
}

/// A text; numbers are written out. Empty text is `None`.
pub(crate) fn text<'de, D: Deserializer<'de>>(json: D) -> Result<Option<String>, D::Error> {
    Ok(match json.deserialize_any(Anything)? {
        Scalar::Text(text) if !text.is_empty() => Some(text),
        Scalar::Integer(number) => Some(number.to_string()),
        Scalar::Float(number) => Some(number.to_string()),
        Scalar::Flag(flag) => Some(flag.to_string()),
        Scalar::Text(_) | Scalar::Other => None,
    })
}

/// A boolean in whatever form.
pub(crate) fn boolean<'de, D: Deserializer<'de>>(json: D) -> Result<Option<bool>, D::Error> {
    Ok(match json.deserialize_any(Anything)? {
        Scalar::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Scalar::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
        other => other.integer().map(|number| number > 0),
    })
}

/// A model or a list inside another; null is as good as missing.
pub(crate) fn nested<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    json: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or_default())
}

enum Scalar {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Other,
}

impl Scalar {
    fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            // In this range every whole f64 is an exact i64.
            Self::Float(number) if number.fract() == 0.0 && number.abs() <= 9e15 => {
                Some(number as i64)
            }
            Self::Text(text) => text.trim().parse().ok(),
            Self::Flag(flag) => Some(i64::from(flag)),
            Self::Float(_) | Self::Other => None,
        }
    }
}

/// Takes any JSON; lists and objects are skipped.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

/// Defines a model: a struct of optional fields, each with its name in the
/// vendor's JSON and the rule above that reads it.
macro_rules! model {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $json:literal as $rule:literal,)*
        $(; $($(#[$more_doc:meta])* $more:ident: $more_type:ty = $more_json:literal,)*)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])*
            #[serde(rename = $json, deserialize_with = $rule)]
            pub $field: Option<$type>,)*
            $($($(#[$more_doc])*
            #[serde(rename = $more_json, deserialize_with = "crate::scale::nested")]
            pub $more: $more_type,)*)?
        }
    };
}
pub(crate) use model;

/// Defines an enumeration of raw numbers that keeps the unknown ones, and the
/// rule that reads it.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident, $rule:ident { $($(#[$code_doc:meta])* $code:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$code_doc])* $variant,)*
            /// A number without a known meaning.
            Other(i64),
        }

        impl $name {
            /// The vendor's number.
            #[must_use]
            pub const fn code(self) -> i64 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(code) => code,
                }
            }
        }

        impl From<i64> for $name {
            fn from(code: i64) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }

        pub(crate) fn $rule<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<$name>, D::Error> {
            Ok($crate::scale::code(json)?.map($name::from))
        }
    };
}
pub(crate) use codes;

/// A number with a meaning of its own: only −128 is no value.
pub(crate) fn code<'de, D: Deserializer<'de>>(json: D) -> Result<Option<i64>, D::Error> {
    raw(json)
}

/// Implements `from_json` for what one may hold as text: a capture, a log.
macro_rules! from_json {
    ($($name:ty),*) => {$(
        impl $name {
            /// Reads the JSON text of `data`, as a capture holds it.
            ///
            /// # Errors
            ///
            /// [`DecodeError::Json`](crate::DecodeError::Json) if the text is no
            /// JSON or has another shape. Unknown fields and values are none.
            pub fn from_json(text: &str) -> Result<Self, crate::error::DecodeError> {
                crate::endpoint::model(text)
            }
        }
    )*};
}
pub(crate) use from_json;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<i64> {
        integer(&mut serde_json::Deserializer::from_str(json)).unwrap()
    }

    #[test]
    fn numbers_in_any_form() {
        assert_eq!(read("5"), Some(5));
        assert_eq!(read("-128"), Some(-128));
        assert_eq!(read("5.0"), Some(5));
        assert_eq!(read("5.5"), None);
        assert_eq!(read("1e300"), None);
        assert_eq!(read("\" 5 \""), Some(5));
        assert_eq!(read("\"five\""), None);
        assert_eq!(read("true"), Some(1));
        assert_eq!(read("null"), None);
        assert_eq!(read("[1,[2]]"), None);
        assert_eq!(read("{\"a\":{}}"), None);
        assert_eq!(read("18446744073709551615"), None);
    }

    #[test]
    fn what_stands_for_nothing() {
        let json = |raw: i64| raw.to_string();
        let tyre =
            |raw| tyre_pressure(&mut serde_json::Deserializer::from_str(&json(raw))).unwrap();
        assert_eq!(
            [tyre(0), tyre(255), tyre(-128), tyre(65)],
            [None, None, None, Some(65)]
        );
        let warm = |raw| temperature(&mut serde_json::Deserializer::from_str(&json(raw))).unwrap();
        assert_eq!(
            [warm(87), warm(-128), warm(-127), warm(126)],
            [None, None, Some(-127), Some(126)]
        );
        let far = |raw| odometer(&mut serde_json::Deserializer::from_str(&json(raw))).unwrap();
        assert_eq!([far(0), far(65_535)], [None, Some(65_535)]);
    }
}
