//! The map behind MODBUS-TCP, port 502, unit 1, after it was enabled on the
//! station's own web page. Contributed by owners; not verified by a second source.

use super::pack::PackAccess;
use super::{Alarms, Generation, Map, table};
use crate::register::{Block, Control, ControlId, Danger, Field, Role, Unit, choices, field};

pub(crate) static EP2000_TCP: Map = map("EP2000 TCP");
pub(crate) static BALCO_260: Map = map("Balco 260");

const fn map(name: &'static str) -> Map {
    Map {
        name,
        generation: Generation::Tcp,
        unit: 1,
        fields: FIELDS,
        controls: CONTROL_LISTS,
        windows: WINDOWS,
        packs: PackAccess::Single,
        alarms: Alarms::Unnamed,
    }
}

static FIELDS: &[Field] = table![&INVERTER, &BATTERY, &SETTINGS];

static CONTROL_LISTS: &[&[Control]] = &[&CONTROLS];

static WINDOWS: &[Block] = &[
    Block::new(50001, 31),
    Block::new(50200, 15),
    Block::new(50269, 16),
    Block::new(51001, 5),
    Block::new(51200, 40),
    Block::new(57009, 2),
    Block::new(57016, 2),
];

static INVERTER: [Field; 37] = [
    field!("ac_output_power" 50002 I32 Watts "Power of the AC loads", role_of(Role::AcOutputPower)),
    field!("dc_input_power" 50004 U32 Watts "PV power", role_of(Role::DcInputPower)),
    field!("ac_input_power" 50006 I32 Watts "Power from the grid", role_of(Role::AcInputPower)),
    field!("total_inv_power" 50008 I32 Watts "Power of the inverters"),
    field!("pv_to_ac_power" 50010 U32 Watts "PV power used by AC loads"),
    field!("total_ac_energy" 50012 U32_1 KilowattHours "Energy of the AC loads so far"),
    field!("power_generation" 50014 U32_1 KilowattHours "PV energy so far", role_of(Role::Generation)),
    field!("total_grid_charging_energy" 50016 U32_1 KilowattHours "Energy from the grid so far"),
    field!("total_feedback_energy" 50018 U32_1 KilowattHours "Energy fed into the grid so far"),
    field!("pv_to_ac_energy" 50020 U32_1 KilowattHours "PV energy used by AC loads so far"),
    field!("inverter_status" 50022 Choice(&choices::TCP_STATUS) None "What the inverter does"),
    field!("warning_1" 50023 Bits None "Warning bits; their meaning is not published", role_of(Role::Warning(1))),
    field!("warning_2" 50024 Bits None "Warning bits; their meaning is not published", role_of(Role::Warning(2))),
    field!("warning_3" 50025 Bits None "Warning bits; their meaning is not published", role_of(Role::Warning(3))),
    field!("warning_4" 50026 Bits None "Warning bits; their meaning is not published", role_of(Role::Warning(4))),
    field!("fault_1" 50027 Bits None "Fault bits; their meaning is not published", role_of(Role::Fault(1))),
    field!("fault_2" 50028 Bits None "Fault bits; their meaning is not published", role_of(Role::Fault(2))),
    field!("fault_3" 50029 Bits None "Fault bits; their meaning is not published", role_of(Role::Fault(3))),
    field!("fault_4" 50030 Bits None "Fault bits; their meaning is not published", role_of(Role::Fault(4))),
    field!("fault_5" 50031 Bits None "Fault bits; their meaning is not published", role_of(Role::Fault(5))),
    field!("device_type" 50200 Text(6) None "Model", identity(), role_of(Role::DeviceType)),
    field!("device_sn" 50206 Serial None "Serial number", alias_of("serial_number"), identity(), role_of(Role::SerialNumber)),
    field!("mcu_1_version" 50210 Version None "Version of the first controller", identity(), role_of(Role::ArmVersion)),
    field!("mcu_2_version" 50212 Version None "Version of the second controller", identity(), role_of(Role::DspVersion)),
    field!("grid_frequency" 50214 U16_1 Hertz "Grid frequency", role_of(Role::AcInputFrequency)),
    field!("pv_s1_power" 50269 U16 Watts "Power of the first PV string", role_of(Role::PvPower(1))),
    field!("pv_s1_voltage" 50270 U16_1 Volts "Voltage of the first PV string", role_of(Role::PvVoltage(1))),
    field!("pv_s1_current" 50271 U16_1 Amps "Current of the first PV string"),
    field!("pv_s2_power" 50273 U16 Watts "Power of the second PV string", role_of(Role::PvPower(2))),
    field!("pv_s2_voltage" 50274 U16_1 Volts "Voltage of the second PV string", role_of(Role::PvVoltage(2))),
    field!("pv_s2_current" 50275 U16_1 Amps "Current of the second PV string"),
    field!("pv_s3_power" 50277 U16 Watts "Power of the third PV string", role_of(Role::PvPower(3))),
    field!("pv_s3_voltage" 50278 U16_1 Volts "Voltage of the third PV string", role_of(Role::PvVoltage(3))),
    field!("pv_s3_current" 50279 U16_1 Amps "Current of the third PV string"),
    field!("pv_s4_power" 50281 U16 Watts "Power of the fourth PV string", role_of(Role::PvPower(4))),
    field!("pv_s4_voltage" 50282 U16_1 Volts "Voltage of the fourth PV string", role_of(Role::PvVoltage(4))),
    field!("pv_s4_current" 50283 U16_1 Amps "Current of the fourth PV string"),
];

