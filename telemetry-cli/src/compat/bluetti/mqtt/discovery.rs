//! What Home Assistant is told about a station: the entities of the original, as
//! one document for the device.

use bluetti_modbus::model::Model;
use serde_json::{Map, Value, json};

use super::entity::{ENTITIES, Entity, Kind, PACK};
use super::{availability_topic, command_topic, state_topic, status_topic};
use crate::cli::HaConfig;
use crate::config::BluettiTopics;
use crate::registers::Record;

/// First level of Home Assistant's topics.
pub(super) const PREFIX: &str = "homeassistant";

/// What is announced of a station.
pub(super) struct Announcement {
    /// Where the document goes.
    pub(super) topic: String,
    /// It.
    pub(super) payload: String,
    /// Where the original had each entity.
    pub(super) old_topics: Vec<String>,
}

/// The announcement of a station; nothing if none is wanted.
pub(super) fn announcement(
    record: &Record,
    version: Option<&str>,
    topics: &BluettiTopics,
) -> Option<Announcement> {
    let wanted = topics.home_assistant;
    if wanted == HaConfig::None {
        return None;
    }
    let mut components = Map::new();
    let (mut old_topics, mut abandoned) = (Vec::new(), Vec::new());
    let mut add = |platform: &str, id: &str, mut content: Map<String, Value>| {
        let serial = record.serial_number;
        content.insert("platform".to_owned(), platform.into());
        content.insert("unique_id".to_owned(), format!("{serial}_{id}").into());
        let old_object = format!("{}_{id}", record.device_type);
        let object = old_object.to_ascii_lowercase().replace([' ', '-'], "_");
        content.insert(
            "default_entity_id".to_owned(),
            format!("{platform}.{object}").into(),
        );
        components.insert(id.to_owned(), content.into());
        old_topics.push(old_topic(record, platform, id));
    };
    for entity in &ENTITIES {
        let wanted = !entity.advanced || wanted == HaConfig::Advanced;
        if !wanted || record.model.field(entity.needs).is_none() {
            continue;
        }
        let able = !topics.read_only && can_be_told(record.model, entity);
        let kind = if able {
            Some(entity.kind)
        } else {
            entity.kind.unable()
        };
        if kind.map(Kind::platform) != Some(entity.kind.platform()) {
            // As the original had it, it would do nothing any more.
            let platform = entity.kind.platform();
            abandoned.push(old_topic(record, platform, entity.id));
        }
        let Some(kind) = kind else { continue };
        let mut content = content(kind, entity.name);
        content.insert(
            "state_topic".to_owned(),
            state_topic(record, entity.id).into(),
        );
        if kind == Kind::Select {
            content.insert("options".to_owned(), options(record.model, entity).into());
        }
        if let Some(icon) = entity.icon {
            content.insert("icon".to_owned(), icon.into());
        }
        if matches!(
            kind,
            Kind::Switch(_) | Kind::Select | Kind::Percent | Kind::Button
        ) {
            let topic = command_topic(record, entity.id);
            content.insert("command_topic".to_owned(), topic.into());
        }
        if kind == Kind::Button {
            content.remove("state_topic");
        }
        add(kind.platform(), entity.id, content);
    }
    for number in 1..=record.model.packs().max() {
        for (key, id, name, field, kind) in PACK {
            if record.model.field(field).is_none() {
                continue;
            }
            let mut content = content(kind, &format!("Battery Pack {number} {name}"));
            let topic = state_topic(record, &format!("pack_details{number}"));
            content.insert("state_topic".to_owned(), topic.into());
            let template = format!("{{{{ value_json.{key} }}}}");
            content.insert("value_template".to_owned(), template.into());
            add(kind.platform(), &format!("{id}{number}"), content);
        }
    }
    old_topics.append(&mut abandoned);
    let serial = record.serial_number.to_string();
    let mut device = json!({
        "identifiers": [serial],
        "manufacturer": "Bluetti",
        "name": format!("{} {serial}", record.device_type),
        "model": record.device_type,
        "serial_number": serial,
    });
    if let (Some(version), Some(device)) = (version, device.as_object_mut()) {
        device.insert("sw_version".to_owned(), version.into());
    }
    let document = json!({
        "device": device,
        "origin": {"name": env!("CARGO_PKG_NAME"), "sw_version": env!("CARGO_PKG_VERSION")},
        "availability": [
            {"topic": status_topic(&topics.process)},
            {"topic": availability_topic(record)},
        ],
        "availability_mode": "all",
        "components": components,
    });
    Some(Announcement {
        topic: format!("{PREFIX}/device/bluetti_{serial}/config"),
        payload: document.to_string(),
        old_topics,
    })
}

/// Where the original announced an entity.
fn old_topic(record: &Record, platform: &str, id: &str) -> String {
    format!("{PREFIX}/{platform}/{}_{id}/config", record.serial_number)
}

fn content(kind: Kind, name: &str) -> Map<String, Value> {
    let content = match kind {
        Kind::Measured(unit, "") => json!({"unit_of_measurement": unit}),
        Kind::Measured(unit, class) => json!({
            "unit_of_measurement": unit,
            "device_class": class,
            "state_class": "measurement",
            "force_update": true,
        }),
        Kind::Charge => json!({
            "unit_of_measurement": "%",
            "device_class": "battery",
            "state_class": "measurement",
        }),
        Kind::Energy => json!({
            "unit_of_measurement": "kWh",
            "device_class": "energy",
            "state_class": "total_increasing",
        }),
        Kind::Switch(Some(class)) => json!({"device_class": class}),
        Kind::Percent => json!({"step": 1, "min": 0, "max": 100, "unit_of_measurement": "%"}),
        Kind::Button => json!({"payload_press": "ON"}),
        Kind::Word | Kind::State | Kind::Switch(None) | Kind::Select => json!({}),
    };
    let mut content = content.as_object().cloned().unwrap_or_default();
    content.insert("name".to_owned(), name.into());
    content
}

/// Whether a station of this model can be told it.
fn can_be_told(model: Model, entity: &Entity) -> bool {
    let control = || model.control_of(model.field(entity.field)?);
    entity.control.is_some() && control().is_some()
}

/// The words that can be chosen.
fn options(model: Model, entity: &Entity) -> Vec<&'static str> {
    let control = || model.control_of(model.field(entity.field)?);
    match control().map(|control| control.kind()) {
        Some(bluetti_modbus::register::ControlKind::Select(choices)) => {
            choices.options().iter().map(|option| option.name).collect()
        }
        _ => Vec::new(),
    }
}
