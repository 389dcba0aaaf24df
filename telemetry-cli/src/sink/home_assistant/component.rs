//! From a catalogue row to the entities that show it.
//!
//! Templates read the JSON state of the device. It has every key of the
//! catalogue, null when unknown; a null renders as `None`, which Home
//! Assistant takes as unknown. Parts may be missing, so templates guard them:
//! an undefined value would be a line in its log for every message.

use serde_json::{Map, Value, json};

use super::Names;
use super::seen::{Part, Seen};
use crate::event::{Device, DeviceKind};
use crate::metric::{Form, Kind, Metric, Shape, catalogue};
use crate::sink::mqtt::topics::{OFFLINE, ONLINE, level};

/// Longest state that Home Assistant takes.
const MAX_STATE: usize = 255;

/// Entities by component key.
pub(super) type Components = Map<String, Value>;

/// The entities of a device, as far as it has reported their values.
pub(super) fn components(names: &Names, device: &Device, seen: &Seen) -> Components {
    let maker = Maker { names, device };
    let mut all = Components::new();
    for metric in catalogue(device.kind) {
        for part in seen.parts(metric) {
            for (key, component) in maker.row(metric, part) {
                all.insert(key, component);
            }
        }
    }
    if all.is_empty() {
        return all;
    }
    let (key, component) = maker.last_update();
    all.insert(key, component);
    all.extend(maker.controls());
    if device.kind == DeviceKind::Vehicle {
        let (key, component) = maker.reachable();
        all.insert(key, component);
    }
    all
}

/// Makes the entities of one device.
#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) names: &'a Names,
    pub(super) device: &'a Device,
}

impl Maker<'_> {
    fn row(&self, metric: &Metric, part: &Part) -> Vec<(String, Value)> {
        if metric.key == "latitude" || metric.key == "longitude" {
            return vec![self.tracker()];
        }
        let (key, name) = match part {
            Part::Whole => (metric.key.to_owned(), metric.name.to_owned()),
            Part::Number(number) => (
                format!("{}_{number}", metric.key),
                metric.part_name(&number.to_string()),
            ),
            Part::Name(name) => (
                format!("{}_{}", metric.key, level(name)),
                metric.part_name(name),
            ),
            Part::Field(number, field) => (
                format!("{}_{number}_{}", metric.key, level(field)),
                format!(
                    "{} {}",
                    metric.part_name(&number.to_string()),
                    match row_of_pack(field) {
                        Some(row) => row.part_name("").trim().to_lowercase(),
                        None => field.replace('_', " "),
                    }
                ),
            ),
        };
        let value = expression(metric, part);
        if metric.shape == Shape::Flags {
            return vec![
                self.flags(metric, &key, &name, &value),
                self.problem(&key, &value),
            ];
        }
        let (platform, template) = match metric.form {
            Form::Bool => ("binary_sensor", value),
            // An open text has no length that we know of.
            Form::Text if metric.options.is_empty() => {
                ("sensor", format!("({value} | string)[:{MAX_STATE}]"))
            }
            Form::Object => ("sensor", format!("({value} | string)[:{MAX_STATE}]")),
            Form::Text | Form::Integer | Form::Float | Form::Time => ("sensor", value),
        };
        let mut keys = self.common(platform, &key, &name);
        keys.insert(
            "value_template".into(),
            format!("{{{{ {template} }}}}").into(),
        );
        if metric.form == Form::Bool {
            boolean(&mut keys);
        }
        describe(&mut keys, metric);
        if let Part::Field(_, field) = part
            && let Some(row) = row_of_pack(field)
        {
            count(&mut keys, row);
        }
        vec![(key, Value::Object(keys))]
    }

    /// The conditions that hold, in words.
    fn flags(&self, metric: &Metric, key: &str, name: &str, value: &str) -> (String, Value) {
        let mut keys = self.common("sensor", key, name);
        let template = format!(
            "{{{{ none if {value} is none else ({value} | join(', ') or 'none')[:{MAX_STATE}] }}}}"
        );
        keys.insert("value_template".into(), template.into());
        describe(&mut keys, metric);
        (key.to_owned(), Value::Object(keys))
    }

    /// Whether any condition holds.
    fn problem(&self, key: &str, value: &str) -> (String, Value) {
        let key = format!("{key}_problem");
        let mut keys = self.common("binary_sensor", &key, "Problem");
        let template = format!("{{{{ none if {value} is none else {value} | length > 0 }}}}");
        keys.insert("value_template".into(), template.into());
        keys.insert("device_class".into(), "problem".into());
        boolean(&mut keys);
        (key, Value::Object(keys))
    }

    /// Where it is: never half a position, and none rather than a wrong one.
    fn tracker(&self) -> (String, Value) {
        let key = "position".to_owned();
        let mut keys = self.common("device_tracker", &key, "Position");
        let template = "{{ ({'latitude': value_json.latitude, 'longitude': value_json.longitude} \
                        if value_json.latitude is number and value_json.longitude is number \
                        else {}) | tojson }}";
        keys.insert(
            "json_attributes_topic".into(),
            self.names.topics.state(&self.device.id).into(),
        );
        keys.insert("json_attributes_template".into(), template.into());
        keys.insert("source_type".into(), "gps".into());
        // The state would be the whole JSON: the topic of the root is inherited.
        keys.insert("value_template".into(), "{{ none }}".into());
        (key, Value::Object(keys))
    }

    /// How old the values are. It changes with every reading, so it is an
    /// offer only where readings are rare.
    fn last_update(&self) -> (String, Value) {
        let key = "measured_at".to_owned();
        let mut keys = self.common("sensor", &key, "Last update");
        keys.insert("device_class".into(), "timestamp".into());
        keys.insert("entity_category".into(), "diagnostic".into());
        keys.insert(
            "value_template".into(),
            "{{ value_json.measured_at }}".into(),
        );
        if self.device.kind != DeviceKind::Vehicle {
            keys.insert("enabled_by_default".into(), false.into());
        }
        (key, Value::Object(keys))
    }

    /// A car that sleeps keeps its last values; this says that it sleeps.
    fn reachable(&self) -> (String, Value) {
        let key = "reachable".to_owned();
        let topic = self.names.topics.availability(&self.device.id);
        let keys = self.connectivity(&key, "Reachable", topic);
        (key, Value::Object(keys))
    }

    /// Whether an `online`/`offline` topic says `online`.
    pub(super) fn connectivity(&self, key: &str, name: &str, topic: String) -> Map<String, Value> {
        let mut keys = self.common("binary_sensor", key, name);
        keys.insert("device_class".into(), "connectivity".into());
        keys.insert("entity_category".into(), "diagnostic".into());
        keys.insert("state_topic".into(), topic.into());
        keys.insert("payload_on".into(), ONLINE.into());
        keys.insert("payload_off".into(), OFFLINE.into());
        keys
    }

    pub(super) fn common(&self, platform: &str, key: &str, name: &str) -> Map<String, Value> {
        let id = super::identifier(&self.device.id);
        let entity = [entity_id(&self.device.name), entity_id(key)];
        let entity = match entity[0].is_empty() {
            true => format!("{id}_{}", entity[1]),
            false => entity.join("_"),
        };
        let keys = json!({
            "platform": platform,
            "unique_id": format!("{id}_{key}"),
            "default_entity_id": format!("{platform}.{entity}"),
            "name": name,
        });
        match keys {
            Value::Object(keys) => keys,
            _ => Map::new(),
        }
    }
}

