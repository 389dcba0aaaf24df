//! Charger 2: charges the station's battery from the alternator of a car, or the
//! other way round.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table};
use crate::register::{Block, Control, ControlId, Field, Kind, Role, Unit, Word, field};

pub(crate) static CHARGER_2: Map = Map {
    name: "Charger 2",
    generation: Generation::Second,
    unit: 1,
    fields: table![&FIELDS],
    controls: &[&[SWITCH]],
    windows: &[Block::new(15500, 60), Block::new(15560, 25)],
    packs: PackAccess::None,
    alarms: Alarms::Unnamed,
};

static FIELDS: [Field; 15] = [
    field!("device_type" 15500 SwappedText(6) None "Model", identity(), role_of(Role::DeviceType)),
    field!("device_sn" 15506 Serial None "Serial number", alias_of("serial_number"), identity(), role_of(Role::SerialNumber)),
    field!("dc_input_voltage" 15531 U16_1 Volts "Voltage of the DC input"),
    field!("dc_input_current" 15532 U16_2 Amps "Current of the DC input"),
    field!("dc_input_power" 15534 U16 Watts "Power of the DC input", role_of(Role::DcInputPower)),
    field!("dc_output_voltage" 15535 U16_1 Volts "Voltage of the output"),
    Field::new(
        "dc_output_current",
        15536,
        negated(2),
        Unit::Amps,
        "Current of the output",
    ),
    Field::new(
        "dc_output_power",
        15538,
        negated(0),
        Unit::Watts,
        "Power of the output",
    )
    .role_of(Role::DcOutputPower),
    field!("starter_voltage" 15539 U16_1 Volts "Voltage of starter battery and alternator"),
    field!("starter_current" 15540 U16_2 Amps "Current of the alternator"),
    field!("starter_power" 15542 U16 Watts "Power of the alternator"),
    field!("total_battery_voltage" 15543 U16_1 Volts "Battery voltage", role_of(Role::BatteryVoltage)),
    Field::new(
        "battery_power",
        15546,
        negated(0),
        Unit::Watts,
        "Power of the battery",
    ),
    field!("total_battery_percent" 15584 U16 Percent "State of charge", within(0, 100), role_of(Role::Soc)),
    field!("charger_control" 15600 Bits None "Control word: 0x5529 on, 0xAA2A off", slow()),
];

const fn negated(scale: u8) -> Kind {
    Kind::Number {
        word: Word::Negated,
        scale,
    }
}

/// In standard mode only.
const SWITCH: Control =
    Control::words(ControlId::Charger, "charger_control", 15600, 0x5529, 0xAA2A);
