//! Schedules: one JSON object each, which several entities change a part of.

use serde_json::json;

use super::{Available, List, snake};

/// A time of day of 24 hours.
const CLOCK: &str = "^(?:[01]?[0-9]|2[0-3]):[0-5][0-9]$";

pub(super) fn add(list: &mut List<'_>) {
    charging(list);
    heating(list);
}

fn charging(list: &mut List<'_>) {
    let topic = "drivetrain/chargingSchedule";
    let start = shown(list, "Scheduled Charging Start");
    let end = shown(list, "Scheduled Charging End");
    let mode = shown(list, "Scheduled Charging Mode");
    let object = |start: &str, end: &str, mode: &str| {
        format!("{{{{ {{'startTime': {start}, 'endTime': {end}, 'mode': {mode}}} | tojson }}}}")
    };
    // What the car cannot do is not offered (0.10).
    let mut options = vec!["DISABLED", "UNTIL_CONFIGURED_SOC", "UNTIL_CONFIGURED_TIME"];
    options.retain(|mode| list.car.profile.has_target_soc || *mode != "UNTIL_CONFIGURED_SOC");
    let select = json!({
        "state_topic": list.state(topic),
        "command_topic": list.set(topic),
        "value_template": "{{ value_json['mode'] }}",
        "command_template": object(&start, &end, "value"),
        "options": options,
        "icon": "mdi:clock-outline",
        "optimistic": false,
    });
    list.add(
        "select",
        "Scheduled Charging Mode",
        Available::Standard,
        select,
    );
    text(
        list,
        "Scheduled Charging Start",
        topic,
        "startTime",
        &object("value", &end, &mode),
        "mdi:clock-start",
    );
    text(
        list,
        "Scheduled Charging End",
        topic,
        "endTime",
        &object(&start, "value", &mode),
        "mdi:clock-end",
    );
}

fn heating(list: &mut List<'_>) {
    let topic = "drivetrain/batteryHeatingSchedule";
    let start = shown(list, "Scheduled Battery Heating Start");
    let is_on = format!(
        "('on' if is_state('binary_sensor.{}', 'on') else 'off')",
        entity(list, "Scheduled Battery Heating")
    );
    let object = |start: &str, mode: &str| {
        format!("{{{{ {{'startTime': {start}, 'mode': {mode}}} | tojson }}}}")
    };
    let select = json!({
        "state_topic": list.state(topic),
        "command_topic": list.set(topic),
        "value_template": "{{ value_json['mode'] }}",
        "command_template": object(&start, "value"),
        "options": ["on", "off"],
        "icon": "mdi:clock-outline",
        "optimistic": false,
    });
    list.add(
        "select",
        "Scheduled Battery Heating",
        Available::Standard,
        select,
    );
    text(
        list,
        "Scheduled Battery Heating Start",
        topic,
        "startTime",
        &object("value", &is_on),
        "mdi:clock-start",
    );
}

fn text(list: &mut List<'_>, name: &str, topic: &str, key: &str, command: &str, icon: &str) {
    let keys = json!({
        "state_topic": list.state(topic),
        "command_topic": list.set(topic),
        "value_template": format!("{{{{ value_json['{key}'] }}}}"),
        "command_template": command,
        "min": 4,
        "max": 5,
        "pattern": CLOCK,
        "icon": icon,
        "optimistic": false,
    });
    list.add("text", name, Available::Standard, keys);
}

/// What the sensor of this name shows now.
fn shown(list: &List<'_>, name: &str) -> String {
    format!("states('sensor.{}')", entity(list, name))
}

fn entity(list: &List<'_>, name: &str) -> String {
    format!("{}_{}", list.car.vin, snake(name)).to_lowercase()
}
