//! Rows of the second generation's map, and what its models share.

use crate::register::{Block, Control, ControlId, Field, Role, Unit, choices, field};

/// Blocks that the vendor's app reads as a whole.
pub(crate) static WINDOWS: [Block; 13] = [
    Block::new(1, 16),
    Block::new(100, 67),
    Block::new(1100, 51),
    Block::new(1200, 90),
    Block::new(1300, 31),
    Block::new(1400, 48),
    Block::new(1500, 30),
    Block::new(2000, 67),
    Block::new(2200, 29),
    Block::new(6000, 31),
    Block::new(6100, 100),
    Block::new(6300, 52),
    Block::new(12002, 16),
];

/// Who the station is.
pub(crate) static IDENTITY: [Field; 3] = [
    field!("protocol_version" 16 U16 None "Protocol version, 2000 or above", alias_of("cfg_protocol_version"), identity(), role_of(Role::ProtocolVersion)),
    field!("device_type" 110 SwappedText(6) None "Model", alias_of("device_model"), identity(), role_of(Role::DeviceType)),
    field!("device_sn" 116 Serial None "Serial number", alias_of("serial_number"), identity(), role_of(Role::SerialNumber)),
];

/// The same under the names of the implementation that knew AC60 and EP600 first.
pub(crate) static IDENTITY_LONG: [Field; 3] = [
    field!("protocol_version" 16 U16 None "Protocol version, 2000 or above", alias_of("cfg_protocol_version"), identity(), role_of(Role::ProtocolVersion)),
    field!("device_type" 110 SwappedText(6) None "Model", alias_of("device_model"), identity(), role_of(Role::DeviceType)),
    field!("serial_number" 116 Serial None "Serial number", alias_of("device_sn"), identity(), role_of(Role::SerialNumber)),
];

/// The base page, without the PIN that follows.
pub(crate) static BASE: [Field; 5] = [
    field!("cfg_specs" 1 HIGH None "Specification", identity()),
    field!("cfg_voltage_type" 1 LOW None "Mains voltage class", identity()),
    field!("cfg_guest_mode_enabled" 2 U16 None "Guest mode", identity()),
    field!("cfg_bt_psw_enabled" 6 U16 None "Whether the vendor's app asks for a PIN", identity()),
    field!("cfg_modbus_version" 15 U16 None "Version of the MODBUS dialect", identity()),
];

