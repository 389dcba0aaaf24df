use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::table::{Encoding, Parameter};
use super::{HardwareDelays, HardwareLimits};
use crate::bytes::u16_at;
use crate::{DecodeError, Mosfets, ProductionDate, UnitScale, hardware_name};

const ZERO_CELSIUS: i32 = 2731;
const TEXT_MAX: usize = 31;

/// A parameter's value in its own [unit](Parameter::unit).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterValue {
    /// A number; also the raw bits of a date that is none.
    Number(i32),
    /// A date.
    Date(ProductionDate),
    /// Single bits.
    Bits(u16),
    /// Two bytes.
    Pair {
        /// The high byte: the delay, or that of the lower limit.
        high: u8,
        /// The low byte: the release, or the delay of the upper limit.
        low: u8,
    },
    /// Thresholds of the measuring chip.
    HardwareLimits(HardwareLimits),
    /// Delays of the measuring chip.
    HardwareDelays(HardwareDelays),
    /// Printable ASCII.
    Text(String),
}

/// Why a value cannot be written to a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The value is of another kind than the parameter.
    #[error("{0} takes another kind of value")]
    WrongKind(Parameter),
    /// The value does not fit the register.
    #[error("{0}: the value does not fit the register")]
    OutOfRange(Parameter),
    /// The register counts in larger steps than the value.
    #[error("{parameter} goes in steps of {step}")]
    Step {
        /// The parameter.
        parameter: Parameter,
        /// The register's step, in the parameter's unit.
        step: u8,
    },
    /// More than 31 characters, or not printable ASCII.
    #[error("{0} takes up to 31 printable ASCII characters")]
    Text(Parameter),
}

impl Parameter {
    /// Decodes the data of an answer about this parameter.
    ///
    /// [`UnitScale::Auto`] counts as 10 mA and 10 mAh, because the answer does not
    /// tell the unit mode.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] if the data is shorter than the parameter.
    pub fn decode(self, data: &[u8], unit_scale: UnitScale) -> Result<ParameterValue, DecodeError> {
        let too_short = |needed| DecodeError::TooShort {
            register: self.register().unwrap_or(super::BLOCK_REGISTER),
            needed,
            got: data.len(),
        };
        if self.encoding() == Encoding::Text {
            // Behind the text lie stale bytes.
            let (&len, rest) = data.split_first().ok_or(too_short(1))?;
            let text = rest.get(..usize::from(len)).unwrap_or(rest);
            return Ok(ParameterValue::Text(hardware_name(text)));
        }
        let raw = u16_at(data, 0).ok_or(too_short(2))?;
        let [high, low] = raw.to_be_bytes();
        let number = i32::from(raw);
        let scale = i32::from(unit_scale.milliamps_per_count(Mosfets::default()));
        Ok(match self.encoding() {
            Encoding::Unsigned(step) => ParameterValue::Number(number * i32::from(step)),
            Encoding::Capacity => ParameterValue::Number(number * scale),
            Encoding::Current => ParameterValue::Number(i32::from(raw.cast_signed()) * scale),
            Encoding::Temperature => ParameterValue::Number(number - ZERO_CELSIUS),
            Encoding::Date => match ProductionDate::from_raw(raw) {
                Some(date) => ParameterValue::Date(date),
                None => ParameterValue::Number(number),
            },
            Encoding::Pair => ParameterValue::Pair { high, low },
            Encoding::HardwareLimits => {
                ParameterValue::HardwareLimits(HardwareLimits::from_raw(raw))
            }
            Encoding::HardwareDelays => {
                ParameterValue::HardwareDelays(HardwareDelays::from_raw(raw))
            }
            Encoding::Bits | Encoding::Text => ParameterValue::Bits(raw),
        })
    }

    /// The data of a write.
    ///
    /// [`UnitScale::Auto`] counts as 10 mA and 10 mAh.
    ///
    /// # Errors
    ///
    /// A [`ValueError`] if the register cannot hold exactly this value.
    pub fn encode(
        self,
        value: &ParameterValue,
        unit_scale: UnitScale,
    ) -> Result<Vec<u8>, ValueError> {
        let scale = unit_scale.milliamps_per_count(Mosfets::default());
        let unsigned =
            |number: i32| u16::try_from(number).map_err(|_| ValueError::OutOfRange(self));
        let raw = match (self.encoding(), value) {
            (Encoding::Text, ParameterValue::Text(text)) => return self.encode_text(text),
            (Encoding::Unsigned(step), &ParameterValue::Number(number)) => {
                unsigned(self.counts(number, step)?)?
            }
            (Encoding::Capacity, &ParameterValue::Number(number)) => {
                unsigned(self.counts(number, scale)?)?
            }
            (Encoding::Current, &ParameterValue::Number(number)) => {
                i16::try_from(self.counts(number, scale)?)
                    .map_err(|_| ValueError::OutOfRange(self))?
                    .cast_unsigned()
            }
            (Encoding::Temperature, &ParameterValue::Number(number)) => {
                unsigned(number.saturating_add(ZERO_CELSIUS))?
            }
            (Encoding::Date, ParameterValue::Date(date)) => date.to_raw(),
            (Encoding::Date, &ParameterValue::Number(number)) => unsigned(number)?,
            (Encoding::Bits, &ParameterValue::Bits(bits)) => bits,
            (Encoding::Pair, &ParameterValue::Pair { high, low }) => {
                u16::from_be_bytes([high, low])
            }
            (Encoding::HardwareLimits, ParameterValue::HardwareLimits(limits)) => limits.raw(),
            (Encoding::HardwareDelays, ParameterValue::HardwareDelays(delays)) => delays.raw(),
            _ => return Err(ValueError::WrongKind(self)),
        };
        Ok(raw.to_be_bytes().to_vec())
    }

