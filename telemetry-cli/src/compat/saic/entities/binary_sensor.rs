//! What is so or not.

use serde_json::json;

use super::{Available, List};

/// Name, topic, device class and icon.
type Row = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

const ROWS: &[Row] = &[
    (
        "Charger connected",
        "drivetrain/chargerConnected",
        Some("plug"),
        Some("mdi:power-plug-battery"),
    ),
    (
        "HV Battery Active",
        "drivetrain/hvBatteryActive",
        Some("power"),
        Some("mdi:battery-check"),
    ),
    (
        "Battery Charging",
        "drivetrain/charging",
        Some("battery_charging"),
        Some("mdi:battery-charging"),
    ),
    (
        "Battery heating",
        "drivetrain/batteryHeating",
        None,
        Some("mdi:heat-wave"),
    ),
    (
        "Vehicle Running",
        "drivetrain/running",
        Some("running"),
        Some("mdi:car-side"),
    ),
    ("Door driver", "doors/driver", DOOR, DOOR_ICON),
    ("Door passenger", "doors/passenger", DOOR, DOOR_ICON),
    ("Door rear left", "doors/rearLeft", DOOR, DOOR_ICON),
    ("Door rear right", "doors/rearRight", DOOR, DOOR_ICON),
    ("Bonnet", "doors/bonnet", DOOR, DOOR_ICON),
    ("Boot", "doors/boot", DOOR, DOOR_ICON),
    (
        "Lights Main Beam",
        "lights/mainBeam",
        Some("light"),
        Some("mdi:car-light-high"),
    ),
    (
        "Lights Dipped Beam",
        "lights/dippedBeam",
        Some("light"),
        Some("mdi:car-light-dimmed"),
    ),
    (
        "Lights Side",
        "lights/side",
        Some("light"),
        Some("mdi:car-light-dimmed"),
    ),
    ("Window driver", "windows/driver", WINDOW, None),
    ("Window passenger", "windows/passenger", WINDOW, None),
    ("Window rear left", "windows/rearLeft", WINDOW, None),
    ("Window rear right", "windows/rearRight", WINDOW, None),
];

const SUNROOF: Row = ("Sun roof", "windows/sunRoof", WINDOW, None);

const DOOR: Option<&str> = Some("door");
const DOOR_ICON: Option<&str> = Some("mdi:car-door");
const WINDOW: Option<&str> = Some("window");

pub(super) fn add(list: &mut List<'_>) {
    let sunroof = list.car.profile.has_sunroof.then_some(SUNROOF);
    for (name, topic, device_class, icon) in ROWS.iter().copied().chain(sunroof) {
        let keys = json!({
            "state_topic": list.state(topic),
            "payload_on": "True",
            "payload_off": "False",
            "device_class": device_class,
            "icon": icon,
        });
        list.add("binary_sensor", name, Available::Standard, keys);
    }
    let reachable = json!({
        "state_topic": list.state("available"),
        "payload_on": "online",
        "payload_off": "offline",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
    });
    list.add(
        "binary_sensor",
        "Vehicle reachable",
        Available::Gateway,
        reachable,
    );
    let used_up = json!({
        "state_topic": list.state("commands/usedUp"),
        "payload_on": "True",
        "payload_off": "False",
        "device_class": "problem",
        "entity_category": "diagnostic",
    });
    list.add(
        "binary_sensor",
        "Commands used up",
        Available::Gateway,
        used_up,
    );
    let heating = json!({
        "state_topic": list.state("drivetrain/batteryHeatingSchedule"),
        "value_template": "{{ value_json['mode'] }}",
        "payload_on": "on",
        "payload_off": "off",
        "icon": "mdi:clock-outline",
    });
    list.add(
        "binary_sensor",
        "Scheduled Battery Heating",
        Available::Standard,
        heating,
    );
}
