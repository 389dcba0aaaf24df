use std::collections::BTreeSet;

use saic_ismart::vehicle::VehicleListAnswer;

use super::super::extra::{Extras, Reported};
use super::*;

const VIN: &str = "LSJTEST0000000001";
pub(super) const ORIGINAL: &str = include_str!("../../../../tests/data/saic-original-entities.txt");

fn car(series: &str, features: &[(&str, &str)]) -> (VehicleInfo, Profile) {
    let features: Vec<_> = features
        .iter()
        .map(|(code, value)| json!({"itemCode": code, "itemValue": value}))
        .collect();
    let list = json!({"vinList": [{"vin": VIN, "series": series, "brandName": "MG", "modelName": "MG4 Electric",
        "modelYear": "2023", "colorName": "Black Pearl", "vehicleModelConfiguration": features}]});
    let info = VehicleListAnswer::from_json(&list.to_string())
        .unwrap()
        .vehicles
        .remove(0);
    let profile = Profile::of(&info);
    (info, profile)
}

pub(super) const FULL: &[(&str, &str)] = &[("BType", "1"), ("HeatedSeat", "1"), ("S35", "1")];

const REPORTED: Reported = Reported {
    rear_seats: true,
    steering_wheel: true,
};

pub(super) fn with<T>(
    series: &str,
    features: &[(&str, &str)],
    show_unavailable: bool,
    look: impl FnOnce(Entities<'_>) -> T,
) -> T {
    let (info, profile) = car(series, features);
    let shown = Shown {
        extras: Extras::of(&info, &profile, REPORTED),
        charging: false,
    };
    let names = Names::new("saic", "me@example.com", true);
    look(Entities {
        names: &names,
        vin: VIN,
        info: &info,
        profile: &profile,
        shown,
        show_unavailable,
    })
}

fn components(series: &str, features: &[(&str, &str)]) -> Map<String, Value> {
    with(series, features, false, |car| car.components())
}

fn ids(components: &Map<String, Value>) -> BTreeSet<String> {
    let text = |component: &Value, key: &str| component[key].as_str().unwrap().to_owned();
    components
        .values()
        .map(|one| {
            format!(
                "{} {}",
                text(one, "platform"),
                text(one, "unique_id")
                    .strip_prefix(&format!("{VIN}_"))
                    .unwrap()
            )
        })
        .collect()
}

#[test]
fn every_entity_of_the_original_is_there_under_its_unique_id() {
    let ours = ids(&components("EH32 S", FULL));
    let original: BTreeSet<_> = ORIGINAL
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(" | ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let missing: Vec<_> = original.difference(&ours).collect();
    // Switches of single windows, which cars move only together.
    assert_eq!(
        missing,
        [
            "switch window_driver",
            "switch window_passenger",
            "switch window_rear_left",
            "switch window_rear_right",
        ]
    );
    let more: Vec<_> = ours.difference(&original).collect();
    assert_eq!(
        more,
        [
            "binary_sensor commands_used_up",
            "binary_sensor vehicle_reachable",
            "binary_sensor window_driver",
            "binary_sensor window_passenger",
            "binary_sensor window_rear_left",
            "binary_sensor window_rear_right",
            "button ventilate_windows",
            "cover windows",
            "event command_error",
            "event command_limit_reached",
            "event vehicle_message",
            "number total_battery_capacity",
            "sensor data_freshness",
            "sensor efficiency_since_last_charge",
            "sensor last_trip_distance",
            "sensor last_trip_efficiency",
            "sensor last_trip_end",
            "sensor last_trip_energy",
            "sensor last_trip_start",
            "sensor last_update",
            "sensor next_update",
            "sensor polling_phase",
            "sensor reachability",
            "switch heated_seat_rear_left",
            "switch heated_seat_rear_right",
            "switch heated_steering_wheel",
            "switch holiday_mode",
        ]
    );
}

#[test]
fn unique_ids_on_two_platforms_have_keys_of_their_own() {
    let components = components("EH32 S", FULL);
    for (id, first, second) in [
        ("scheduled_charging_mode", "sensor", "select"),
        ("scheduled_charging_start", "sensor", "text"),
        ("scheduled_charging_end", "sensor", "text"),
        ("scheduled_battery_heating", "binary_sensor", "select"),
        ("scheduled_battery_heating_start", "sensor", "text"),
        ("rear_window_defroster_heating", "sensor", "switch"),
        ("battery_heating", "binary_sensor", "switch"),
        ("sun_roof", "binary_sensor", "switch"),
    ] {
        let id = format!("{VIN}_{id}");
        assert_eq!(components[&id]["platform"], first, "{id}");
        let other = &components[&format!("{id}_{second}")];
        assert_eq!(
            (&other["platform"], &other["unique_id"]),
            (&second.into(), &id.as_str().into())
        );
    }
}

#[test]
fn a_car_is_announced_with_what_it_has() {
    let has = |series, features: &[(&str, &str)], id: &str| {
        ids(&components(series, features)).contains(id)
    };
    for (series, features, id, there) in [
        ("EH32 S", FULL, "binary_sensor sun_roof", true),
        (
            "EH32 S",
            &[("S35", "0")][..],
            "binary_sensor sun_roof",
            false,
        ),
        ("EH32 S", FULL, "switch sun_roof", true),
        ("EH32 S", &[("S35", "0")], "switch sun_roof", false),
        ("EH32 S", &[("S61", "0")], "cover windows", false),
        ("EC32 S", FULL, "cover windows", false),
        (
            "EH32 S",
            &[("S35", "0")],
            "switch heated_seat_rear_left",
            false,
        ),
        (
            "EH32 S",
            &[("SWH", "0")],
            "switch heated_steering_wheel",
            false,
        ),
        ("EH32 S", FULL, "select heated_seat_front_left_level", true),
        ("EH32 S", FULL, "switch heated_seat_front_left", false),
        (
            "EH32 S",
            &[("HeatedSeat", "2")],
            "switch heated_seat_front_right",
            true,
        ),
        (
            "EH32 S",
            &[("HeatedSeat", "2")],
            "select heated_seat_front_right_level",
            false,
        ),
        ("EH32 S", &[], "switch heated_seat_front_left", false),
        ("AS33P S", &[], "select charge_current_limit", false),
        ("EH32 S", FULL, "number target_soc", true),
        ("EH32 S", &[("BType", "0")], "number target_soc", false),
        ("EH32 S", FULL, "sensor last_trip_fuel", false),
        ("AS33P S", &[], "sensor last_trip_fuel", true),
        ("AS33P S", &[], "sensor last_trip_fuel_percentage", true),
        ("AS33P S", &[], "sensor last_trip_energy", true),
        ("ZP22 EU", &[], "sensor last_trip_fuel", true),
        ("ZP22 EU", &[], "sensor last_trip_energy", false),
        ("ZP22 EU", &[], "sensor last_trip_distance", true),
    ] {
        assert_eq!(has(series, features, id), there, "{series} {id}");
    }
    let mg4 = components("EH32 S", FULL);
    let fuel = format!("{VIN}_fossil_fuel_range");
    assert_eq!(mg4[&fuel]["enabled_by_default"], false);
    let hs = components("AS33P S", &[]);
    assert_eq!(hs[&fuel].get("enabled_by_default"), None);
    let climate = &mg4[&format!("{VIN}_vehicle_climate")];
    assert_eq!(
        (&climate["min_temp"], &climate["max_temp"]),
        (&17.into(), &33.into())
    );
}

#[test]
fn only_schedules_that_a_car_can_keep_are_offered() {
    let options = |nmc| {
        let components = components("EH32 S", &[("BType", nmc)]);
        components[&format!("{VIN}_scheduled_charging_mode_select")]["options"].clone()
    };
    assert_eq!(
        options("1"),
        json!(["DISABLED", "UNTIL_CONFIGURED_SOC", "UNTIL_CONFIGURED_TIME"])
    );
    assert_eq!(options("0"), json!(["DISABLED", "UNTIL_CONFIGURED_TIME"]));
}

#[test]
fn settings_stay_on_the_broker_and_wishes_do_not() {
    let components = components("EH32 S", FULL);
    let mut kept: Vec<_> = components
        .values()
        .filter(|one| one.get("retain") == Some(&true.into()))
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        [
            "Gateway active refresh period",
            "Gateway grace period after car shutdown",
            "Gateway inactive refresh period",
            "Gateway refresh mode",
            "Gateway refresh period after car shutdown",
            "Holiday mode",
            "Total Battery Capacity",
        ]
    );
}

#[test]
fn items_are_found_by_code_in_any_case() {
    for features in [
        [("BType", "1"), ("HeatedSeat", "1"), ("S35", "0")],
        [("BTYPE", "1"), ("heatedseat", "1"), ("s35", "0")],
    ] {
        let ids = ids(&components("EH32 S", &features));
        for id in ["number target_soc", "select heated_seat_front_left_level"] {
            assert!(ids.contains(id), "{features:?} {id}");
        }
        assert!(!ids.contains("binary_sensor sun_roof"), "{features:?}");
    }
}

#[test]
fn a_cover_cannot_be_stopped_half_way() {
    let windows = &components("EH32 S", FULL)[&format!("{VIN}_windows")];
    assert_eq!(windows.get("payload_stop"), Some(&Value::Null));
    assert_eq!(
        (&windows["payload_open"], &windows["payload_close"]),
        (&"open".into(), &"close".into())
    );
}

#[test]
fn the_icon_of_the_battery_shows_that_it_charges() {
    let icon = |charging| {
        with("EH32 S", FULL, false, |mut car| {
            car.shown.charging = charging;
            car.components()[&format!("{VIN}_soc")].get("icon").cloned()
        })
    };
    // Without one, Home Assistant draws the level.
    assert_eq!(icon(false), None);
    assert_eq!(icon(true), Some("mdi:battery-charging".into()));
}

#[test]
fn the_document_is_valid() {
    let document = with("EH32 S", FULL, false, |entities| {
        entities.document("homeassistant")
    });
    assert_eq!(
        document.topic,
        format!("homeassistant/device/{VIN}_mg/config")
    );
    let device = &document.content["device"];
    assert_eq!(device["identifiers"], json!([VIN]));
    assert_eq!(device["name"], format!("MG MG4 ELECTRIC {VIN}"));
    assert_eq!(device["model"], "MG4 ELECTRIC 2023 Black Pearl");
    assert_eq!(device["hw_version"], "EH32 S");
    assert_eq!(device["sw_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document.content["origin"]["name"], env!("CARGO_PKG_NAME"));
    assert_eq!(
        document.content["origin"]["sw_version"],
        env!("CARGO_PKG_VERSION")
    );
    let mut seen = BTreeSet::new();
    for (key, component) in document.content["components"].as_object().unwrap() {
        assert!(
            key.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "{key}"
        );
        let platform = component["platform"].as_str().unwrap();
        assert!(
            seen.insert((platform, component["unique_id"].as_str().unwrap())),
            "{key}"
        );
        let entity = component["default_entity_id"].as_str().unwrap();
        assert_eq!(entity, entity.to_lowercase());
        if platform == "sensor" || platform == "binary_sensor" {
            assert_ne!(
                component.get("entity_category"),
                Some(&"config".into()),
                "{key}"
            );
        }
        if ["number", "select", "text", "switch", "lock", "cover"].contains(&platform) {
            assert_eq!(component["optimistic"], false, "{key}");
        }
        for flag in ["retain", "optimistic", "enabled_by_default"] {
            assert!(
                component.get(flag).is_none_or(Value::is_boolean),
                "{key} {flag}"
            );
        }
        for (name, value) in component.as_object().unwrap() {
            if name.ends_with("topic") {
                let topic = value.as_str().unwrap();
                assert!(
                    topic.starts_with("saic/me@example.com/vehicles/")
                        && !topic.contains(['+', '#']),
                    "{topic}"
                );
            }
        }
    }
    let size = document.payload().len();
    assert!((20_000..60_000).contains(&size), "{size}");
}

#[test]
fn availability_follows_the_gateway_unless_the_user_wants_the_cars() {
    let topics = |show| {
        with("EH32 S", FULL, show, |entities| {
            let document = entities.document("ha");
            let list = document.content["availability"].as_array().unwrap().clone();
            list.iter()
                .map(|one| one["topic"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(topics(false), ["saic/_internal/lwt"]);
    let available = format!("saic/me@example.com/vehicles/{VIN}/available");
    assert_eq!(topics(true), ["saic/_internal/lwt".to_owned(), available]);
    let components = with("EH32 S", FULL, true, |car| car.components());
    let own = |id: &str| {
        components[&format!("{VIN}_{id}")]
            .get("availability")
            .cloned()
    };
    assert_eq!(own("soc"), None);
    assert_eq!(own("last_poll_error").unwrap().as_array().unwrap().len(), 1);
    let finished = own("charging_finished").unwrap();
    assert_eq!(finished.as_array().unwrap().len(), 3);
    assert!(
        finished[2]["topic"]
            .as_str()
            .unwrap()
            .ends_with("drivetrain/remainingChargingTime")
    );
}

#[test]
fn a_part_of_a_schedule_is_changed_with_the_rest_as_shown() {
    let components = components("EH32 S", FULL);
    let template = &components[&format!("{VIN}_scheduled_charging_start_text")]["command_template"];
    assert_eq!(
        template,
        "{{ {'startTime': value, 'endTime': states('sensor.lsjtest0000000001_scheduled_charging_end'), \
         'mode': states('sensor.lsjtest0000000001_scheduled_charging_mode')} | tojson }}"
    );
}
