use alloc::string::String;

use crate::DecodeError;
use crate::bytes::u16_at;

pub(crate) const NAME_REGISTER: u8 = 0x05;
pub(crate) const CHIP_REGISTER: u8 = 0x00;

/// The text of register 0x05: printable ASCII up to the first NUL.
///
/// The register carries no length byte, unlike the text parameters.
#[must_use]
pub fn hardware_name(data: &[u8]) -> String {
    data.iter()
        .take_while(|&&byte| byte != 0)
        .filter(|byte| matches!(byte, b' '..=b'~'))
        .map(|&byte| char::from(byte))
        .collect()
}

/// The measuring chip (front end) of a board, from reading register 0x00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ChipType {
    /// Texas Instruments; also the best guess for boards that do not answer.
    Ti,
    /// O2 Micro 7717.
    O2Micro7717,
    /// Panasonic or Nuvoton 49522.
    Panasonic49522,
    /// SinoWealth 309.
    SinoWealth309,
    /// SinoWealth 303.
    SinoWealth303,
    /// DC10xx.
    Dc10xx,
    /// OZ3714.
    Oz3714,
    /// A number without a known name.
    Other(u16),
}

impl ChipType {
    /// Decodes the data of an answer.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] below two bytes.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        u16_at(data, 0)
            .map(Self::from)
            .ok_or(DecodeError::TooShort {
                register: CHIP_REGISTER,
                needed: 2,
                got: data.len(),
            })
    }
}

impl From<u16> for ChipType {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Ti,
            1 => Self::O2Micro7717,
            2 => Self::Panasonic49522,
            3 => Self::SinoWealth309,
            4 => Self::SinoWealth303,
            5 => Self::Dc10xx,
            6 => Self::Oz3714,
            other => Self::Other(other),
        }
    }
}
