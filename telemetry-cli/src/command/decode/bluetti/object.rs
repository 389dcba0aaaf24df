//! Answers as JSON objects. Their keys are part of the interface.

use bluetti_modbus::modbus::{Answer, ExceptionCode, Frame};
use bluetti_modbus::model::Model;
use bluetti_modbus::register::{Field, Kind, Registers, Value, Word};
use serde::{Serialize, Serializer};

/// One answer, as it is printed.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Object {
    /// Of a read.
    Registers {
        /// The first register.
        start: u16,
        /// What is in them.
        fields: Fields,
    },
    /// Of a write.
    Written {
        /// The first register.
        start: u16,
    },
    /// A refusal.
    Exception {
        /// The exception code.
        code: u8,
    },
}

/// By name, in the order of the registers.
#[derive(Debug)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Object {
    /// The answer to a request for the registers from `start` on.
    pub fn new(model: Model, start: u16, frame: &Frame<'_>) -> Self {
        match frame.answer {
            Answer::Registers(words) => Self::registers(model, start, &words.to_vec()),
            Answer::Exception { code, .. } => Self::refused(code),
            _ => Self::Written { start },
        }
    }

    /// The registers from `start` on.
    pub fn registers(model: Model, start: u16, words: &[u16]) -> Self {
        Self::Registers {
            start,
            fields: Fields::new(model, start, words),
        }
    }

    /// A refusal.
    pub fn refused(code: ExceptionCode) -> Self {
        Self::Exception { code: code.code() }
    }
}

impl Fields {
    /// Every field under each of its names. A name that stands for two fields is
    /// that of the one which has it as its own.
    fn new(model: Model, start: u16, words: &[u16]) -> Self {
        let mut registers = Registers::new();
        registers.insert(start, words);
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
fn complete(model: Model, start: u16, words: &[u16], registers: &mut Registers) {
    let (Some((&half, rest)), place) = (words.split_last(), start) else {
        return;
    };
    let place = place.saturating_add(u16::try_from(rest.len()).unwrap_or(u16::MAX));
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
        let fields = self.0.iter();
        serializer.collect_map(fields.map(|(name, value)| (name, Named { name, value })))
    }
}

/// A value under one of its names. Who calls a field so has names of its own for
/// the choices, too.
struct Named<'f> {
    name: &'static str,
    value: &'f Value,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Value::Choice(choice) = self.value
            && self.name.starts_with("ctrl_")
            && let Some(alias) = choice.alias()
        {
            return serializer.serialize_str(alias);
        }
        self.value.serialize(serializer)
    }
}
