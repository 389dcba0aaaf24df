use core::fmt;

/// The longest text in registers, in bytes: a Wi-Fi name.
const CAPACITY: usize = 32;

/// Text of a few registers, such as a model name. Printable ASCII; anything else
/// that the device sends shows as `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text {
    bytes: [u8; CAPACITY],
    len: u8,
}

impl Text {
    /// From registers, high byte first, or low byte first where `swapped`. Ends at
    /// the first NUL and after 32 characters at the latest.
    #[must_use]
    pub fn from_words(words: &[u16], swapped: bool) -> Self {
        let bytes = words.iter().flat_map(|word| {
            if swapped {
                word.to_le_bytes()
            } else {
                word.to_be_bytes()
            }
        });
        let mut text = Self {
            bytes: [0; CAPACITY],
            len: 0,
        };
        for (slot, byte) in text.bytes.iter_mut().zip(bytes.take_while(|&b| b != 0)) {
            let printable = byte == b' ' || byte.is_ascii_graphic();
            *slot = if printable { byte } else { b'?' };
            text.len += 1;
        }
        text
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unprintable_bytes_show() {
        assert_eq!(
            Text::from_words(&[0x41FF, 0x0A42, 0x0043], false).as_str(),
            "A??B"
        );
        assert_eq!(Text::from_words(&[0x4141; 40], true).as_str().len(), 32);
        assert_eq!(Text::from_words(&[], true).as_str(), "");
    }
}
