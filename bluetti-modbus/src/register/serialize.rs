use serde::{Serialize, Serializer};

use super::{CellVoltage, Choice, Decimal, Text, Value};

/// Whole numbers without decimals, a float otherwise.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.scale() {
            0 => serializer.serialize_i64(self.raw()),
            _ => serializer.serialize_f64(self.to_f64()),
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The name; `unknown_9` for a number without one.
impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Volts.
impl Serialize for CellVoltage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Decimal::new(i64::from(self.millivolts), 3).serialize(serializer)
    }
}

/// Numbers in the field's unit, durations in hours, bits as a number, choices by
/// name, times as text.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Switch(on) => on.serialize(serializer),
            Self::Bits(bits) => bits.serialize(serializer),
            Self::Choice(choice) => choice.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::Serial(serial) => serial.serialize(serializer),
            Self::Minutes(_) => self.to_f64().serialize(serializer),
            Self::Numbers(numbers) => numbers.serialize(serializer),
            Self::Cells(cells) => cells.serialize(serializer),
            Self::Time(time) => serializer.collect_str(time),
            Self::Slot(slot) => serializer.collect_str(slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::{DateTime, choices};
    use alloc::vec;

    #[test]
    fn plain_json() {
        let json = |value| serde_json::to_string(&value).unwrap();
        assert_eq!(json(Value::Number(Decimal::new(2301, 1))), "230.1");
        assert_eq!(json(Value::Number(Decimal::new(-20, 0))), "-20");
        assert_eq!(json(Value::Minutes(90)), "1.5");
        assert_eq!(json(Value::Serial(u64::MAX)), "18446744073709551615");
        let mode = Choice::new(&choices::UPS_MODE, 7);
        assert_eq!(json(Value::Choice(mode)), "\"unknown_7\"");
        let cell = CellVoltage::from_word(0x4CE4);
        assert_eq!(json(Value::Cells(vec![cell, cell])), "[3.3,3.3]");
        let time = DateTime::from_words([0x1A06, 0x1910, 0x171A]).unwrap();
        assert_eq!(json(Value::Time(time)), "\"2026-06-25T16:23:26\"");
    }
}
