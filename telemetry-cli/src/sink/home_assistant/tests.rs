//! What Home Assistant demands of every document, over all catalogue rows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::*;
use crate::control::{self, Form as Takes, Offer};
use crate::event::Reading;
use crate::metric::{Form, Kind, Metric, Shape, catalogue, power_station, vehicle};
use crate::sink::mqtt::unified;
use crate::value::Value;

const ROOT: &[&str] = &[
    "device",
    "origin",
    "components",
    "availability",
    "availability_mode",
    "state_topic",
];

/// Keys that a component of that platform may have, besides the common ones.
fn platform_keys(platform: &str) -> &'static [&'static str] {
    match platform {
        "sensor" => &[
            "state_class",
            "unit_of_measurement",
            "suggested_display_precision",
            "options",
        ],
        "binary_sensor" => &["payload_on", "payload_off"],
        "device_tracker" => &[
            "json_attributes_topic",
            "json_attributes_template",
            "source_type",
        ],
        "text" => &["command_topic", "pattern"],
        "switch" => &[
            "command_topic",
            "payload_on",
            "payload_off",
            "state_on",
            "state_off",
        ],
        "lock" => &[
            "command_topic",
            "payload_lock",
            "payload_unlock",
            "state_locked",
            "state_unlocked",
        ],
        "button" => &["command_topic", "payload_press"],
        "select" => &["command_topic", "options"],
        "number" => &["command_topic", "min", "max", "step", "unit_of_measurement"],
        other => panic!("platform {other}"),
    }
}

const COMMON: &[&str] = &[
    "platform",
    "unique_id",
    "default_entity_id",
    "name",
    "state_topic",
    "value_template",
    "device_class",
    "entity_category",
    "enabled_by_default",
    "availability",
];

/// Units and state classes of a sensor's device class.
fn sensor_class(class: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match class {
        "battery" => (&["%"], &["measurement"]),
        "voltage" => (&["mV", "V"], &["measurement"]),
        "current" => (&["mA", "A"], &["measurement"]),
        "power" => (&["W", "kW"], &["measurement"]),
        "energy" => (&["Wh", "kWh"], &["total", "total_increasing"]),
        "energy_storage" => (&["Wh", "kWh"], &["measurement"]),
        "temperature" => (&["°C"], &["measurement"]),
        "distance" => (&["m", "km"], &["measurement", "total", "total_increasing"]),
        "speed" => (&["km/h"], &["measurement"]),
        "duration" => (&["s", "min", "h"], &["measurement", "total_increasing"]),
        "pressure" => (&["bar", "kPa"], &["measurement"]),
        "frequency" => (&["Hz"], &["measurement"]),
        "signal_strength" => (&["dBm"], &["measurement"]),
        "timestamp" | "enum" => (&[""], &[""]),
        other => panic!("device class {other}"),
    }
}

const BINARY_CLASSES: &[&str] = &[
    "battery_charging",
    "connectivity",
    "door",
    "heat",
    "lock",
    "moving",
    "plug",
    "power",
    "problem",
    "running",
    "window",
];

fn names() -> Names {
    Names {
        prefix: "homeassistant".into(),
        topics: Topics::new("telemetry").unwrap(),
        gateway: DeviceId::new(&["gateway", "home1"]),
        gateway_name: "Home".into(),
    }
}

fn device(kind: DeviceKind) -> Device {
    Device {
        id: DeviceId::new(&["jbd", "A4:C1:38:30:C2:8E"]),
        kind,
        name: "House battery".into(),
        vendor: "JBD".into(),
        model: Some("SP04S034".into()),
        serial: Some("00123".into()),
        address: Some("a4:c1:38:30:c2:8e".into()),
        hardware_version: None,
        software_version: Some("1.6".into()),
        controls: Vec::new(),
    }
}

