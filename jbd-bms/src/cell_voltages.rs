use alloc::vec::Vec;

use crate::DecodeError;
use crate::bytes::words;

pub(crate) const REGISTER: u8 = 0x04;

/// The voltages of all cells (register 0x04).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CellVoltages {
    /// mV per cell, cell 1 first. A bare cell or a broken wire reads 0.
    pub cell_voltages_mv: Vec<u16>,
}

impl CellVoltages {
    /// Decodes the data of an answer.
    ///
    /// # Errors
    ///
    /// [`DecodeError::OddLength`] if it is no list of 16-bit values.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        if !data.len().is_multiple_of(2) {
            return Err(DecodeError::OddLength {
                register: REGISTER,
                got: data.len(),
            });
        }
        Ok(Self {
            cell_voltages_mv: words(data).collect(),
        })
    }

    /// The lowest cell, counted from 1, and its mV; the first of equals.
    #[must_use]
    pub fn lowest(&self) -> Option<(usize, u16)> {
        self.numbered().min_by_key(|&(_, mv)| mv)
    }

    /// The highest cell, counted from 1, and its mV; the first of equals.
    #[must_use]
    pub fn highest(&self) -> Option<(usize, u16)> {
        self.numbered().rev().max_by_key(|&(_, mv)| mv)
    }

    /// Highest less lowest, mV.
    #[must_use]
    pub fn delta_mv(&self) -> Option<u16> {
        let ((_, high), (_, low)) = self.highest().zip(self.lowest())?;
        Some(high - low)
    }

    /// All cells added up, mV.
    #[must_use]
    pub fn sum_mv(&self) -> u32 {
        self.cell_voltages_mv.iter().map(|&mv| u32::from(mv)).sum()
    }

    fn numbered(&self) -> impl DoubleEndedIterator<Item = (usize, u16)> + '_ {
        let voltages = self.cell_voltages_mv.iter().copied();
        voltages.enumerate().map(|(index, mv)| (index + 1, mv))
    }
}
