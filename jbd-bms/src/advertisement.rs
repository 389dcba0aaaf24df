//! What a device tells before it is connected: who it may be, and its address.
//!
//! Nothing here is proof. Names can be changed by the user and other makers use
//! the same service, so a device is known only once it answered register 0x03.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// The service that most devices advertise, in its 16-bit form. Necessary for
/// recognition, not sufficient: other makers' batteries use it too.
pub const SERVICE: u16 = 0xFF00;

/// The service that Eleksol packs advertise.
pub const ELEKSOL_SERVICE: u16 = 0xFF06;

/// A Bluetooth device address, first byte first as people write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", try_from = "String"))]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// From its six bytes, first byte first.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// Its six bytes, first byte first.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The address hidden in manufacturer specific data, given as the operating
    /// system splits it.
    ///
    /// Many modules fill that field with their address, forward or reversed, and
    /// the company number is its first two bytes. It is the only address to be
    /// had on macOS. `None` if no known maker's prefix shows.
    #[must_use]
    pub fn from_manufacturer_data(company_id: u16, data: &[u8]) -> Option<Self> {
        let [first, second] = company_id.to_le_bytes();
        let &[third, fourth, fifth, sixth] = data.first_chunk()?;
        let mut octets = [first, second, third, fourth, fifth, sixth];
        if has_known_prefix(octets) {
            return Some(Self(octets));
        }
        octets.reverse();
        has_known_prefix(octets).then_some(Self(octets))
    }

    /// Whether the prefix belongs to a maker of these Bluetooth modules.
    #[must_use]
    pub fn has_known_prefix(self) -> bool {
        has_known_prefix(self.0)
    }
}

fn has_known_prefix([a, b, c, ..]: [u8; 6]) -> bool {
    const KNOWN: [[u8; 3]; 11] = [
        [0xA4, 0xC1, 0x37],
        [0xA4, 0xC1, 0x38],
        [0xA5, 0xC2, 0x37],
        [0xA5, 0xC2, 0x39],
        [0xA5, 0xC2, 0x3A],
        [0xA5, 0xC2, 0x1F],
        [0xAA, 0xC2, 0x37],
        [0x70, 0x3E, 0x97],
        [0x10, 0xA5, 0x62],
        [0x38, 0x36, 0x13],
        [0x3C, 0x8A, 0x1F],
    ];
    KNOWN.contains(&[a, b, c])
}

