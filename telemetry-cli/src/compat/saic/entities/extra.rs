//! What can be done beyond the original's commands, where the car has it.

use serde_json::{Value, json};

use super::{Available, List};

pub(super) fn add(list: &mut List<'_>) {
    let extras = list.car.shown.extras;
    if extras.sunroof {
        // The original announces it, too, and refuses its commands.
        switch(list, "Sun roof", "windows/sunRoof", ("True", "False"), None);
    }
    if extras.windows {
        windows(list);
    }
    if extras.rear_seats {
        for side in ["Left", "Right"] {
            let topic = format!("climate/heatedSeatsRear{side}Level");
            let name = format!("Heated Seat Rear {side}");
            // Any level is on.
            let icon = Some("mdi:car-seat-heater");
            let mut keys = keys(list, &topic, ("3", "0"), icon);
            keys["value_template"] = "{{ 3 if value | int(0) > 0 else 0 }}".into();
            list.add("switch", &name, Available::Standard, keys);
        }
    }
    if extras.steering_wheel {
        let topic = "climate/heatedSteeringWheel";
        let icon = Some("mdi:steering");
        switch(list, "Heated steering wheel", topic, ("on", "off"), icon);
    }
}

/// All windows at once: cars move no single one.
fn windows(list: &mut List<'_>) {
    let (state, set) = (list.state("windows/all"), list.set("windows/all"));
    let cover = json!({
        "state_topic": state,
        "command_topic": set,
        "payload_open": "open",
        "payload_close": "close",
        "payload_stop": null,
        "state_open": "open",
        "state_closed": "closed",
        "device_class": "window",
        "optimistic": false,
    });
    list.add("cover", "Windows", Available::Standard, cover);
    let gap = json!({
        "command_topic": set,
        "payload_press": "ventilate",
        "icon": "mdi:car-door",
    });
    list.add("button", "Ventilate windows", Available::Standard, gap);
}

fn switch(
    list: &mut List<'_>,
    name: &str,
    topic: &str,
    payloads: (&str, &str),
    icon: Option<&str>,
) {
    let keys = keys(list, topic, payloads, icon);
    list.add("switch", name, Available::Standard, keys);
}

fn keys(list: &List<'_>, topic: &str, (on, off): (&str, &str), icon: Option<&str>) -> Value {
    json!({
        "state_topic": list.state(topic),
        "command_topic": list.set(topic),
        "payload_on": on,
        "payload_off": off,
        "icon": icon,
        "optimistic": false,
    })
}
