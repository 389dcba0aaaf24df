use alloc::string::String;
use alloc::vec::Vec;

use crate::frame::Frame;
use crate::parameters::{BLOCK_REGISTER, Parameter, ParameterBlock, ParameterValue};
use crate::{
    BasicInfo, CellVoltages, ChipType, DecodeError, ErrorCounts, Status, UnitScale, basic_info,
    cell_voltages, error_counts, hardware, hardware_name,
};

/// What an answer means, found without knowing the request: for recordings, where
/// only one side was heard.
///
/// ```
/// use jbd_bms::assembler::Assembler;
/// use jbd_bms::login::ModuleAnswer;
/// use jbd_bms::{Answer, UnitScale};
///
/// let chunks: [&[u8]; 2] = [b"\xff\xaa\x15\x01\x02\x18", b"\xdd\x04\x00\x02\x0c\xe4\xff\x0e\x77"];
/// let mut assembler = Assembler::new();
/// for chunk in chunks {
///     if let Some(module) = assembler.push(chunk) {
///         println!("{:?}", ModuleAnswer::from(&module));
///     }
///     while let Some(frame) = assembler.next_frame() {
///         match Answer::decode(&frame, UnitScale::Auto) {
///             Ok(answer) => println!("{answer:?}"),
///             Err(error) => eprintln!("{error}"),
///         }
///     }
/// }
/// assembler.flush();
/// assert_eq!(assembler.counters().rejected_bytes, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A parameter register (0x10 to 0x47, 0xA0 to 0xA2).
    Parameter {
        /// Which.
        parameter: Parameter,
        /// Its value; counts of 10 mA and 10 mAh unless the scale says otherwise.
        value: ParameterValue,
    },
    /// Register 0xFA.
    ParameterBlock(ParameterBlock),
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
            (BLOCK_REGISTER, _) => Self::ParameterBlock(ParameterBlock::decode(data)?),
            _ => match Parameter::from_register(register) {
                Some(parameter) => Self::Parameter {
                    parameter,
                    value: parameter.decode(data, unit_scale)?,
                },
                None => Self::Unknown {
                    register,
                    data: data.to_vec(),
                },
            },
        })
    }
}