/// A value of one part of `metric`.
fn sample(metric: &Metric) -> Value {
    match metric.form {
        Form::Bool => Value::from(true),
        Form::Integer => Value::from(7_i64),
        Form::Float => Value::from(1.5),
        Form::Text => Value::from(metric.options.first().copied().unwrap_or("word")),
        Form::Time => Value::from(Utc::now()),
        Form::Object => Value::Map(
            [
                ("voltage", Value::from(51.2)),
                ("cells", Value::List(vec![])),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        ),
    }
}

/// Every row of a kind, with `numbered` parts, and one part per name.
fn full(kind: DeviceKind, numbered: usize, named: &[String]) -> Reading {
    let mut reading = Reading::new(device(kind).id, kind, Utc::now());
    for &metric in catalogue(kind) {
        let part = sample(metric);
        let value = match metric.shape {
            Shape::Single => part,
            Shape::Numbered => Value::List(vec![part; numbered]),
            Shape::Named => Value::Map(
                named
                    .iter()
                    .map(|name| (name.clone(), part.clone()))
                    .collect(),
            ),
            Shape::Flags => Value::Flags(vec!["short_circuit".into()]),
        };
        reading.values.set(metric, value);
    }
    reading
}

fn document_of(reading: &Reading) -> Document {
    let mut seen = Seen::default();
    seen.record(&reading.values);
    let device = device(reading.kind);
    match reading.kind {
        DeviceKind::Gateway => gateway_document(&names(), Some((&device, &seen))),
        _ => device_document(&names(), &device, &seen).unwrap(),
    }
}

fn components(document: &Document) -> &Map<String, Json> {
    document.content["components"].as_object().unwrap()
}

fn text<'a>(component: &'a Json, key: &str) -> &'a str {
    component
        .get(key)
        .map_or("", |value| value.as_str().unwrap())
}

fn assert_valid(document: &Document) {
    let content = &document.content;
    assert!(content.keys().all(|key| ROOT.contains(&key.as_str())));
    let id = document.topic.split('/').nth(2).unwrap();
    assert!(is_id(id), "{id}");
    assert_eq!(document.topic, format!("homeassistant/device/{id}/config"));
    assert!(content["availability"].as_array().is_some());

    let mut ids = BTreeSet::new();
    for (key, component) in components(document) {
        let platform = text(component, "platform");
        let uid = text(component, "unique_id");
        assert!(is_id(key) && is_id(uid), "{key} {uid}");
        assert!(ids.insert((platform, uid)), "{uid} twice");
        let (domain, entity) = text(component, "default_entity_id")
            .split_once('.')
            .unwrap();
        assert_eq!(domain, platform);
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(!entity.is_empty() && entity.chars().all(lower), "{entity}");
        assert!(!text(component, "name").contains("{}"));
        assert_component(platform, component);
    }
}

fn assert_component(platform: &str, component: &Json) {
    for (key, value) in component.as_object().unwrap() {
        let known =
            COMMON.contains(&key.as_str()) || platform_keys(platform).contains(&key.as_str());
        assert!(known, "{platform} has {key}");
        if key.ends_with("_topic") {
            assert!(!value.as_str().unwrap().contains(['+', '#']));
        }
        if matches!(key.as_str(), "enabled_by_default" | "retain" | "optimistic") {
            assert!(value.is_boolean(), "{key}");
        }
        assert!(!value.is_null(), "{key}");
    }
    let is_control = component.get("command_topic").is_some();
    let allowed = if is_control { "config" } else { "diagnostic" };
    let category = component.get("entity_category");
    assert!(category.is_none_or(|category| category == allowed));

    let class = text(component, "device_class");
    let unit = text(component, "unit_of_measurement");
    let state_class = text(component, "state_class");
    match platform {
        "sensor" if class.is_empty() => {
            assert!(matches!(
                state_class,
                "" | "measurement" | "total_increasing" | "measurement_angle"
            ));
            assert!(state_class != "measurement_angle" || unit == "°");
        }
        "sensor" => {
            let (units, state_classes) = sensor_class(class);
            assert!(units.contains(&unit), "{class} in {unit}");
            assert!(
                state_classes.contains(&state_class),
                "{class} {state_class}"
            );
        }
        "number" => {
            let [min, max, step] =
                ["min", "max", "step"].map(|key| component[key].as_f64().unwrap());
            assert!(min < max && step >= 0.001);
        }
        "binary_sensor" => {
            assert!(
                class.is_empty() || BINARY_CLASSES.contains(&class),
                "{class}"
            );
            let on = text(component, "payload_on");
            let off = text(component, "payload_off");
            // Python's words from a template, plain ones from a topic.
            match component.get("value_template") {
                Some(_) => assert_eq!((on, off), ("True", "False")),
                None => assert_eq!((on, off), ("online", "offline")),
            }
        }
        _ => {}
    }
    let is_choice = class == "enum" || platform == "select";
    assert_eq!(is_choice, component.get("options").is_some());
    if is_choice {
        let options = component["options"].as_array().unwrap();
        let unique: BTreeSet<_> = options.iter().map(|o| o.as_str().unwrap()).collect();
        assert!(!options.is_empty() && unique.len() == options.len());
    }
}

fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !id.is_empty() && id.chars().all(plain)
}

/// The keys of the state that the templates of `document` read.
fn referenced(document: &Document) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for component in components(document).values() {
        for template in ["value_template", "json_attributes_template"] {
            for rest in text(component, template).split("value_json.").skip(1) {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                keys.insert(rest.chars().take_while(|c| word(*c)).collect());
            }
        }
    }
    keys
}

proptest! {
    #[test]
    fn every_document_is_accepted(
        kind in proptest::sample::select(&DeviceKind::ALL[..]),
        numbered in 1_usize..40,
        named in proptest::collection::vec("[^{}]{0,20}", 0..8),
        rows in proptest::collection::vec(any::<bool>(), 64),
    ) {
        let mut reading = full(kind, numbered, &named);
        let mut chosen = rows.into_iter().cycle();
        reading.values.retain_map(|_, value| chosen.next().unwrap_or(true).then_some(value));
        let mut seen = Seen::default();
        seen.record(&reading.values);
        let device = device(kind);
        let document = match kind {
            DeviceKind::Gateway => Some(gateway_document(&names(), Some((&device, &seen)))),
            _ => device_document(&names(), &device, &seen),
        };
        if let Some(document) = document {
            assert_valid(&document);
            let short: Map<String, Json> = serde_json::from_str(&document.payload()).unwrap();
            prop_assert_eq!(abbreviation::expand(&short), document.content.clone());
            // Null when unknown, but there.
            let empty = Reading::new(device.id, kind, Utc::now());
            let state: Map<String, Json> = serde_json::from_str(&unified::state(&empty)).unwrap();
            for key in referenced(&document) {
                prop_assert!(state.contains_key(&key), "{}", key);
            }
        }
    }
}

#[test]
fn every_row_becomes_an_entity() {
    for kind in DeviceKind::ALL {
        let reading = full(kind, 2, &["front_left".to_owned()]);
        let document = document_of(&reading);
        let referenced = referenced(&document);
        for metric in catalogue(kind) {
            assert!(referenced.contains(metric.key), "{}", metric.key);
        }
    }
}

#[test]
fn no_entity_of_ours_takes_the_key_of_a_row() {
    for kind in DeviceKind::ALL {
        for metric in catalogue(kind) {
            let ours = ["position", "measured_at", "reachable", "connection"];
            assert!(!ours.contains(&metric.key));
            let row = |other: &&&Metric| other.key == format!("{}_problem", metric.key);
            assert!(!catalogue(kind).iter().any(|m| row(&m)));
        }
    }
}

#[test]
fn options_are_all_words_of_the_row() {
    let document = document_of(&full(DeviceKind::Vehicle, 1, &[]));
    let options = &components(&document)["charging_state"]["options"];
    assert_eq!(options, &Json::from(vehicle::CHARGING_STATE.options));
    let open = &components(&document)["charge_current_limit"];
    assert_eq!(open.get("device_class"), None);
    for kind in DeviceKind::ALL {
        for metric in catalogue(kind) {
            let is_enum = metric.device_class == "enum";
            assert!(!is_enum || metric.kind == Kind::State && !metric.options.is_empty());
        }
    }
}

