//! Rows of the first generation's map, and what its models share.

use crate::register::{Block, Control, ControlId, Danger, Field, Kind, Role, Unit, choices, field};

/// Pages that were read as a whole on stations with packs.
pub(crate) static WINDOWS: [Block; 4] = [
    Block::new(0, 70),
    Block::new(70, 21),
    Block::new(91, 119),
    Block::new(3000, 62),
];

/// What every station of this generation has.
pub(crate) static HOME: [Field; 27] = [
    field!("device_type" 10 Text(6) None "Model", identity(), role_of(Role::DeviceType)),
    field!("protocol_version" 16 U16 None "Protocol version, below 2000", identity(), role_of(Role::ProtocolVersion)),
    field!("serial_number" 17 Serial None "Serial number", alias_of("device_sn"), identity(), role_of(Role::SerialNumber)),
    field!("arm_version" 23 Version None "Version of the first controller", alias_of("version_arm"), identity(), role_of(Role::ArmVersion)),
    field!("dsp_version" 25 Version None "Version of the second controller", alias_of("version_dsp"), identity(), role_of(Role::DspVersion)),
    field!("dc_input_power" 36 U16 Watts "Power from PV or a car", role_of(Role::DcInputPower)),
    field!("ac_input_power" 37 U16 Watts "Power from the grid", role_of(Role::AcInputPower)),
    field!("ac_output_power" 38 U16 Watts "Power of the AC loads", role_of(Role::AcOutputPower)),
    field!("dc_output_power" 39 U16 Watts "Power of the DC loads", role_of(Role::DcOutputPower)),
    field!("feedback_power" 40 U16 Watts "Power fed into the grid"),
    field!("total_battery_percent" 43 U16 Percent "State of charge", within(0, 100), role_of(Role::Soc)),
    field!("pv_to_battery" 46 Switch None "Energy flows from PV to the battery"),
    field!("grid_to_battery" 47 Switch None "Energy flows from the grid to the battery"),
    field!("ac_output_on" 48 Switch None "Energy flows from the battery to the AC output; the switch is 3007", fallback()),
    field!("dc_output_on" 49 Switch None "Energy flows from the battery to the DC output; the switch is 3008", fallback()),
    field!("battery_to_grid" 50 Switch None "Energy flows from the battery to the grid"),
    field!("grid_to_load" 51 Switch None "Energy flows from the grid to the loads"),
    field!("pv_to_grid" 52 Switch None "Energy flows from PV to the grid"),
    warning("alarm_1", 54, 1),
    warning("alarm_2", 55, 2),
    warning("alarm_3", 56, 3),
    warning("alarm_4", 57, 4),
    fault("fault_1", 58, 1),
    fault("fault_2", 59, 2),
    fault("fault_3", 60, 3),
    fault("fault_4", 61, 4),
    fault("fault_5", 62, 5),
];

/// What follows where more of the page can be read.
pub(crate) static HOME_END: [Field; 4] = [
    field!("fault_6_or_minutes_to_full" 63 U16 None "Fault bits; on newer firmware minutes until full"),
    field!("fault_7_or_minutes_to_empty" 64 U16 None "Fault bits; on newer firmware minutes until empty"),
    field!("rated_voltage" 67 U16 None "Rated output voltage; its scale is not known"),
    field!("rated_frequency" 68 U16 None "Rated output frequency; its scale is not known"),
];

const fn warning(name: &'static str, register: u16, number: u8) -> Field {
    let doc = "Alarm bits; their meaning is not published";
    Field::new(name, register, Kind::Bits, Unit::None, doc).role_of(Role::Warning(number))
}

const fn fault(name: &'static str, register: u16, number: u8) -> Field {
    let doc = "Fault bits; their meaning is not published";
    Field::new(name, register, Kind::Bits, Unit::None, doc).role_of(Role::Fault(number))
}

pub(crate) const POWER_GENERATION: Field =
    field!("power_generation" 41 U32_1 KilowattHours "PV energy so far", role_of(Role::Generation));

pub(crate) const OUTPUT_MODE: Field =
    field!("ac_output_mode" 70 Choice(&choices::OUTPUT_MODE) None "Where the AC output comes from");

