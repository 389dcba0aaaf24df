//! The Elite stations and the PR ones, second generation.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v2};
use crate::register::{Block, Control, ControlId, Field, Role, Unit, choices, field};

pub(crate) static EL10: Map = map(
    "EL10",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::UNKNOWN_VOLTAGE,
        &v2::REMAINING_MINUTES,
        &INVERTER,
        &SETTINGS,
        &v2::ECO,
        &[v2::DISPLAY_TIMEOUT, v2::VERSION_BMS],
    ],
    &[&CONTROLS, &v2::ECO_CONTROLS, &[v2::SELECT_DISPLAY_TIMEOUT]],
);

pub(crate) static EL30V2: Map = map(
    "EL30V2",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::UNKNOWN_VOLTAGE,
        &v2::REMAINING_MINUTES,
        &[v2::AC_INPUT_VOLTAGE],
        &SETTINGS,
        &v2::ECO,
        &RANGE,
        &[v2::DISPLAY_TIMEOUT],
    ],
    &[
        &CONTROLS,
        &v2::ECO_CONTROLS,
        &v2::RANGE_CONTROLS,
        &[v2::SELECT_DISPLAY_TIMEOUT],
    ],
);

pub(crate) static EL100V2: Map = map(
    "EL100V2",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::UNKNOWN_VOLTAGE,
        &v2::REMAINING_MINUTES,
        &[v2::DC_INPUT_VOLTAGE],
        &INVERTER,
        &SETTINGS,
        &v2::ECO,
        &RANGE,
        &[v2::DISPLAY_TIMEOUT, v2::VERSION_BMS, v2::WIFI_NAME],
    ],
    &[
        &CONTROLS,
        &v2::ECO_CONTROLS,
        &v2::RANGE_CONTROLS,
        &[v2::SELECT_DISPLAY_TIMEOUT],
    ],
);

pub(crate) static EL300: Map = Map {
    windows: &EL300_WINDOWS,
    ..map(
        "EL300",
        table![
            &v2::IDENTITY,
            &v2::HOME,
            &v2::UNKNOWN_VOLTAGE,
            &v2::REMAINING_MINUTES,
            &[v2::AC_INPUT_VOLTAGE, v2::AC_INPUT_CURRENT],
            &LOAD_PHASE,
            &[v2::AC_OUTPUT_FREQUENCY, v2::CLOCK],
            &SETTINGS,
            &[ECO_DC, ECO_AC],
            &v2::SLOTS,
            &[v2::DISPLAY_TIMEOUT],
            &EL300_FIELDS,
        ],
        &[
            &CONTROLS,
            &[
                Control::switch(ControlId::EcoDc, "ctrl_eco_dc", 2014),
                Control::switch(ControlId::EcoAc, "ctrl_eco_ac", 2017),
                v2::SELECT_DISPLAY_TIMEOUT,
                v2::SET_CLOCK,
                v2::SET_SLOTS,
                SET_CHARGE_LIMIT,
                SET_CHARGE_CURRENT,
            ],
        ],
    )
};

/// Its AC output power counts VA.
pub(crate) static ELITE_200_V2: Map = Map {
    windows: &ELITE_200_WINDOWS,
    ..map(
        "Elite 200 V2",
        table![
            &v2::IDENTITY,
            &v2::HOME,
            &v2::PORTABLE_VOLTAGE,
            &v2::TIMES_RAW,
            &[
                v2::AC_INPUT_FREQUENCY,
                v2::AC_INPUT_VOLTAGE,
                v2::AC_INPUT_CURRENT,
            ],
            &LOAD_PHASE,
            &[
                v2::AC_OUTPUT_VOLTAGE,
                v2::CTRL_AC,
                v2::CTRL_DC,
                v2::CHARGING_MODE,
                v2::DISPLAY_TIMEOUT,
            ],
            &v2::SLOTS,
            &v2::BATTERY_PAGE,
        ],
        &[&[
            v2::SWITCH_AC,
            v2::SWITCH_DC,
            v2::SELECT_CHARGING_MODE,
            v2::SELECT_DISPLAY_TIMEOUT,
            v2::SET_SLOTS,
        ]],
    )
};

