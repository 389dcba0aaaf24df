//! EP600, EP760 and EP800: home systems of the second generation.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, phases, table, v2};
use crate::register::{Block, Control, ControlId, Field, Role, field};

pub(crate) static EP600: Map = map(
    "EP600",
    table![
        &v2::IDENTITY_LONG,
        &v2::HOME,
        &v2::HIGH_VOLTAGE,
        &v2::TIMES_RAW,
        &v2::INVERTER_IDENTITY,
        &[v2::INVERTER_GENERATION],
        &phases::STRINGS,
        &phases::METER,
        &[phases::GRID_FREQUENCY],
        &phases::GRID,
        &[v2::AC_OUTPUT_FREQUENCY],
        &phases::INVERTER,
        &EP600_SETTINGS,
        &phases::GRID_LIMITS,
        &PACK,
        &[v2::WIFI_NAME],
    ],
    &[&[v2::SWITCH_AC], &v2::RANGE_CONTROLS],
    PackAccess::Single,
);

pub(crate) static EP760: Map = map(
    "EP760",
    table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::HIGH_VOLTAGE,
        &v2::TIMES_RAW,
        &phases::STRINGS,
        &EP760_PHASES,
        &[
            field!("ctrl_ac" 2208 Switch None "AC output is switched on", alias_of("ac_output_on"), role_of(Role::AcOutputOn)),
        ],
    ],
    &[&[Control::switch(ControlId::AcOutput, "ctrl_ac", 2208)]],
    PackAccess::None,
);

pub(crate) static EP800: Map = map(
    "EP800",
    table![&v2::IDENTITY, &v2::HOME, &v2::HIGH_VOLTAGE, &v2::TIMES_RAW],
    &[],
    PackAccess::None,
);

const fn map(
    name: &'static str,
    fields: &'static [Field],
    controls: &'static [&'static [Control]],
    packs: PackAccess,
) -> Map {
    Map {
        name,
        generation: Generation::Second,
        unit: 1,
        fields,
        controls,
        windows: &WINDOWS,
        packs,
        alarms: Alarms::Unnamed,
    }
}

static WINDOWS: [Block; 14] = [
    Block::new(1, 16),
    Block::new(100, 62),
    Block::new(1100, 51),
    Block::new(1200, 90),
    Block::new(1300, 31),
    Block::new(1400, 48),
    Block::new(1500, 30),
    Block::new(2000, 89),
    Block::new(2200, 41),
    Block::new(2300, 36),
    Block::new(2400, 40),
    Block::new(6000, 32),
    Block::new(6100, 100),
    Block::new(6300, 100),
];

static EP600_SETTINGS: [Field; 8] = [
    v2::CTRL_AC,
    field!("battery_range_start" 2022 U16 Percent "Lower end of the charge range", alias_of("soc_range_start"), within(0, 100), slow(), role_of(Role::SocLow)),
    field!("battery_range_end" 2023 U16 Percent "Upper end of the charge range", alias_of("soc_range_end"), within(0, 100), slow(), role_of(Role::SocHigh)),
    field!("max_ac_input_power" 2213 U16 Watts "Highest power from the grid", slow()),
    field!("max_ac_input_current" 2214 U16 Amps "Highest current from the grid", slow()),
    field!("max_ac_output_power" 2215 U16 Watts "Highest power into the grid", slow()),
    field!("max_ac_output_current" 2216 U16 Amps "Highest current into the grid", slow()),
    phases::GENERATOR,
];

static PACK: [Field; 6] = [
    field!("battery_type" 6101 SwappedText(6) None "Model of the pack", alias_of("type"), pack(), role_of(Role::PackType)),
    field!("battery_serial_number" 6107 Serial None "Serial number of the pack", alias_of("sn"), pack(), role_of(Role::PackSerialNumber)),
    field!("bcu_version" 6175 Version None "Version of the pack's controller", alias_of("version_bcu"), pack(), role_of(Role::PackVersion)),
    field!("bmu_version" 6178 Version None "Version of the cell monitor", alias_of("version_bmu"), pack()),
    field!("safety_module_version" 6181 Version None "Version of the safety module", alias_of("version_safety_module"), pack()),
    field!("high_voltage_module_version" 6184 Version None "Version of the high-voltage module", alias_of("version_hv_module"), pack()),
];

/// One phase of each.
static EP760_PHASES: [Field; 11] = [
    field!("sm_p1_power" 1228 I16 Watts "Meter power", detail()),
    field!("sm_p1_voltage" 1229 U16_1 Volts "Meter voltage", detail()),
    field!("sm_p1_current" 1230 I16_1 Amps "Meter current", detail()),
    phases::GRID_FREQUENCY,
    field!("grid_p1_power" 1313 I16 Watts "Grid power", detail()),
    field!("grid_p1_voltage" 1314 U16_1 Volts "Grid voltage", detail(), role_of(Role::AcInputVoltage)),
    field!("grid_p1_current" 1315 I16_1 Amps "Grid current", detail()),
    v2::AC_OUTPUT_FREQUENCY,
    field!("ac_p1_power" 1510 I16 Watts "Inverter power", detail()),
    field!("ac_p1_voltage" 1511 U16_1 Volts "Inverter voltage", detail(), role_of(Role::AcOutputVoltage)),
    field!("ac_p1_current" 1512 I16_1 Amps "Inverter current", detail()),
];
