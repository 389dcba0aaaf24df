//! Durations as text: `90s`, `5m`, `30d`.

use std::fmt;
use std::time::Duration;

use serde::{Deserializer, de};

/// What a duration looks like, for messages.
pub(super) const EXPECTED: &str =
    "a number with a unit, such as \"30s\", \"5m\", \"12h\" or \"30d\"";

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Text)
}

/// For a key that may be absent.
pub(super) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}

/// Reads a duration as people write it.
pub fn parse(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is not a duration: {}", reason(&error)))?;
    if duration > LONGEST {
        return Err(format!(
            "`{text}` is not a duration that makes sense here: it is above 100 years"
        ));
    }
    Ok(duration)
}

fn reason(error: &humantime::DurationError) -> String {
    use humantime::DurationError as E;
    match error {
        E::UnknownUnit { unit, .. } if unit.is_empty() => "the unit is missing".to_owned(),
        E::UnknownUnit { unit, .. } => format!("`{unit}` is not a unit of time"),
        E::Empty => "it is empty".to_owned(),
        E::NumberExpected(0) => "it does not start with a number".to_owned(),
        other => other.to_string(),
    }
}

struct Text;

impl de::Visitor<'_> for Text {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Duration, E> {
        Err(E::custom(format!(
            "`{number}` is not a duration: the unit is missing"
        )))
    }
}

/// Beyond it, date arithmetic may overflow.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_number_and_a_unit() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5400)));
        assert!(parse("90").is_err());
        assert!(parse("").is_err());
        assert!(parse("101years").is_err());
    }
}
