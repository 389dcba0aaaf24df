use alloc::vec::Vec;
use core::fmt;

use super::{Choice, DateTime, Decimal, Text, TimeSlot};

/// A decoded field.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A number in the field's unit.
    Number(Decimal),
    /// On or off, yes or no.
    Switch(bool),
    /// A word of single bits.
    Bits(u16),
    /// A number with a name.
    Choice(Choice),
    /// Text.
    Text(Text),
    /// A serial number.
    Serial(u64),
    /// A duration in minutes; as a float in hours, like all durations.
    Minutes(u16),
    /// Numbers in the field's unit.
    Numbers(Vec<Decimal>),
    /// Cells with their state.
    Cells(Vec<CellVoltage>),
    /// The station's clock.
    Time(DateTime),
    /// A slot of the time-control programme.
    Slot(TimeSlot),
}

impl Value {
    /// The number of a [`Number`](Self::Number).
    #[must_use]
    pub const fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// As a float in the field's unit: numbers, and durations in hours.
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.to_f64()),
            Self::Minutes(minutes) => Some(f64::from(*minutes) / 60.0),
            _ => None,
        }
    }

    /// The state of a [`Switch`](Self::Switch).
    #[must_use]
    pub const fn switch(&self) -> Option<bool> {
        match self {
            Self::Switch(on) => Some(*on),
            _ => None,
        }
    }
}

/// Plain text: decimals with all their places, names of choices, `true` and
/// `false`, bits in hexadecimal, durations in hours with two places, lists with
/// commas.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Switch(on) => on.fmt(f),
            Self::Bits(bits) => write!(f, "{bits:#06x}"),
            Self::Choice(choice) => choice.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Serial(serial) => serial.fmt(f),
            Self::Minutes(minutes) => write!(f, "{:.2}", f64::from(*minutes) / 60.0),
            Self::Numbers(numbers) => list(f, numbers),
            Self::Cells(cells) => list(f, cells),
            Self::Time(time) => time.fmt(f),
            Self::Slot(slot) => slot.fmt(f),
        }
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// A cell of a second-generation pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellVoltage {
    /// Voltage in millivolts.
    pub millivolts: u16,
    /// Two bits of state; their meaning is not known.
    pub status: u8,
}

impl CellVoltage {
    /// From a register: 14 bits of voltage below 2 bits of state.
    #[must_use]
    pub const fn from_word(word: u16) -> Self {
        Self {
            millivolts: word & 0x3FFF,
            status: (word >> 14) as u8,
        }
    }
}

/// In volts.
impl fmt::Display for CellVoltage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal::new(i64::from(self.millivolts), 3).fmt(f)
    }
}
