//! EP500 and EP500P: one built-in pack.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v1};
use crate::register::{Control, Field, Role, field};

pub(crate) static EP500: Map = map("EP500");
pub(crate) static EP500P: Map = map("EP500P");

const fn map(name: &'static str) -> Map {
    Map {
        name,
        generation: Generation::First,
        unit: 1,
        fields: FIELDS,
        controls: CONTROLS,
        windows: &v1::WINDOWS,
        packs: PackAccess::Single,
        alarms: Alarms::Unnamed,
    }
}

static FIELDS: &[Field] = table![
    &v1::HOME,
    &v1::HOME_END,
    &[v1::POWER_GENERATION],
    &v1::INTERNAL,
    &BATTERY,
    &v1::SETTINGS,
];

static CONTROLS: &[&[Control]] = &[&v1::CONTROLS];

static BATTERY: [Field; 9] = [
    v1::PV_VOLTAGE,
    v1::PV_POWER,
    v1::PV_CURRENT.within(0, 150),
    v1::PACK_COUNT,
    v1::BATTERY_VOLTAGE,
    field!("pack_voltage" 92 U16_1 Volts "Voltage of the pack", pack(), role_of(Role::PackVoltage)),
    field!("pack_battery_percent" 94 U16 Percent "State of charge of the pack", within(0, 100), pack(), role_of(Role::PackSoc)),
    v1::PACK_NUMBER,
    v1::CELLS,
];
