//! Reading vectors.

use std::collections::BTreeMap;

use bluetti_modbus::model::Model;
use bluetti_modbus::register::{Decimal, Registers, Value};
use serde_json::Value as Json;

pub(crate) fn vectors(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn hex(text: &Json) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

pub(crate) fn number(json: &Json) -> u16 {
    u16::try_from(json.as_u64().unwrap()).unwrap()
}

pub(crate) fn model(json: &Json) -> Model {
    Model::from_name(json["model"].as_str().unwrap()).unwrap()
}

/// The registers of a read answer.
pub(crate) fn answer(vector: &Json) -> Registers {
    let frame = hex(&vector["answer"]);
    let count = usize::from(number(&vector["count"]));
    assert_eq!(frame.len(), 2 * count + 5);
    let mut registers = Registers::new();
    registers.insert_bytes(number(&vector["start"]), &frame[3..3 + 2 * count]);
    registers
}

/// Decoded values by name; no name comes twice.
pub(crate) fn decode(model: Model, registers: &Registers) -> BTreeMap<&'static str, Value> {
    let mut values = BTreeMap::new();
    for (field, value) in model.decode(registers) {
        let before = values.insert(field.name(), value);
        assert_eq!(before, None, "{model}: {field} twice");
    }
    values
}

/// `12.3` as a decimal.
pub(crate) fn decimal(text: &str) -> Decimal {
    let scale = text.split_once('.').map_or(0, |(_, rest)| rest.len());
    let raw = text.replace('.', "").parse().unwrap();
    Decimal::new(raw, u8::try_from(scale).unwrap())
}

/// Whether a value is what the vector says.
pub(crate) fn agrees(value: &Value, expected: &Json) -> bool {
    let exact = expected.get("dec").and_then(Json::as_str);
    match value {
        Value::Number(number) => match (exact, expected.as_i64()) {
            (Some(text), _) => *number == decimal(text),
            (_, Some(whole)) => *number == Decimal::new(whole, 0),
            _ => expected.as_f64() == Some(number.to_f64()),
        },
        Value::Minutes(minutes) => match exact {
            Some(text) => (value.to_f64().unwrap() - text.parse::<f64>().unwrap()).abs() < 1e-9,
            None => expected.as_u64() == Some(u64::from(*minutes)),
        },
        Value::Switch(on) => expected.as_bool() == Some(*on),
        Value::Bits(bits) => expected.as_u64() == Some(u64::from(*bits)),
        Value::Text(text) => expected.as_str() == Some(text.as_str()),
        Value::Serial(serial) => expected.as_u64() == Some(*serial),
        Value::Choice(choice) => match expected.as_u64() {
            Some(raw) => u64::from(choice.value()) == raw,
            None => {
                let name = expected["enum"].as_str().unwrap();
                let value = expected["value"].as_u64().unwrap();
                u64::from(choice.value()) == value
                    && choice.choices().value(name) == Some(choice.value())
            }
        },
        Value::Numbers(numbers) => {
            let expected = expected.as_array().unwrap();
            let mut pairs = numbers.iter().zip(expected);
            numbers.len() == expected.len()
                && pairs.all(|(number, json)| agrees(&Value::Number(*number), json))
        }
        _ => false,
    }
}

/// An image of all registers that the vectors know, of a station of this model.
pub(crate) fn image(model: &str, protocol: u64) -> Registers {
    let images = vectors(include_str!("../data/maps_images.json"));
    let image = images.iter().find(|image| image["protocol"] == protocol);
    let mut registers = Registers::new();
    for run in image.unwrap()["runs"].as_array().unwrap() {
        let words: Vec<u16> = run[1].as_array().unwrap().iter().map(number).collect();
        registers.insert(number(&run[0]), &words);
    }
    let mut name = model.as_bytes().to_vec();
    name.resize(12, 0);
    if protocol == 2 {
        for pair in name.chunks_mut(2) {
            pair.swap(0, 1);
        }
    }
    registers.insert_bytes(if protocol == 2 { 110 } else { 10 }, &name);
    registers
}
