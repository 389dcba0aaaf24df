//! Portable stations of the second generation: AC2, AC50, AC60, AC70, AC180 and
//! Handsfree 1.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v2};
use crate::register::{Block, Control, ControlId, Field, Group, Role, choices, field};

pub(crate) static AC2A: Map = map(
    "AC2A",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::REMAINING_TENTHS,
        &INPUTS,
        &v2::GRID_PAGE,
        &v2::LOAD_PAGE,
        &OUTPUT,
        &[
            field!("ac_output_on" 1509 Flag None "AC output is on", detail(), role_of(Role::AcOutputOn)),
            DC_OUTPUT_ON,
            POWER_LIFTING_ON,
        ],
        &v2::BATTERY_PAGE,
        &v2::PACK_PAGE,
    ],
    &[&[
        Control::switch(ControlId::AcOutput, "ac_output_on", 1509),
        Control::switch(ControlId::DcOutput, "dc_output_on", 2012),
        Control::switch(ControlId::PowerLifting, "power_lifting_on", 2021),
    ]],
);

pub(crate) static AC2P: Map = map(
    "AC2P",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_RAW,
        &[v2::CTRL_AC, v2::CTRL_DC, v2::POWER_LIFTING],
    ],
    &[&SWITCHES],
);

pub(crate) static AC50B: Map = map(
    "AC50B",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::REMAINING_TENTHS,
    ],
    &[],
);

pub(crate) static AC60: Map = map(
    "AC60",
    table![
        &v2::IDENTITY_LONG,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_MINUTES,
        &v2::INVERTER_IDENTITY,
        &[v2::INVERTER_GENERATION],
        &INPUTS,
        &EXPANSION,
        &v2::GRID_PAGE,
        &v2::LOAD_PAGE,
        &PHASE,
        &[
            v2::LED_MODE,
            v2::CTRL_AC,
            v2::CTRL_DC,
            v2::CHARGING_MODE,
            v2::POWER_LIFTING,
            v2::GRID_ENHANCEMENT,
        ],
        &v2::ECO,
        &v2::BATTERY_PAGE,
        &v2::PACK_PAGE,
    ],
    &[
        &SWITCHES,
        &v2::ECO_CONTROLS,
        &[
            v2::SELECT_LED,
            v2::SELECT_CHARGING_MODE,
            v2::SWITCH_GRID_ENHANCEMENT,
        ],
    ],
);

pub(crate) static AC60P: Map = map(
    "AC60P",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_RAW,
        &[
            v2::AC_INPUT_VOLTAGE,
            v2::CTRL_AC,
            v2::CTRL_DC,
            v2::POWER_LIFTING,
        ],
    ],
    &[&SWITCHES],
);

pub(crate) static AC70: Map = map(
    "AC70",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::REMAINING_TENTHS,
        &INPUTS,
        &v2::GRID_PAGE,
        &v2::LOAD_PAGE,
        &OUTPUT,
        &SETTINGS,
        &v2::ECO,
        &v2::BATTERY_PAGE,
        &v2::PACK_PAGE,
    ],
    &[&SWITCHES, &v2::ECO_CONTROLS, &[v2::SELECT_CHARGING_MODE]],
);

pub(crate) static AC70P: Map = map(
    "AC70P",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_RAW,
        &INPUTS,
        &OUTPUT,
    ],
    &[],
);

pub(crate) static AC180: Map = map(
    "AC180",
    table![
        &v2::IDENTITY,
        &v2::BASE,
        &v2::HOME,
        &v2::HOME_END,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_RAW,
        &INPUTS,
        &v2::GRID_PAGE,
        &v2::LOAD_PAGE,
        &OUTPUT,
        &SETTINGS,
        &v2::ECO,
        &v2::BATTERY_PAGE,
        &v2::PACK_PAGE,
    ],
    &[&SWITCHES, &v2::ECO_CONTROLS, &[v2::SELECT_CHARGING_MODE]],
);

