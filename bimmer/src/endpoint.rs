//! What is asked and what comes back, without a network: each endpoint is a
//! value that knows its path and body and reads its answer.

use serde::de::DeserializeOwned;

use crate::error::DecodeError;
use crate::http::{Method, Response};
use crate::types::Vin;

/// One call: what is sent, and how its answer is read.
pub trait Endpoint {
    /// What comes back.
    type Answer;

    /// In words, for messages.
    fn name(&self) -> &'static str;

    /// HTTP method.
    fn method(&self) -> Method {
        Method::Get
    }

    /// Path below the base URL with a leading slash, and the query.
    fn path(&self) -> String;

    /// Headers besides those of every request, or in their place.
    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The JSON body, if there is one.
    fn body(&self) -> Option<String> {
        None
    }

    /// Whether the call changes something. Such a call is never sent twice.
    fn is_command(&self) -> bool {
        false
    }

    /// The vehicle concerned.
    fn vin(&self) -> Option<&Vin> {
        None
    }

    /// Reads an answer of success.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] with the field that has another shape than it should.
    fn read(&self, response: &Response) -> Result<Self::Answer, DecodeError>;
}

/// Reads JSON into a model. With the feature `trace-unknown-fields`, what no
/// model knows is reported through `tracing`.
pub(crate) fn model<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    #[cfg(not(feature = "trace-unknown-fields"))]
    let read = T::deserialize(tracked);
    #[cfg(feature = "trace-unknown-fields")]
    let read = serde_ignored::deserialize(tracked, |field| {
        tracing::warn!(model = std::any::type_name::<T>(), %field, "unknown field");
    });
    let at = |path: String, error: serde_json::Error| {
        // Without the value that was found, which may be private.
        let problem = if error.is_data() {
            "not of the expected shape"
        } else {
            "no valid JSON"
        };
        let message = format!("{problem} (column {})", error.column());
        DecodeError::Json { path, message }
    };
    let value = read.map_err(|error| at(track.path().to_string(), error))?;
    json.end().map_err(|error| at(".".to_owned(), error))?;
    Ok(value)
}

/// Field types that take what comes: a value of another type counts as none.
pub(crate) mod lenient {
    use serde::{Deserialize, Deserializer};
    use serde_json::Value;

    /// A number, also in quotes.
    pub(crate) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite()),
            _ => None,
        })
    }

    /// A whole number, also in quotes; decimals are cut off.
    pub(crate) fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        let value = number(from)?.filter(|value| value.abs() < 9e15);
        Ok(value.map(|value| value as i64))
    }

    /// A distance in kilometres: a number, or one with its unit, as
    /// `{"value": 7, "unit": "mi"}`, `{"mileage": 7, "units": "km"}` or `[7, "mi"]`.
    #[cfg(feature = "mybmw")]
    pub(crate) fn kilometres<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        let km = distance_km(&Value::deserialize(from)?);
        let km = km.filter(|km| km.abs() < 9e15);
        Ok(km.map(|km| km as i64))
    }

    #[cfg(feature = "mybmw")]
    fn distance_km(value: &Value) -> Option<f64> {
        const KM_PER_MILE: f64 = 1.609_344;
        let (number, unit) = match value {
            Value::Array(pair) => (pair.first()?, pair.get(1)),
            Value::Object(members) => {
                let one_of = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
                let number = one_of(&["value", "mileage", "distance"])?;
                if number.is_object() {
                    return distance_km(number);
                }
                (number, one_of(&["unit", "units"]))
            }
            plain => (plain, None),
        };
        let number = super::lenient::number(number).ok()??;
        let unit = unit.and_then(Value::as_str).unwrap_or_default();
        let miles = unit.to_ascii_lowercase().starts_with("mi");
        // Of miles the nearest kilometre, of kilometres what the car shows.
        Some(if miles {
            (number * KM_PER_MILE).round()
        } else {
            number
        })
    }

    /// A text that is not empty, or a number in words.
    pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        })
    }

    /// True or false, also in words.
    pub(crate) fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::Bool(value) => Some(value),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    /// A time in one of the shapes of [`parse_time`](crate::types::parse_time).
    pub(crate) fn time<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<chrono::DateTime<chrono::Utc>>, D::Error> {
        Ok(text(from)?.and_then(|text| crate::types::parse_time(&text)))
    }

    /// A value of any type that can be read from JSON; `None` where it cannot.
    pub(crate) fn maybe<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        Ok(serde_json::from_value(Value::deserialize(from)?).ok())
    }

    /// A list; what cannot be read is left out, and anything else is an empty list.
    pub(crate) fn list<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
        from: D,
    ) -> Result<Vec<T>, D::Error> {
        let Value::Array(items) = Value::deserialize(from)? else {
            return Ok(Vec::new());
        };
        let readable = items
            .into_iter()
            .filter_map(|item| serde_json::from_value(item).ok());
        Ok(readable.collect())
    }
}

#[cfg(all(test, feature = "mybmw"))]
mod tests {
    use super::*;

    #[test]
    fn distances_are_kilometres_whatever_their_unit() {
        let read = |text: &str| {
            let mut json = serde_json::Deserializer::from_str(text);
            lenient::kilometres(&mut json).unwrap()
        };
        for (text, km) in [
            ("12345", Some(12_345)),
            ("\"12345\"", Some(12_345)),
            (r#"{"mileage": 1000, "units": "mi"}"#, Some(1609)),
            (r#"{"value": 100, "unit": "MILES"}"#, Some(161)),
            (
                r#"{"distance": {"value": 307, "units": "KILOMETERS"}}"#,
                Some(307),
            ),
            (r#"[289, "km"]"#, Some(289)),
            (r#"{"units": "km"}"#, None),
            ("null", None),
            ("[]", None),
        ] {
            assert_eq!(read(text), km, "{text}");
        }
    }
}
