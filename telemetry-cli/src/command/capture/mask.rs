//! What must not be published, and what stands in its place.

use jbd_bms::MacAddress;
use jbd_bms::frame::{Frame, OVERHEAD};
use jbd_bms::parameters::Parameter;

/// Stands for each byte or character that is left out.
const PLACEHOLDER: u8 = b'x';

/// So many hexadecimal digits in a row show an address.
const ADDRESS_DIGITS: usize = 4;

/// So many digits in a row are a serial number. Model names have fewer.
const SERIAL_DIGITS: usize = 6;

/// Shorter secrets would hide too much.
const SECRET_MIN: usize = 4;

/// The registers of text in which a number may show.
const TEXTS: [u8; 3] = [0x05, 0xA0, 0xA1];

/// What identifies a pack in its numbered parameters: serial number, barcode.
const NUMBERED_REGISTER: u8 = 0xFA;

/// Takes out what must not be published.
#[derive(Debug, Default)]
pub struct Mask {
    address: Option<[u8; 6]>,
    /// Byte sequences that appear nowhere.
    hidden: Vec<Vec<u8>>,
}

impl Mask {
    /// For a device with this address and these passwords.
    pub fn new(address: Option<MacAddress>, secrets: &[String]) -> Self {
        let address = address.map(MacAddress::octets);
        let mut hidden: Vec<Vec<u8>> = secrets
            .iter()
            .filter(|secret| secret.len() >= SECRET_MIN)
            .map(|secret| secret.as_bytes().to_vec())
            .collect();
        if let Some(address) = address {
            hidden.push(address.to_vec());
            hidden.push(backwards(address).to_vec());
        }
        Self { address, hidden }
    }

    /// Hides a request that holds a password, should the device say it back.
    pub fn hide(&mut self, request: &[u8]) {
        if request.len() >= SECRET_MIN && !self.hidden.iter().any(|hidden| hidden == request) {
            self.hidden.push(request.to_vec());
        }
    }

