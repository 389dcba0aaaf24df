//! What matters of a reading, as text for people.

use crate::event::Values;
use crate::metric::{Metric, battery, power_station as station, vehicle};
use crate::value::Value;

/// What matters of a reading, in one line.
pub fn summary(values: &Values) -> String {
    let parts = [charge(values), power(values), details(values)];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("  ")
}

/// How full it is.
pub fn charge(values: &Values) -> String {
    let known = [
        &battery::SOC_PERCENT,
        &station::SOC_PERCENT,
        &vehicle::SOC_PERCENT,
    ];
    let known = known.into_iter().map(|metric| number(values, metric));
    known.collect()
}

/// What a battery takes, or gives where it is negative; what a car charges with.
pub fn power(values: &Values) -> String {
    let known = [&battery::POWER_W, &vehicle::CHARGING_POWER_W];
    let known = known.into_iter().map(|metric| number(values, metric));
    known.collect()
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
        flow(
            "in",
            values,
            [&station::AC_INPUT_POWER_W, &station::DC_INPUT_POWER_W],
        ),
        flow(
            "out",
            values,
            [&station::AC_OUTPUT_POWER_W, &station::DC_OUTPUT_POWER_W],
        ),
        packs(values),
        number(values, &battery::PACK_VOLTAGE_V),
        number(values, &battery::CURRENT_A),
        number(values, &vehicle::RANGE_KM),
        number(values, &vehicle::ODOMETER_KM),
    ];
    if let Some(Value::Text(state)) = values.get(&vehicle::CHARGING_STATE) {
        parts.push(state.replace('_', " "));
    }
    match (values.get(&vehicle::RUNNING), values.get(&vehicle::LOCKED)) {
        (Some(Value::Bool(true)), _) => parts.push("running".to_owned()),
        (_, Some(Value::Bool(true))) => parts.push("locked".to_owned()),
        (_, Some(Value::Bool(false))) => parts.push("unlocked".to_owned()),
        _ => {}
    }
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
    for metric in [&battery::PROTECTION, &station::ALARMS] {
        if let Some(flags @ Value::Flags(names)) = values.get(metric)
            && !names.is_empty()
        {
            parts.push(flags.to_string());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

/// What flows one way through a station, over AC and DC.
fn flow(way: &str, values: &Values, ports: [&'static Metric; 2]) -> String {
    let known = ports.into_iter().filter_map(|metric| values.number(metric));
    match known.reduce(|sum, watts| sum + watts) {
        Some(watts) => format!("{way} {watts:.0} W"),
        None => String::new(),
    }
}

fn packs(values: &Values) -> String {
    match values.get(&station::PACKS).map(|packs| packs.parts().len()) {
        None | Some(0) => String::new(),
        Some(1) => "1 pack".to_owned(),
        Some(count) => format!("{count} packs"),
    }
}
