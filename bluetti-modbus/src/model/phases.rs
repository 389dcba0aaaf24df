//! Rows of the home systems: PV strings, meter, grid and inverter phases.

use crate::register::{Field, Role, field};

/// Both PV strings.
pub(crate) static STRINGS: [Field; 6] = [
    field!("pv_s1_power" 1212 U16 Watts "Power of the first PV string", detail(), role_of(Role::PvPower(1))),
    field!("pv_s1_voltage" 1213 U16_1 Volts "Voltage of the first PV string", detail(), role_of(Role::PvVoltage(1))),
    field!("pv_s1_current" 1214 U16_1 Amps "Current of the first PV string", detail()),
    field!("pv_s2_power" 1220 U16 Watts "Power of the second PV string", detail(), role_of(Role::PvPower(2))),
    field!("pv_s2_voltage" 1221 U16_1 Volts "Voltage of the second PV string", detail(), role_of(Role::PvVoltage(2))),
    field!("pv_s2_current" 1222 U16_1 Amps "Current of the second PV string", detail()),
];

/// The phases of the meter at an AC-coupled source.
pub(crate) static METER: [Field; 9] = [
    field!("sm_p1_power" 1228 I16 Watts "Meter power, first phase", detail()),
    field!("sm_p1_voltage" 1229 U16_1 Volts "Meter voltage, first phase", detail()),
    field!("sm_p1_current" 1230 I16_1 Amps "Meter current, first phase", detail()),
    field!("sm_p2_power" 1236 I16 Watts "Meter power, second phase", detail()),
    field!("sm_p2_voltage" 1237 U16_1 Volts "Meter voltage, second phase", detail()),
    field!("sm_p2_current" 1238 I16_1 Amps "Meter current, second phase", detail()),
    field!("sm_p3_power" 1244 I16 Watts "Meter power, third phase", detail()),
    field!("sm_p3_voltage" 1245 U16_1 Volts "Meter voltage, third phase", detail()),
    field!("sm_p3_current" 1246 I16_1 Amps "Meter current, third phase", detail()),
];

/// The phases of the grid.
pub(crate) static GRID: [Field; 9] = [
    field!("grid_p1_power" 1313 I16 Watts "Grid power, first phase", detail()),
    field!("grid_p1_voltage" 1314 U16_1 Volts "Grid voltage, first phase", detail(), role_of(Role::AcInputVoltage)),
    field!("grid_p1_current" 1315 I16_1 Amps "Grid current, first phase", detail()),
    field!("grid_p2_power" 1319 I16 Watts "Grid power, second phase", detail()),
    field!("grid_p2_voltage" 1320 U16_1 Volts "Grid voltage, second phase", detail()),
    field!("grid_p2_current" 1321 I16_1 Amps "Grid current, second phase", detail()),
    field!("grid_p3_power" 1325 I16 Watts "Grid power, third phase", detail()),
    field!("grid_p3_voltage" 1326 U16_1 Volts "Grid voltage, third phase", detail()),
    field!("grid_p3_current" 1327 I16_1 Amps "Grid current, third phase", detail()),
];

/// The phases of the inverter.
pub(crate) static INVERTER: [Field; 9] = [
    field!("ac_p1_power" 1510 I16 Watts "Inverter power, first phase", detail()),
    field!("ac_p1_voltage" 1511 U16_1 Volts "Inverter voltage, first phase", detail(), role_of(Role::AcOutputVoltage)),
    field!("ac_p1_current" 1512 I16_1 Amps "Inverter current, first phase", detail()),
    field!("ac_p2_power" 1517 I16 Watts "Inverter power, second phase", detail()),
    field!("ac_p2_voltage" 1518 U16_1 Volts "Inverter voltage, second phase", detail()),
    field!("ac_p2_current" 1519 I16_1 Amps "Inverter current, second phase", detail()),
    field!("ac_p3_power" 1524 I16 Watts "Inverter power, third phase", detail()),
    field!("ac_p3_voltage" 1525 U16_1 Volts "Inverter voltage, third phase", detail()),
    field!("ac_p3_current" 1526 I16_1 Amps "Inverter current, third phase", detail()),
];

/// The phases of the loads.
pub(crate) static LOAD: [Field; 9] = [
    field!("load_p1_power" 1430 I16 Watts "Load power, first phase", detail()),
    field!("load_p1_voltage" 1431 U16_1 Volts "Load voltage, first phase", detail()),
    field!("load_p1_current" 1432 I16_1 Amps "Load current, first phase", detail()),
    field!("load_p2_power" 1436 I16 Watts "Load power, second phase", detail()),
    field!("load_p2_voltage" 1437 U16_1 Volts "Load voltage, second phase", detail()),
    field!("load_p2_current" 1438 I16_1 Amps "Load current, second phase", detail()),
    field!("load_p3_power" 1442 I16 Watts "Load power, third phase", detail()),
    field!("load_p3_voltage" 1443 U16_1 Volts "Load voltage, third phase", detail()),
    field!("load_p3_current" 1444 I16_1 Amps "Load current, third phase", detail()),
];

pub(crate) const GRID_FREQUENCY: Field = field!("grid_frequency" 1300 U16_1 Hertz "Grid frequency", detail(), role_of(Role::AcInputFrequency));

/// What the grid code allows; read only.
pub(crate) static GRID_LIMITS: [Field; 4] = [
    field!("grid_voltage_min_value" 2435 U16_1 Volts "Lowest grid voltage", slow()),
    field!("grid_voltage_max_value" 2436 U16_1 Volts "Highest grid voltage", slow()),
    field!("grid_frequency_min_value" 2437 U16_2 Hertz "Lowest grid frequency", slow()),
    field!("grid_frequency_max_value" 2438 U16_2 Hertz "Highest grid frequency", slow()),
];

pub(crate) const GENERATOR: Field =
    field!("ctrl_generator" 2246 Flag None "A generator may start", slow());
