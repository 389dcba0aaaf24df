//! Answers as JSON objects. Their keys are part of the interface.

use jbd_bms::login::ModuleAnswer;
use jbd_bms::parameters::{Parameter, ParameterBlock, ParameterValue};
use jbd_bms::{
    Alarm, Answer, BasicInfo, ChipType, DecodeError, ErrorCounts, Protection, UnitScale,
};
use serde::Serialize;

use super::stream::Heard;

/// One answer, as it is printed.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Object {
    BasicInfo(Box<Basic>),
    CellVoltages {
        cell_voltages_mv: Vec<u16>,
    },
    Hardware {
        name: String,
    },
    Chip {
        number: u16,
        name: Option<&'static str>,
    },
    ErrorCounts(Counts),
    Parameter(Register),
    Login {
        command: u8,
        meaning: Option<&'static str>,
        data: String,
    },
    Acknowledged {
        register: u8,
    },
    Refused {
        register: u8,
        status: u8,
    },
    Unknown {
        register: u8,
        data: String,
    },
}

#[derive(Debug, Serialize)]
struct Basic {
    pack_voltage_mv: u32,
    current_ma: i32,
    remaining_capacity_mah: u32,
    nominal_capacity_mah: u32,
    cycles: u16,
    soc_percent: u8,
    temperatures_deci_c: Vec<Option<i16>>,
    charge_mosfet_on: bool,
    discharge_mosfet_on: bool,
    protection: Vec<&'static str>,
    balancing: Vec<u8>,
    production_date: Option<String>,
    software_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    humidity_percent: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarms: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_charge_capacity_mah: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tail_remaining_capacity_mah: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance_current_ma: Option<i16>,
}

#[derive(Debug, Serialize)]
struct Counts {
    short_circuit: u16,
    charge_overcurrent: u16,
    discharge_overcurrent: u16,
    cell_overvoltage: u16,
    cell_undervoltage: u16,
    charge_overtemperature: u16,
    charge_undertemperature: u16,
    discharge_overtemperature: u16,
    discharge_undertemperature: u16,
    pack_overvoltage: u16,
    pack_undervoltage: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_restarts: Option<u16>,
}

/// A register with one parameter, or with a block of them.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Register {
    One {
        register: u8,
        #[serde(flatten)]
        setting: Setting,
    },
    Block {
        register: u8,
        parameters: Vec<Numbered>,
    },
}

#[derive(Debug, Serialize)]
struct Numbered {
    number: u16,
    #[serde(flatten)]
    setting: Setting,
}