pub(crate) static AC180P: Map = Map {
    windows: &AC180P_WINDOWS,
    ..map(
        "AC180P",
        table![
            &v2::IDENTITY,
            &v2::HOME,
            &v2::PORTABLE_VOLTAGE,
            &v2::TIMES_RAW,
            &[v2::AC_INPUT_VOLTAGE],
            &SETTINGS,
        ],
        &[&SWITCHES, &[v2::SELECT_CHARGING_MODE]],
    )
};

pub(crate) static AC180T: Map = map(
    "AC180T",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::TIMES_RAW,
        &INPUTS,
        &OUTPUT,
    ],
    &[],
);

pub(crate) static HANDSFREE_1: Map = map(
    "Handsfree 1",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::PORTABLE_VOLTAGE,
        &v2::REMAINING_TENTHS,
        &INPUTS,
        &OUTPUT,
    ],
    &[],
);

const fn map(
    name: &'static str,
    fields: &'static [Field],
    controls: &'static [&'static [Control]],
) -> Map {
    Map {
        name,
        generation: Generation::Second,
        unit: 1,
        fields,
        controls,
        windows: &v2::WINDOWS,
        packs: if has_pack_page(fields) {
            PackAccess::Single
        } else {
            PackAccess::None
        },
        alarms: Alarms::SmallInverter,
    }
}

const fn has_pack_page(fields: &[Field]) -> bool {
    let mut row = 0;
    while row < fields.len() {
        if matches!(fields[row].group(), Group::Packs) {
            return true;
        }
        row += 1;
    }
    false
}

/// It refuses home pages of more than 60 registers.
static AC180P_WINDOWS: [Block; 5] = [
    Block::new(1, 16),
    Block::new(100, 60),
    Block::new(160, 2),
    Block::new(1300, 31),
    Block::new(2000, 60),
];

static INPUTS: [Field; 6] = [
    v2::PV_POWER,
    v2::DC_INPUT_VOLTAGE,
    v2::DC_INPUT_CURRENT,
    v2::AC_INPUT_FREQUENCY,
    v2::AC_INPUT_VOLTAGE,
    v2::AC_INPUT_CURRENT,
];

static OUTPUT: [Field; 2] = [v2::AC_OUTPUT_FREQUENCY, v2::AC_OUTPUT_VOLTAGE];

static SETTINGS: [Field; 4] = [
    v2::CTRL_AC,
    v2::CTRL_DC,
    v2::CHARGING_MODE,
    v2::POWER_LIFTING,
];

static SWITCHES: [Control; 3] = [v2::SWITCH_AC, v2::SWITCH_DC, v2::SWITCH_POWER_LIFTING];

const DC_OUTPUT_ON: Field = field!("dc_output_on" 2012 Flag None "DC output is switched on", alias_of("ctrl_dc"), role_of(Role::DcOutputOn));
const POWER_LIFTING_ON: Field = field!("power_lifting_on" 2021 Flag None "Power lifting", slow());

/// DC input of an expansion pack.
static EXPANSION: [Field; 6] = [
    field!("dc_strings" 1209 LOW None "DC inputs, or connected packs", detail()),
    field!("dc_charging_on" 1210 Switch None "Charges from its DC input", detail()),
    field!("pack_dc_charging_on" 1218 Switch None "Charges from the DC input of the expansion pack", detail()),
    field!("pack_dc_input_power" 1220 U16 Watts "DC input power of the expansion pack", detail(), role_of(Role::PvPower(2))),
    field!("pack_dc_input_voltage" 1221 U16_1 Volts "DC input voltage of the expansion pack", detail(), role_of(Role::PvVoltage(2))),
    field!("pack_dc_input_current" 1222 U16_1 Amps "DC input current of the expansion pack", detail()),
];

/// The inverter's only phase.
static PHASE: [Field; 5] = [
    v2::AC_OUTPUT_FREQUENCY,
    field!("inverter_status" 1509 Choice(&choices::INVERTER_STATUS) None "What the inverter does", detail()),
    field!("battery_power" 1510 I16 Watts "Power in or out of the battery; the sign is not known", detail()),
    v2::AC_OUTPUT_VOLTAGE,
    field!("ac_output_current" 1512 I16_1 Amps "AC output current", detail()),
];
