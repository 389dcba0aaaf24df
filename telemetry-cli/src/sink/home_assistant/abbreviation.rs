//! The short names of keys: a third of a document's size. Applied at the very
//! end, so that everything else reads and tests the full names.

use serde_json::{Map, Value};

/// Long and short names in the root, in components and in availability items.
const COMPONENT: &[(&str, &str)] = &[
    ("availability", "avty"),
    ("availability_mode", "avty_mode"),
    ("command_template", "cmd_tpl"),
    ("command_topic", "cmd_t"),
    ("components", "cmps"),
    ("default_entity_id", "def_ent_id"),
    ("device", "dev"),
    ("device_class", "dev_cla"),
    ("enabled_by_default", "en"),
    ("entity_category", "ent_cat"),
    ("expire_after", "exp_aft"),
    ("icon", "ic"),
    ("json_attributes_template", "json_attr_tpl"),
    ("json_attributes_topic", "json_attr_t"),
    ("optimistic", "opt"),
    ("options", "ops"),
    ("origin", "o"),
    ("payload_available", "pl_avail"),
    ("payload_lock", "pl_lock"),
    ("payload_not_available", "pl_not_avail"),
    ("payload_off", "pl_off"),
    ("payload_on", "pl_on"),
    ("payload_press", "pl_prs"),
    ("payload_unlock", "pl_unlk"),
    ("platform", "p"),
    ("retain", "ret"),
    ("source_type", "src_type"),
    ("state_class", "stat_cla"),
    ("state_locked", "stat_locked"),
    ("state_off", "stat_off"),
    ("state_on", "stat_on"),
    ("state_topic", "stat_t"),
    ("state_unlocked", "stat_unlocked"),
    ("suggested_display_precision", "sug_dsp_prc"),
    ("topic", "t"),
    ("unique_id", "uniq_id"),
    ("unit_of_measurement", "unit_of_meas"),
    ("value_template", "val_tpl"),
];

/// In the device block.
const DEVICE: &[(&str, &str)] = &[
    ("configuration_url", "cu"),
    ("connections", "cns"),
    ("hw_version", "hw"),
    ("identifiers", "ids"),
    ("manufacturer", "mf"),
    ("model", "mdl"),
    ("model_id", "mdl_id"),
    ("serial_number", "sn"),
    ("suggested_area", "sa"),
    ("sw_version", "sw"),
];

/// In the origin block.
const ORIGIN: &[(&str, &str)] = &[("support_url", "url"), ("sw_version", "sw")];

/// A whole document with short names.
pub(super) fn abbreviate(document: &Map<String, Value>) -> Map<String, Value> {
    rename(document, COMPONENT, |key, value| match (key, value) {
        ("device", Value::Object(device)) => Value::Object(shorten(device, DEVICE)),
        ("origin", Value::Object(origin)) => Value::Object(shorten(origin, ORIGIN)),
        ("components", Value::Object(components)) => Value::Object(
            components
                .iter()
                .map(|(id, one)| (id.clone(), component(one)))
                .collect(),
        ),
        _ => list(key, value),
    })
}

fn component(component: &Value) -> Value {
    match component {
        Value::Object(keys) => Value::Object(rename(keys, COMPONENT, list)),
        other => other.clone(),
    }
}

fn list(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("availability", Value::Array(items)) => items.iter().map(component).collect(),
        _ => value.clone(),
    }
}

fn shorten(block: &Map<String, Value>, table: &[(&str, &str)]) -> Map<String, Value> {
    rename(block, table, |_, value| value.clone())
}

fn rename(
    block: &Map<String, Value>,
    table: &[(&str, &str)],
    change: impl Fn(&str, &Value) -> Value,
) -> Map<String, Value> {
    block
        .iter()
        .map(|(key, value)| {
            let short = table.iter().find(|(long, _)| long == key);
            let name = short.map_or(key.as_str(), |(_, short)| short);
            (name.to_owned(), change(key, value))
        })
        .collect()
}

/// The reverse, for tests: what Home Assistant makes of the short names.
#[cfg(test)]
pub(super) fn expand(document: &Map<String, Value>) -> Map<String, Value> {
    fn long(block: &Value, table: &[(&str, &str)]) -> Map<String, Value> {
        let block = block.as_object().unwrap();
        let find = |key: &String| table.iter().find(|(_, short)| short == key);
        block
            .iter()
            .map(|(key, value)| (find(key).map_or(key.as_str(), |(long, _)| long), value))
            .map(|(key, value)| match (key, value) {
                ("availability", Value::Array(items)) => (
                    key.to_owned(),
                    items
                        .iter()
                        .map(|item| Value::Object(long(item, COMPONENT)))
                        .collect(),
                ),
                _ => (key.to_owned(), value.clone()),
            })
            .collect()
    }
    let mut root = long(&Value::Object(document.clone()), COMPONENT);
    root["device"] = Value::Object(long(&root["device"], DEVICE));
    root["origin"] = Value::Object(long(&root["origin"], ORIGIN));
    for (_, component) in root["components"].as_object_mut().unwrap() {
        *component = Value::Object(long(component, COMPONENT));
    }
    root
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_stands_twice() {
        for table in [COMPONENT, DEVICE, ORIGIN] {
            let names: HashSet<_> = table.iter().flat_map(|(l, s)| [*l, *s]).collect();
            assert_eq!(names.len(), 2 * table.len());
        }
    }
}
