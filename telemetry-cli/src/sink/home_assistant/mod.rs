//! Discovery documents for Home Assistant.
//!
//! Pure: a device, and what it has reported so far, in; a topic and a payload
//! out. One retained document describes a device and all its entities; they
//! read the JSON state of the unified topics. [`mqtt`](super::mqtt) decides
//! when documents are sent.
//!
//! Entities carry no expiry: their states are retained, so that a stale one
//! would look fresh after a restart of Home Assistant. The availability topics
//! say what can be believed.

use serde_json::{Map, Value, json};

use self::component::{Maker, components};
use crate::event::{Device, DeviceId, DeviceKind};
use crate::sink::mqtt::topics::Topics;

pub use self::seen::Seen;

mod abbreviation;
mod component;
mod control;
mod seen;
#[cfg(test)]
mod tests;

/// Where documents go, and whom they name.
#[derive(Clone, Debug)]
pub struct Names {
    /// First level of the discovery topics.
    pub prefix: String,
    /// Where the states are.
    pub topics: Topics,
    /// The gateway, through which all devices are seen.
    pub gateway: DeviceId,
    /// What people call it.
    pub gateway_name: String,
}

/// A discovery document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where to publish it, retained.
    pub topic: String,
    /// Its content, with full key names.
    pub content: Map<String, Value>,
}

impl Document {
    /// The content with abbreviated key names, as it is sent.
    pub fn payload(&self) -> String {
        Value::Object(abbreviation::abbreviate(&self.content)).to_string()
    }
}

/// The document of a device; none as long as it has reported nothing.
///
/// A car stays available while it sleeps: its last values are what a car
/// without reception is asked for. Others are available while they answer.
pub fn device_document(names: &Names, device: &Device, seen: &Seen) -> Option<Document> {
    let components = components(names, device, seen);
    if components.is_empty() {
        return None;
    }
    let mut availability = vec![json!({"topic": names.topics.status()})];
    if device.kind != DeviceKind::Vehicle {
        availability.push(json!({"topic": names.topics.availability(&device.id)}));
    }
    let mut block = device_block(device);
    block.insert("via_device".into(), identifier(&names.gateway).into());
    Some(document(names, device, block, availability, components))
}

/// The document of the gateway. Its connection stays readable while it is
/// down. `known` is what the gateway reports of itself, if it does.
pub fn gateway_document(names: &Names, known: Option<(&Device, &Seen)>) -> Document {
    let device = match known {
        Some((device, _)) => device.clone(),
        None => Device {
            name: names.gateway_name.clone(),
            vendor: env!("CARGO_PKG_NAME").to_owned(),
            model: Some("gateway".to_owned()),
            software_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Device::unknown(names.gateway.clone(), DeviceKind::Gateway)
        },
    };
    let mut components = match known {
        Some((device, seen)) => components(names, device, seen),
        None => Map::new(),
    };
    let maker = Maker {
        names,
        device: &device,
    };
    let mut connection = maker.connectivity("connection", "Connection", names.topics.status());
    connection.insert("availability".into(), json!([]));
    components.insert("connection".into(), connection.into());

    let mut block = device_block(&device);
    // What `via_device` of the others points to.
    block.insert("identifiers".into(), json!([identifier(&names.gateway)]));
    let availability = vec![json!({"topic": names.topics.status()})];
    let mut document = document(names, &device, block, availability, components);
    document.topic = topic(names, &names.gateway);
    document
}

fn document(
    names: &Names,
    device: &Device,
    block: Map<String, Value>,
    availability: Vec<Value>,
    components: Map<String, Value>,
) -> Document {
    let content = [
        ("device", Value::Object(block)),
        (
            "origin",
            json!({"name": env!("CARGO_PKG_NAME"), "sw_version": env!("CARGO_PKG_VERSION")}),
        ),
        ("availability", availability.into()),
        ("availability_mode", "all".into()),
        ("state_topic", names.topics.state(&device.id).into()),
        ("components", Value::Object(components)),
    ];
    Document {
        topic: topic(names, &device.id),
        content: content
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

fn device_block(device: &Device) -> Map<String, Value> {
    let mut block = Map::new();
    block.insert("identifiers".into(), json!([identifier(&device.id)]));
    block.insert("name".into(), device.name.clone().into());
    block.insert("manufacturer".into(), device.vendor.clone().into());
    let optional = [
        ("model", &device.model),
        ("serial_number", &device.serial),
        ("hw_version", &device.hardware_version),
        ("sw_version", &device.software_version),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            block.insert(key.into(), value.clone().into());
        }
    }
    // Home Assistant merges devices with a common address, and wants it in
    // capitals.
    if let Some(address) = &device.address {
        let address = address.to_uppercase();
        block.insert("connections".into(), json!([["bluetooth", address]]));
    }
    block
}

fn topic(names: &Names, device: &DeviceId) -> String {
    format!("{}/device/{device}/config", names.prefix)
}

/// The id of a device in Home Assistant's registry: for ever.
fn identifier(device: &DeviceId) -> String {
    device.as_str().replace('-', "_")
}
