//! EB3A: the smallest station of its generation.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table, v1};
use crate::register::{Block, Control, ControlId, Field, Role, choices, field};

pub(crate) static EB3A: Map = Map {
    name: "EB3A",
    generation: Generation::First,
    unit: 1,
    fields: table![&v1::HOME, &FIELDS],
    controls: &[&CONTROLS],
    windows: &[Block::new(10, 53), Block::new(70, 66), Block::new(3000, 67)],
    packs: PackAccess::None,
    alarms: Alarms::Unnamed,
};

static FIELDS: [Field; 11] = [
    v1::AC_INPUT_VOLTAGE,
    field!("internal_dc_input_voltage" 86 U16_2 Volts "DC input voltage", alias_of("dc_input_voltage"), role_of(Role::PvVoltage(1))),
    v1::PACK_COUNT,
    v1::AC_OUTPUT,
    v1::DC_OUTPUT,
    field!("led_mode" 3034 Choice(&choices::LED_MODE) None "Lamp", alias_of("ctrl_led_mode"), slow()),
    v1::POWER_OFF,
    field!("eco_on" 3063 Switch None "Eco mode", alias_of("ctrl_eco"), slow()),
    field!("eco_shutdown" 3064 Choice(&choices::ECO_SHUTDOWN) None "How long eco mode waits", alias_of("ctrl_eco_time_mode"), slow()),
    field!("charging_mode" 3065 Choice(&choices::CHARGING_MODE) None "How fast it charges from the grid", alias_of("ctrl_charging_mode"), slow(), role_of(Role::ChargingMode)),
    field!("power_lifting_on" 3066 Switch None "Power lifting", alias_of("ctrl_power_lifting"), slow()),
];

static CONTROLS: [Control; 8] = [
    v1::SWITCH_AC,
    v1::SWITCH_DC,
    Control::select(ControlId::Led, "led_mode", 3034, &choices::LED_MODE),
    v1::PUSH_POWER_OFF,
    Control::switch(ControlId::Eco, "eco_on", 3063),
    Control::select(
        ControlId::EcoHours,
        "eco_shutdown",
        3064,
        &choices::ECO_SHUTDOWN,
    ),
    Control::select(
        ControlId::ChargingMode,
        "charging_mode",
        3065,
        &choices::CHARGING_MODE,
    ),
    Control::switch(ControlId::PowerLifting, "power_lifting_on", 3066),
];
