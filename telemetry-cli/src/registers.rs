//! What a Bluetti station said, as it waits in the journal: its registers, as they
//! are. From them every value can be had that the station has, under whatever
//! name.

use bluetti_modbus::model::Model;
use bluetti_modbus::register::Registers;
use serde_json::{Map, Value, json};

use crate::native::BluettiStation;

/// Where it stands among the [extras](crate::event::Reading::extra).
pub const KEY: &str = "registers";

/// A station and its registers.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Whose map they have.
    pub model: Model,
    /// The model as the station names it.
    pub device_type: String,
    /// Its serial number.
    pub serial_number: u64,
    /// All that were read.
    pub registers: Registers,
    /// Those of each pack, by number.
    pub packs: Vec<(u8, Registers)>,
}

impl Record {
    /// Of a station; nothing before it has told its serial number.
    pub fn new(station: &BluettiStation) -> Option<Self> {
        let name = || station.model.name().to_owned();
        Some(Self {
            model: station.model,
            device_type: station.device_type.clone().unwrap_or_else(name),
            serial_number: station.serial_number?,
            registers: station.registers.clone(),
            packs: station.packs.clone(),
        })
    }

    /// What other programs call the station: `AC3002236000123456` with a `-`.
    pub fn device(&self) -> String {
        format!("{}-{}", self.device_type, self.serial_number)
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let packs = self.packs.iter();
        let packs = packs.map(|(number, pack)| (number.to_string(), Value::Object(runs(pack))));
        json!({
            "model": self.model.name(),
            "device_type": self.device_type,
            "serial_number": self.serial_number,
            "station": runs(&self.registers),
            "packs": packs.collect::<Map<_, _>>(),
        })
    }

    /// From JSON; nothing if it is something else.
    pub fn from_json(json: &Value) -> Option<Self> {
        let packs = json.get("packs")?.as_object()?.iter();
        let mut packs = packs
            .map(|(number, pack)| Some((number.parse().ok()?, registers(pack)?)))
            .collect::<Option<Vec<_>>>()?;
        packs.sort_unstable_by_key(|(number, _)| *number);
        Some(Self {
            model: Model::from_name(json.get("model")?.as_str()?)?,
            device_type: json.get("device_type")?.as_str()?.to_owned(),
            serial_number: json.get("serial_number")?.as_u64()?,
            registers: registers(json.get("station")?)?,
            packs,
        })
    }
}

/// `{"10": "41433330…"}`
fn runs(registers: &Registers) -> Map<String, Value> {
    let runs = registers.runs().map(|(start, words)| {
        let words: String = words.iter().map(|word| format!("{word:04x}")).collect();
        (start.to_string(), Value::from(words))
    });
    runs.collect()
}

fn registers(runs: &Value) -> Option<Registers> {
    let mut registers = Registers::new();
    for (start, words) in runs.as_object()? {
        let words = words.as_str()?.as_bytes().chunks(4).map(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u16::from_str_radix(digits, 16).ok()
        });
        registers.insert(start.parse().ok()?, &words.collect::<Option<Vec<_>>>()?);
    }
    Some(registers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_on_the_way() {
        let mut station = Registers::new();
        station.insert(10, &[0x4143, 0x3330, 0x3000]);
        station.insert(3007, &[1, 0]);
        let mut pack = Registers::new();
        pack.insert(91, &[2, 532]);
        let record = Record {
            model: Model::AC300,
            device_type: "AC300".to_owned(),
            serial_number: u64::MAX,
            registers: station,
            packs: (1..=12).map(|number| (number, pack.clone())).collect(),
        };
        let json = record.to_json();
        assert_eq!(json["station"]["3007"], "00010000");
        assert_eq!(Record::from_json(&json), Some(record));
        for other in [json!(null), json!({}), json!({"packs": {"x": {}}})] {
            assert_eq!(Record::from_json(&other), None);
        }
    }
}
