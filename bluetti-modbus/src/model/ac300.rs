//! AC300 and AC500: inverters with separate packs.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v1};
use crate::register::{Control, ControlId, Field, Role, Unit, field};

pub(crate) static AC300: Map = Map {
    name: "AC300",
    generation: Generation::First,
    unit: 1,
    fields: table![
        &v1::HOME,
        &v1::HOME_END,
        &[v1::POWER_GENERATION],
        &v1::INTERNAL,
        &AC300_BATTERY,
        &v1::SETTINGS,
    ],
    controls: &[&v1::CONTROLS, &[SET_GRID_CHARGE_CURRENT]],
    windows: &v1::WINDOWS,
    packs: PackAccess::Selector { max: 4 },
    alarms: Alarms::Unnamed,
};

pub(crate) static AC500: Map = Map {
    name: "AC500",
    generation: Generation::First,
    unit: 1,
    fields: table![
        &v1::HOME,
        &v1::HOME_END,
        &[v1::POWER_GENERATION],
        &v1::INTERNAL,
        &AC500_BATTERY,
        &v1::SETTINGS,
    ],
    controls: &[&v1::CONTROLS],
    windows: &v1::WINDOWS,
    packs: PackAccess::Selector { max: 6 },
    alarms: Alarms::Unnamed,
};

static AC300_BATTERY: [Field; 12] = [
    v1::PV_VOLTAGE,
    v1::PV_POWER,
    v1::PV_CURRENT.within(0, 150),
    v1::PACK_COUNT,
    v1::BATTERY_VOLTAGE,
    field!("total_battery_current" 93 U16_1 Amps "Current of all packs", role_of(Role::BatteryCurrent)),
    v1::PACK_NUMBER,
    v1::PACK_STATUS,
    v1::PACK_VOLTAGE,
    v1::PACK_PERCENT,
    v1::CELLS,
    field!("pack_bms_version" 201 Version None "Version of the pack's controller", pack(), role_of(Role::PackVersion)),
];

static AC500_BATTERY: [Field; 9] = [
    v1::PV_VOLTAGE,
    v1::PV_POWER,
    v1::PV_CURRENT,
    v1::PACK_COUNT,
    v1::BATTERY_VOLTAGE,
    v1::PACK_NUMBER,
    v1::PACK_VOLTAGE,
    v1::PACK_PERCENT,
    v1::CELLS,
];

/// A station was written at 1, 5 and 10 A, with pauses of 10 s.
const SET_GRID_CHARGE_CURRENT: Control = Control::number_of(
    ControlId::GridChargeCurrent,
    "max_grid_charge_current",
    3019,
    1,
    10,
    Unit::Amps,
)
.paused(10);