static BATTERY: [Field; 16] = [
    field!("pack_cnts" 51001 U16 None "Packs", role_of(Role::PackCount)),
    field!("total_battery_voltage" 51002 U16_1 Volts "Battery voltage", role_of(Role::BatteryVoltage)),
    field!("total_battery_current" 51003 I16_1 Amps "Battery current; which sign is charging is not known", role_of(Role::BatteryCurrent)),
    field!("total_battery_percent" 51004 U16 Percent "State of charge", within(0, 100), role_of(Role::Soc)),
    field!("pack_soh" 51005 U16 Percent "State of health", within(0, 100)),
    field!("battery_type" 51200 Text(6) None "Model of the pack", pack(), role_of(Role::PackType)),
    field!("pack_voltage" 51219 U16_1 Volts "Voltage of the pack", pack(), role_of(Role::PackVoltage)),
    field!("pack_current" 51220 I16_1 Amps "Current of the pack; which sign is charging is not known", pack(), role_of(Role::PackCurrent)),
    field!("pack_battery_percent" 51221 U16 Percent "State of charge of the pack", within(0, 100), pack(), role_of(Role::PackSoc)),
    field!("pack_battery_soh" 51222 U16 Percent "State of health of the pack", within(0, 100), pack(), role_of(Role::PackSoh)),
    field!("pack_cycles" 51223 U16 None "Cycles of the pack", pack()),
    field!("pack_temperature" 51224 I16 Celsius "Temperature of the pack", pack(), role_of(Role::PackTemperature)),
    field!("cell_count" 51234 U16 None "Cells of the pack", pack()),
    field!("sensor_count" 51235 U16 None "Temperature sensors of the pack", pack()),
    field!("pack_charge_energy" 51236 U32 WattHours "Energy charged so far", pack()),
    field!("pack_discharge_energy" 51238 U32 WattHours "Energy discharged so far", pack()),
];

static SETTINGS: [Field; 5] = [
    field!("ac_output_on" 57001 Switch None "AC output is switched on", role_of(Role::AcOutputOn)),
    field!("grid_charge_on" 57009 Switch None "May take from the grid", slow(), role_of(Role::GridChargeOn)),
    field!("feed_in_on" 57010 Switch None "May feed into the grid", slow()),
    field!("soc_range_start" 57016 U16 Percent "Lower end of the charge range", alias_of("battery_range_start"), within(0, 100), slow(), role_of(Role::SocLow)),
    field!("soc_range_end" 57017 U16 Percent "Upper end of the charge range", alias_of("battery_range_end"), within(0, 100), slow(), role_of(Role::SocHigh)),
];

static CONTROLS: [Control; 5] = [
    Control::switch(ControlId::AcOutput, "ac_output_on", 57001),
    Control::switch(ControlId::GridCharge, "grid_charge_on", 57009),
    Control::switch(ControlId::FeedIn, "feed_in_on", 57010).danger_of(Danger::FeedIn),
    Control::number_of(
        ControlId::SocLow,
        "soc_range_start",
        57016,
        0,
        100,
        Unit::Percent,
    )
    .beside(57017),
    Control::number_of(
        ControlId::SocHigh,
        "soc_range_end",
        57017,
        0,
        100,
        Unit::Percent,
    )
    .beside(57016),
];
