//! The encoding of form bodies and queries.

use std::fmt::Write as _;

/// Name and value pairs as `application/x-www-form-urlencoded`, a space as `+`.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        escape(&mut text, name);
        text.push('=');
        escape(&mut text, value);
    }
    text
}

fn escape(text: &mut String, plain: &str) {
    for byte in plain.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            _ => {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
}

/// The reverse of [`encode`]. What is no valid escape stays as it is.
#[cfg(any(test, feature = "mybmw"))]
pub(crate) fn decode(text: &str) -> Vec<(String, String)> {
    let pair = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (unescape(name), unescape(value))
    };
    text.split('&')
        .filter(|field| !field.is_empty())
        .map(pair)
        .collect()
}

#[cfg(any(test, feature = "mybmw"))]
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        let escaped = bytes.get(at..at + 2).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        match (byte, escaped) {
            (b'%', Some(value)) => {
                plain.push(value);
                at += 2;
            }
            (b'+', _) => plain.push(b' '),
            _ => plain.push(byte),
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let fields = [("a b", "p&ss wörd=%+~"), ("", "")];
        let text = encode(&fields);
        assert_eq!(text, "a+b=p%26ss+w%C3%B6rd%3D%25%2B%7E&=");
        let back = decode(&text);
        assert_eq!(back[0], ("a b".to_owned(), "p&ss wörd=%+~".to_owned()));
        assert_eq!(decode("x=%zz%4")[0].1, "%zz%4");
    }
}