/// What a value of a station's pack is called and counts: the same as that of a
/// battery of its own.
fn row_of_pack(field: &str) -> Option<&'static Metric> {
    let key = match field {
        // Of many probes a station tells one value.
        "temperature_c" => "temperatures_c",
        key => key,
    };
    let mut rows = catalogue(DeviceKind::Battery).iter().copied();
    rows.find(|row| row.key == key)
}

fn describe(keys: &mut Map<String, Value>, metric: &Metric) {
    count(keys, metric);
    if metric.diagnostic {
        keys.insert("entity_category".into(), "diagnostic".into());
    }
    // Every value of a pack is an entity: too many to show them unasked.
    if !metric.shown || metric.form == Form::Object {
        keys.insert("enabled_by_default".into(), false.into());
    }
    debug_assert!(metric.kind != Kind::State || !keys.contains_key("state_class"));
}

/// What is counted, and how.
fn count(keys: &mut Map<String, Value>, metric: &Metric) {
    let is_sensor = keys.get("platform").is_some_and(|p| p == "sensor");
    if !metric.device_class.is_empty() {
        keys.insert("device_class".into(), metric.device_class.into());
    }
    if !metric.unit.is_empty() {
        keys.insert("unit_of_measurement".into(), metric.unit.into());
    }
    if is_sensor && !metric.state_class().is_empty() {
        keys.insert("state_class".into(), metric.state_class().into());
    }
    if metric.form == Form::Float {
        keys.insert("suggested_display_precision".into(), metric.decimals.into());
    }
    if metric.device_class == "enum" {
        keys.insert("options".into(), metric.options.into());
    }
}

/// JSON booleans become Python's words on their way through a template.
fn boolean(keys: &mut Map<String, Value>) {
    keys.insert("payload_on".into(), "True".into());
    keys.insert("payload_off".into(), "False".into());
}

fn expression(metric: &Metric, part: &Part) -> String {
    let key = metric.key;
    match part {
        Part::Whole => format!("value_json.{key}"),
        Part::Number(number) => {
            format!("(value_json.{key} or [])[{}] | default(none)", number - 1)
        }
        Part::Name(name) => {
            format!(
                "(value_json.{key} or {{}})[{}] | default(none)",
                quoted(name)
            )
        }
        Part::Field(number, name) => format!(
            "((value_json.{key} or [])[{}] | default({{}}, true))[{}] | default(none)",
            number - 1,
            quoted(name)
        ),
    }
}

/// A string literal of a template; it escapes like JSON.
fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

/// `text` as part of an entity id.
fn entity_id(text: &str) -> String {
    let mut id = String::new();
    for c in text.chars() {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => id.push(c),
            _ if id.ends_with('_') || id.is_empty() => {}
            _ => id.push('_'),
        }
    }
    id.truncate(id.trim_end_matches('_').len());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_ids_are_plain() {
        assert_eq!(entity_id("House battery (2)"), "house_battery_2");
        assert_eq!(entity_id("ÄÖ"), "");
        assert_eq!(entity_id("cell_voltages_v_1"), "cell_voltages_v_1");
    }

    #[test]
    fn names_in_templates_are_escaped() {
        assert_eq!(quoted(r#"a"]}}\"#), r#""a\"]}}\\""#);
    }
}