/// The home page but for battery voltage and times, which differ by model.
pub(crate) static HOME: [Field; 39] = [
    field!("total_battery_current" 101 I16_1 Amps "Battery current; which sign is charging is not known", role_of(Role::BatteryCurrent)),
    field!("total_battery_percent" 102 U16 Percent "State of charge", within(0, 100), role_of(Role::Soc)),
    field!("pack_charging_status" 103 Choice(&choices::NET_FLOW) None "Which way the battery's energy flows", role_of(Role::NetFlow)),
    field!("pack_aging_data_bin" 106 Bits None "Pack ageing, bits"),
    field!("pack_cnts" 107 LOW None "Packs", role_of(Role::PackCount)),
    field!("pack_online_bin" 108 Bits None "Packs that are connected, a bit each"),
    field!("can_bus_fault_bin" 109 Bits None "Packs that do not answer, a bit each"),
    field!("inv_number" 120 LOW None "Inverters"),
    field!("inv_online_bin" 121 Bits None "Inverters that are connected, a bit each"),
    field!("inv_power_type" 122 LOW None "Power class of the inverter; selects the meaning of the alarm bits"),
    field!("energy_lines" 123 Bits None "Ways energy flows, a bit each: PV to battery, grid to battery, battery to grid, AC load, DC load, battery to inverter, inverter to battery, grid to load, icons of PV, grid and AC load, PV to grid, PV to AC, battery to AC"),
    field!("ctrl_status" 124 Bits None "What is on, a bit each: power, AC, DC, inverter, grid, PV, feed-in, meter, LED, eco, power lifting"),
    field!("ac_output_on" 124 Bit(1) None "AC output is on", role_of(Role::AcOutputOn), fallback()),
    field!("dc_output_on" 124 Bit(2) None "DC output is on", role_of(Role::DcOutputOn), fallback()),
    field!("grid_parallel_soc" 125 LOW Percent "State of charge for running beside the grid", within(0, 100)),
    field!("warning_1" 126 Bits None "Warning bits; their positions are not verified", role_of(Role::Warning(1))),
    field!("warning_2" 127 Bits None "Warning bits; their positions are not verified", role_of(Role::Warning(2))),
    field!("warning_3" 128 Bits None "Warning bits; their positions are not verified", role_of(Role::Warning(3))),
    field!("warning_4" 129 Bits None "Warning bits; their positions are not verified", role_of(Role::Warning(4))),
    field!("fault_1" 133 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(1))),
    field!("fault_2" 134 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(2))),
    field!("fault_3" 135 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(3))),
    field!("fault_4" 136 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(4))),
    field!("fault_5" 137 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(5))),
    field!("fault_6" 138 Bits None "Fault bits; their positions are not verified", role_of(Role::Fault(6))),
    field!("dc_output_power" 140 U32 Watts "Power of the DC loads", role_of(Role::DcOutputPower)),
    field!("ac_output_power" 142 I32 Watts "Power of the AC loads", role_of(Role::AcOutputPower)),
    field!("dc_input_power" 144 U32 Watts "Power from PV or a car", role_of(Role::DcInputPower)),
    field!("ac_input_power" 146 I32 Watts "Power from the grid; negative while feeding in", role_of(Role::AcInputPower)),
    field!("total_inv_power" 148 I32 Watts "Balance of the inverter; negative while charging from the grid, -1 while idle"),
    field!("total_dc_energy" 150 U32_1 KilowattHours "Energy of the DC loads so far"),
    field!("total_ac_energy" 152 U32_1 KilowattHours "Energy of the AC loads so far"),
    field!("power_generation" 154 U32_1 KilowattHours "PV energy so far", alias_of("total_pv_charging_energy"), role_of(Role::Generation), fallback()),
    field!("total_grid_charging_energy" 156 U32_1 KilowattHours "Energy from the grid so far"),
    field!("total_feedback_energy" 158 U32_1 KilowattHours "Energy fed into the grid so far"),
    field!("charging_mode" 160 LowChoice(&choices::CHARGING_MODE) None "How fast it charges from the grid", role_of(Role::ChargingMode), fallback()),
    field!("inv_working_status" 161 LowBits None "State of the inverter: bit 0 AC output active, bit 1 AC input present"),
    field!("ac_output_active" 161 Bit(0) None "The AC output carries voltage"),
    field!("ac_input_present" 161 Bit(1) None "The grid is there"),
];

/// What follows the home page where 67 registers of it can be read.
pub(crate) static HOME_END: [Field; 3] = [
    field!("pv_to_ac_energy" 162 U32 None "PV energy used by AC loads; its scale is not known", slow()),
    field!("self_sufficiency_rate" 164 LOW Percent "Self-sufficiency", within(0, 100), slow()),
    field!("pv_to_ac_power" 165 U32 Watts "PV power used by AC loads", slow()),
];

/// Times of models whose unit is not known.
pub(crate) static TIMES_RAW: [Field; 2] = [
    field!("pack_chg_full_time" 104 U16 None "Time until full, in minutes or in 0.1 h: which is not known of this model", within(0, 5993)),
    field!("pack_dsg_empty_time" 105 U16 None "Time until empty, in the same unit", within(0, 5993)),
];

/// Times that count minutes.
pub(crate) static TIMES_MINUTES: [Field; 2] = [
    field!("pack_chg_full_time" 104 Minutes Hours "Time until full", within(0, 5993), role_of(Role::TimeToFull)),
    field!("pack_dsg_empty_time" 105 Minutes Hours "Time until empty", within(0, 5993), role_of(Role::TimeToEmpty)),
];

/// One time for both ways, in minutes.
pub(crate) static REMAINING_MINUTES: [Field; 1] = [
    field!("time_remaining" 104 Minutes Hours "Time until full while charging, else until empty", within(0, 5993), role_of(Role::TimeRemaining)),
];

