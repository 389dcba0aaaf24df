//! AP300: answers on unit 0 only, and has working modes of its own.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v2};
use crate::register::{Control, ControlId, Field, Role, choices, field};

pub(crate) static AP300: Map = Map {
    name: "AP300",
    generation: Generation::Second,
    unit: 0,
    fields: table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::UNKNOWN_VOLTAGE,
        &v2::REMAINING_TENTHS,
        &FIELDS,
    ],
    controls: &[&CONTROLS, &v2::RANGE_CONTROLS],
    windows: &v2::WINDOWS,
    packs: PackAccess::None,
    alarms: Alarms::SmallInverter,
};

static FIELDS: [Field; 16] = [
    v2::AC_INPUT_FREQUENCY,
    v2::AC_INPUT_VOLTAGE,
    v2::AC_INPUT_CURRENT,
    v2::AC_OUTPUT_FREQUENCY,
    v2::AC_OUTPUT_VOLTAGE,
    field!("ctrl_ups_mode" 2005 Choice(&choices::AP300_MODE) None "Working mode", alias_of("ups_mode"), slow(), role_of(Role::WorkingMode)),
    v2::CTRL_AC,
    v2::CTRL_DC,
    field!("ctrl_eco_dc" 2014 Switch None "Eco mode of the DC output", slow()),
    field!("ctrl_eco_ac" 2017 Switch None "Eco mode of the AC output", slow()),
    v2::CHARGING_MODE,
    v2::POWER_LIFTING,
    v2::RANGE_START,
    v2::RANGE_END,
    v2::DISPLAY_TIMEOUT,
    v2::GRID_CHARGE,
];

static CONTROLS: [Control; 9] = [
    v2::SWITCH_AC,
    v2::SWITCH_DC,
    Control::select(
        ControlId::WorkingMode,
        "ctrl_ups_mode",
        2005,
        &choices::AP300_MODE,
    ),
    Control::switch(ControlId::EcoDc, "ctrl_eco_dc", 2014),
    Control::switch(ControlId::EcoAc, "ctrl_eco_ac", 2017),
    v2::SELECT_CHARGING_MODE,
    v2::SWITCH_POWER_LIFTING,
    v2::SELECT_DISPLAY_TIMEOUT,
    v2::SWITCH_GRID_CHARGE,
];
