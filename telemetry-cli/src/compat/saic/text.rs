//! Values as the original prints them: Python's way. Dashboards, wallboxes and
//! automations compare these texts.

use std::io;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// `True` or `False`.
pub fn boolean(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

/// The shortest decimal that is this number, always with a fraction: `63.0`.
pub fn float(value: f64) -> String {
    // No minus in front of nothing.
    let text = format!("{:?}", value + 0.0);
    match text.split_once('e') {
        // Rust writes 5e-5, Python 5e-05.
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

/// ISO 8601 in UTC with microseconds, which are left out if there are none.
pub fn timestamp(at: DateTime<Utc>) -> String {
    let format = match at.timestamp_subsec_micros() {
        0 => "%Y-%m-%dT%H:%M:%S+00:00",
        _ => "%Y-%m-%dT%H:%M:%S%.6f+00:00",
    };
    at.format(format).to_string()
}

/// Rounded to so many decimals.
pub fn rounded(value: f64, decimals: usize) -> f64 {
    // By way of the decimal text, as Python does it: the sum with a half would
    // be another number.
    format!("{value:.decimals$}").parse().unwrap_or(value)
}

/// JSON over several lines.
pub fn json(value: &impl Serialize) -> String {
    written(value, PrettyFormatter::with_indent(b"  "))
}

/// JSON on one line.
pub fn json_line(value: &impl Serialize) -> String {
    written(value, OneLine)
}

fn written(value: &impl Serialize, formatter: impl Formatter) -> String {
    let mut bytes = Vec::new();
    // Cannot fail: all keys are text, and memory takes everything.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    ascii(&String::from_utf8_lossy(&bytes))
}

/// Other characters stand only in strings, where JSON can escape them.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_look_like_pythons() {
        for (number, text) in [
            (172.0, "172.0"),
            (12.8, "12.8"),
            (-7.061, "-7.061"),
            (52.520008, "52.520008"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (0.000_05, "5e-05"),
            (1e16, "1e+16"),
            (2_147_483.6, "2147483.6"),
        ] {
            assert_eq!(float(number), text);
        }
        assert_eq!([boolean(true), boolean(false)], ["True", "False"]);
        assert_eq!(float(rounded(-7.0605, 3)), "-7.061");
        assert_eq!(float(rounded(34.427_586, 2)), "34.43");
    }

    #[test]
    fn times_have_microseconds_unless_there_are_none() {
        let at = |ns| DateTime::from_timestamp(1_795_208_448, ns).unwrap();
        assert_eq!(timestamp(at(0)), "2026-11-20T21:00:48+00:00");
        assert_eq!(
            timestamp(at(163_891_999)),
            "2026-11-20T21:00:48.163891+00:00"
        );
    }

    #[test]
    fn json_is_indented_and_plain() {
        #[derive(Serialize)]
        struct Journey {
            id: u32,
            distance: f64,
        }
        let journey = Journey {
            id: 77,
            distance: 12.0,
        };
        assert_eq!(json(&journey), "{\n  \"id\": 77,\n  \"distance\": 12.0\n}");
        assert_eq!(
            json_line(&json!([{"a": "Größe 🚗"}, 1])),
            r#"[{"a": "Gr\u00f6\u00dfe \ud83d\ude97"}, 1]"#
        );
    }
}