    fn counts(self, number: i32, step: u8) -> Result<i32, ValueError> {
        let divisor = i32::from(step.max(1));
        if number % divisor != 0 {
            return Err(ValueError::Step {
                parameter: self,
                step,
            });
        }
        Ok(number / divisor)
    }

    fn encode_text(self, text: &str) -> Result<Vec<u8>, ValueError> {
        let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let len = u8::try_from(text.len())
            .ok()
            .filter(|&len| usize::from(len) <= TEXT_MAX && printable)
            .ok_or(ValueError::Text(self))?;
        let mut data = Vec::with_capacity(1 + text.len());
        data.push(len);
        data.extend(text.as_bytes());
        Ok(data)
    }

    /// Reads what [`ParameterValue`]'s `Display` wrote; `None` if the text is no
    /// value of this parameter's kind.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<ParameterValue> {
        let text = text.trim();
        let bits = || u16::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        Some(match self.encoding() {
            Encoding::Text => {
                let inner = text.strip_prefix('"')?.strip_suffix('"')?;
                ParameterValue::Text(inner.into())
            }
            Encoding::Bits => ParameterValue::Bits(bits()?),
            Encoding::HardwareLimits => {
                ParameterValue::HardwareLimits(HardwareLimits::from_raw(bits()?))
            }
            Encoding::HardwareDelays => {
                ParameterValue::HardwareDelays(HardwareDelays::from_raw(bits()?))
            }
            Encoding::Pair => {
                let (high, low) = text.split_once('/')?;
                ParameterValue::Pair {
                    high: high.trim().parse().ok()?,
                    low: low.trim().parse().ok()?,
                }
            }
            Encoding::Date => match text.parse() {
                Ok(date) => ParameterValue::Date(date),
                Err(_) => ParameterValue::Number(text.parse().ok()?),
            },
            Encoding::Unsigned(_)
            | Encoding::Capacity
            | Encoding::Current
            | Encoding::Temperature => ParameterValue::Number(text.parse().ok()?),
        })
    }
}

/// The form of backups: numbers in the parameter's unit, bits in hexadecimal,
/// text in quotes.
impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Bits(bits) => write!(f, "{bits:#06x}"),
            Self::Pair { high, low } => write!(f, "{high}/{low}"),
            Self::HardwareLimits(limits) => write!(f, "{:#06x}", limits.raw()),
            Self::HardwareDelays(delays) => write!(f, "{:#06x}", delays.raw()),
            Self::Text(text) => write!(f, "\"{text}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_raw_value_of_every_register_survives() {
        for &parameter in Parameter::ALL {
            if parameter.encoding() == Encoding::Text {
                continue;
            }
            for scale in [UnitScale::TenMilliamp, UnitScale::HundredMilliamp] {
                for raw in (0..=u16::MAX).step_by(7).chain([u16::MAX]) {
                    let data = raw.to_be_bytes();
                    let value = parameter.decode(&data, scale).unwrap();
                    assert_eq!(
                        parameter.encode(&value, scale).unwrap(),
                        data,
                        "{parameter}"
                    );
                    assert_eq!(parameter.parse(&value.to_string()), Some(value));
                }
            }
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let encode = |parameter: Parameter, value| parameter.encode(&value, UnitScale::Auto);
        use Parameter as P;
        use ParameterValue::{Bits, Number, Text};
        assert_eq!(
            encode(P::PackOvervoltage, Number(14_605)),
            Err(ValueError::Step {
                parameter: P::PackOvervoltage,
                step: 10
            })
        );
        assert_eq!(
            encode(P::CellOvervoltage, Number(-1)),
            Err(ValueError::OutOfRange(P::CellOvervoltage))
        );
        assert_eq!(
            encode(P::ChargeOvercurrent, Number(327_680)),
            Err(ValueError::OutOfRange(P::ChargeOvercurrent))
        );
        assert_eq!(
            encode(P::CellOvervoltage, Bits(1)),
            Err(ValueError::WrongKind(P::CellOvervoltage))
        );
        assert_eq!(
            encode(P::Barcode, Text("x".repeat(32))),
            Err(ValueError::Text(P::Barcode))
        );
        assert_eq!(
            encode(P::ChargeOvertemperature, Number(i32::MAX)),
            Err(ValueError::OutOfRange(P::ChargeOvertemperature))
        );
    }

    #[test]
    fn text_stops_at_its_length_byte() {
        let value = Parameter::Manufacturer
            .decode(b"\x02ABstale", UnitScale::Auto)
            .unwrap();
        assert_eq!(value, ParameterValue::Text("AB".into()));
        let cut_off = Parameter::Barcode
            .decode(b"\x09AB", UnitScale::Auto)
            .unwrap();
        assert_eq!(cut_off, ParameterValue::Text("AB".into()));
    }
}
