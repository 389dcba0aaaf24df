//! Cars of every drive train, as the cloud describes them.

use bimmer::mybmw::{Capabilities, Profile, Vehicle, VehicleState};
use bimmer::types::{Brand, parse_time};
use serde_json::Value as Json;

/// Their names.
pub const NAMES: [&str; 10] = [
    "bev_charging",
    "bev_no_status",
    "bev_unknown_status",
    "erex_invalid",
    "ice",
    "mild_hybrid_mini",
    "no_powertrain_data",
    "phev_waiting",
    "supra",
    "unknown_drivetrain",
];

/// One with what other clients make of it.
pub fn vector(name: &str) -> Json {
    let text = match name {
        "bev_charging" => include_str!("../../../tests/data/bmw/bev_charging.json"),
        "bev_no_status" => include_str!("../../../tests/data/bmw/bev_no_status.json"),
        "bev_unknown_status" => include_str!("../../../tests/data/bmw/bev_unknown_status.json"),
        "erex_invalid" => include_str!("../../../tests/data/bmw/erex_invalid.json"),
        "ice" => include_str!("../../../tests/data/bmw/ice.json"),
        "mild_hybrid_mini" => include_str!("../../../tests/data/bmw/mild_hybrid_mini.json"),
        "no_powertrain_data" => include_str!("../../../tests/data/bmw/no_powertrain_data.json"),
        "phev_waiting" => include_str!("../../../tests/data/bmw/phev_waiting.json"),
        "supra" => include_str!("../../../tests/data/bmw/supra.json"),
        "unknown_drivetrain" => include_str!("../../../tests/data/bmw/unknown_drivetrain.json"),
        other => panic!("there is no vehicle {other}"),
    };
    serde_json::from_str(text).unwrap()
}

/// One as the SDK reads it.
pub fn car(name: &str) -> Vehicle {
    let vector = vector(name);
    let mut profile: Profile = serde_json::from_value(vector["profile"].clone()).unwrap();
    if profile.brand_name.as_deref() == Some("DRITTKUNDE") {
        profile.listed_as = Some(Brand::Toyota);
    }
    let state: VehicleState = serde_json::from_value(vector["state"]["state"].clone()).unwrap();
    let capabilities: Capabilities =
        serde_json::from_value(vector["state"]["capabilities"].clone()).unwrap();
    let charging = serde_json::from_value(vector["charging_settings"].clone()).unwrap();
    let fetched_at = parse_time(vector["fetched_at"].as_str().unwrap()).unwrap();
    Vehicle::new(profile, state, capabilities, charging, fetched_at)
}
