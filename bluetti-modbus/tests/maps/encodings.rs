//! How single values lie in registers, and names in advertisements.

use bluetti_modbus::model::Model;
use bluetti_modbus::register::{
    CellVoltage, ControlId, Decimal, Kind, Registers, Setting, SlotMode, TimeSlot, Value, Word,
};
use serde_json::Value as Json;

use crate::vectors::{agrees, decimal, decode, hex, vectors};

#[test]
fn encodings() {
    for vector in vectors(include_str!("../data/maps_fields.json")) {
        let mut registers = Registers::new();
        registers.insert_bytes(0, &hex(&vector["data"]));
        let words = registers
            .range(0, u16::try_from(registers.len()).unwrap())
            .unwrap();
        let count = u16::try_from(words.len()).unwrap();
        let scale = vector["scale"]
            .as_u64()
            .map_or(0, |scale| u8::try_from(scale).unwrap());
        let word = Word::U16;
        let kind = vector["type"].as_str().unwrap();
        let (kind, expected) = match kind {
            "uint" | "decimal" => (Kind::Number { word, scale }, vector["value"].clone()),
            "bool" => (Kind::Switch, vector["value"].clone()),
            "bool(impl B)" => (Kind::Flag, vector["value"].clone()),
            "bool_nonzero(impl B: only 1 is true)" => (Kind::Switch, vector["value"].clone()),
            "decimal_array" => (Kind::Numbers { count, scale }, vector["value"].clone()),
            "string" => (Kind::Text(count), vector["value"].clone()),
            "swap_string" => (Kind::SwappedText(count), vector["value"].clone()),
            "version" => (Kind::Version, vector["value"].clone()),
            "serial" => (Kind::Serial, vector["value"].clone()),
            "decimal scale 0 multiplier 1/60 (EL100V2/EL10 104)" => {
                (Kind::Minutes, vector["value"].clone())
            }
            // The same unit with a fitted factor.
            "decimal scale 4 multiplier 167 (EL30V2 104)" => (Kind::Minutes, Json::from(1987)),
            "uint multiplier 0.1 (AC180/AC70P 1314)" => {
                (Kind::Number { word, scale: 1 }, vector["value"].clone())
            }
            other => panic!("{other}"),
        };
        match kind.decode(words) {
            Some(value) => assert!(agrees(&value, &expected), "{vector}: {value:?}"),
            None => assert_eq!(expected, Json::Null, "{vector}"),
        }
    }
}

#[test]
fn meanings() {
    let number_of = |kind: Kind, words: &[u16]| kind.decode(words).and_then(|v| v.number());
    let mut seen = 0;
    for vector in vectors(include_str!("../data/maps_semantics.json")) {
        let mut registers = Registers::new();
        registers.insert_bytes(0, &hex(&vector["data"]));
        let words = registers
            .range(0, u16::try_from(registers.len()).unwrap())
            .unwrap();
        let expected = &vector["value"];
        seen += 1;
        match vector["type"].as_str().unwrap() {
            "date-time triplet" | "date-time triplet, encode" => {
                let Some(Value::Time(time)) = Kind::Clock.decode(words) else {
                    panic!("no time");
                };
                assert_eq!(Some(time.to_string().as_str()), expected.as_str());
                assert_eq!(time.to_words().unwrap(), words);
            }
            "time slot" => {
                let slot = TimeSlot {
                    mode: SlotMode::Charge,
                    start: (8, 0),
                    end: (12, 30),
                };
                assert_eq!(Kind::Slot.decode(words), Some(Value::Slot(slot)));
                assert_eq!(slot.to_words().unwrap(), words);
                assert_eq!(slot.to_string(), "charge 08:00-12:30");
            }
            "u32 low word first" => {
                let kind = Kind::Number {
                    word: Word::U32,
                    scale: 0,
                };
                assert_eq!(number_of(kind, words).map(Decimal::raw), expected.as_i64());
            }
            "i32 low word first" => {
                let kind = Kind::Number {
                    word: Word::I32,
                    scale: 0,
                };
                assert_eq!(number_of(kind, words).map(Decimal::raw), expected.as_i64());
            }
            "energy u32 div 10" => {
                let kind = Kind::Number {
                    word: Word::U32,
                    scale: 1,
                };
                assert_eq!(number_of(kind, words), expected.as_str().map(decimal));
            }
            "temperature minus 40" => {
                let celsius = number_of(Kind::Temperature, words).map(Decimal::raw);
                assert_eq!(celsius, expected.as_i64());
            }
            "V2 cell (14 bit mV, 2 bit status)" => {
                let cell = CellVoltage::from_word(words[0]);
                assert_eq!(u64::from(cell.millivolts), expected["mv"]);
                assert_eq!(u64::from(cell.status), expected["status"]);
            }
            "charge limit percent in high byte" => {
                let kind = Kind::Number {
                    word: Word::High,
                    scale: 0,
                };
                let percent = number_of(kind, words).unwrap().raw();
                assert_eq!(Some(percent), expected.as_i64());
                let control = Model::EL300.control(ControlId::ChargeLimit).unwrap();
                let setting = Setting::Number(i32::try_from(percent).unwrap());
                let write = control.encode(&setting, &Registers::new()).unwrap();
                assert_eq!(write.words(), words);
            }
            "control status 124" => {
                registers.insert(124, &[words[0]]);
                let values = decode(Model::GENERIC_V2, &registers);
                assert_eq!(values["ac_output_on"].switch(), expected["ac_on"].as_bool());
                assert_eq!(values["dc_output_on"].switch(), expected["dc_on"].as_bool());
            }
            "AC bitmask 161" => {
                registers.insert(161, &[words[0]]);
                let values = decode(Model::GENERIC_V2, &registers);
                for name in ["ac_output_active", "ac_input_present"] {
                    assert_eq!(values[name].switch(), expected[name].as_bool());
                }
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(seen, 15);
}

#[test]
fn advertised_names() {
    for vector in vectors(include_str!("../data/maps_names.json")) {
        let name = vector["name"].as_str().unwrap();
        let advertised = Model::from_advertised(name);
        match vector["recommended"].as_array() {
            None => assert_eq!(advertised, None, "{name}"),
            Some(expected) => {
                let advertised = advertised.unwrap_or_else(|| panic!("{name}"));
                let token = expected[0].as_str().unwrap();
                let token = token.split(" (").next().unwrap();
                assert_eq!(advertised.token, token);
                assert_eq!(advertised.serial, expected[1]);
            }
        }
    }
}
