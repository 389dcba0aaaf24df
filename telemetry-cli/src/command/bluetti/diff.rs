//! `bluetti-discovery --diff`: what has changed between two logs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bluetti_modbus::model::Model;
use bluetti_modbus::register::{Field, Registers};

use super::file::lines;
use crate::command::print;
use crate::exit::Failure;

/// What a log holds last of each register, by unit.
type Image = BTreeMap<u8, BTreeMap<u16, Option<u16>>>;

/// Prints the registers in which two logs differ, one on each line.
///
/// # Errors
/// If one of them cannot be read.
pub fn diff(one: &Path, other: &Path, model: Option<Model>) -> Result<(), Failure> {
    let (one, other) = (image(one)?, image(other)?);
    let units: BTreeSet<u8> = one.keys().chain(other.keys()).copied().collect();
    let mut text = String::new();
    for unit in units {
        let nothing = BTreeMap::new();
        let (one, other) = (
            one.get(&unit).unwrap_or(&nothing),
            other.get(&unit).unwrap_or(&nothing),
        );
        let unit = match (unit, model) {
            (unit, Some(model)) if unit == model.unit() => String::new(),
            (1, None) => String::new(),
            (unit, _) => format!("unit {unit} "),
        };
        let registers: BTreeSet<u16> = one.keys().chain(other.keys()).copied().collect();
        for register in registers {
            let (before, after) = (one.get(&register), other.get(&register));
            if before == after {
                continue;
            }
            let meaning = model.map(|model| meaning(model, register, [one, other]));
            let (before, after) = (word(before), word(after));
            let meaning = meaning.unwrap_or_default();
            text.push_str(&format!("{unit}{register}: {before} -> {after}{meaning}\n"));
        }
    }
    print(&text)
}

fn image(log: &Path) -> Result<Image, Failure> {
    let (lines, damaged) = lines(log)?;
    if damaged > 0 {
        eprintln!("{}: {damaged} damaged lines are passed over", log.display());
    }
    let mut image = Image::new();
    for line in &lines {
        let registers = image.entry(line.request.unit().0).or_default();
        if let Some((start, words)) = line.words() {
            let words = words.into_iter().map(Some);
            registers.extend((start..).zip(words));
        } else if line.refusal().is_some() && line.request.answer_len() == SINGLE {
            registers.insert(line.request.register(), None);
        }
    }
    Ok(image)
}

/// The answer to a read of one register, in bytes.
const SINGLE: usize = 7;

fn word(word: Option<&Option<u16>>) -> String {
    match word {
        Some(Some(word)) => format!("{word} ({word:#06x})"),
        Some(None) => "refused".to_owned(),
        None => "not read".to_owned(),
    }
}

/// The fields of a register, and their values before and after.
fn meaning(model: Model, register: u16, images: [&BTreeMap<u16, Option<u16>>; 2]) -> String {
    let [before, after] = images.map(|image| {
        let mut registers = Registers::new();
        for (register, word) in image {
            if let Some(word) = word {
                registers.insert(*register, &[*word]);
            }
        }
        registers
    });
    let of_register = |field: &&Field| {
        let block = field.block();
        block.start <= register && u32::from(register) < block.end()
    };
    let value = |field: &Field, registers: &Registers| match field.decode(registers) {
        Some(value) => value.to_string(),
        None => "?".to_owned(),
    };
    let fields = model.fields().filter(of_register).map(|field| {
        let (before, after) = (value(field, &before), value(field, &after));
        format!("  {field} {before} -> {after} {}", field.unit().symbol())
            .trim_end()
            .to_owned()
    });
    fields.collect()
}
