//! Everything that a power station says, for people.

use std::collections::BTreeMap;

use super::page::{Page, duration, join};
use crate::event::{Device, Reading};
use crate::metric::{Metric, power_station as metric};
use crate::summary::number;
use crate::value::Value;

/// A page about one station.
pub(super) fn report(device: &Device, reading: &Reading) -> String {
    let values = &reading.values;
    let show = |metric| number(values, metric);
    let text = |metric| match values.get(metric) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let mut page = Page::default();
    let about = [
        device.model.as_deref(),
        device.serial.as_deref(),
        device.address.as_deref(),
    ];
    let mut about: Vec<_> = about.into_iter().flatten().map(str::to_owned).collect();
    about.push(show(&metric::RSSI_DBM));
    about.retain(|text| !text.is_empty());
    page.title(&device.name, &about.join(", "));

    page.row("Charge", &show(&metric::SOC_PERCENT));
    let range = [
        show(&metric::BATTERY_RANGE_START_PERCENT),
        show(&metric::BATTERY_RANGE_END_PERCENT),
    ];
    if range.iter().all(|end| !end.is_empty()) {
        page.row("Kept between", &range.join(" and "));
    }
    page.row(
        "Battery",
        &join([
            show(&metric::BATTERY_VOLTAGE_V),
            show(&metric::BATTERY_CURRENT_A),
        ]),
    );
    page.row(
        "Time to full",
        &duration(values.number(&metric::TIME_TO_FULL_S)),
    );
    page.row(
        "Time to empty",
        &duration(values.number(&metric::TIME_TO_EMPTY_S)),
    );
    page.row(
        "AC input",
        &join([
            show(&metric::AC_INPUT_POWER_W),
            show(&metric::AC_INPUT_VOLTAGE_V),
            show(&metric::AC_INPUT_FREQUENCY_HZ),
        ]),
    );
    page.row("DC input", &show(&metric::DC_INPUT_POWER_W));
    page.row(
        "AC output",
        &join([
            switched(reading, &metric::AC_OUTPUT_ON),
            show(&metric::AC_OUTPUT_POWER_W),
            show(&metric::AC_OUTPUT_VOLTAGE_V),
            show(&metric::AC_OUTPUT_FREQUENCY_HZ),
        ]),
    );
    page.row(
        "DC output",
        &join([
            switched(reading, &metric::DC_OUTPUT_ON),
            show(&metric::DC_OUTPUT_POWER_W),
        ]),
    );
    page.row("Generated", &show(&metric::GENERATION_KWH));
    page.row("Grid charge", &switched(reading, &metric::GRID_CHARGE_ON));
    page.row("UPS mode", &text(&metric::UPS_MODE));
    page.row("Charging mode", &text(&metric::CHARGING_MODE));
    let mut label = "Alarms";
    if let Some(Value::Flags(alarms)) = values.get(&metric::ALARMS) {
        for alarm in alarms {
            page.row(label, &alarm.replace('_', " "));
            label = "";
        }
        if alarms.is_empty() {
            page.row(label, "none");
        }
    }
    packs(&mut page, reading);
    page.row(
        "Software",
        device.software_version.as_deref().unwrap_or_default(),
    );
    page.text()
}

fn switched(reading: &Reading, metric: &'static Metric) -> String {
    match reading.values.get(metric) {
        Some(Value::Bool(true)) => "on".to_owned(),
        Some(Value::Bool(false)) => "off".to_owned(),
        _ => String::new(),
    }
}

/// One line for each pack.
fn packs(page: &mut Page, reading: &Reading) {
    let Some(Value::List(packs)) = reading.values.get(&metric::PACKS) else {
        return;
    };
    for (index, pack) in packs.iter().enumerate() {
        let Value::Map(fields) = pack else { continue };
        let low = field(fields, "cell_min_v", " V");
        let high = field(fields, "cell_max_v", " V");
        let cells = match low.is_empty() || high.is_empty() {
            true => String::new(),
            false => format!("cells {low} to {high}"),
        };
        page.row(
            &format!("Pack {}", index + 1),
            &join([
                field(fields, "soc_percent", " %"),
                field(fields, "pack_voltage_v", " V"),
                field(fields, "current_a", " A"),
                field(fields, "temperature_c", " °C"),
                field(fields, "status", "").to_lowercase(),
                cells,
            ]),
        );
    }
}

fn field(fields: &BTreeMap<String, Value>, name: &str, unit: &str) -> String {
    match fields.get(name) {
        Some(value) => format!("{value}{unit}"),
        None => String::new(),
    }
}
