//! The message against what Python prints.

use jbd_bms::{BasicInfo, CellVoltages, UnitScale};
use serde_json::Value;
use telemetry_cli::compat::jbd_bms_mqtt::message;
use telemetry_cli::native::JbdPack;

struct Vector(Value);

impl Vector {
    fn all() -> Vec<Self> {
        let lines = include_str!("../data/jbd-bms-mqtt.jsonl").lines();
        lines
            .map(|line| Self(serde_json::from_str(line).unwrap()))
            .collect()
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }

    /// The data of a frame.
    fn data(&self, key: &str) -> Vec<u8> {
        let hex = self.text(key);
        let bytes = (0..hex.len()).step_by(2);
        let frame: Vec<u8> = bytes
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        frame[4..frame.len() - 3].to_vec()
    }

    fn pack(&self) -> JbdPack {
        JbdPack {
            info: BasicInfo::decode(&self.data("basic"), UnitScale::Auto).unwrap(),
            cells: CellVoltages::decode(&self.data("cells")).unwrap(),
        }
    }
}

/// 4 to 32 cells, none to six probes, one of them absent.
#[test]
fn every_message_is_what_python_prints() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), 26);
    for vector in &vectors {
        let message = message("solar", &vector.pack());
        assert_eq!(message, vector.text("message"), "{}", vector.text("name"));
    }
}

/// The original knows four cells and two probes: its message is the rest when
/// the other keys are taken out.
#[test]
fn the_original_message_is_in_it() {
    let mut compared = 0;
    let mut equal = 0;
    for vector in Vector::all() {
        let Some(original) = vector.0["original"].as_str() else {
            continue;
        };
        let message = message("solar", &vector.pack());
        let known = |entry: &&str| {
            let key = entry.split('"').nth(1).unwrap();
            let number = key.trim_start_matches(char::is_alphabetic).parse::<u32>();
            let most = if key.starts_with("temp") { 2 } else { 4 };
            number.is_ok_and(|number| number <= most) || !key.ends_with(char::is_numeric)
        };
        let inner = message.trim_matches(['{', '}']);
        let kept: Vec<_> = inner.split(", ").filter(known).collect();
        assert_eq!(format!("{{{}}}", kept.join(", ")), original);
        compared += 1;
        equal += usize::from(message == original);
    }
    assert_eq!((compared, equal), (20, 5));
}
