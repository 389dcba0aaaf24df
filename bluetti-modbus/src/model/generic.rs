//! Stations whose map nobody has published: the pages that all of a generation
//! have in common, and nothing to set but the outputs.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v1, v2};
use crate::register::{Block, Field, Role, field};

pub(crate) static V1: Map = Map {
    name: "Generic V1",
    generation: Generation::First,
    unit: 1,
    fields: table![&v1::HOME, &V1_FIELDS],
    controls: &[&[v1::SWITCH_AC, v1::SWITCH_DC]],
    windows: &[
        Block::new(10, 53),
        Block::new(70, 21),
        Block::new(91, 37),
        Block::new(3000, 62),
    ],
    packs: PackAccess::None,
    alarms: Alarms::Unnamed,
};

/// A voltage in V or in 0.1 V and a frequency in 0.1 Hz or in 0.01 Hz: what cannot
/// be in the finer scale is left out.
static V1_FIELDS: [Field; 8] = [
    v1::POWER_GENERATION,
    v1::OUTPUT_MODE,
    field!("internal_ac_voltage" 71 U16_1 Volts "AC output voltage", within(800, 3000), role_of(Role::AcOutputVoltage)),
    field!("internal_ac_frequency" 74 U16_2 Hertz "AC output frequency", within(4000, 7000), role_of(Role::AcOutputFrequency)),
    v1::AC_INPUT_VOLTAGE.within(800, 3000),
    v1::PACK_COUNT,
    v1::AC_OUTPUT,
    v1::DC_OUTPUT,
];

pub(crate) static V2: Map = Map {
    name: "Generic V2",
    generation: Generation::Second,
    unit: 1,
    fields: table![
        &v2::IDENTITY,
        &v2::HOME,
        &v2::UNKNOWN_VOLTAGE,
        &v2::TIMES_RAW,
        &[
            v2::AC_INPUT_FREQUENCY,
            v2::AC_INPUT_VOLTAGE,
            v2::AC_INPUT_CURRENT,
            v2::AC_OUTPUT_FREQUENCY,
            v2::AC_OUTPUT_VOLTAGE,
            v2::WORKING_MODE,
            v2::CTRL_AC,
            v2::CTRL_DC,
        ],
    ],
    controls: &[&[v2::SWITCH_AC, v2::SWITCH_DC]],
    windows: &WINDOWS_V2,
    packs: PackAccess::None,
    alarms: Alarms::Unnamed,
};

/// Not longer than what every station answers.
static WINDOWS_V2: [Block; 5] = [
    Block::new(100, 60),
    Block::new(160, 2),
    Block::new(1300, 31),
    Block::new(1500, 30),
    Block::new(2000, 60),
];
