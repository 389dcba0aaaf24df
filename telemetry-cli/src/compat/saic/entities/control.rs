//! What can be set and done.

use saic_ismart::SeatHeating;
use serde_json::{Value, json};

use super::super::refresh::{Mode, Period};
use super::{Available, List};

pub(super) fn add(list: &mut List<'_>) {
    gateway(list);
    charging(list);
    seats(list);
    switches(list);
    locks(list);
    climate(list);
    let position = json!({
        "json_attributes_topic": list.state("location/position"),
        "source_type": "gps",
    });
    list.add(
        "device_tracker",
        "Vehicle position",
        Available::Standard,
        position,
    );
    for (name, topic, kind) in [
        ("Command error", "events/command_error", "command_error"),
        (
            "Command limit reached",
            "events/command_limit_reached",
            "command_limit_reached",
        ),
        (
            "Vehicle message",
            "events/vehicle_message",
            "vehicle_message",
        ),
    ] {
        let event = json!({"state_topic": list.state(topic), "event_types": [kind]});
        list.add("event", name, Available::Gateway, event);
    }
}

fn gateway(list: &mut List<'_>) {
    let options: Vec<_> = Mode::ALL.iter().map(ToString::to_string).collect();
    let mode = json!({
        "state_topic": list.state("refresh/mode"),
        "command_topic": list.set("refresh/mode"),
        "options": options,
        "icon": "mdi:refresh",
        "entity_category": "config",
        "retain": true,
        "optimistic": false,
    });
    list.add("select", "Gateway refresh mode", Available::Gateway, mode);
    let holiday = json!({
        "state_topic": list.state("refresh/holiday"),
        "command_topic": list.set("refresh/holiday"),
        "payload_on": "True",
        "payload_off": "False",
        "icon": "mdi:beach",
        "entity_category": "config",
        "retain": true,
        "optimistic": false,
    });
    list.add("switch", "Holiday mode", Available::Gateway, holiday);
    for (name, period) in [
        ("Gateway active refresh period", Period::Active),
        ("Gateway inactive refresh period", Period::Inactive),
        (
            "Gateway refresh period after car shutdown",
            Period::AfterShutdown,
        ),
        (
            "Gateway grace period after car shutdown",
            Period::InactiveGrace,
        ),
    ] {
        let topic = format!("refresh/period/{}", period.name());
        let (min, max) = period.limits();
        let number = json!({
            "state_topic": list.state(&topic),
            "command_topic": list.set(&topic),
            "min": min,
            "max": max,
            "step": 1,
            "mode": "auto",
            "unit_of_measurement": "s",
            "icon": "mdi:timer",
            "entity_category": "config",
            "retain": true,
            "optimistic": false,
        });
        list.add("number", name, Available::Gateway, number);
    }
}

fn charging(list: &mut List<'_>) {
    let profile = list.car.profile;
    if profile.has_target_soc {
        let target = json!({
            "state_topic": list.state("drivetrain/socTarget"),
            "command_topic": list.set("drivetrain/socTarget"),
            "min": 40,
            "max": 100,
            "step": 10,
            "mode": "slider",
            "device_class": "battery",
            "unit_of_measurement": "%",
            "icon": "mdi:battery-charging-70",
            "optimistic": false,
        });
        list.add("number", "Target SoC", Available::Standard, target);
    }
    let topic = "drivetrain/totalBatteryCapacity";
    // The sensor of this name was there first.
    let sensor = json!({
        "state_topic": list.state(topic),
        "device_class": "energy_storage",
        "state_class": "measurement",
        "unit_of_measurement": "kWh",
        "icon": "mdi:battery-high",
        "entity_category": "diagnostic",
    });
    list.add(
        "sensor",
        "Total Battery Capacity",
        Available::Standard,
        sensor,
    );
    let number = json!({
        "state_topic": list.state(topic),
        "command_topic": list.set(topic),
        "min": 0,
        "max": 200,
        "step": 0.1,
        "mode": "box",
        "unit_of_measurement": "kWh",
        "icon": "mdi:battery-high",
        "entity_category": "config",
        "retain": true,
        "optimistic": false,
    });
    list.add(
        "number",
        "Total Battery Capacity",
        Available::Gateway,
        number,
    );
    if profile.has_current_limit {
        let limit = json!({
            "state_topic": list.state("drivetrain/chargeCurrentLimit"),
            "command_topic": list.set("drivetrain/chargeCurrentLimit"),
            "options": ["6A", "8A", "16A", "Max"],
            "icon": "mdi:current-ac",
            "optimistic": false,
        });
        list.add("select", "Charge current limit", Available::Standard, limit);
    }
}

