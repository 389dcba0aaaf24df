//! What Home Assistant is told of a car: the original's entities under its
//! unique ids, in one document. What a car has not got is not announced.

use saic_ismart::{Profile, VehicleInfo};
use serde_json::{Map, Value, json};

use super::announcer::Shown;
use super::names::Names;
use crate::sink::home_assistant::Document;

pub mod account;
mod binary_sensor;
mod control;
mod extra;
mod schedule;
mod sensor;

/// A car, as far as its entities depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Entities<'a> {
    /// Where its values are.
    pub names: &'a Names,
    /// Its VIN.
    pub vin: &'a str,
    /// What it is.
    pub info: &'a VehicleInfo,
    /// What its series is known for.
    pub profile: &'a Profile,
    /// What of it may change.
    pub shown: Shown,
    /// Its entities are unavailable while it cannot be reached.
    pub show_unavailable: bool,
}

/// The node of a car in topics of discovery.
pub fn node(vin: &str) -> String {
    format!("{vin}_mg")
}

/// Where the document of a node is published.
pub fn topic(prefix: &str, node: &str) -> String {
    format!("{prefix}/device/{node}/config")
}

/// Which topics decide whether an entity is available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Available {
    /// As the document says.
    #[default]
    Standard,
    /// The gateway's alone.
    Gateway,
    /// Also the entity's own, which has to be above 0.
    Positive,
}

impl Entities<'_> {
    /// The document.
    pub fn document(self, prefix: &str) -> Document {
        let content = json!({
            "device": self.device(),
            "origin": {"name": env!("CARGO_PKG_NAME"), "sw_version": env!("CARGO_PKG_VERSION")},
            "availability": self.standard(),
            "availability_mode": "all",
            "components": self.components(),
        });
        Document {
            topic: topic(prefix, &node(self.vin)),
            content: content.as_object().cloned().unwrap_or_default(),
        }
    }

    fn device(self) -> Value {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let info = self.info;
        let (brand, model) = (text(&info.brand), text(&info.model).to_uppercase());
        json!({
            "identifiers": [self.vin],
            "name": format!("{brand} {model} {}", self.vin),
            "manufacturer": brand,
            "model": format!("{model} {} {}", text(&info.model_year), text(&info.color)),
            "hw_version": text(&info.series).to_uppercase(),
            "serial_number": self.vin,
            "sw_version": env!("CARGO_PKG_VERSION"),
        })
    }

    /// The entities by their keys.
    pub fn components(self) -> Map<String, Value> {
        let mut list = List {
            car: self,
            components: Map::new(),
        };
        sensor::add(&mut list);
        binary_sensor::add(&mut list);
        control::add(&mut list);
        schedule::add(&mut list);
        extra::add(&mut list);
        list.components
    }

    fn state(self, topic: &str) -> String {
        self.names.vehicle(self.vin, topic)
    }

    fn standard(self) -> Vec<Value> {
        let mut topics = vec![online(&self.names.lwt())];
        if self.show_unavailable {
            topics.push(online(&self.state("available")));
        }
        topics
    }
}

fn online(topic: &str) -> Value {
    json!({"topic": topic, "payload_available": "online", "payload_not_available": "offline"})
}

/// Entities as they are added.
struct List<'a> {
    car: Entities<'a>,
    components: Map<String, Value>,
}

impl List<'_> {
    /// Adds an entity. The same unique id may be on two platforms: the second
    /// one gets a key of its own.
    fn add(&mut self, platform: &str, name: &str, available: Available, keys: Value) {
        let id = format!("{}_{}", self.car.vin, snake(name));
        let key = match self.components.contains_key(&id) {
            true => format!("{id}_{platform}"),
            false => id.clone(),
        };
        let mut component = Map::new();
        component.insert("platform".to_owned(), platform.into());
        component.insert("unique_id".to_owned(), id.clone().into());
        let entity = format!("{platform}.{}", id.to_lowercase());
        component.insert("default_entity_id".to_owned(), entity.into());
        component.insert("name".to_owned(), name.into());
        if let Value::Object(keys) = keys {
            // A cover without a payload to stop it gets Home Assistant's own.
            let is_set =
                |(name, value): &(String, Value)| !value.is_null() || name == "payload_stop";
            component.extend(keys.into_iter().filter(is_set));
        }
        match available {
            Available::Standard => {}
            Available::Gateway => {
                let gateway = vec![online(&self.car.names.lwt())];
                component.insert("availability".to_owned(), gateway.into());
            }
            Available::Positive => {
                let mut topics = self.car.standard();
                let mut own = online(
                    component
                        .get("state_topic")
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                );
                own["value_template"] =
                    "{{ 'online' if value | int(0) > 0 else 'offline' }}".into();
                topics.push(own);
                component.insert("availability".to_owned(), topics.into());
            }
        }
        self.components.insert(key, component.into());
    }

    fn state(&self, topic: &str) -> String {
        self.car.state(topic)
    }

    fn set(&self, topic: &str) -> String {
        format!("{}/set", self.car.state(topic))
    }
}

/// A name as a part of a unique id.
fn snake(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod columns;
#[cfg(test)]
mod tests;
