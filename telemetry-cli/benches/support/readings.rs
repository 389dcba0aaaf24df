//! Readings to measure with.

use chrono::{DateTime, Utc};
use telemetry_cli::event::{DeviceId, DeviceKind, Reading};
use telemetry_cli::metric::battery;
use telemetry_cli::value::Value;

/// One like most: as a 16-cell pack says it.
pub(crate) fn reading(number: i64, at: DateTime<Utc>) -> Reading {
    let mut reading = Reading::new(
        DeviceId::new(&["jbd-a4c138000001"]),
        DeviceKind::Battery,
        at,
    );
    let wobble = (number % 97) as f64 / 100.0;
    let values = &mut reading.values;
    values.set(&battery::SOC_PERCENT, Value::from(70.0 + wobble));
    values.set(&battery::PACK_VOLTAGE_V, Value::from(52.8 + wobble));
    values.set(&battery::CURRENT_A, Value::from(-12.0 + wobble));
    values.set(&battery::POWER_W, Value::from(-633.6));
    values.set(&battery::REMAINING_CAPACITY_AH, Value::from(70.0 + wobble));
    values.set(&battery::NOMINAL_CAPACITY_AH, Value::from(100.0));
    values.set(&battery::CYCLES, Value::from(12_i64));
    let cells: Value = (0..16)
        .map(|cell| Some(3.3 + f64::from(cell) / 1000.0))
        .collect();
    values.set(&battery::CELL_VOLTAGES_V, cells);
    let probes: Value = [Some(21.0), Some(21.5), None].into_iter().collect();
    values.set(&battery::TEMPERATURES_C, probes);
    values.set(&battery::CHARGE_MOSFET_ON, Value::from(true));
    values.set(&battery::DISCHARGE_MOSFET_ON, Value::from(true));
    values.set(&battery::PROTECTION, Value::Flags(vec![]));
    values.set(&battery::SOFTWARE_VERSION, Value::from("2.1"));
    reading
}
