//! AC200M, AC200L and AC200PL: coarser scales than the other stations of their
//! generation.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v1};
use crate::register::{Control, Field, Kind, PvQuantity, PvScale, Role, Unit, field};

pub(crate) static AC200M: Map = Map {
    name: "AC200M",
    generation: Generation::First,
    unit: 1,
    fields: table![
        &v1::HOME,
        &v1::HOME_END,
        &[v1::POWER_GENERATION],
        &INTERNAL,
        &pv(PvScale::WholeVolts),
        &BATTERY,
        &[
            v1::PACK_SELECTOR,
            v1::AC_OUTPUT,
            v1::DC_OUTPUT,
            v1::POWER_OFF,
            v1::AUTO_SLEEP,
        ],
    ],
    controls: &[&CONTROLS],
    windows: &v1::WINDOWS,
    packs: PackAccess::Selector { max: 3 },
    alarms: Alarms::Unnamed,
};

/// Some stations of this name speak the second generation: register 16 tells.
pub(crate) static AC200L: Map = Map {
    name: "AC200L",
    generation: Generation::First,
    unit: 1,
    fields: table![
        &v1::HOME,
        &v1::HOME_END,
        &[v1::POWER_GENERATION],
        &INTERNAL,
        &pv(PvScale::TenthVolts),
        &BATTERY,
        &[
            v1::UPS_MODE,
            v1::PACK_SELECTOR,
            v1::AC_OUTPUT,
            v1::DC_OUTPUT,
            v1::RANGE_START,
            v1::RANGE_END,
            v1::POWER_OFF,
            v1::AUTO_SLEEP,
        ],
    ],
    controls: &[
        &CONTROLS,
        &[v1::SELECT_UPS_MODE, v1::SET_RANGE_START, v1::SET_RANGE_END],
    ],
    windows: &v1::WINDOWS,
    packs: PackAccess::Selector { max: 3 },
    alarms: Alarms::Unnamed,
};

pub(crate) static AC200PL: Map = Map {
    name: "AC200PL",
    generation: Generation::First,
    unit: 1,
    fields: table![
        &v1::HOME,
        &v1::HOME_END,
        &INTERNAL,
        &pv(PvScale::TenthVolts),
        &[v1::AC_OUTPUT, v1::DC_OUTPUT, v1::POWER_OFF, v1::AUTO_SLEEP],
    ],
    controls: &[&CONTROLS],
    windows: &v1::WINDOWS,
    packs: PackAccess::None,
    alarms: Alarms::Unnamed,
};

static INTERNAL: [Field; 5] = [
    v1::OUTPUT_MODE,
    field!("internal_ac_voltage" 71 U16 Volts "AC output voltage", role_of(Role::AcOutputVoltage)),
    field!("internal_current_one" 72 U16_1 Amps "Inverter current"),
    field!("internal_power_one" 73 I16 Watts "Inverter power"),
    field!("internal_ac_frequency" 74 U16_1 Hertz "AC output frequency", role_of(Role::AcOutputFrequency)),
];

/// `otherwise` counts while the three registers do not decide.
const fn pv(otherwise: PvScale) -> [Field; 3] {
    [
        Field::new(
            "internal_dc_input_voltage",
            86,
            Kind::Pv {
                quantity: PvQuantity::Voltage,
                otherwise,
            },
            Unit::Volts,
            "PV voltage",
        )
        .role_of(Role::PvVoltage(1)),
        Field::new(
            "internal_dc_input_power",
            87,
            Kind::Pv {
                quantity: PvQuantity::Power,
                otherwise,
            },
            Unit::Watts,
            "PV power",
        )
        .role_of(Role::PvPower(1)),
        field!("internal_dc_input_current" 88 U16_2 Amps "PV current"),
    ]
}

static BATTERY: [Field; 6] = [
    v1::PACK_COUNT,
    field!("total_battery_voltage" 92 U16_2 Volts "Voltage of all packs", role_of(Role::BatteryVoltage)),
    v1::PACK_NUMBER,
    v1::PACK_VOLTAGE,
    v1::PACK_PERCENT,
    v1::CELLS,
];

static CONTROLS: [Control; 4] = [
    v1::SWITCH_AC,
    v1::SWITCH_DC,
    v1::SELECT_AUTO_SLEEP,
    v1::PUSH_POWER_OFF,
];
