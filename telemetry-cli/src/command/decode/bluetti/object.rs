//! Answers as JSON objects. Their keys are part of the interface.

use bluetti_modbus::modbus::{Answer, Frame, Words};
use bluetti_modbus::model::Model;
use bluetti_modbus::register::{Field, Kind, Registers, Value, Word};
use serde::{Serialize, Serializer};

/// One answer, as it is printed.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Object {
    /// Of a read.
    Registers { start: u16, fields: Fields },
    /// Of a write.
    Written { start: u16 },
    /// A refusal.
    Exception { code: u8 },
}

/// By name, in the order of the registers.
#[derive(Debug)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Object {
    /// The answer to a request for the registers from `start` on.
    pub(super) fn new(model: Model, start: u16, frame: &Frame<'_>) -> Self {
        match frame.answer {
            Answer::Registers(words) => Self::Registers {
                start,
                fields: Fields::new(model, start, words),
            },
            Answer::Exception { code, .. } => Self::Exception { code: code.code() },
            _ => Self::Written { start },
        }
    }
}

impl Fields {
    /// Every field under each of its names. A name that stands for two fields is
    /// that of the one which has it as its own.
    fn new(model: Model, start: u16, words: Words<'_>) -> Self {
        let mut registers = Registers::new();
        registers.insert(start, &words.to_vec());
        complete(model, start, words, &mut registers);
        let mut fields = Vec::new();
        let mut aliases = Vec::new();
        for (field, value) in model.decode(&registers) {
            if let Some(alias) = field.alias() {
                aliases.push((alias, value.clone()));
            }
            fields.push((field.name(), value));
        }
        for (alias, value) in aliases {
            if fields.iter().all(|(name, _)| *name != alias) {
                fields.push((alias, value));
            }
        }
        Self(fields)
    }
}

/// Some programs read the first half of a number alone, which is all of it below
/// 65 kW and 6 MWh: the other half is what it most likely is.
fn complete(model: Model, start: u16, words: Words<'_>, registers: &mut Registers) {
    let last = words.len().checked_sub(1);
    let half = last.and_then(|last| words.get(last).zip(u16::try_from(last).ok()));
    let Some((half, place)) = half.map(|(half, last)| (half, start.saturating_add(last))) else {
        return;
    };
    let field = model.fields().find(|field| {
        let block = field.block();
        (block.start, block.count) == (place, 2)
    });
    let Some(Kind::Number { word, .. }) = field.map(Field::kind) else {
        return;
    };
    let negative = word == Word::I32 && half.cast_signed() < 0;
    let rest = if negative { u16::MAX } else { 0 };
    registers.insert(place.saturating_add(1), &[rest]);
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
