//! The settings of a board: limits, delays, capacities, names.
//!
//! Parameters live in registers that open in factory mode only. Newer boards
//! also serve most of them in numbered blocks (register 0xFA). The
//! [`Client`](crate::Client) reads and writes them by name, with reading back;
//! [`ParameterSet`] keeps, compares, checks and restores them.

mod calibration;
mod hardware_limits;
mod set;
mod table;
mod value;

pub use calibration::Calibration;
pub use hardware_limits::{HardwareDelays, HardwareLimits, Threshold};
pub use set::{Difference, Inconsistency, ParameterSet, ParseError};
pub use table::{Encoding, Guard, Parameter, Unit};
pub use value::{ParameterValue, ValueError};

use alloc::vec::Vec;

use crate::bytes::{u16_at, words};
use crate::frame::Request;
use crate::{DecodeError, FrameError};

pub(crate) const BLOCK_REGISTER: u8 = 0xFA;

/// The longest block that one request may ask for.
pub const BLOCK_MAX: u8 = 95;

/// Names of the [function bits](Parameter::FunctionBits) that all sources agree
/// on. Higher bits differ between firmware: change single bits only.
pub mod function_bits {
    /// A switch at the board's input turns the output off.
    pub const SWITCH: u16 = 1 << 0;
    /// Wait for the load to go away after a short circuit.
    pub const LOAD_DETECTION: u16 = 1 << 1;
    /// Balance.
    pub const BALANCE: u16 = 1 << 2;
    /// Balance only while charging.
    pub const BALANCE_WHILE_CHARGING: u16 = 1 << 3;
    /// LEDs on.
    pub const LED: u16 = 1 << 4;
    /// LEDs show the charge.
    pub const LED_COUNT: u16 = 1 << 5;
}

/// Numbered parameters as a board sends them, 16 bits each (register 0xFA).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ParameterBlock {
    /// The number of the first one.
    pub first: u16,
    /// The values as sent. Empty in the answer to a write.
    pub values: Vec<u16>,
}

impl ParameterBlock {
    /// Decodes the data of an answer.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] if the data ends before the announced count.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let too_short = |needed| DecodeError::TooShort {
            register: BLOCK_REGISTER,
            needed,
            got: data.len(),
        };
        let (first, (&count, values)) = u16_at(data, 0)
            .zip(data.get(2..).and_then(<[u8]>::split_first))
            .ok_or(too_short(3))?;
        let len = 2 * usize::from(count);
        // The answer to a write repeats the count without the values.
        if values.is_empty() {
            return Ok(Self {
                first,
                values: Vec::new(),
            });
        }
        let values = values.get(..len).ok_or(too_short(3 + len))?;
        Ok(Self {
            first,
            values: words(values).collect(),
        })
    }

    /// The request for `count` parameters from `first`. Counts above
    /// [`BLOCK_MAX`] are limited to it.
    #[must_use]
    pub fn read(first: u16, count: u8) -> Request {
        let [high, low] = first.to_be_bytes();
        Request::read_array(BLOCK_REGISTER, [high, low, count.min(BLOCK_MAX)])
    }

    /// The request that writes `values` from `first` on.
    ///
    /// # Errors
    ///
    /// [`FrameError::TooLong`] above [`BLOCK_MAX`] values.
    pub fn write(first: u16, values: &[u16]) -> Result<Request, FrameError> {
        let count = u8::try_from(values.len())
            .ok()
            .filter(|&count| count <= BLOCK_MAX)
            .ok_or(FrameError::TooLong(values.len()))?;
        let mut data = Vec::with_capacity(3 + 2 * values.len());
        data.extend(first.to_be_bytes());
        data.push(count);
        data.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        Request::write(BLOCK_REGISTER, &data)
    }
}