#[test]
fn a_battery_pack_in_full() {
    let document = document_of(&full(DeviceKind::Battery, 4, &[]));
    assert_eq!(
        document.topic,
        "homeassistant/device/jbd-a4c13830c28e/config"
    );
    assert_eq!(
        Json::Object(document.content.clone())["device"],
        json!({
            "identifiers": ["jbd_a4c13830c28e"],
            "connections": [["bluetooth", "A4:C1:38:30:C2:8E"]],
            "name": "House battery",
            "manufacturer": "JBD",
            "model": "SP04S034",
            "serial_number": "00123",
            "sw_version": "1.6",
            "via_device": "gateway_home1",
        })
    );
    assert_eq!(
        document.content["availability"],
        json!([
            {"topic": "telemetry/status"},
            {"topic": "telemetry/jbd-a4c13830c28e/availability"},
        ])
    );
    let components = components(&document);
    assert_eq!(
        components["cell_voltages_v_3"],
        json!({
            "platform": "sensor",
            "unique_id": "jbd_a4c13830c28e_cell_voltages_v_3",
            "default_entity_id": "sensor.house_battery_cell_voltages_v_3",
            "name": "Cell 3 voltage",
            "device_class": "voltage",
            "state_class": "measurement",
            "unit_of_measurement": "V",
            "suggested_display_precision": 3,
            "entity_category": "diagnostic",
            "value_template": "{{ (value_json.cell_voltages_v or [])[2] | default(none) }}",
        })
    );
    assert!(!components.contains_key("cell_voltages_v_5"));
    assert_eq!(
        components["protection"]["value_template"],
        "{{ none if value_json.protection is none else \
         (value_json.protection | join(', ') or 'none')[:255] }}"
    );
    assert_eq!(components["protection_problem"]["device_class"], "problem");
    assert_eq!(components["rssi_dbm"]["enabled_by_default"], false);
}

#[test]
fn a_car_stays_available_and_has_one_position() {
    let document = document_of(&full(DeviceKind::Vehicle, 1, &["front_left".to_owned()]));
    assert_eq!(
        document.content["availability"],
        json!([{"topic": "telemetry/status"}])
    );
    let components = components(&document);
    assert_eq!(components["position"]["platform"], "device_tracker");
    assert!(!components.contains_key("latitude"));
    assert_eq!(
        components["doors_open_front_left"]["name"],
        "Door front left"
    );
    assert_eq!(components["reachable"]["device_class"], "connectivity");
}

#[test]
fn a_pack_of_a_station_shows_its_values() {
    let document = document_of(&full(DeviceKind::PowerStation, 2, &[]));
    let component = &components(&document)["packs_2_voltage"];
    assert_eq!(component["name"], "Pack 2 voltage");
    assert_eq!(component["enabled_by_default"], false);
    assert!(!components(&document).contains_key("packs_2_cells"));
}

#[test]
fn what_a_pack_of_a_station_counts_is_known() {
    let mut reading = full(DeviceKind::PowerStation, 1, &[]);
    let fields = [
        ("soc_percent", Value::from(87_i64)),
        ("temperature_c", Value::from(23_i64)),
    ];
    let pack = Value::Map(fields.map(|(name, value)| (name.to_owned(), value)).into());
    reading
        .values
        .set(&power_station::PACKS, Value::List(vec![pack]));
    let document = document_of(&reading);
    assert_valid(&document);
    let components = components(&document);
    let charge = &components["packs_1_soc_percent"];
    assert_eq!(charge["name"], "Pack 1 state of charge");
    assert_eq!(charge["device_class"], "battery");
    assert_eq!(charge["unit_of_measurement"], "%");
    let temperature = &components["packs_1_temperature_c"];
    assert_eq!(temperature["name"], "Pack 1 temperature");
    assert_eq!(temperature["device_class"], "temperature");
}

