//! Metrics of battery packs. Current and power are positive while charging.

use super::{Metric, rows};

/// What a protection can be, in the order of the bits that JBD boards use.
const PROTECTIONS: &[&str] = &[
    "cell_overvoltage",
    "cell_undervoltage",
    "pack_overvoltage",
    "pack_undervoltage",
    "charge_overtemperature",
    "charge_undertemperature",
    "discharge_overtemperature",
    "discharge_undertemperature",
    "charge_overcurrent",
    "discharge_overcurrent",
    "short_circuit",
    "front_end_error",
    "mosfet_software_lock",
    "bit_13",
    "bit_14",
    "bit_15",
];

rows! {
    /// Usable charge left.
    SOC_PERCENT = Metric::gauge("soc_percent", "State of charge", "%", 1, (0.0, 100.0)).class("battery");
    /// Capacity now against new.
    SOH_PERCENT = Metric::gauge("soh_percent", "State of health", "%", 1, (0.0, 150.0)).diagnostic();
    /// Voltage at the terminals.
    PACK_VOLTAGE_V = Metric::gauge("pack_voltage_v", "Voltage", "V", 2, (0.0, 1000.0)).class("voltage").noise(0.02);
    /// Positive while charging.
    CURRENT_A = Metric::gauge("current_a", "Current", "A", 2, (-3300.0, 3300.0)).class("current").noise(0.05);
    /// Voltage times current, same sign.
    POWER_W = Metric::gauge("power_w", "Power", "W", 1, (-1e6, 1e6)).class("power").noise(3.0);
    /// Charge left.
    REMAINING_CAPACITY_AH = Metric::gauge("remaining_capacity_ah", "Remaining capacity", "Ah", 2, (0.0, 10_000.0));
    /// Charge when full, as configured.
    NOMINAL_CAPACITY_AH = Metric::gauge("nominal_capacity_ah", "Nominal capacity", "Ah", 2, (0.0, 10_000.0)).diagnostic();
    /// Remaining capacity times voltage.
    STORED_ENERGY_KWH = Metric::gauge("stored_energy_kwh", "Stored energy", "kWh", 3, (0.0, 10_000.0)).class("energy_storage").quiet();
    /// Integral of the power while charging.
    ENERGY_IN_KWH = Metric::energy("energy_in_kwh", "Energy charged");
    /// Integral of the power while discharging.
    ENERGY_OUT_KWH = Metric::energy("energy_out_kwh", "Energy discharged");
    /// Full equivalents counted by the pack.
    CYCLES = Metric::count("cycles", "Cycles").diagnostic();
    /// Each series cell.
    CELL_VOLTAGES_V = Metric::gauge("cell_voltages_v", "Cell {} voltage", "V", 3, (0.0, 6.0)).class("voltage").numbered().diagnostic().noise(0.002);
    /// Lowest cell.
    CELL_MIN_V = Metric::gauge("cell_min_v", "Lowest cell voltage", "V", 3, (0.0, 6.0)).class("voltage").diagnostic().noise(0.002);
    /// Highest cell.
    CELL_MAX_V = Metric::gauge("cell_max_v", "Highest cell voltage", "V", 3, (0.0, 6.0)).class("voltage").diagnostic().noise(0.002);
    /// Highest minus lowest cell.
    CELL_DELTA_V = Metric::gauge("cell_delta_v", "Cell voltage spread", "V", 3, (0.0, 6.0)).class("voltage").diagnostic().noise(0.003);
    /// Each probe.
    TEMPERATURES_C = Metric::gauge("temperatures_c", "Temperature {}", "°C", 1, (-40.0, 120.0)).class("temperature").numbered().noise(0.2);
    /// Probe at the switches, where known.
    MOSFET_TEMPERATURE_C = Metric::gauge("mosfet_temperature_c", "MOSFET temperature", "°C", 1, (-40.0, 150.0)).class("temperature").diagnostic().noise(0.2);
    /// The charge switch conducts.
    CHARGE_MOSFET_ON = Metric::switch("charge_mosfet_on", "Charge MOSFET").class("power");
    /// The discharge switch conducts.
    DISCHARGE_MOSFET_ON = Metric::switch("discharge_mosfet_on", "Discharge MOSFET").class("power");
    /// Each cell: its balancer bleeds now.
    BALANCING = Metric::switch("balancing", "Cell {} balancing").class("running").numbered().diagnostic().hidden();
    /// Conditions that made the pack cut off.
    PROTECTION = Metric::flags("protection", "Protection", PROTECTIONS);
    /// At the present current; unknown unless discharging.
    TIME_TO_EMPTY_S = Metric::seconds("time_to_empty_s", "Time to empty").quiet();
    /// At the present current; unknown unless charging.
    TIME_TO_FULL_S = Metric::seconds("time_to_full_s", "Time to full").quiet();
    /// How often each protection tripped.
    PROTECTION_COUNTS = Metric::count("protection_counts", "Protection count {}").named().diagnostic().hidden();
    /// Firmware.
    SOFTWARE_VERSION = Metric::text("software_version", "Firmware");
    /// `YYYY-MM-DD`.
    PRODUCTION_DATE = Metric::text("production_date", "Production date").hidden();
    /// Signal strength at the last scan.
    RSSI_DBM = Metric::gauge("rssi_dbm", "Signal strength", "dBm", 0, (-127.0, 20.0)).class("signal_strength").diagnostic().hidden().quiet();
}
