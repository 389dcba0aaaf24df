//! The message: what Python's `json.dumps` makes of the original's dictionary,
//! byte for byte, with as many probes and cells as there are.

use std::fmt::Write as _;

use crate::native::JbdPack;

/// All values of `pack`, for `topic`. A probe that is absent has no key; the
/// others keep their numbers.
pub fn message(topic: &str, pack: &JbdPack) -> String {
    let JbdPack { info, cells } = pack;
    let mut json = Dict::new();
    json.put("topic", &text(topic));
    json.float("volts", f64::from(info.pack_voltage_mv) / 1000.0);
    json.float("amps", f64::from(info.current_ma) / 1000.0);
    json.float("capacity", f64::from(info.nominal_capacity_mah) / 1000.0);
    json.float("remain", f64::from(info.remaining_capacity_mah) / 1000.0);
    // As sent, like the original: more than 100 after capacity edits.
    json.put("percent", &info.soc_percent.to_string());
    for (number, deci) in (1..).zip(&info.temperatures_deci_c) {
        if let Some(deci) = deci {
            json.float(&format!("temp{number}"), f64::from(*deci) / 10.0);
        }
    }
    for (number, millivolts) in (1..).zip(&cells.cell_voltages_mv) {
        json.put(&format!("cell{number}"), &millivolts.to_string());
    }
    json.end()
}

/// A dictionary with the spaces that Python leaves.
struct Dict(String);

impl Dict {
    fn new() -> Self {
        Self("{".to_owned())
    }

    /// `value` is JSON already.
    fn put(&mut self, key: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push_str(", ");
        }
        self.0.push_str(&format!("\"{key}\": {value}"));
    }

    /// The shortest digits that stand for this number, with a point always: in
    /// the range of these values Rust's debug form is Python's.
    fn float(&mut self, key: &str, value: f64) {
        self.put(key, &format!("{value:?}"));
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A string as Python writes it: ASCII alone, the rest in UTF-16 escapes.
fn text(text: &str) -> String {
    let mut json = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='~' => json.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_ascii_as_python_writes_it() {
        assert_eq!(text("solar/shed"), r#""solar/shed""#);
        assert_eq!(text("a\"b\\c\n\u{7f}"), r#""a\"b\\c\n\u007f""#);
        assert_eq!(text("Hütte 🔋"), r#""H\u00fctte \ud83d\udd0b""#);
    }
}