/// Page 70 of the larger stations, below its PV registers.
pub(crate) static INTERNAL: [Field; 11] = [
    OUTPUT_MODE,
    field!("internal_ac_voltage" 71 U16_1 Volts "AC output voltage", alias_of("ac_output_voltage"), role_of(Role::AcOutputVoltage)),
    field!("internal_current_one" 72 U16_1 Amps "Inverter current"),
    field!("internal_power_one" 73 I16 Watts "Inverter power"),
    field!("internal_ac_frequency" 74 U16_2 Hertz "AC output frequency", alias_of("ac_output_frequency"), role_of(Role::AcOutputFrequency)),
    field!("internal_current_two" 75 U16_1 Amps "Load current"),
    field!("internal_power_two" 76 I16 Watts "Load power"),
    AC_INPUT_VOLTAGE,
    field!("internal_current_three" 78 U16_1 Amps "Grid current", within(0, 1000)),
    field!("internal_power_three" 79 I16 Watts "Grid power"),
    field!("ac_input_frequency" 80 U16_2 Hertz "Grid frequency", role_of(Role::AcInputFrequency)),
];

pub(crate) const AC_INPUT_VOLTAGE: Field =
    field!("ac_input_voltage" 77 U16_1 Volts "Grid voltage", role_of(Role::AcInputVoltage));
pub(crate) const PV_VOLTAGE: Field = field!("internal_dc_input_voltage" 86 U16_1 Volts "PV voltage", alias_of("pv_s1_voltage"), role_of(Role::PvVoltage(1)));
pub(crate) const PV_POWER: Field = field!("internal_dc_input_power" 87 U16 Watts "PV power", alias_of("pv_s1_power"), role_of(Role::PvPower(1)));
pub(crate) const PV_CURRENT: Field =
    field!("internal_dc_input_current" 88 U16_1 Amps "PV current", alias_of("pv_s1_current"));

pub(crate) const PACK_COUNT: Field =
    field!("pack_num_max" 91 U16 None "Connected packs", role_of(Role::PackCount));
pub(crate) const BATTERY_VOLTAGE: Field = field!("total_battery_voltage" 92 U16_1 Volts "Voltage of all packs", role_of(Role::BatteryVoltage));
pub(crate) const PACK_NUMBER: Field = field!("pack_num" 96 U16 None "Pack that this page is about", alias_of("selected"), pack(), role_of(Role::PackNumber));
pub(crate) const PACK_STATUS: Field = field!("pack_status" 97 Choice(&choices::BATTERY_STATE) None "What the pack does", pack(), role_of(Role::PackStatus));
pub(crate) const PACK_VOLTAGE: Field = field!("pack_voltage" 98 U16_2 Volts "Voltage of the pack", alias_of("voltage"), pack(), role_of(Role::PackVoltage));
pub(crate) const PACK_PERCENT: Field = field!("pack_battery_percent" 99 U16 Percent "State of charge of the pack", alias_of("battery_soc"), within(0, 100), pack(), role_of(Role::PackSoc));
pub(crate) const CELLS: Field = Field::new(
    "cell_voltages",
    105,
    Kind::Numbers {
        count: 16,
        scale: 2,
    },
    Unit::Volts,
    "Cell voltages; cells that the pack does not have are 0",
)
.pack()
.role_of(Role::PackCells);

pub(crate) const UPS_MODE: Field = field!("ups_mode" 3001 Choice(&choices::UPS_MODE) None "Working mode", alias_of("ctrl_ups_mode"), slow(), role_of(Role::WorkingMode));
pub(crate) const SPLIT_PHASE: Field = field!("split_phase_on" 3004 Flag None "Coupled to a split-phase pair", alias_of("ctrl_split_phase"), slow());
pub(crate) const SPLIT_PHASE_ROLE: Field = field!("split_phase_machine_mode" 3005 Choice(&choices::MACHINE_ADDRESS) None "Role in that pair", alias_of("ctrl_split_phase_mode"), slow());
pub(crate) const PACK_SELECTOR: Field =
    field!("pack_num" 3006 U16 None "Pack that was asked for", slow(), fallback());
pub(crate) const AC_OUTPUT: Field = field!("ac_output_on" 3007 Switch None "AC output is switched on", alias_of("ctrl_ac"), role_of(Role::AcOutputOn));
pub(crate) const DC_OUTPUT: Field = field!("dc_output_on" 3008 Switch None "DC output is switched on", alias_of("ctrl_dc"), role_of(Role::DcOutputOn));
pub(crate) const GRID_CHARGE: Field = field!("grid_charge_on" 3011 Switch None "May charge from the grid", slow(), role_of(Role::GridChargeOn));
pub(crate) const TIME_CONTROL: Field =
    field!("time_control_on" 3013 Switch None "Charges by the clock", slow());
