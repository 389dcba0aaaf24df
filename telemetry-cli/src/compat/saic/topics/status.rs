//! From the status of a car.

use saic_ismart::vehicle::GpsFix;
use saic_ismart::{ClimateStatus, VehicleStatus};
use serde::Serialize;

use super::{Publication, Publications};

/// The topics of a status of a car that is charged or not.
pub fn status(status: &VehicleStatus, charging: bool) -> Publications {
    let mut topics = without_place(status, charging);
    let fix = status.position.fix;
    if let Some(GpsFix::TwoDimensional | GpsFix::ThreeDimensional) = fix {
        location(status, &mut topics);
    }
    topics
}

fn without_place(status: &VehicleStatus, charging: bool) -> Publications {
    let mut topics = Publications::default();
    drivetrain(status, charging, &mut topics);
    climate(status, &mut topics);
    body(status, &mut topics);
    topics
}

/// The topics of what the cloud had kept of a car: it leaves out much, and
/// that must not look like off. Its state of charge has no decimals: it counts
/// only if the `known` one is another.
pub fn cached(kept: &VehicleStatus, known_soc: Option<f64>) -> Publications {
    let basic = &kept.basic;
    let unknown = |one: &Publication| match one.topic.as_str() {
        "drivetrain/running" => basic.engine_status.is_none(),
        "climate/remoteClimateState" => basic.climate.is_none(),
        "climate/rearWindowDefrosterHeating" => basic.rear_window_heating.is_none(),
        // That depends on charging, which it does not know.
        topic => topic == HV_ACTIVE,
    };
    let mut topics = without_place(kept, false).without(unknown);
    // Nor does it say how good the position is.
    if kept.position.latitude_longitude_deg().is_some() {
        location(kept, &mut topics);
    }
    let soc = basic.soc_percent.map(f64::from);
    let other = |soc: &f64| known_soc.is_none_or(|known| (known - soc).abs() >= 1.0);
    topics.float("drivetrain/soc", soc.filter(other));
    topics
}

/// Known at the end of a poll.
pub const HV_ACTIVE: &str = "drivetrain/hvBatteryActive";

fn drivetrain(status: &VehicleStatus, charging: bool, topics: &mut Publications) {
    let basic = &status.basic;
    topics.flag("drivetrain/running", Some(basic.is_running()));
    topics.float("drivetrain/mileage", basic.odometer_km());
    topics.float(
        "drivetrain/auxiliaryBatteryVoltage",
        basic.aux_battery_voltage_v(),
    );
    if let (Some(id), Some(distance)) = (basic.journey_id, basic.journey_distance_km()) {
        topics.json("drivetrain/currentJourney", &Journey { id, distance });
    }
    topics.float("drivetrain/fossilFuel/range", basic.fuel_range_km());
    topics.int("drivetrain/fossilFuel/percentage", basic.fuel_percent);
    let active = charging || basic.is_hv_active();
    topics.flag(HV_ACTIVE, Some(active));
}

#[derive(Serialize)]
struct Journey {
    id: u32,
    distance: f64,
}

fn climate(status: &VehicleStatus, topics: &mut Publications) {
    let basic = &status.basic;
    topics.int("climate/interiorTemperature", basic.interior_temperature_c);
    topics.int("climate/exteriorTemperature", basic.exterior_temperature_c);
    topics.text("climate/remoteClimateState", climate_state(basic.climate));
    let heating = basic.rear_window_heating == Some(true);
    topics.text(
        "climate/rearWindowDefrosterHeating",
        if heating { "on" } else { "off" },
    );
    for (seat, level) in [
        ("FrontLeft", basic.seat_heating_front_left),
        ("FrontRight", basic.seat_heating_front_right),
        ("RearLeft", basic.seat_heating_rear_left),
        ("RearRight", basic.seat_heating_rear_right),
    ] {
        topics.int(&format!("climate/heatedSeats{seat}Level"), level);
    }
    if let Some(level) = basic.steering_wheel_heating {
        let state = if level > 0 { "on" } else { "off" };
        topics.text("climate/heatedSteeringWheel", state);
    }
}

/// What the climate does, in the original's words.
pub fn climate_state(status: Option<ClimateStatus>) -> String {
    match status.map_or(0, ClimateStatus::code) {
        0 => "off".to_owned(),
        1 => "blowingonly".to_owned(),
        2 => "on".to_owned(),
        5 => "front".to_owned(),
        other => format!("unknown ({other})"),
    }
}

fn body(status: &VehicleStatus, topics: &mut Publications) {
    let basic = &status.basic;
    if basic.windows_known() {
        let windows = [
            ("driver", basic.driver_window_open),
            ("passenger", basic.passenger_window_open),
            ("rearLeft", basic.rear_left_window_open),
            ("rearRight", basic.rear_right_window_open),
        ];
        for (window, open) in windows {
            topics.flag(&format!("windows/{window}"), open);
        }
        let known = windows.iter().filter_map(|(_, open)| *open);
        if let Some(open) = known.reduce(|one, other| one || other) {
            topics.text("windows/all", if open { "open" } else { "closed" });
        }
    }
    topics.flag("windows/sunRoof", basic.sunroof_open);
    topics.flag("doors/locked", basic.locked);
    for (door, open) in [
        ("driver", basic.driver_door_open),
        ("passenger", basic.passenger_door_open),
        ("rearLeft", basic.rear_left_door_open),
        ("rearRight", basic.rear_right_door_open),
        ("bonnet", basic.bonnet_open),
        ("boot", basic.boot_open),
    ] {
        topics.flag(&format!("doors/{door}"), open);
    }
    topics.flag("lights/mainBeam", basic.main_beam_on);
    topics.flag("lights/dippedBeam", basic.dipped_beam_on);
    topics.flag("lights/side", basic.side_light_on);
    let tyres = ["frontLeft", "frontRight", "rearLeft", "rearRight"];
    for (tyre, bar) in tyres.iter().zip(basic.tyre_pressures_bar()) {
        let bar = bar.map(|bar| super::text::rounded(bar, 2));
        topics.float(&format!("tyres/{tyre}Pressure"), bar);
    }
}

fn location(status: &VehicleStatus, topics: &mut Publications) {
    let position = &status.position;
    let way_point = &position.way_point;
    topics.int("location/heading", way_point.heading_deg);
    if let Some((latitude, longitude)) = position.latitude_longitude_deg() {
        topics.float("location/latitude", Some(latitude));
        topics.float("location/longitude", Some(longitude));
        topics.int("location/elevation", position.altitude_m());
        let altitude = position.altitude_m();
        let place = Place {
            latitude,
            longitude,
            altitude,
        };
        topics.json("location/position", &place);
    }
    let speed = way_point.speed_deci_kmh.map(|raw| f64::from(raw) / 10.0);
    let speed = if status.basic.is_parked() {
        Some(0.0)
    } else {
        speed
    };
    topics.float("location/speed", speed);
}

#[derive(Serialize)]
struct Place {
    latitude: f64,
    longitude: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    altitude: Option<i16>,
}