/// One time for both ways, in 0.1 h.
pub(crate) static REMAINING_TENTHS: [Field; 1] = [
    field!("time_remaining" 104 U16_1 Hours "Time until full while charging, else until empty", within(0, 5993), role_of(Role::TimeRemaining)),
];

/// Battery of a portable station.
pub(crate) static PORTABLE_VOLTAGE: [Field; 1] = [
    field!("total_battery_voltage" 100 PortableVoltage Volts "Battery voltage", role_of(Role::BatteryVoltage)),
];

/// Battery of a home system.
pub(crate) static HIGH_VOLTAGE: [Field; 1] = [
    field!("total_battery_voltage" 100 U16_1 Volts "Battery voltage", role_of(Role::BatteryVoltage)),
];

/// A battery voltage of unknown scale.
pub(crate) static UNKNOWN_VOLTAGE: [Field; 2] = [
    field!("total_battery_voltage" 100 PortableVoltage Volts "Battery voltage, if it looks like one in 0.01 V", role_of(Role::BatteryVoltage)),
    field!("total_battery_voltage_raw" 100 U16 None "The register of the battery voltage; its scale is not known"),
];

pub(crate) const PV_POWER: Field = field!("pv_s1_power" 1212 U16 Watts "Power of the first PV string", detail(), role_of(Role::PvPower(1)));
pub(crate) const DC_INPUT_VOLTAGE: Field =
    field!("dc_input_voltage" 1213 U16_1 Volts "PV voltage", detail(), role_of(Role::PvVoltage(1)));
pub(crate) const DC_INPUT_CURRENT: Field =
    field!("dc_input_current" 1214 U16_1 Amps "PV current", detail());
pub(crate) const AC_INPUT_FREQUENCY: Field = field!("ac_input_frequency" 1300 U16_1 Hertz "Grid frequency; some stations show 0 from time to time", detail(), within(1, 1000), role_of(Role::AcInputFrequency));
pub(crate) const AC_INPUT_VOLTAGE: Field = field!("ac_input_voltage" 1314 U16_1 Volts "Grid voltage", detail(), role_of(Role::AcInputVoltage));
pub(crate) const AC_INPUT_CURRENT: Field = field!("ac_input_current" 1315 I16_1 Amps "Grid current", detail(), alias_of("grid_phase0_current"));
pub(crate) const AC_OUTPUT_FREQUENCY: Field = field!("ac_output_frequency" 1500 U16_1 Hertz "AC output frequency", detail(), role_of(Role::AcOutputFrequency));
pub(crate) const AC_OUTPUT_VOLTAGE: Field = field!("ac_output_voltage" 1511 U16_1 Volts "AC output voltage", detail(), role_of(Role::AcOutputVoltage));
pub(crate) const INVERTER_GENERATION: Field = field!("power_generation" 1202 U32_1 KilowattHours "PV energy so far", detail(), role_of(Role::Generation));

/// The inverter's own name, which is the station's where there is only one.
pub(crate) static INVERTER_IDENTITY: [Field; 2] = [
    field!("device_type" 1101 SwappedText(6) None "Model of the inverter", identity(), fallback()),
    field!("serial_number" 1107 Serial None "Serial number of the inverter", alias_of("device_sn"), identity(), fallback()),
];

/// Grid of stations with one phase.
pub(crate) static GRID_PAGE: [Field; 5] = [
    field!("ac_input_power" 1301 I32 Watts "Power from the grid", detail(), fallback()),
    field!("grid_total_chg_energy" 1303 U32_1 KilowattHours "Energy from the grid so far", detail()),
    field!("grid_total_feedback_energy" 1305 U32_1 KilowattHours "Energy fed into the grid so far", detail()),
    field!("grid_num_phases" 1312 LOW None "Phases of the grid", detail()),
    field!("grid_phase0_power" 1313 I16 Watts "Grid power of the first phase", detail(), alias_of("grid_p1_power")),
];