pub(crate) const RANGE_START: Field = field!("battery_range_start" 3015 U16 Percent "Lower end of the charge range", alias_of("soc_range_start"), within(0, 100), slow(), role_of(Role::SocLow));
pub(crate) const RANGE_END: Field = field!("battery_range_end" 3016 U16 Percent "Upper end of the charge range", alias_of("soc_range_end"), within(0, 100), slow(), role_of(Role::SocHigh));
pub(crate) const CLOCK: Field =
    field!("clock" 3031 Clock None "The station's clock, local time", slow());
pub(crate) const BLUETOOTH: Field =
    field!("bluetooth_connected" 3036 Switch None "A phone is connected", slow());
pub(crate) const POWER_OFF: Field = field!("power_off" 3060 Switch None "Is being switched off", alias_of("ctrl_power_off"), slow());
pub(crate) const AUTO_SLEEP: Field = field!("auto_sleep_mode" 3061 Choice(&choices::AUTO_SLEEP_MODE) None "When the screen goes off", alias_of("ctrl_display_timeout"), slow(), role_of(Role::ScreenTimeout));

const fn slot(name: &'static str, register: u16) -> Field {
    let doc = "Slot of the time-control programme; layout not verified";
    Field::new(name, register, Kind::Slot, Unit::None, doc).slow()
}

/// Settings of the stations with packs.
pub(crate) static SETTINGS: [Field; 22] = [
    UPS_MODE,
    SPLIT_PHASE,
    SPLIT_PHASE_ROLE,
    PACK_SELECTOR,
    AC_OUTPUT,
    DC_OUTPUT,
    GRID_CHARGE,
    TIME_CONTROL,
    field!("max_pv_current" 3014 U16 Amps "Highest PV current", slow()),
    RANGE_START,
    RANGE_END,
    field!("max_discharge_current" 3018 U16 Amps "Highest discharging current", slow()),
    field!("max_grid_charge_current" 3019 U16 Amps "Highest charging current from the grid", slow()),
    CLOCK,
    BLUETOOTH,
    slot("time_slot_1", 3039),
    slot("time_slot_2", 3042),
    slot("time_slot_3", 3045),
    slot("time_slot_4", 3048),
    slot("time_slot_5", 3051),
    slot("time_slot_6", 3054),
    AUTO_SLEEP,
];

pub(crate) const SWITCH_AC: Control = Control::switch(ControlId::AcOutput, "ac_output_on", 3007);
pub(crate) const SWITCH_DC: Control = Control::switch(ControlId::DcOutput, "dc_output_on", 3008);
pub(crate) const SELECT_UPS_MODE: Control =
    Control::select(ControlId::WorkingMode, "ups_mode", 3001, &choices::UPS_MODE);
pub(crate) const SELECT_AUTO_SLEEP: Control = Control::select(
    ControlId::ScreenTimeout,
    "auto_sleep_mode",
    3061,
    &choices::AUTO_SLEEP_MODE,
);
pub(crate) const PUSH_POWER_OFF: Control = Control::button(ControlId::PowerOff, "power_off", 3060);

pub(crate) const SET_RANGE_START: Control = Control::number_of(
    ControlId::SocLow,
    "battery_range_start",
    3015,
    0,
    100,
    Unit::Percent,
)
.beside(3016);
pub(crate) const SET_RANGE_END: Control = Control::number_of(
    ControlId::SocHigh,
    "battery_range_end",
    3016,
    0,
    100,
    Unit::Percent,
)
.beside(3015);

/// Controls behind [`SETTINGS`].
pub(crate) static CONTROLS: [Control; 12] = [
    SWITCH_AC,
    SWITCH_DC,
    SELECT_UPS_MODE,
    Control::switch(ControlId::GridCharge, "grid_charge_on", 3011),
    Control::switch(ControlId::TimeControl, "time_control_on", 3013),
    SET_RANGE_START,
    SET_RANGE_END,
    SELECT_AUTO_SLEEP,
    Control::clock("clock", 3031),
    Control::slots("time_slot_1", 3039),
    Control::switch(ControlId::SplitPhase, "split_phase_on", 3004).danger_of(Danger::SplitPhase),
    Control::select(
        ControlId::SplitPhaseRole,
        "split_phase_machine_mode",
        3005,
        &choices::MACHINE_ADDRESS,
    )
    .danger_of(Danger::SplitPhase),
];
