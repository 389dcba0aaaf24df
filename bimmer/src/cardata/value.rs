use serde::Serialize;

use super::descriptor::{DataType, Descriptor};

/// A value of one key.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A number, in the unit beside it.
    Number(f64),
    /// A word.
    Text(String),
}

impl Value {
    /// A value as it came, without knowledge of its key: `None` for the words
    /// that mean "unknown", numbers and truth values also in quotes.
    #[must_use]
    pub fn read(raw: &serde_json::Value) -> Option<Self> {
        let text = match raw {
            serde_json::Value::Bool(value) => return Some(Self::Bool(*value)),
            serde_json::Value::Number(value) => return value.as_f64().map(Self::Number),
            serde_json::Value::String(text) => text.trim(),
            _ => return None,
        };
        match text {
            "" | "INVALID" | "-NA-" | "UNKNOWN" | "ASN_isUnknown" => None,
            "true" | "ASN_isTrue" => Some(Self::Bool(true)),
            "false" | "ASN_isFalse" => Some(Self::Bool(false)),
            _ => Some(decimal(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)),
        }
    }

    /// As [`read`](Self::read), in the type that the catalogue gives the key:
    /// words of keys that are yes or no, such as `FLAP_LOCKED`, become truth
    /// values, and texts stay texts although they look like numbers.
    #[must_use]
    pub fn typed(key: &str, raw: &serde_json::Value) -> Option<Self> {
        let value = Self::read(raw)?;
        let data_type = Descriptor::of(key).map(|descriptor| descriptor.data_type);
        Some(match (data_type, value) {
            (Some(DataType::Boolean), Self::Text(word)) => match polarity(key, &word) {
                Some(value) => Self::Bool(value),
                None => Self::Text(word),
            },
            (Some(DataType::Boolean), Self::Number(number)) if number == 0.0 || number == 1.0 => {
                Self::Bool(number == 1.0)
            }
            (Some(DataType::Text), Self::Number(number)) => {
                let text = raw.as_str().map(str::trim);
                Self::Text(text.map_or_else(|| number.to_string(), str::to_owned))
            }
            (_, value) => value,
        })
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The word, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }
}

/// Digits with a sign and decimals, nothing else: `1e5` is a word.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let only_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = only_digits(whole) && only_digits(fraction);
    is_number.then(|| text.parse().ok().filter(|value: &f64| value.is_finite()))?
}

/// Whether a word says yes or no to a key. Denials come first: `INACTIVE`
/// contains `ACTIVE`.
fn polarity(key: &str, word: &str) -> Option<bool> {
    const WORDS: [(&str, &[&str], &[&str]); 7] = [
        ("isOpen", &["CLOSED"], &["OPEN", "INTERMEDIATE"]),
        ("isLocked", &["UNLOCKED"], &["LOCKED"]),
        ("isPermanentlyUnlocked", &["FLAP_LOCKED"], &["UNLOCKED"]),
        (
            "isPlugged",
            &["DISCONNECTED", "UNPLUGGED"],
            &["CONNECTED", "PLUGGED"],
        ),
        ("isChosen", &["NOTCHOSEN"], &["CHOSEN"]),
        (
            "isSingleImmediateCharging",
            &["NOT_ACTIVE", "INACTIVE"],
            &["ACTIVE"],
        ),
        ("Active", &["NOT_ACTIVE", "INACTIVE"], &["ACTIVE"]),
    ];
    let word = word.to_ascii_uppercase();
    let contains = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    let (_, no, yes) = WORDS.iter().find(|(ending, ..)| key.ends_with(ending))?;
    if contains(no) {
        Some(false)
    } else {
        contains(yes).then_some(true)
    }
}

/// The usual sign of a unit: `percent` becomes `%`, `Miles` `mi`, an empty one none.
#[must_use]
pub fn normal_unit(unit: &str) -> Option<String> {
    let unit = unit.trim();
    Some(match unit.to_ascii_lowercase().as_str() {
        "" => return None,
        "percent" => "%".to_owned(),
        "mile" | "miles" | "mi" => "mi".to_owned(),
        "kilometer" | "kilometers" | "kilometre" | "kilometres" | "km" => "km".to_owned(),
        "celsius" => "°C".to_owned(),
        _ => unit.to_owned(),
    })
}
