//! What a station tells before it is connected: who it may be, and whether it
//! encrypts.
//!
//! Nothing here is proof. Names can lie, many makers use the same service, and a
//! firmware update can turn encryption on. What a station is shows in its
//! registers, and whether it encrypts in what it sends.

use crate::model::{Advertised, Model};

/// The service that stations advertise, in its 16-bit form. Other makers' devices,
/// battery packs among them, use it too.
pub const SERVICE: u16 = 0xFF00;

/// The characteristic that stations notify on.
pub const NOTIFY: u128 = 0x0000FF01_0000_1000_8000_00805F9B34FB;

/// The characteristic that they are written to.
pub const WRITE: u128 = 0x0000FF02_0000_1000_8000_00805F9B34FB;

/// The company number of the manufacturer specific data: `BL`, the first two
/// letters of its text.
pub const COMPANY: u16 = u16::from_le_bytes(*b"BL");

const LETTERS: &[u8] = b"BLUETT";

/// What an advertisement says, as far as it matters here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advertisement<'a> {
    /// The local name, if it was received.
    pub name: Option<&'a str>,
    /// The advertised services that have a 16-bit form.
    pub services: &'a [u16],
    /// Manufacturer specific data: company number and what follows it.
    pub manufacturer_data: &'a [(u16, &'a [u8])],
}

/// How likely an advertisement comes from a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Likelihood {
    /// Nothing points to it.
    No,
    /// The service fits, the rest says nothing.
    Possible,
    /// The name or the manufacturer's text fits.
    Likely,
}

impl<'a> Advertisement<'a> {
    /// How likely the device is a station.
    #[must_use]
    pub fn likelihood(&self) -> Likelihood {
        let known = self.station().is_some() || self.bears_letters();
        match (known, self.services.contains(&SERVICE)) {
            (true, _) => Likelihood::Likely,
            (false, true) => Likelihood::Possible,
            (false, false) => Likelihood::No,
        }
    }

    /// Model and serial number, from the name.
    #[must_use]
    pub fn station(&self) -> Option<Advertised<'a>> {
        self.name.and_then(Model::from_advertised)
    }

    /// Whether the station says that it encrypts; `None` if it says nothing.
    #[must_use]
    pub fn is_encrypted(&self) -> Option<bool> {
        let mut texts = self.manufacturer_data.iter();
        texts.find_map(|&(company, data)| match last_letter(company, data)? {
            b'I' => Some(false),
            b'E' | b'F' => Some(true),
            _ => None,
        })
    }

    fn bears_letters(&self) -> bool {
        let mut texts = self.manufacturer_data.iter();
        // One model was seen with one letter less.
        let short = LETTERS.get(..5).unwrap_or_default();
        texts.any(|&(company, data)| {
            company == COMPANY && (data.starts_with(short) || data.starts_with(b"UET"))
        })
    }
}

/// What follows `BLUETT`. Operating systems give the text behind the company
/// number; captures show it with and without those two letters repeated.
fn last_letter(company: u16, data: &[u8]) -> Option<u8> {
    if company != COMPANY {
        return None;
    }
    let rest = LETTERS.get(2..).unwrap_or_default();
    let end = data.strip_prefix(LETTERS).or(data.strip_prefix(rest))?;
    end.first().copied()
}

/// The 16-bit form of a service number, if it has one.
#[must_use]
pub fn short_form(service: u128) -> Option<u16> {
    const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;
    let short = (service >> 96) & 0xFFFF;
    (service == BASE | (short << 96)).then_some(short as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_text<'a>(data: &'a [(u16, &'a [u8])]) -> Advertisement<'a> {
        Advertisement {
            manufacturer_data: data,
            ..Advertisement::default()
        }
    }

    #[test]
    fn the_last_letter_tells_encryption() {
        for (text, encrypted) in [
            (&b"BLUETTI"[..], Some(false)),
            (b"UETTI", Some(false)),
            (b"BLUETTE", Some(true)),
            (b"UETTF", Some(true)),
            (b"BLUETTX", None),
            (b"BLUET", None),
        ] {
            let data = [(COMPANY, text)];
            assert_eq!(with_text(&data).is_encrypted(), encrypted, "{text:?}");
            assert_eq!(with_text(&data).likelihood(), Likelihood::Likely);
        }
        assert_eq!(with_text(&[(76, b"BLUETTE")]).is_encrypted(), None);
        assert_eq!(with_text(&[(76, b"BLUETTE")]).likelihood(), Likelihood::No);
    }

    #[test]
    fn a_service_alone_is_not_enough() {
        let mut heard = Advertisement {
            name: Some("xiaoxiang BMS"),
            services: &[SERVICE],
            ..Advertisement::default()
        };
        assert_eq!(heard.likelihood(), Likelihood::Possible);
        heard.name = Some("EB3A2236000123456");
        assert_eq!(heard.likelihood(), Likelihood::Likely);
        assert_eq!(heard.station().map(|found| found.token), Some("EB3A"));
    }

    #[test]
    fn short_forms() {
        assert_eq!(
            short_form(0x0000FF00_0000_1000_8000_00805F9B34FB),
            Some(SERVICE)
        );
        assert_eq!(short_form(0x1000FF00_0000_1000_8000_00805F9B34FB), None);
    }
}
