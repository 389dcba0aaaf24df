use crate::bytes::{u16_at, words};
use crate::{DecodeError, Protection};

pub(crate) const REGISTER: u8 = 0xAA;
const COUNTERS: usize = 11;

/// How often each protection tripped (register 0xAA).
///
/// Leaving factory mode with saving sets all of them back to zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ErrorCounts {
    /// Short circuits.
    pub short_circuit: u16,
    /// Charge overcurrents.
    pub charge_overcurrent: u16,
    /// Discharge overcurrents.
    pub discharge_overcurrent: u16,
    /// Cell overvoltages.
    pub cell_overvoltage: u16,
    /// Cell undervoltages.
    pub cell_undervoltage: u16,
    /// Overtemperatures while charging.
    pub charge_overtemperature: u16,
    /// Undertemperatures while charging.
    pub charge_undertemperature: u16,
    /// Overtemperatures while discharging.
    pub discharge_overtemperature: u16,
    /// Undertemperatures while discharging.
    pub discharge_undertemperature: u16,
    /// Pack overvoltages.
    pub pack_overvoltage: u16,
    /// Pack undervoltages.
    pub pack_undervoltage: u16,
    /// Restarts of the board; newer firmware only.
    pub system_restarts: Option<u16>,
}

impl ErrorCounts {
    /// Decodes the data of an answer of 22 or more bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] below 22 bytes.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let too_short = DecodeError::TooShort {
            register: REGISTER,
            needed: 2 * COUNTERS,
            got: data.len(),
        };
        if data.len() < 2 * COUNTERS {
            return Err(too_short);
        }
        let mut counters = words(data);
        let mut next = || counters.next().ok_or(too_short);
        Ok(Self {
            short_circuit: next()?,
            charge_overcurrent: next()?,
            discharge_overcurrent: next()?,
            cell_overvoltage: next()?,
            cell_undervoltage: next()?,
            charge_overtemperature: next()?,
            charge_undertemperature: next()?,
            discharge_overtemperature: next()?,
            discharge_undertemperature: next()?,
            pack_overvoltage: next()?,
            pack_undervoltage: next()?,
            system_restarts: u16_at(data, 2 * COUNTERS),
        })
    }

    /// Each protection with its count, in the order of the register.
    pub fn iter(&self) -> impl Iterator<Item = (Protection, u16)> + use<> {
        [
            (Protection::ShortCircuit, self.short_circuit),
            (Protection::ChargeOvercurrent, self.charge_overcurrent),
            (Protection::DischargeOvercurrent, self.discharge_overcurrent),
            (Protection::CellOvervoltage, self.cell_overvoltage),
            (Protection::CellUndervoltage, self.cell_undervoltage),
            (
                Protection::ChargeOvertemperature,
                self.charge_overtemperature,
            ),
            (
                Protection::ChargeUndertemperature,
                self.charge_undertemperature,
            ),
            (
                Protection::DischargeOvertemperature,
                self.discharge_overtemperature,
            ),
            (
                Protection::DischargeUndertemperature,
                self.discharge_undertemperature,
            ),
            (Protection::PackOvervoltage, self.pack_overvoltage),
            (Protection::PackUndervoltage, self.pack_undervoltage),
        ]
        .into_iter()
    }
}