#[test]
fn times_of_day_are_texts() {
    let mut device = device(DeviceKind::Vehicle);
    let row = &control::vehicle::CHARGING_SCHEDULE;
    device.controls = vec![Offer::new(row, true).with_extra("charging_plan")];
    let mut seen = Seen::default();
    seen.record(&full(DeviceKind::Vehicle, 1, &[]).values);
    let document = device_document(&names(), &device, &seen).unwrap();
    assert_valid(&document);
    let component = &components(&document)["charging_schedule"];
    assert_eq!(component["platform"], "text");
    assert_eq!(
        component["value_template"],
        "{{ value_json.extra['charging_plan'] | default(none) }}"
    );
    assert!(text(component, "pattern").starts_with("^(off|"));
}

#[test]
fn a_station_in_full_can_be_told_everything_it_offers() {
    let reading = full(DeviceKind::PowerStation, 1, &[]);
    let mut seen = Seen::default();
    seen.record(&reading.values);
    let mut device = device(DeviceKind::PowerStation);
    let rows = control::power_station::ALL.iter().copied();
    device.controls = rows
        .map(|row| {
            let offer = Offer::new(row, true);
            let offer = match &row.form {
                Takes::Select(_) => {
                    offer.with_form(Takes::Select(Cow::Borrowed(&["STANDARD", "SILENT"])))
                }
                _ => offer,
            };
            match row.metric {
                Some(_) => offer,
                None => offer.with_extra("some_field"),
            }
        })
        .chain([Offer::new(&control::bluetooth::PAUSE, true)])
        .collect();
    let document = device_document(&names(), &device, &seen).unwrap();
    assert_valid(&document);
    let components = components(&document);
    assert_eq!(components["ac_output"]["platform"], "switch");
    assert_eq!(
        components["set_ups_mode"],
        json!({
            "platform": "select",
            "unique_id": "jbd_a4c13830c28e_set_ups_mode",
            "default_entity_id": "select.house_battery_set_ups_mode",
            "name": "UPS mode",
            "command_topic": "telemetry/jbd-a4c13830c28e/ups_mode/set",
            "entity_category": "config",
            "options": ["STANDARD", "SILENT"],
            "value_template": "{% set v = value_json.ups_mode %}\
                {{ v if v in [\"STANDARD\",\"SILENT\"] else none }}",
        })
    );
    let limit = &components["charge_limit"];
    assert_eq!(limit["platform"], "number");
    assert_eq!(
        limit["value_template"],
        "{% set v = value_json.extra['some_field'] | default(none) %}\
         {{ v if v is number and 0 <= v <= 100 else none }}"
    );
    let switch = &components["time_control"];
    assert_eq!(
        switch["value_template"],
        "{{ value_json.extra['some_field'] | default(none) }}"
    );
    assert_eq!(components["power_off"]["platform"], "button");
    // It shows nowhere.
    assert_eq!(components["bluetooth_pause"]["platform"], "button");

    for offer in &mut device.controls {
        offer.allowed = false;
    }
    let document = device_document(&names(), &device, &seen).unwrap();
    let removed = &document.content["components"]["ac_output"];
    assert_eq!(removed, &json!({"platform": "switch"}));
}

#[test]
fn the_gateway_says_that_it_is_down() {
    let document = gateway_document(&names(), None);
    assert_valid(&document);
    assert_eq!(document.topic, "homeassistant/device/gateway-home1/config");
    assert_eq!(
        document.content["device"]["identifiers"],
        json!(["gateway_home1"])
    );
    let connection = &components(&document)["connection"];
    assert_eq!(connection["availability"], json!([]));
    assert_eq!(connection["state_topic"], "telemetry/status");
}

#[test]
fn a_device_without_values_is_not_announced() {
    let device = device(DeviceKind::Battery);
    assert_eq!(device_document(&names(), &device, &Seen::default()), None);
}

/// Larger than the packet limit that the client library has by itself.
#[test]
fn the_largest_documents_fit() {
    let named: Vec<_> = (0..12).map(|n| format!("part_{n}")).collect();
    let mut sizes = BTreeMap::new();
    for kind in DeviceKind::ALL {
        let size = document_of(&full(kind, 32, &named)).payload().len();
        sizes.insert(kind, size);
        assert!(size < 100_000, "{kind:?}: {size}");
    }
    assert!(sizes[&DeviceKind::Battery] > 10_240, "{sizes:?}");
}
