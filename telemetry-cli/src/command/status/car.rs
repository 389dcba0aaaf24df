//! What a car says, for people.

use chrono::Local;

use super::page::{Page, duration, join};
use crate::event::{Device, Reading};
use crate::metric::{Metric, vehicle};
use crate::summary::number;
use crate::value::Value;

/// A page about one car.
pub(super) fn report(device: &Device, reading: &Reading) -> String {
    let values = &reading.values;
    let show = |metric| number(values, metric);
    let word = |metric: &'static Metric| match values.get(metric) {
        Some(Value::Text(word)) => word.replace('_', " "),
        _ => String::new(),
    };
    let mut page = Page::default();
    let about = [device.model.clone(), device.serial.clone()];
    let about: Vec<_> = about.into_iter().flatten().collect();
    page.title(&device.name, &about.join(", "));
    let measured = reading.measured_at.with_timezone(&Local);
    page.row(
        "Reported",
        &measured.format("%Y-%m-%d %H:%M:%S").to_string(),
    );
    if let Some(trouble) = reading.extra.get("trouble").and_then(|text| text.as_str()) {
        page.row("Now", trouble);
    }
    page.row(
        "Charge",
        &join([show(&vehicle::SOC_PERCENT), show(&vehicle::SOC_KWH)]),
    );
    page.row("Range", &show(&vehicle::RANGE_KM));
    page.row(
        "Fuel",
        &join([show(&vehicle::FUEL_PERCENT), show(&vehicle::FUEL_RANGE_KM)]),
    );
    page.row(
        "Charging",
        &join([
            word(&vehicle::CHARGING_STATE),
            word(&vehicle::CHARGE_KIND),
            show(&vehicle::CHARGING_POWER_W),
        ]),
    );
    page.row(
        "Until",
        &join([
            show(&vehicle::TARGET_SOC_PERCENT),
            word(&vehicle::CHARGE_CURRENT_LIMIT),
            duration(values.number(&vehicle::TIME_TO_FULL_S)),
        ]),
    );
    page.row("Charged", &show(&vehicle::ENERGY_CHARGED_KWH));
    page.row("Odometer", &show(&vehicle::ODOMETER_KM));
    let states = [
        (&vehicle::RUNNING, "running", "parked"),
        (&vehicle::LOCKED, "locked", "unlocked"),
        (&vehicle::PLUGGED_IN, "plugged in", "unplugged"),
        (&vehicle::CLIMATE_ACTIVE, "climate on", ""),
        (&vehicle::BATTERY_HEATING, "battery heated", ""),
    ];
    let states = states.map(|(metric, yes, no)| match values.get(metric) {
        Some(Value::Bool(true)) => yes.to_owned(),
        Some(Value::Bool(false)) => no.to_owned(),
        _ => String::new(),
    });
    page.row("State", &join(states));
    page.row("Open", &open(reading));
    page.row(
        "Temperatures",
        &join([
            labelled("inside", show(&vehicle::INTERIOR_TEMPERATURE_C)),
            labelled("outside", show(&vehicle::EXTERIOR_TEMPERATURE_C)),
        ]),
    );
    if let Some(Value::Map(tyres)) = values.get(&vehicle::TYRE_PRESSURE_BAR) {
        let tyres = tyres.iter().filter_map(|(name, bar)| {
            let name = name.replace('_', " ");
            Some(format!("{name} {:.2}", bar.as_f64()?))
        });
        page.row("Tyres, bar", &join(tyres));
    }
    page.row("12 V battery", &show(&vehicle::AUX_BATTERY_VOLTAGE_V));
    page.row("Place", &place(reading));
    page.text()
}

fn labelled(label: &str, text: String) -> String {
    match text.is_empty() {
        true => text,
        false => format!("{label} {text}"),
    }
}

/// Doors, lids and windows that are open; nothing if that is not known.
fn open(reading: &Reading) -> String {
    let mut known = false;
    let mut open = Vec::new();
    for (metric, what) in [
        (&vehicle::DOORS_OPEN, ""),
        (&vehicle::WINDOWS_OPEN, " window"),
    ] {
        let Some(Value::Map(parts)) = reading.values.get(metric) else {
            continue;
        };
        known = true;
        let is_open = parts.iter().filter(|(_, open)| **open == Value::Bool(true));
        open.extend(is_open.map(|(name, _)| format!("{}{what}", name.replace('_', " "))));
    }
    match (known, open.is_empty()) {
        (true, true) => "nothing".to_owned(),
        _ => join(open),
    }
}

fn place(reading: &Reading) -> String {
    let number = |metric| reading.values.number(metric);
    match (number(&vehicle::LATITUDE), number(&vehicle::LONGITUDE)) {
        (Some(north), Some(east)) => format!("{north:.5}, {east:.5}"),
        _ => String::new(),
    }
}