fn seats(list: &mut List<'_>) {
    for side in ["Left", "Right"] {
        let topic = format!("climate/heatedSeatsFront{side}Level");
        let (state, set) = (list.state(&topic), list.set(&topic));
        match list.car.profile.seat_heating {
            SeatHeating::None => {}
            SeatHeating::Levels => {
                let keys = json!({
                    "state_topic": state,
                    "command_topic": set,
                    "options": ["OFF", "LOW", "MEDIUM", "HIGH"],
                    "value_template": "{{ ['OFF', 'LOW', 'MEDIUM', 'HIGH'][value | int(0)] }}",
                    "command_template": "{{ {'OFF': 0, 'LOW': 1, 'MEDIUM': 2, 'HIGH': 3}[value] }}",
                    "icon": "mdi:car-seat-heater",
                    "optimistic": false,
                });
                list.add(
                    "select",
                    &format!("Heated Seat Front {side} Level"),
                    Available::Standard,
                    keys,
                );
            }
            SeatHeating::OnOff => {
                let keys = json!({
                    "state_topic": state,
                    "command_topic": set,
                    "payload_on": "1",
                    "payload_off": "0",
                    "icon": "mdi:car-seat-heater",
                    "optimistic": false,
                });
                list.add(
                    "switch",
                    &format!("Heated Seat Front {side}"),
                    Available::Standard,
                    keys,
                );
            }
        }
    }
}

fn switches(list: &mut List<'_>) {
    let mut add = |name: &str,
                   topic: &str,
                   on: &str,
                   off: &str,
                   icon: Option<&str>,
                   template: Option<String>| {
        // Its state is published nowhere.
        let has_state = name != "Find my car";
        let keys = json!({
            "state_topic": has_state.then(|| list.state(topic)),
            "command_topic": list.set(topic),
            "payload_on": on,
            "payload_off": off,
            "icon": icon,
            "value_template": template,
            "optimistic": false,
        });
        list.add("switch", name, Available::Standard, keys);
    };
    let only = |on: &str| Some(format!("{{{{ '{on}' if value == '{on}' else 'off' }}}}"));
    let climate = "climate/remoteClimateState";
    add(
        "Charging",
        "drivetrain/charging",
        "True",
        "False",
        None,
        None,
    );
    add(
        "Battery heating",
        "drivetrain/batteryHeating",
        "True",
        "False",
        Some("mdi:heat-wave"),
        None,
    );
    let rear = "climate/rearWindowDefrosterHeating";
    add(
        "Rear window defroster heating",
        rear,
        "on",
        "off",
        Some("mdi:car-defrost-rear"),
        None,
    );
    add(
        "Front window defroster heating",
        climate,
        "front",
        "off",
        Some("mdi:car-defrost-front"),
        only("front"),
    );
    add(
        "Vehicle climate fan only",
        climate,
        "blowingonly",
        "off",
        Some("mdi:fan"),
        only("blowingonly"),
    );
    add(
        "Find my car",
        "location/findMyCar",
        "activate",
        "stop",
        Some("mdi:car-search"),
        None,
    );
}

fn locks(list: &mut List<'_>) {
    for (name, topic, (locked, unlocked), icon) in [
        (
            "Doors Lock",
            "doors/locked",
            ("True", "False"),
            "mdi:car-door-lock",
        ),
        // An open boot is True.
        (
            "Boot Lock",
            "doors/boot",
            ("False", "True"),
            "mdi:car-door-lock",
        ),
        (
            "Charging Cable Lock",
            "drivetrain/chargingCableLock",
            ("True", "False"),
            "mdi:lock",
        ),
    ] {
        let keys = json!({
            "state_topic": list.state(topic),
            "command_topic": list.set(topic),
            "payload_lock": "True",
            "payload_unlock": "False",
            "state_locked": locked,
            "state_unlocked": unlocked,
            "icon": icon,
            "optimistic": false,
        });
        list.add("lock", name, Available::Standard, keys);
    }
}

fn climate(list: &mut List<'_>) {
    let (lowest, highest) = list.car.profile.temperatures_c;
    let keys: Value = json!({
        "modes": ["off", "auto"],
        "mode_state_topic": list.state("climate/remoteClimateState"),
        "mode_state_template": "{{ 'auto' if value == 'on' else 'off' }}",
        "mode_command_topic": list.set("climate/remoteClimateState"),
        "mode_command_template": "{{ 'on' if value == 'auto' else 'off' }}",
        "current_temperature_topic": list.state("climate/interiorTemperature"),
        "temperature_state_topic": list.state("climate/remoteTemperature"),
        "temperature_command_topic": list.set("climate/remoteTemperature"),
        "temperature_command_template": "{{ value | int }}",
        "min_temp": lowest,
        "max_temp": highest,
        "temp_step": 1,
        "precision": 1.0,
        "temperature_unit": "C",
    });
    list.add("climate", "Vehicle climate", Available::Standard, keys);
}
