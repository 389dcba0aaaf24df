//! Metrics of power stations. Battery current is positive while charging;
//! inputs and outputs are magnitudes.

use super::{Form, Kind, Metric, rows};

const PERCENT: (f64, f64) = (0.0, 100.0);
const WATTS: (f64, f64) = (0.0, 100_000.0);

rows! {
    /// Usable charge left, over all packs.
    SOC_PERCENT = Metric::gauge("soc_percent", "State of charge", "%", 1, PERCENT).class("battery");
    /// From the grid.
    AC_INPUT_POWER_W = Metric::gauge("ac_input_power_w", "AC input power", "W", 0, WATTS).class("power").noise(3.0);
    /// From solar panels or a car.
    DC_INPUT_POWER_W = Metric::gauge("dc_input_power_w", "DC input power", "W", 0, WATTS).class("power").noise(3.0);
    /// To the sockets.
    AC_OUTPUT_POWER_W = Metric::gauge("ac_output_power_w", "AC output power", "W", 0, WATTS).class("power").noise(3.0);
    /// To the DC ports.
    DC_OUTPUT_POWER_W = Metric::gauge("dc_output_power_w", "DC output power", "W", 0, WATTS).class("power").noise(3.0);
    /// The sockets are on.
    AC_OUTPUT_ON = Metric::switch("ac_output_on", "AC output").class("power");
    /// The DC ports are on.
    DC_OUTPUT_ON = Metric::switch("dc_output_on", "DC output").class("power");
    /// Charging from the grid is allowed.
    GRID_CHARGE_ON = Metric::switch("grid_charge_on", "Grid charge").class("power");
    /// Voltage of the battery.
    BATTERY_VOLTAGE_V = Metric::gauge("battery_voltage_v", "Battery voltage", "V", 2, (0.0, 1000.0)).class("voltage").diagnostic().noise(0.1);
    /// Positive while charging.
    BATTERY_CURRENT_A = Metric::gauge("battery_current_a", "Battery current", "A", 2, (-3300.0, 3300.0)).class("current").diagnostic().noise(0.1);
    /// Voltage of the grid.
    AC_INPUT_VOLTAGE_V = Metric::gauge("ac_input_voltage_v", "AC input voltage", "V", 1, (0.0, 1000.0)).class("voltage").diagnostic().noise(2.0);
    /// Frequency of the grid.
    AC_INPUT_FREQUENCY_HZ = Metric::gauge("ac_input_frequency_hz", "AC input frequency", "Hz", 2, (0.0, 100.0)).class("frequency").diagnostic().noise(0.1);
    /// Voltage at the sockets.
    AC_OUTPUT_VOLTAGE_V = Metric::gauge("ac_output_voltage_v", "AC output voltage", "V", 1, (0.0, 1000.0)).class("voltage").diagnostic().noise(2.0);
    /// Frequency at the sockets.
    AC_OUTPUT_FREQUENCY_HZ = Metric::gauge("ac_output_frequency_hz", "AC output frequency", "Hz", 2, (0.0, 100.0)).class("frequency").diagnostic().noise(0.1);
    /// Each solar input.
    PV_VOLTAGE_V = Metric::gauge("pv_voltage_v", "Solar input {} voltage", "V", 1, (0.0, 1000.0)).class("voltage").numbered().diagnostic().noise(1.0);
    /// Each solar input.
    PV_POWER_W = Metric::gauge("pv_power_w", "Solar input {} power", "W", 0, WATTS).class("power").numbered().noise(3.0);
    /// Energy generated since manufacture.
    GENERATION_KWH = Metric::energy("generation_kwh", "Energy generated");
    /// How grid and battery share the load.
    UPS_MODE = Metric::state("ups_mode", "UPS mode", &[]);
    /// How fast it charges.
    CHARGING_MODE = Metric::state("charging_mode", "Charging mode", &[]);
    /// Below this charge the grid takes over.
    BATTERY_RANGE_START_PERCENT = Metric::gauge("battery_range_start_percent", "Battery range start", "%", 0, PERCENT).diagnostic();
    /// Above this charge the grid stops charging.
    BATTERY_RANGE_END_PERCENT = Metric::gauge("battery_range_end_percent", "Battery range end", "%", 0, PERCENT).diagnostic();
    /// When the display sleeps.
    AUTO_SLEEP_MODE = Metric::state("auto_sleep_mode", "Auto sleep", &[]).diagnostic();
    /// Each battery pack, with its cells.
    PACKS = Metric::new("packs", "Pack {}", Kind::State, Form::Object).numbered().diagnostic();
    /// At the present load; unknown unless discharging.
    TIME_TO_EMPTY_S = Metric::seconds("time_to_empty_s", "Time to empty").quiet();
    /// At the present power; unknown unless charging.
    TIME_TO_FULL_S = Metric::seconds("time_to_full_s", "Time to full").quiet();
    /// Conditions that the station reports.
    ALARMS = Metric::flags("alarms", "Alarms", &[]);
    /// Firmware of the controller.
    ARM_VERSION = Metric::text("arm_version", "ARM firmware");
    /// Firmware of the inverter.
    DSP_VERSION = Metric::text("dsp_version", "DSP firmware");
    /// Signal strength at the last scan.
    RSSI_DBM = Metric::gauge("rssi_dbm", "Signal strength", "dBm", 0, (-127.0, 20.0)).class("signal_strength").diagnostic().hidden().quiet();
}
