use alloc::string::String;
use alloc::vec::Vec;

use crate::frame::Frame;
use crate::{
    BasicInfo, CellVoltages, ChipType, DecodeError, ErrorCounts, Status, UnitScale, basic_info,
    cell_voltages, error_counts, hardware, hardware_name,
};

/// What an answer means, found without knowing the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Answer {
    /// Register 0x03.
    BasicInfo(BasicInfo),
    /// Register 0x04.
    CellVoltages(CellVoltages),
    /// Register 0x05.
    HardwareName(String),
    /// Register 0xAA.
    ErrorCounts(ErrorCounts),
    /// Register 0x00, read.
    ChipType(ChipType),
    /// A write was carried out.
    Acknowledged {
        /// The register that was written.
        register: u8,
    },
    /// The device refused.
    Refused {
        /// The register that was read or written.
        register: u8,
        /// Why.
        status: Status,
    },
    /// A register that this crate does not interpret.
    Unknown {
        /// The register that was read.
        register: u8,
        /// The data as received.
        data: Vec<u8>,
    },
}

impl Answer {
    /// Decodes a frame.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] if the data is not what the register should hold.
    pub fn decode(frame: &Frame<'_>, unit_scale: UnitScale) -> Result<Self, DecodeError> {
        let &Frame {
            register,
            status,
            data,
            ..
        } = frame;
        if !status.is_ok() {
            return Ok(Self::Refused { register, status });
        }
        Ok(match (register, data) {
            (_, []) => Self::Acknowledged { register },
            (basic_info::REGISTER, _) => Self::BasicInfo(BasicInfo::decode(data, unit_scale)?),
            (cell_voltages::REGISTER, _) => Self::CellVoltages(CellVoltages::decode(data)?),
            (hardware::NAME_REGISTER, _) => Self::HardwareName(hardware_name(data)),
            (error_counts::REGISTER, _) => Self::ErrorCounts(ErrorCounts::decode(data)?),
            (hardware::CHIP_REGISTER, _) => Self::ChipType(ChipType::decode(data)?),
            _ => Self::Unknown {
                register,
                data: data.to_vec(),
            },
        })
    }
}
