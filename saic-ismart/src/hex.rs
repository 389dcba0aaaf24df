//! Hexadecimal text by table: the bodies of this cloud are hex, twice per call.

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const NOT_HEX: u8 = 0xFF;

/// The value of each ASCII digit.
const VALUES: [u8; 256] = {
    let mut values = [NOT_HEX; 256];
    let mut digit = 0;
    while digit < 16 {
        values[DIGITS[digit] as usize] = digit as u8;
        values[DIGITS[digit].to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Both digits of each byte.
const PAIRS: [[u8; 2]; 256] = {
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0x0F]];
        byte += 1;
    }
    pairs
};

/// Lower-case hex of `bytes`, appended to `out`.
pub(crate) fn append(out: &mut String, bytes: &[u8]) {
    // By block through a local array: pushing digit by digit would check the
    // capacity for each of them.
    for block in bytes.chunks(64) {
        let mut digits = [0; 128];
        for (pair, &byte) in digits.chunks_exact_mut(2).zip(block) {
            pair.copy_from_slice(&PAIRS[usize::from(byte)]);
        }
        out.push_str(std::str::from_utf8(&digits[..2 * block.len()]).unwrap_or_default());
    }
}

/// Lower-case hex of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    append(&mut text, bytes);
    text
}

/// The lower-case hex digits of a digest of 16 bytes.
pub(crate) fn encode_16(bytes: &[u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, &byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&PAIRS[usize::from(byte)]);
    }
    digits
}

/// The bytes that `text` writes, or `None` if it is no hex text of whole bytes.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let mut seen = 0;
    let bytes = text
        .chunks_exact(2)
        .map(|pair| {
            let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
            seen |= high | low;
            (high << 4) | (low & 0x0F)
        })
        .collect();
    (seen & 0xF0 == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        let text = encode(&all);
        assert!(text.starts_with("000102") && text.ends_with("fdfeff"));
        assert_eq!(decode(text.as_bytes()).unwrap(), all);
        assert_eq!(decode(text.to_uppercase().as_bytes()).unwrap(), all);
    }

    #[test]
    fn what_is_no_hex() {
        assert_eq!(decode(b""), Some(Vec::new()));
        assert_eq!(decode(b"a"), None);
        assert_eq!(decode(b"0g"), None);
        assert_eq!(decode(b"g0"), None);
        assert_eq!(decode("é".as_bytes()), None);
    }
}
