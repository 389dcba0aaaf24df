//! EP2000: a home system of several units on one line.
//!
//! Unit 0 is the box that speaks Bluetooth, unit 1 the inverter, units 41 and up
//! are the battery packs.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, phases, table, v2};
use crate::register::{Block, Field, Role, field};

pub(crate) static EP2000: Map = Map {
    name: "EP2000",
    generation: Generation::Second,
    unit: 1,
    fields: table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::HIGH_VOLTAGE,
        &v2::TIMES_RAW,
        &[v2::INVERTER_GENERATION],
        &phases::STRINGS,
        &phases::METER,
        &[phases::GRID_FREQUENCY],
        &phases::GRID,
        &phases::LOAD,
        &[v2::AC_OUTPUT_FREQUENCY],
        &phases::INVERTER,
        &SETTINGS,
        &phases::GRID_LIMITS,
        &PACK,
        &[v2::WIFI_NAME],
    ],
    controls: &[&v2::RANGE_CONTROLS],
    windows: &WINDOWS,
    packs: PackAccess::Units { first: 41, max: 8 },
    alarms: Alarms::Unnamed,
};

static WINDOWS: [Block; 13] = [
    Block::new(1, 16),
    Block::new(100, 60),
    Block::new(160, 2),
    Block::new(1100, 70),
    Block::new(1200, 92),
    Block::new(1300, 31),
    Block::new(1400, 60),
    Block::new(1509, 30),
    Block::new(2000, 60),
    Block::new(2200, 100),
    Block::new(2400, 40),
    Block::new(6000, 62),
    Block::new(6100, 60),
];

static SETTINGS: [Field; 4] = [
    field!("ctrl_ac" 2011 Flag None "AC output is switched on", alias_of("ac_output_on"), role_of(Role::AcOutputOn)),
    v2::RANGE_START,
    v2::RANGE_END,
    phases::GENERATOR,
];

/// Pages of a pack, in its own unit.
static PACK: [Field; 8] = [
    field!("pack_voltage" 6003 U16_1 Volts "Voltage of the pack", pack(), role_of(Role::PackVoltage)),
    field!("pack_current" 6004 I16_1 Amps "Current of the pack; which sign is charging is not known", pack(), role_of(Role::PackCurrent)),
    field!("pack_battery_percent" 6005 LOW Percent "State of charge of the pack", within(0, 100), pack(), role_of(Role::PackSoc)),
    field!("pack_soh" 6006 LOW Percent "State of health of the pack", within(0, 100), pack(), role_of(Role::PackSoh)),
    field!("pack_avg_temp" 6007 Temperature Celsius "Average temperature of the pack", pack(), role_of(Role::PackTemperature)),
    field!("pack_id" 6100 LOW None "Number the pack gives itself", pack(), role_of(Role::PackNumber)),
    field!("battery_type" 6101 SwappedText(6) None "Model of the pack", pack(), role_of(Role::PackType)),
    field!("battery_serial_number" 6107 Serial None "Serial number of the pack", pack(), role_of(Role::PackSerialNumber)),
];
