//! What is written, and whether it took effect.

use bluetti_modbus::model::Model;
use bluetti_modbus::register::{ControlId, Danger, DateTime, Registers, Setting};
use serde_json::Value as Json;

use crate::vectors::{hex, model, vectors};

/// The setting that a value of the vectors stands for.
fn setting<'a>(value: &'a Json) -> Setting<'a> {
    match value {
        Json::Bool(on) => Setting::Switch(*on),
        Json::String(name) => Setting::Name(name),
        other => Setting::Number(i32::try_from(other.as_i64().unwrap()).unwrap()),
    }
}

#[test]
fn writes() {
    let (mut free, mut dangerous, mut selections, mut left_out) = (0, 0, 0, 0);
    for vector in vectors(include_str!("../data/maps_writes.json")) {
        let model = model(&vector);
        let called = vector["field"].as_str().unwrap();
        let request = hex(&vector["request"]);
        let register = u16::from_be_bytes([request[2], request[3]]);
        let word = u16::from_be_bytes([request[4], request[5]]);
        let registers = Registers::new();
        let field = model
            .field(called)
            .unwrap_or_else(|| panic!("{model}: no {called}"));
        let write = match called {
            "pack_num" => match model.packs().select(1) {
                Some(selection) => {
                    selections += 1;
                    selection.write()
                }
                None => {
                    // One pack only: there is nothing to select.
                    assert_eq!(model.packs().max(), 1);
                    left_out += 1;
                    continue;
                }
            },
            "bluetooth_connected" => {
                // Says that a phone is connected; nothing to set.
                assert_eq!(model.control_of(field), None);
                left_out += 1;
                continue;
            }
            "split_phase_on" | "split_phase_machine_mode" => {
                assert_eq!(model.control_of(field), None);
                let id = match called {
                    "split_phase_on" => ControlId::SplitPhase,
                    _ => ControlId::SplitPhaseRole,
                };
                assert_eq!(model.control(id), None);
                assert_eq!(model.dangerous_control(id, Danger::FactoryReset), None);
                let control = model.dangerous_control(id, Danger::SplitPhase).unwrap();
                dangerous += 1;
                control
                    .encode(&setting(&vector["value"]), &registers)
                    .unwrap()
            }
            _ => {
                let control = model.control_of(field);
                let control = control.unwrap_or_else(|| panic!("{model}: {called} is fixed"));
                assert!(field.is_called(control.field()), "{model}: {called}");
                free += 1;
                let write = control
                    .encode(&setting(&vector["value"]), &registers)
                    .unwrap();
                assert_eq!(model.danger(&write), None);
                write
            }
        };
        assert_eq!(write.register(), register, "{vector}");
        assert_eq!(write.words(), [word], "{vector}");
    }
    assert_eq!((free, dangerous, selections, left_out), (353, 16, 3, 10));
}

#[test]
fn a_clock_is_confirmed_when_it_went_on() {
    let control = Model::EL300.control(ControlId::Clock).unwrap();
    let time = DateTime::from_words([0x1A06, 0x1910, 0x173B]).unwrap();
    let write = control
        .encode(&Setting::Clock(time), &Registers::new())
        .unwrap();
    let mut registers = Registers::new();
    assert!(!control.is_confirmed(&write, &registers));
    registers.insert(2001, &[0x1A06, 0x1910, 0x1801]);
    assert!(control.is_confirmed(&write, &registers));
    registers.insert(2001, &[0x1A06, 0x1910, 0x193B]);
    assert!(!control.is_confirmed(&write, &registers));
}
