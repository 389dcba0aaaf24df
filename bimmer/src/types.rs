//! Words that both APIs share: vehicle identification numbers, brands, times.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// A vehicle identification number: 17 letters and digits, in capitals.
/// `Debug` shows the first three and the last four characters only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Vin(String);

impl Vin {
    /// Takes 17 letters or digits in any case, `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = text.len() == 17 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(text.to_ascii_uppercase()))
    }

    /// All 17 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For messages: `WBA...4501`.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("{}...{}", &self.0[..3], &self.0[13..])
    }

    /// The brand as far as the manufacturer's code tells: `WMW` is MINI.
    #[must_use]
    pub fn brand(&self) -> Brand {
        if self.0.starts_with("WMW") {
            Brand::Mini
        } else {
            Brand::Bmw
        }
    }
}

impl fmt::Debug for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vin({})", self.masked())
    }
}

impl fmt::Display for Vin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Vin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).ok_or_else(|| serde::de::Error::custom("not a VIN of 17 characters"))
    }
}

/// Whose vehicle it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Brand {
    /// BMW, BMW i, BMW M, BMW Motorrad.
    Bmw,
    /// MINI.
    Mini,
    /// The Toyota Supra that BMW builds.
    Toyota,
    /// Any other, in lower case.
    Other(String),
}

impl Brand {
    /// Those that the app API knows a vehicle list for.
    pub const WITH_LIST: [Self; 3] = [Self::Bmw, Self::Mini, Self::Toyota];

    /// From the words of either API: `BMW_I`, `BMWi`, `Toyota-Supra`, `MINI`, ….
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lower = text.trim().to_lowercase();
        match lower.split(['_', '-', ' ']).next().unwrap_or_default() {
            "bmw" | "bmwi" | "bmwm" => Self::Bmw,
            "mini" => Self::Mini,
            "toyota" => Self::Toyota,
            _ => Self::Other(lower),
        }
    }

    /// In lower case: `bmw`, `mini`, `toyota`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Bmw => "bmw",
            Self::Mini => "mini",
            Self::Toyota => "toyota",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Brand {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A point on earth, WGS-84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Position {
    /// Degrees, north is positive.
    pub latitude: f64,
    /// Degrees, east is positive.
    pub longitude: f64,
}

impl Position {
    /// `None` outside the globe, and for the point 0, 0 that stands for "no fix".
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_globe = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let null_island = latitude.abs() < 0.1 && longitude.abs() < 0.1;
        (on_globe && !null_island).then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Distance over ground in metres, on a sphere of radius 6371 km.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let across = (to - from) / 2.0;
        let along = (other.longitude - self.longitude).to_radians() / 2.0;
        let chord = across.sin().powi(2) + from.cos() * to.cos() * along.sin().powi(2);
        2.0 * 6_371_000.0 * chord.sqrt().min(1.0).asin()
    }
}

/// Longer than any time stamp that BMW sends.
const LONGEST_TIME: usize = 64;

/// Reads a time as BMW writes it: RFC 3339 with any number of decimals, an
/// offset with or without colon or none (then UTC), a date alone, or seconds
/// since 1970. `None` for anything else.
///
/// ```
/// let time = bimmer::types::parse_time("2026-03-01T12:34:56-0530").unwrap();
/// assert_eq!(time.to_rfc3339(), "2026-03-01T18:04:56+00:00");
/// ```
#[must_use]
pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST_TIME {
        return None;
    }
    sensible(parse_any_time(text)?)
}

/// A time of a calendar's years, so that adding to it never overflows.
pub(crate) fn sensible(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1..=9999).contains(&time.year()).then_some(time)
}

fn parse_any_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(time.to_utc());
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(time.and_utc());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_time(NaiveTime::MIN).and_utc());
    }
    let seconds: i64 = text.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

/// An enumeration that the vendor may extend: matched exactly, else without
/// regard to case; anything else is kept as it came.
#[cfg(feature = "mybmw")]
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$about])* $variant,)+
            /// A word that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// From the vendor's word, in any case.
            #[must_use]
            pub fn parse(text: &str) -> Self {
                $(if text.eq_ignore_ascii_case($text) { return Self::$variant; })+
                Self::Other(text.to_owned())
            }

            /// The vendor's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Ok(Self::parse(&<String as serde::Deserialize>::deserialize(from)?))
            }
        }
    };
}
#[cfg(feature = "mybmw")]
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vins() {
        let vin = Vin::new(" wmw11aa0001234505 ").unwrap();
        assert_eq!(vin.as_str(), "WMW11AA0001234505");
        assert_eq!(vin.brand(), Brand::Mini);
        assert!(!format!("{vin:?}").contains("00012345"));
        assert_eq!(Vin::new("WMW11AA000123450"), None);
        assert_eq!(Vin::new("WMW11AA0001234505é"), None);
        assert_eq!(Vin::new("../../etc/passwd/"), None);
    }

    #[test]
    fn times_of_other_shapes() {
        for text in [
            "2026-03-01",
            "2026-03-01T00:00:00",
            "2026-03-01T00:00:00.123456789Z",
        ] {
            assert_eq!(
                parse_time(text).unwrap().timestamp(),
                1_772_323_200,
                "{text}"
            );
        }
        assert_eq!(parse_time("1772323200").unwrap().timestamp(), 1_772_323_200);
        assert_eq!(parse_time("99999999999999999999"), None);
        assert_eq!(parse_time("9999999999999"), None);
        assert_eq!(parse_time("-262143-01-01T00:00:00"), None);
        assert_eq!(parse_time("+262142-12-31T23:59:59+0000"), None);
    }

    #[test]
    fn no_fix_is_no_position() {
        assert_eq!(Position::new(0.0, 0.05), None);
        assert_eq!(Position::new(91.0, 0.0), None);
        assert_eq!(Position::new(f64::NAN, 5.0), None);
    }
}