/// Loads.
pub(crate) static LOAD_PAGE: [Field; 16] = [
    field!("dc_output_power" 1400 U32 Watts "Power of the DC loads", detail(), fallback()),
    field!("total_dc_energy" 1402 U32_1 KilowattHours "Energy of the DC loads so far", detail(), fallback()),
    field!("dc_5v_power" 1404 U16 Watts "Power of the USB ports", detail()),
    field!("dc_5v_current" 1405 U16_1 Amps "Current of the USB ports", detail()),
    field!("dc_12v_power" 1406 U16 Watts "Power of the 12 V ports", detail()),
    field!("dc_12v_current" 1407 U16_1 Amps "Current of the 12 V ports", detail()),
    field!("dc_24v_power" 1408 U16 Watts "Power of the 24 V ports", detail()),
    field!("dc_24v_current" 1409 U16_1 Amps "Current of the 24 V ports", detail()),
    field!("dc_on_minutes" 1410 U16 Minutes "How long the DC output has been on", detail()),
    field!("dc_load_total_power_2" 1420 U32 Watts "Power of the AC loads", detail()),
    field!("dc_load_total_energy_2" 1422 U32_1 KilowattHours "Energy of the AC loads so far", detail()),
    field!("ac_on_minutes" 1424 U16 Minutes "How long the AC output has been on", detail()),
    field!("inv_num_phases" 1429 LOW None "Phases of the AC output", detail()),
    field!("internal_power_one" 1430 I16 Watts "Power of the first phase of the AC output", detail()),
    field!("internal_ac_voltage" 1431 U16_1 Volts "Voltage of the first phase of the AC output", detail(), role_of(Role::AcOutputVoltage), fallback()),
    field!("internal_current_one" 1432 I16_1 Amps "Current of the first phase of the AC output", detail()),
];

/// All packs of a portable station together.
pub(crate) static BATTERY_PAGE: [Field; 12] = [
    field!("pack_volt_type" 6000 U16 None "Type of the battery", slow()),
    field!("pack_cnts" 6001 LOW None "Packs", slow(), fallback()),
    field!("total_battery_voltage" 6003 PortableVoltage Volts "Battery voltage", slow(), fallback()),
    field!("total_battery_current" 6004 I16_1 Amps "Battery current; which sign is charging is not known", slow(), fallback()),
    field!("total_battery_percent" 6005 LOW Percent "State of charge", within(0, 100), slow(), fallback()),
    field!("pack_soh" 6006 LOW Percent "State of health", within(0, 100), slow()),
    field!("pack_avg_temp" 6007 Temperature Celsius "Average temperature", slow()),
    field!("pack_running_status" 6008 LOW None "State of the battery", slow()),
    field!("pack_charging_status" 6009 LowChoice(&choices::NET_FLOW) None "Which way the battery's energy flows", slow(), fallback()),
    field!("pack_max_chg_voltage" 6010 U16_2 Volts "Highest charging voltage", slow()),
    field!("pack_max_chg_current" 6011 U16_1 Amps "Highest charging current", slow()),
    field!("pack_max_dsg_current" 6012 U16_1 Amps "Highest discharging current", slow()),
];

/// One pack.
pub(crate) static PACK_PAGE: [Field; 12] = [
    field!("pack_id" 6100 LOW None "Number of the pack that this page is about", pack(), role_of(Role::PackNumber)),
    field!("battery_type" 6101 SwappedText(6) None "Model of the pack", alias_of("type"), pack(), role_of(Role::PackType)),
    field!("battery_serial_number" 6107 Serial None "Serial number of the pack", alias_of("sn"), pack(), role_of(Role::PackSerialNumber)),
    field!("pack_voltage" 6111 U16_2 Volts "Voltage of the pack", pack(), role_of(Role::PackVoltage)),
    field!("pack_current" 6112 I16_1 Amps "Current of the pack; which sign is charging is not known", pack(), role_of(Role::PackCurrent)),
    field!("pack_battery_percent" 6113 LOW Percent "State of charge of the pack", within(0, 100), pack(), role_of(Role::PackSoc)),
    field!("pack_battery_soh" 6114 LOW Percent "State of health of the pack", within(0, 100), pack(), role_of(Role::PackSoh)),
    field!("pack_temperature" 6115 Temperature Celsius "Temperature of the pack", pack(), role_of(Role::PackTemperature)),
    field!("pack_status" 6125 Choice(&choices::NET_FLOW) None "What the pack does", pack(), role_of(Role::PackStatus)),
    field!("cell_count" 6152 LOW None "Cells of the pack", pack()),
    field!("bcu_version" 6175 Version None "Version of the pack's controller", alias_of("version_bms"), pack(), role_of(Role::PackVersion)),
    field!("cell_voltages" 6300 CellPage(52) Volts "Cells of the pack; the layout is not verified", pack(), role_of(Role::PackCells)),
];

