//! What matters of a reading, as text for people.

use crate::event::Values;
use crate::metric::{Metric, battery};
use crate::value::Value;

/// What matters of a reading, in one line.
pub fn summary(values: &Values) -> String {
    let charge = number(values, &battery::SOC_PERCENT);
    let power = number(values, &battery::POWER_W);
    format!("{charge}  {power}  {}", details(values))
}

/// A number with its unit; nothing if it is unknown.
pub fn number(values: &Values, metric: &'static Metric) -> String {
    let decimals = usize::from(metric.decimals);
    values.number(metric).map_or_else(String::new, |value| {
        format!("{value:.decimals$} {}", metric.unit)
    })
}

/// All but charge and power.
pub fn details(values: &Values) -> String {
    let mut parts = vec![
        number(values, &battery::PACK_VOLTAGE_V),
        number(values, &battery::CURRENT_A),
    ];
    if let (Some(low), Some(high)) = (
        values.number(&battery::CELL_MIN_V),
        values.number(&battery::CELL_MAX_V),
    ) {
        let millivolts = (high - low) * 1000.0;
        parts.push(format!(
            "cells {low:.3}–{high:.3} V, spread {millivolts:.0} mV"
        ));
    }
    if let Some(Value::List(probes)) = values.get(&battery::TEMPERATURES_C) {
        let probes: Vec<_> = probes.iter().map(Value::to_string).collect();
        parts.push(format!("{} °C", probes.join(" ")));
    }
    if let Some(flags @ Value::Flags(names)) = values.get(&battery::PROTECTION)
        && !names.is_empty()
    {
        parts.push(flags.to_string());
    }
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}