pub(crate) static PR30V2: Map = map("PR30V2", PR_FIELDS, &[]);
pub(crate) static PR100V2: Map = map("PR100V2", PR_FIELDS, &[]);

static PR_FIELDS: &[Field] = table![
    &v2::IDENTITY,
    &v2::HOME,
    &v2::UNKNOWN_VOLTAGE,
    &v2::TIMES_RAW,
    &[v2::AC_INPUT_VOLTAGE],
];

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
        packs: PackAccess::None,
        alarms: Alarms::SmallInverter,
    }
}

/// All that it was seen to answer.
static EL300_WINDOWS: [Block; 13] = [
    Block::new(0, 20),
    Block::new(100, 100),
    Block::new(700, 60),
    Block::new(1100, 80),
    Block::new(1200, 140),
    Block::new(1400, 70),
    Block::new(1500, 60),
    Block::new(1600, 10),
    Block::new(2000, 90),
    Block::new(2200, 80),
    Block::new(2400, 50),
    Block::new(2500, 40),
    Block::new(3000, 30),
];

/// Between what it was seen to refuse.
static ELITE_200_WINDOWS: [Block; 7] = [
    Block::new(0, 20),
    Block::new(100, 90),
    Block::new(1300, 30),
    Block::new(1400, 48),
    Block::new(1500, 30),
    Block::new(2000, 90),
    Block::new(6000, 31),
];

static INVERTER: [Field; 3] = [
    v2::AC_INPUT_VOLTAGE,
    v2::AC_INPUT_CURRENT,
    v2::AC_OUTPUT_VOLTAGE,
];

static SETTINGS: [Field; 4] = [
    v2::CTRL_AC,
    v2::CTRL_DC,
    v2::CHARGING_MODE,
    v2::POWER_LIFTING,
];

static RANGE: [Field; 2] = [v2::RANGE_START, v2::RANGE_END];

static CONTROLS: [Control; 4] = [
    v2::SWITCH_AC,
    v2::SWITCH_DC,
    v2::SELECT_CHARGING_MODE,
    v2::SWITCH_POWER_LIFTING,
];

/// The AC output's only phase.
static LOAD_PHASE: [Field; 3] = [
    field!("internal_power_one" 1430 I16 Watts "Power of the AC output", detail()),
    field!("internal_ac_voltage" 1431 U16_1 Volts "Voltage of the AC output", detail(), role_of(Role::AcOutputVoltage), fallback()),
    field!("internal_current_one" 1432 I16_1 Amps "Current of the AC output", detail()),
];

const ECO_DC: Field = field!("ctrl_eco_dc" 2014 Switch None "Eco mode of the DC output", slow());
const ECO_AC: Field = field!("ctrl_eco_ac" 2017 Switch None "Eco mode of the AC output", slow());

static EL300_FIELDS: [Field; 7] = [
    field!("ambient_temperature" 1151 Temperature Celsius "Ambient temperature", slow()),
    field!("inverter_temperature" 1152 Temperature Celsius "Temperature of the inverter", slow()),
    field!("pv_temperature" 1153 Temperature Celsius "Temperature of the PV charger", slow()),
    field!("rated_power" 1155 U16 Watts "Rated power", identity()),
    field!("ctrl_power_off" 2013 Choice(&choices::POWER_OFF) None "Power-off state", slow()),
    field!("charge_limit" 2083 HIGH Percent "Where charging stops", within(0, 100), slow()),
    field!("max_grid_charge_current" 2214 U16 Amps "Charging current of the custom mode", slow()),
];

/// 85 and 100 were tried on a station.
const SET_CHARGE_LIMIT: Control = Control::high_byte(
    ControlId::ChargeLimit,
    "charge_limit",
    2083,
    50,
    100,
    Unit::Percent,
);

/// A custom charging mode needs at least 1 A; the highest that other stations were
/// written is 10 A.
const SET_CHARGE_CURRENT: Control = Control::number_of(
    ControlId::GridChargeCurrent,
    "max_grid_charge_current",
    2214,
    1,
    10,
    Unit::Amps,
)
.paused(10);