#[derive(Debug, Serialize)]
struct Setting {
    name: Option<&'static str>,
    value: Value,
    unit: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Value {
    Number(i32),
    Text(String),
    Pair {
        high: u8,
        low: u8,
    },
    Delays {
        cell_undervoltage_s: u8,
        cell_overvoltage_s: u8,
        short_circuit_release_s: u8,
    },
}

/// Writes the object of what was heard to `line`, with a line break.
///
/// A sound frame whose data is not what its register should hold is printed as
/// unknown; why is returned.
pub fn write(
    heard: &Heard<'_>,
    unit_scale: UnitScale,
    line: &mut Vec<u8>,
) -> Result<Option<DecodeError>, serde_json::Error> {
    let (object, problem) = object(heard, unit_scale);
    serde_json::to_writer(&mut *line, &object)?;
    line.push(b'\n');
    Ok(problem)
}

fn object(heard: &Heard<'_>, unit_scale: UnitScale) -> (Object, Option<DecodeError>) {
    let frame = match heard {
        Heard::Frame(frame) => frame,
        Heard::Module(module) => {
            let login = Object::Login {
                command: module.command,
                meaning: meaning(ModuleAnswer::from(module)),
                data: hex(module.data),
            };
            return (login, None);
        }
    };
    let unknown = || Object::Unknown {
        register: frame.register,
        data: hex(frame.data),
    };
    let answer = match Answer::decode(frame, unit_scale) {
        Ok(answer) => answer,
        Err(problem) => return (unknown(), Some(problem)),
    };
    let object = match answer {
        Answer::BasicInfo(info) => Object::BasicInfo(Box::new(info.into())),
        Answer::CellVoltages(cells) => Object::CellVoltages {
            cell_voltages_mv: cells.cell_voltages_mv,
        },
        Answer::HardwareName(name) => Object::Hardware { name },
        Answer::ErrorCounts(counts) => Object::ErrorCounts(counts.into()),
        Answer::ChipType(chip) => {
            let number = frame.data.first_chunk().copied().map(u16::from_be_bytes);
            Object::Chip {
                number: number.unwrap_or_default(),
                name: chip_name(chip),
            }
        }
        Answer::Parameter { parameter, value } => Object::Parameter(Register::One {
            register: frame.register,
            setting: Setting::new(parameter, &value),
        }),
        Answer::ParameterBlock(block) if block.values.is_empty() => Object::Acknowledged {
            register: frame.register,
        },
        Answer::ParameterBlock(block) => Object::Parameter(Register::Block {
            register: frame.register,
            parameters: numbered(&block, unit_scale),
        }),
        Answer::Acknowledged { register } => Object::Acknowledged { register },
        Answer::Refused { register, status } => Object::Refused {
            register,
            status: status.code(),
        },
        _ => unknown(),
    };
    (object, None)
}

impl From<BasicInfo> for Basic {
    fn from(info: BasicInfo) -> Self {
        Self {
            pack_voltage_mv: info.pack_voltage_mv,
            current_ma: info.current_ma,
            remaining_capacity_mah: info.remaining_capacity_mah,
            nominal_capacity_mah: info.nominal_capacity_mah,
            cycles: info.cycles,
            soc_percent: info.soc_percent,
            charge_mosfet_on: info.mosfets.charge_on(),
            discharge_mosfet_on: info.mosfets.discharge_on(),
            protection: info.protection.iter().map(Protection::as_str).collect(),
            balancing: info.balancing.iter().collect(),
            production_date: info.production_date.map(|date| date.to_string()),
            software_version: info.software_version.to_string(),
            temperatures_deci_c: info.temperatures_deci_c,
            humidity_percent: info.humidity_percent,
            alarms: info
                .alarms
                .map(|alarms| alarms.iter().map(Alarm::as_str).collect()),
            full_charge_capacity_mah: info.full_charge_capacity_mah,
            tail_remaining_capacity_mah: info.tail_remaining_capacity_mah,
            balance_current_ma: info.balance_current_ma,
        }
    }
}

impl From<ErrorCounts> for Counts {
    fn from(counts: ErrorCounts) -> Self {
        Self {
            short_circuit: counts.short_circuit,
            charge_overcurrent: counts.charge_overcurrent,
            discharge_overcurrent: counts.discharge_overcurrent,
            cell_overvoltage: counts.cell_overvoltage,
            cell_undervoltage: counts.cell_undervoltage,
            charge_overtemperature: counts.charge_overtemperature,
            charge_undertemperature: counts.charge_undertemperature,
            discharge_overtemperature: counts.discharge_overtemperature,
            discharge_undertemperature: counts.discharge_undertemperature,
            pack_overvoltage: counts.pack_overvoltage,
            pack_undervoltage: counts.pack_undervoltage,
            system_restarts: counts.system_restarts,
        }
    }
}

/// The parameters of a block by name; a number without a name keeps its 16 bits.
fn numbered(block: &ParameterBlock, unit_scale: UnitScale) -> Vec<Numbered> {
    let mut all = Vec::new();
    let mut rest = block.values.as_slice();
    let mut number = block.first;
    while let Some(&raw) = rest.first() {
        let (setting, taken) = named(number, rest, unit_scale).unwrap_or_else(|| {
            let setting = Setting {
                name: None,
                value: Value::Number(raw.into()),
                unit: None,
            };
            (setting, 1)
        });
        all.push(Numbered { number, setting });
        rest = rest.get(taken..).unwrap_or_default();
        number = number.saturating_add(taken.try_into().unwrap_or(u16::MAX));
    }
    all
}

fn named(number: u16, values: &[u16], unit_scale: UnitScale) -> Option<(Setting, usize)> {
    let parameter = Parameter::from_number(number)?;
    let words = usize::from(parameter.words());
    // Half a text would look like a whole one.
    let values = values.get(..words)?;
    let data: Vec<u8> = values.iter().flat_map(|word| word.to_be_bytes()).collect();
    let value = parameter.decode(&data, unit_scale).ok()?;
    Some((Setting::new(parameter, &value), words))
}

impl Setting {
    fn new(parameter: Parameter, value: &ParameterValue) -> Self {
        let unit = parameter.unit().symbol();
        Self {
            name: Some(parameter.name()),
            value: Value::from(value),
            unit: (!unit.is_empty()).then_some(unit),
        }
    }
}

impl From<&ParameterValue> for Value {
    fn from(value: &ParameterValue) -> Self {
        match value {
            ParameterValue::Number(number) => Self::Number(*number),
            ParameterValue::Bits(bits) => Self::Number((*bits).into()),
            ParameterValue::Date(date) => Self::Text(date.to_string()),
            ParameterValue::Text(text) => Self::Text(text.clone()),
            &ParameterValue::Pair { high, low } => Self::Pair { high, low },
            // Raw, because their meaning depends on the measuring chip.
            ParameterValue::HardwareLimits(limits) => Self::Number(limits.raw().into()),
            ParameterValue::HardwareDelays(delays) => Self::Delays {
                cell_undervoltage_s: delays.cell_undervoltage_s(),
                cell_overvoltage_s: delays.cell_overvoltage_s(),
                short_circuit_release_s: delays.short_circuit_release_s(),
            },
            other => Self::Text(other.to_string()),
        }
    }
}

fn meaning(answer: ModuleAnswer) -> Option<&'static str> {
    Some(match answer {
        ModuleAnswer::KeyAccepted => "key_accepted",
        ModuleAnswer::KeyRejected => "key_rejected",
        ModuleAnswer::Open => "open",
        ModuleAnswer::Random(_) => "random",
        ModuleAnswer::UserPassword { accepted: true } => "password_accepted",
        ModuleAnswer::UserPassword { accepted: false } => "password_rejected",
        ModuleAnswer::RootPassword { accepted: true } => "root_password_accepted",
        ModuleAnswer::RootPassword { accepted: false } => "root_password_rejected",
        ModuleAnswer::PasswordSet { accepted: true } => "password_set",
        ModuleAnswer::PasswordSet { accepted: false } => "password_not_set",
        ModuleAnswer::NameSet => "name_set",
        _ => return None,
    })
}

fn chip_name(chip: ChipType) -> Option<&'static str> {
    Some(match chip {
        ChipType::Ti => "ti",
        ChipType::O2Micro7717 => "o2_micro_7717",
        ChipType::Panasonic49522 => "panasonic_49522",
        ChipType::SinoWealth309 => "sino_wealth_309",
        ChipType::SinoWealth303 => "sino_wealth_303",
        ChipType::Dc10xx => "dc10xx",
        ChipType::Oz3714 => "oz3714",
        _ => return None,
    })
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}