pub(crate) const VERSION_BMS: Field = field!("version_bms" 6175 Version None "Version of the battery's controller", alias_of("bcu_version"), identity(), role_of(Role::PackVersion));

/// Slots of the time-control programme.
pub(crate) static SLOTS: [Field; 6] = [
    field!("time_slot_1" 2030 Slot None "Slot of the time-control programme; layout not verified", slow()),
    field!("time_slot_2" 2033 Slot None "Slot of the time-control programme; layout not verified", slow()),
    field!("time_slot_3" 2036 Slot None "Slot of the time-control programme; layout not verified", slow()),
    field!("time_slot_4" 2039 Slot None "Slot of the time-control programme; layout not verified", slow()),
    field!("time_slot_5" 2042 Slot None "Slot of the time-control programme; layout not verified", slow()),
    field!("time_slot_6" 2045 Slot None "Slot of the time-control programme; layout not verified", slow()),
];

pub(crate) const LED_MODE: Field =
    field!("led_mode" 2007 Choice(&choices::LED_MODE_V2) None "Lamp", slow());
pub(crate) const WORKING_MODE: Field = field!("ctrl_ups_mode" 2005 Choice(&choices::WORKING_MODE) None "Working mode", alias_of("ups_mode"), slow(), role_of(Role::WorkingMode));
pub(crate) const CLOCK: Field =
    field!("clock" 2001 Clock None "The station's clock, local time", slow());
pub(crate) const CTRL_AC: Field = field!("ctrl_ac" 2011 Switch None "AC output is switched on", alias_of("ac_output_on"), role_of(Role::AcOutputOn));
pub(crate) const CTRL_DC: Field = field!("ctrl_dc" 2012 Switch None "DC output is switched on", alias_of("dc_output_on"), role_of(Role::DcOutputOn));
pub(crate) const CHARGING_MODE: Field = field!("ctrl_charging_mode" 2020 Choice(&choices::CHARGING_MODE) None "How fast it charges from the grid", alias_of("charging_mode"), slow(), role_of(Role::ChargingMode));
pub(crate) const POWER_LIFTING: Field = field!("ctrl_power_lifting" 2021 Switch None "Power lifting", alias_of("power_lifting_on"), slow());
pub(crate) const RANGE_START: Field = field!("soc_range_start" 2022 U16 Percent "Lower end of the charge range", alias_of("battery_range_start"), within(0, 100), slow(), role_of(Role::SocLow));
pub(crate) const RANGE_END: Field = field!("soc_range_end" 2023 U16 Percent "Upper end of the charge range", alias_of("battery_range_end"), within(0, 100), slow(), role_of(Role::SocHigh));
pub(crate) const DISPLAY_TIMEOUT: Field = field!("ctrl_display_timeout" 2067 Choice(&choices::AUTO_SLEEP_MODE) None "When the screen goes off", alias_of("auto_sleep_mode"), slow(), role_of(Role::ScreenTimeout));
pub(crate) const GRID_CHARGE: Field = field!("grid_charge_on" 2207 Switch None "May charge from the grid", slow(), role_of(Role::GridChargeOn));
pub(crate) const GRID_ENHANCEMENT: Field =
    field!("grid_enhancement_on" 2225 Switch None "Grid enhancement", slow());