impl From<[u8; 6]> for MacAddress {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no address of the form `a4:c1:38:00:11:22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address of the form a4:c1:38:00:11:22")]
pub struct NotAnAddress;

impl FromStr for MacAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let octets: Vec<u8> = text
            .split([':', '-'])
            .map(|pair| match pair.len() {
                2 => u8::from_str_radix(pair, 16).map_err(|_| NotAnAddress),
                _ => Err(NotAnAddress),
            })
            .collect::<Result<_, _>>()?;
        octets.try_into().map(Self).map_err(|_| NotAnAddress)
    }
}

impl From<MacAddress> for String {
    fn from(address: MacAddress) -> Self {
        alloc::format!("{address}")
    }
}

impl TryFrom<String> for MacAddress {
    type Error = NotAnAddress;

    fn try_from(text: String) -> Result<Self, NotAnAddress> {
        text.parse()
    }
}

/// What an advertisement says, as far as it matters here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advertisement<'a> {
    /// The local name, if it was received.
    pub name: Option<&'a str>,
    /// The radio address, where the operating system tells it.
    pub address: Option<MacAddress>,
    /// The advertised services that have a 16-bit form.
    pub services: &'a [u16],
    /// Manufacturer specific data: company number and what follows it.
    pub manufacturer_data: &'a [(u16, &'a [u8])],
}

/// How likely an advertisement comes from a device with this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Likelihood {
    /// Nothing points to it, or it is a known other make.
    No,
    /// The service fits, the rest says nothing: ask it for register 0x03.
    Possible,
    /// Service and name or address prefix fit.
    Likely,
}

impl Advertisement<'_> {
    /// How likely the device speaks this protocol.
    #[must_use]
    pub fn likelihood(&self) -> Likelihood {
        if self.name.is_some_and(is_other_make) {
            return Likelihood::No;
        }
        if self.services.contains(&ELEKSOL_SERVICE) {
            return Likelihood::Likely;
        }
        let known = self.name.is_some_and(is_known_name)
            || self.address.is_some_and(MacAddress::has_known_prefix)
            || self.hidden_address().is_some();
        match (self.services.contains(&SERVICE), known) {
            (true, true) => Likelihood::Likely,
            (true, false) => Likelihood::Possible,
            // The service may be missing from the part received so far.
            (false, known) if known && self.services.is_empty() => Likelihood::Possible,
            (false, _) => Likelihood::No,
        }
    }

    /// The address inside the manufacturer specific data, if there is one.
    #[must_use]
    pub fn hidden_address(&self) -> Option<MacAddress> {
        self.manufacturer_data
            .iter()
            .find_map(|&(company, data)| MacAddress::from_manufacturer_data(company, data))
    }
}

fn is_known_name(name: &str) -> bool {
    const PREFIXES: [&str; 11] = [
        "JBD-",
        "xiaoxiang",
        "DP04S",
        "DWF",
        "LSG-",
        "SX1",
        "SX60",
        "SBL-",
        "OGR-",
        "TZ-H",
        "ECO-LFP",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || is_board_name(name, b"SP")
        || is_board_name(name, b"AP")
        || is_nordic_name(name)
}

/// `SP17S…`: the cell count between the prefix and an S.
fn is_board_name(name: &str, prefix: &[u8; 2]) -> bool {
    match name.as_bytes() {
        [p0, p1, tens, ones, b'S', ..] => {
            [*p0, *p1] == *prefix && tens.is_ascii_digit() && ones.is_ascii_digit()
        }
        _ => false,
    }
}

/// `N-`, five characters, `BL`.
fn is_nordic_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.starts_with(b"N-") && bytes.get(7..9) == Some(b"BL")
}

/// Makers whose batteries advertise the same service and speak otherwise.
fn is_other_make(name: &str) -> bool {
    const OTHERS: [&str; 6] = ["BP0", "BP1", "BP2", "TP_", "HSKS-", "BL-"];
    OTHERS.iter().any(|prefix| name.starts_with(prefix))
}

/// A pair of characteristics that carries this protocol, in 16-bit form unless
/// it is [`GattVariant::NordicUart`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GattVariant {
    /// `ff00` with `ff01` and `ff02`: almost everything.
    Standard,
    /// `fff0` with `fff1` and `fff2`: modules named WTDH04.
    Dh04,
    /// `ff06` with `ff07` and `ff08`: Eleksol.
    Eleksol,
    /// `ffe0` with `ffe1` both ways: serial dongles of other makers.
    SerialDongle,
    /// The Nordic UART service.
    NordicUart,
}

impl GattVariant {
    /// All variants in the order in which they are to be looked for.
    pub const ALL: [Self; 5] = [
        Self::Standard,
        Self::Dh04,
        Self::Eleksol,
        Self::SerialDongle,
        Self::NordicUart,
    ];

    /// The 128-bit number of the service.
    #[must_use]
    pub const fn service(self) -> u128 {
        match self {
            Self::Standard => short(0xFF00),
            Self::Dh04 => short(0xFFF0),
            Self::Eleksol => short(0xFF06),
            Self::SerialDongle => short(0xFFE0),
            Self::NordicUart => nordic(1),
        }
    }

    /// The 128-bit number of the characteristic that the device notifies on.
    #[must_use]
    pub const fn notify(self) -> u128 {
        match self {
            Self::Standard => short(0xFF01),
            Self::Dh04 => short(0xFFF1),
            Self::Eleksol => short(0xFF07),
            Self::SerialDongle => short(0xFFE1),
            Self::NordicUart => nordic(3),
        }
    }

    /// The 128-bit number of the characteristic to write to.
    #[must_use]
    pub const fn write(self) -> u128 {
        match self {
            Self::Standard => short(0xFF02),
            Self::Dh04 => short(0xFFF2),
            Self::Eleksol => short(0xFF08),
            Self::SerialDongle => short(0xFFE1),
            Self::NordicUart => nordic(2),
        }
    }
}

const fn short(number: u16) -> u128 {
    (number as u128) << 96 | 0x0000_0000_0000_1000_8000_0080_5F9B_34FB
}

const fn nordic(number: u16) -> u128 {
    (number as u128) << 96 | 0x6E40_0000_B5A3_F393_E0A9_E50E_24DC_CA9E
}

/// The 16-bit form of a 128-bit number, if it has one.
#[must_use]
pub const fn short_form(uuid: u128) -> Option<u16> {
    let number = (uuid >> 96) as u32;
    if number <= 0xFFFF && short(number as u16) == uuid {
        Some(number as u16)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn addresses_are_read_and_written() {
        let address: MacAddress = "A4:c1:38-00:11:FF".parse().unwrap();
        assert_eq!(address.to_string(), "a4:c1:38:00:11:ff");
        for wrong in [
            "",
            "a4:c1:38:00:11",
            "a4:c1:38:00:11:22:33",
            "a4c138001122",
            "+4:c1:38:00:11:2",
        ] {
            assert!(wrong.parse::<MacAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_other_makes_exclude() {
        let advertisement = |name| Advertisement {
            name: Some(name),
            services: &[SERVICE],
            ..Advertisement::default()
        };
        assert_eq!(advertisement("BP02").likelihood(), Likelihood::No);
        assert_eq!(advertisement("TP_1").likelihood(), Likelihood::No);
        assert_eq!(advertisement("my boat").likelihood(), Likelihood::Possible);
        assert_eq!(
            advertisement("SP17S005P17S120A").likelihood(),
            Likelihood::Likely
        );
        assert_eq!(advertisement("N-12345BL").likelihood(), Likelihood::Likely);
        assert_eq!(advertisement("SPxxS").likelihood(), Likelihood::Possible);
    }

    #[test]
    fn without_the_service_nothing_is_likely() {
        let heard = Advertisement {
            name: Some("JBD-1"),
            ..Advertisement::default()
        };
        assert_eq!(heard.likelihood(), Likelihood::Possible);
        let other = Advertisement {
            name: Some("JBD-1"),
            services: &[0x180F],
            ..heard
        };
        assert_eq!(other.likelihood(), Likelihood::No);
        let eleksol = Advertisement {
            services: &[ELEKSOL_SERVICE],
            ..Advertisement::default()
        };
        assert_eq!(eleksol.likelihood(), Likelihood::Likely);
    }

    #[test]
    fn numbers_expand_with_the_bluetooth_base() {
        assert_eq!(
            alloc::format!("{:032x}", GattVariant::Standard.notify()),
            "0000ff0100001000800000805f9b34fb"
        );
        assert_eq!(short_form(GattVariant::Dh04.write()), Some(0xFFF2));
        assert_eq!(short_form(GattVariant::NordicUart.service()), None);
        assert_eq!(
            alloc::format!("{:032x}", GattVariant::NordicUart.service()),
            "6e400001b5a3f393e0a9e50e24dcca9e"
        );
    }
}
