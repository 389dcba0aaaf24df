//! The gateway itself: one device for each account.

use serde_json::{Map, Value, json};

use super::super::names::Names;
use super::{online, snake, topic};
use crate::sink::home_assistant::Document;

/// Name, topic below the account, device class, unit and icon.
type Row = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
);

const ROWS: &[Row] = &[
    (
        "Gateway version",
        "gatewayVersion",
        None,
        None,
        Some("mdi:tag"),
    ),
    (
        "Account timezone",
        "userTimezone",
        None,
        None,
        Some("mdi:map-clock"),
    ),
    (
        "Account refresh interval",
        "refreshInterval",
        None,
        Some("s"),
        Some("mdi:timer-sync"),
    ),
    (
        "Account last refresh",
        "lastRefresh",
        Some("timestamp"),
        None,
        None,
    ),
    (
        "Account last login",
        "lastLogin",
        Some("timestamp"),
        None,
        None,
    ),
    (
        "Account last login error",
        "lastLoginError",
        Some("timestamp"),
        None,
        None,
    ),
];

/// Its node in topics of discovery.
pub fn node(user: &str) -> String {
    format!("{}_gw", id(user))
}

fn id(user: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    user.to_lowercase().chars().map(plain).collect()
}

/// The document.
pub fn document(names: &Names, user: &str, prefix: &str) -> Document {
    let id = id(user);
    let sensors: Map<String, Value> = ROWS.iter().map(|row| sensor(names, &id, row)).collect();
    let content = json!({
        "device": {
            "identifiers": [id],
            "name": "SAIC MQTT gateway",
            "manufacturer": env!("CARGO_PKG_NAME"),
            "sw_version": env!("CARGO_PKG_VERSION"),
        },
        "origin": {"name": env!("CARGO_PKG_NAME"), "sw_version": env!("CARGO_PKG_VERSION")},
        "availability": [online(&names.lwt())],
        "availability_mode": "all",
        "components": sensors,
    });
    Document {
        topic: topic(prefix, &node(user)),
        content: content.as_object().cloned().unwrap_or_default(),
    }
}

fn sensor(names: &Names, id: &str, (name, topic, class, unit, icon): &Row) -> (String, Value) {
    let unique_id = format!("{id}_{}", snake(name));
    let keys = json!({
        "platform": "sensor",
        "unique_id": unique_id,
        "default_entity_id": format!("sensor.{unique_id}"),
        "name": name,
        "state_topic": names.account(topic),
        "device_class": class,
        "unit_of_measurement": unit,
        "icon": icon,
        "entity_category": "diagnostic",
    });
    let keys = keys.as_object().cloned().unwrap_or_default();
    let known: Map<_, _> = keys
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    (unique_id, known.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_a_device_of_its_account() {
        let names = Names::new("saic", "Me+x@example.com", true);
        let document = document(&names, "Me+x@example.com", "homeassistant");
        assert_eq!(
            document.topic,
            "homeassistant/device/me_x_example_com_gw/config"
        );
        let sensors = &document.content["components"];
        assert_eq!(sensors.as_object().unwrap().len(), ROWS.len());
        let login = &sensors["me_x_example_com_account_last_login"];
        assert_eq!(
            login["state_topic"],
            "saic/Me_x@example.com/account/lastLogin"
        );
        assert_eq!(login["device_class"], "timestamp");
        assert_eq!(login.get("icon"), None);
    }
}