pub(crate) const WIFI_NAME: Field =
    field!("wifi_name" 12002 SwappedText(16) None "Name of the Wi-Fi network", private());

/// Eco modes.
pub(crate) static ECO: [Field; 6] = [
    field!("ctrl_eco_dc" 2014 Switch None "Eco mode of the DC output", slow()),
    field!("ctrl_eco_time_mode_dc" 2015 Choice(&choices::ECO_SHUTDOWN) None "How long it waits", slow()),
    field!("ctrl_eco_min_power_dc" 2016 U16 Watts "Below which load it counts", slow()),
    field!("ctrl_eco_ac" 2017 Switch None "Eco mode of the AC output", slow()),
    field!("ctrl_eco_time_mode_ac" 2018 Choice(&choices::ECO_SHUTDOWN) None "How long it waits", slow()),
    field!("ctrl_eco_min_power_ac" 2019 U16 Watts "Below which load it counts", slow()),
];

pub(crate) const SWITCH_AC: Control = Control::switch(ControlId::AcOutput, "ctrl_ac", 2011);
pub(crate) const SWITCH_DC: Control = Control::switch(ControlId::DcOutput, "ctrl_dc", 2012);
pub(crate) const SELECT_CHARGING_MODE: Control = Control::select(
    ControlId::ChargingMode,
    "ctrl_charging_mode",
    2020,
    &choices::CHARGING_MODE,
);
pub(crate) const SWITCH_POWER_LIFTING: Control =
    Control::switch(ControlId::PowerLifting, "ctrl_power_lifting", 2021);
pub(crate) const SELECT_DISPLAY_TIMEOUT: Control = Control::select(
    ControlId::ScreenTimeout,
    "ctrl_display_timeout",
    2067,
    &choices::AUTO_SLEEP_MODE,
);
pub(crate) const SWITCH_GRID_CHARGE: Control =
    Control::switch(ControlId::GridCharge, "grid_charge_on", 2207);
pub(crate) const SWITCH_GRID_ENHANCEMENT: Control =
    Control::switch(ControlId::GridEnhancement, "grid_enhancement_on", 2225);
pub(crate) const SELECT_LED: Control =
    Control::select(ControlId::Led, "led_mode", 2007, &choices::LED_MODE_V2);
pub(crate) const SET_CLOCK: Control = Control::clock("clock", 2001);
pub(crate) const SET_SLOTS: Control = Control::slots("time_slot_1", 2030);

/// Controls of [`RANGE_START`] and [`RANGE_END`].
pub(crate) static RANGE_CONTROLS: [Control; 2] = [
    Control::number_of(
        ControlId::SocLow,
        "soc_range_start",
        2022,
        0,
        100,
        Unit::Percent,
    )
    .beside(2023),
    Control::number_of(
        ControlId::SocHigh,
        "soc_range_end",
        2023,
        0,
        100,
        Unit::Percent,
    )
    .beside(2022),
];

/// The highest eco threshold we let through. The stations' own limit is not known.
const ECO_POWER_MAX_W: u16 = 100;

/// Controls of [`ECO`].
pub(crate) static ECO_CONTROLS: [Control; 6] = [
    Control::switch(ControlId::EcoDc, "ctrl_eco_dc", 2014),
    Control::select(
        ControlId::EcoHoursDc,
        "ctrl_eco_time_mode_dc",
        2015,
        &choices::ECO_SHUTDOWN,
    ),
    eco_power(ControlId::EcoPowerDc, "ctrl_eco_min_power_dc", 2016),
    Control::switch(ControlId::EcoAc, "ctrl_eco_ac", 2017),
    Control::select(
        ControlId::EcoHoursAc,
        "ctrl_eco_time_mode_ac",
        2018,
        &choices::ECO_SHUTDOWN,
    ),
    eco_power(ControlId::EcoPowerAc, "ctrl_eco_min_power_ac", 2019),
];

const fn eco_power(id: ControlId, field: &'static str, register: u16) -> Control {
    Control::number_of(id, field, register, 0, ECO_POWER_MAX_W, Unit::Watts)
}