    /// Masks notifications in place: `bytes` are all of them in a row. Sound
    /// answers stay sound.
    pub fn answers(&self, bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
            at += self.answer(rest).unwrap_or(1);
        }
        // What is in no sound answer, such as the half of one.
        self.hide_all(bytes);
    }

    /// Masks the answer at the start of `bytes`; how long it is.
    fn answer(&self, bytes: &mut [u8]) -> Option<usize> {
        let (frame, len) = Frame::parse(bytes).ok()??;
        let mut data = frame.data.to_vec();
        self.data(frame.register, &mut data);
        if data != frame.data {
            let masked = Frame {
                data: &data,
                ..frame
            };
            let masked = masked.to_bytes().ok()?;
            bytes.get_mut(..len)?.copy_from_slice(&masked);
        }
        debug_assert!(len >= OVERHEAD);
        Some(len)
    }

    fn data(&self, register: u8, data: &mut [u8]) {
        if register == NUMBERED_REGISTER {
            numbered(data);
        } else if Parameter::from_register(register) == Some(Parameter::SerialNumber) {
            data.fill(0);
        } else if Parameter::from_register(register) == Some(Parameter::Barcode) {
            // The first byte counts the others.
            data.iter_mut().skip(1).for_each(|byte| *byte = PLACEHOLDER);
        }
        if TEXTS.contains(&register) {
            self.ascii(data);
        }
        self.hide_all(data);
    }

    fn hide_all(&self, bytes: &mut [u8]) {
        for hidden in &self.hidden {
            let mut at = 0;
            while let Some(place) = bytes.get_mut(at..at + hidden.len()) {
                if place == hidden.as_slice() {
                    place.fill(PLACEHOLDER);
                }
                at += 1;
            }
        }
    }

    /// `text` without what must not be published.
    pub fn text(&self, text: &str) -> String {
        let plain: String = text
            .chars()
            .map(|character| match character {
                // One byte each, so that places are the same in both.
                ' '..='~' => character,
                _ => '?',
            })
            .collect();
        let mut bytes = plain.into_bytes();
        self.ascii(&mut bytes);
        self.hide_all(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn ascii(&self, text: &mut [u8]) {
        let mut masked = vec![false; text.len()];
        // Colons between the digits of an address do not make it another one.
        let digits: Vec<usize> = (0..text.len())
            .filter(|&at| !matches!(text.get(at), Some(b':' | b'-' | b'_')))
            .collect();
        if let Some(address) = self.address {
            let shown = [hex(address), hex(backwards(address))];
            for places in digits.windows(ADDRESS_DIGITS) {
                let window: Vec<u8> = places
                    .iter()
                    .filter_map(|&at| text.get(at))
                    .map(u8::to_ascii_lowercase)
                    .collect();
                let shows = |of: &String| of.as_bytes().windows(window.len()).any(|w| w == window);
                if shown.iter().any(shows) {
                    mark(&mut masked, places.iter().copied());
                }
            }
        }
        let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        for start in 0..text.len() {
            let run = (start..).take_while(|&at| is_digit(at)).count();
            if run >= SERIAL_DIGITS {
                mark(&mut masked, start..start + run);
            }
        }
        for (byte, masked) in text.iter_mut().zip(masked) {
            if masked {
                *byte = PLACEHOLDER;
            }
        }
    }
}

fn mark(masked: &mut [bool], places: impl Iterator<Item = usize>) {
    for at in places {
        if let Some(masked) = masked.get_mut(at) {
            *masked = true;
        }
    }
}

/// First number, count, and 16 bits for each.
fn numbered(data: &mut [u8]) {
    let Some((&mut [high, low, _], values)) = data.split_first_chunk_mut() else {
        return;
    };
    let first = usize::from(u16::from_be_bytes([high, low]));
    for parameter in [Parameter::SerialNumber, Parameter::Barcode] {
        let Some(number) = parameter.number() else {
            continue;
        };
        let (from, words) = (usize::from(number), usize::from(parameter.words()));
        for (at, value) in values.chunks_mut(2).enumerate() {
            if (from..from + words).contains(&(first + at)) {
                value.fill(PLACEHOLDER);
            }
        }
    }
}

fn backwards(mut address: [u8; 6]) -> [u8; 6] {
    address.reverse();
    address
}

fn hex(bytes: [u8; 6]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: [u8; 6] = [0xA4, 0xC1, 0x38, 0x30, 0xC2, 0x8E];

    fn mask() -> Mask {
        let secrets = ["hunter".to_owned(), "12".to_owned()];
        Mask::new(Some(MacAddress::new(ADDRESS)), &secrets)
    }

    fn frame(register: u8, data: &[u8]) -> Vec<u8> {
        let frame = Frame {
            register,
            status: jbd_bms::Status::Ok,
            data,
            zero_checksum: false,
        };
        frame.to_bytes().unwrap()
    }

    fn masked(register: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = frame(register, data);
        mask().answers(&mut bytes);
        let (frame, len) = Frame::parse(&bytes).unwrap().unwrap();
        assert_eq!((frame.register, len), (register, bytes.len()));
        frame.data.to_vec()
    }

    #[test]
    fn names_keep_the_model_and_lose_the_rest() {
        for (name, shown) in [
            ("JBD-SP04S034", "JBD-SP04S034"),
            ("DP04S007L4S40A", "DP04S007L4S40A"),
            ("WTDH04SC02200ABUH", "WTDH04SC02200ABUH"),
            ("A4:C1:38:30:C2:8E", "xx:xx:xx:xx:xx:xx"),
            ("A4-C1-38-30-C2-8E", "xx-xx-xx-xx-xx-xx"),
            ("pack 30c28e", "pack xxxxxx"),
            ("8EC230", "xxxxxx"),
            ("LSG-20231215", "LSG-xxxxxxxx"),
            ("hunter", "xxxxxx"),
            ("a\nb\u{e4}", "a?b?"),
            ("", ""),
        ] {
            assert_eq!(mask().text(name), shown);
        }
    }

    #[test]
    fn serial_numbers_are_replaced_and_answers_stay_sound() {
        assert_eq!(masked(0xA2, b"\x05AB-12"), b"\x05xxxxx");
        assert_eq!(masked(0x16, &[0x12, 0x34]), [0, 0]);
        assert_eq!(masked(0x05, b"SP04S0-123456"), b"SP04S0-xxxxxx");
        // Two words of the barcode, from number 87 on.
        assert_eq!(masked(0xFA, b"\x00\x57\x03aabbcc"), b"\x00\x57\x03aaxxxx");
        assert_eq!(masked(0xFA, b"\x00"), b"\x00");
        let cells = [0x0C, 0xE4, 0x0C, 0xE5];
        assert_eq!(masked(0x04, &cells), cells);
        let mut data = vec![1, 2];
        data.extend(ADDRESS);
        assert_eq!(masked(0x77, &data), b"\x01\x02xxxxxx");
        data = ADDRESS.into_iter().rev().collect();
        assert_eq!(masked(0x77, &data), b"xxxxxx");
    }

    #[test]
    fn what_is_said_back_is_hidden_in_halves_of_answers_too() {
        let mut mask = mask();
        let login = [0xFF, 0xAA, 0x15, 0x06, 1, 2, 3, 4, 5, 6, 0x30];
        mask.hide(&login);
        let mut bytes = vec![0x00, 0xDD, 0x03, 0x00, 0xFF];
        bytes.extend(login);
        bytes.extend(frame(0x04, &[0x0C, 0xE4]));
        mask.answers(&mut bytes);
        assert_eq!(&bytes[5..16], [PLACEHOLDER; 11]);
        assert_eq!(bytes[16..], frame(0x04, &[0x0C, 0xE4]));
    }

    proptest! {
        #[test]
        fn no_address_gets_through(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(ADDRESS.to_vec()),
                    Just(frame(0x05, &ADDRESS)),
                    Just(frame(0xAA, &ADDRESS)),
                    prop::collection::vec(any::<u8>(), 0..12),
                ],
                0..12,
            ),
        ) {
            let mut bytes: Vec<u8> = parts.concat();
            let len = bytes.len();
            mask().answers(&mut bytes);
            prop_assert_eq!(bytes.len(), len);
            prop_assert!(!bytes.windows(6).any(|window| window == ADDRESS));
        }
    }
}
