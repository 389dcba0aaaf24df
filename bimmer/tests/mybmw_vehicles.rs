//! The vehicles of `data/vehicles/`: every drive train, every value.

mod support;

use bimmer::mybmw::{ChargingPreference, ChargingStatus, TimeOfDay, Vehicle};
use serde_json::{Value as Json, json};
use support::mybmw::{iso, read, vehicle};

#[test]
fn vehicles_of_every_drive_train() {
    for name in [
        "bev_charging",
        "phev_waiting",
        "erex_invalid",
        "ice",
        "mild_hybrid_mini",
        "supra",
        "bev_no_status",
        "bev_unknown_status",
        "unknown_drivetrain",
        "no_powertrain_data",
    ] {
        let vector = vehicle(name);
        let car = read(&vector);
        let parsed = &vector["parsed"];
        // What the vector's client loses although it was sent.
        let lost = matches!(name, "bev_no_status" | "unknown_drivetrain");
        let energy = &parsed["fuel_and_battery"];
        if !lost {
            check_energy(name, &car, energy);
        }
        check_rest(name, &car, parsed);
        check_capabilities(name, &car, parsed);
    }
    let car = read(&vehicle("bev_no_status"));
    assert_eq!(
        (car.soc_percent(), car.ranges().electric_km),
        (Some(70), Some(300))
    );
    assert_eq!(
        (car.charging_status(), car.plugged_in()),
        (None, Some(false))
    );
    let vector = vehicle("unknown_drivetrain");
    let car = read(&vector);
    let sent = &vector["state"]["state"];
    assert_eq!(
        json!(car.soc_percent()),
        sent["electricChargingState"]["chargingLevelPercent"]
    );
    assert_eq!(
        json!(car.ranges().fuel_km),
        sent["combustionFuelLevel"]["range"]
    );
}

fn check_energy(name: &str, car: &Vehicle, energy: &Json) {
    let ranges = car.ranges();
    assert_eq!(
        json!(ranges.fuel_km),
        energy["remaining_range_fuel"][0],
        "{name}"
    );
    assert_eq!(
        json!(ranges.electric_km),
        energy["remaining_range_electric"][0],
        "{name}"
    );
    // The vector's client adds to a total that the cloud sends already.
    let total = &energy["remaining_range_total"][0];
    assert_eq!(&json!(ranges.total_km), total, "{name}");
    assert_eq!(car.fuel_l(), energy["remaining_fuel"][0].as_f64(), "{name}");
    assert_eq!(
        json!(car.fuel_percent()),
        energy["remaining_fuel_percent"],
        "{name}"
    );
    assert_eq!(
        json!(car.soc_percent()),
        energy["remaining_battery_percent"],
        "{name}"
    );
    assert_eq!(
        json!(car.target_soc_percent()),
        energy["charging_target"],
        "{name}"
    );
    let plugged = car.plugged_in().unwrap_or(false);
    assert_eq!(json!(plugged), energy["is_charger_connected"], "{name}");
    let status = car.charging_status().map(|status| match status {
        ChargingStatus::Other(_) => "UNKNOWN".to_owned(),
        status => status.as_str().to_owned(),
    });
    assert_eq!(json!(status), energy["charging_status"], "{name}");
    assert_eq!(
        iso(car.charging_ends_at()),
        energy["charging_end_time"],
        "{name}"
    );
    let starts = car.charging_starts_at(car.fetched_at.naive_utc());
    let starts = starts.map(|time| time.format("%Y-%m-%dT%H:%M:%S").to_string());
    assert_eq!(json!(starts), energy["charging_start_time"], "{name}");
}

fn lids(lids: &[bimmer::mybmw::Lid]) -> Json {
    let lid = |lid: &bimmer::mybmw::Lid| json!({"name": lid.name, "state": lid.state, "is_closed": lid.is_closed()});
    lids.iter().map(lid).collect()
}

fn check_rest(name: &str, car: &Vehicle, parsed: &Json) {
    assert_eq!(json!(car.state.odometer_km), parsed["mileage"][0], "{name}");
    assert_eq!(iso(car.timestamp()), parsed["timestamp"], "{name}");
    let location = car.state.location.clone().unwrap_or_default();
    let place = &parsed["vehicle_location"];
    assert_eq!(json!(location.position), place["location"], "{name}");
    assert_eq!(json!(location.heading_deg), place["heading"], "{name}");

    let doors = &parsed["doors_and_windows"];
    let lock = car
        .state
        .doors
        .as_ref()
        .and_then(|doors| doors.combined_security_state.clone());
    let lock = lock.map_or("UNKNOWN".to_owned(), |lock| lock.as_str().to_owned());
    assert_eq!(json!(lock), doors["door_lock_state"], "{name}");
    assert_eq!(lids(&car.lids()), doors["lids"], "{name}");
    assert_eq!(lids(&car.windows()), doors["windows"], "{name}");

    let services = &parsed["condition_based_services"];
    assert_eq!(
        json!(car.is_service_required()),
        services["is_service_required"],
        "{name}"
    );
    let kind = |service: Option<&bimmer::mybmw::RequiredService>| {
        json!(service.and_then(|service| service.kind.clone()))
    };
    let by_distance = kind(car.next_service_by_distance());
    assert_eq!(
        by_distance, services["next_service_by_distance"]["service_type"],
        "{name}"
    );
    assert_eq!(
        kind(car.next_service_by_time()),
        services["next_service_by_time"]["service_type"]
    );
    let items = services["messages"].as_array().unwrap();
    assert_eq!(car.state.required_services.len(), items.len());
    for (service, item) in car.state.required_services.iter().zip(items) {
        assert_eq!(iso(service.due_at), item["due_date"], "{name}");
        assert_eq!(json!(service.due_km), item["due_distance"][0], "{name}");
    }

    let control = &parsed["check_control_messages"];
    let shown = car.messages().map(|message| {
        json!({"description_short": message.kind, "description_long": message.long_description,
               "state": message.severity})
    });
    assert_eq!(shown.collect::<Json>(), control["messages"], "{name}");
    let urgent: Vec<_> = car
        .urgent_messages()
        .filter_map(|message| message.kind.clone())
        .collect();
    assert_eq!(
        json!(!urgent.is_empty()),
        control["has_check_control_messages"],
        "{name}"
    );
    let urgent = Some(urgent.join(", ")).filter(|urgent| !urgent.is_empty());
    assert_eq!(
        json!(urgent),
        control["urgent_check_control_messages"],
        "{name}"
    );

    let climate = car.state.climate.clone().unwrap_or_default();
    assert_eq!(
        json!(climate.is_on()),
        parsed["climate"]["is_climate_on"],
        "{name}"
    );
    assert_eq!(
        iso(climate.ends_at(car.fetched_at)),
        parsed["climate"]["activity_end_time"]
    );

    let unit = &parsed["headunit"];
    assert_eq!(
        json!(car.profile.software()),
        unit["software_version"],
        "{name}"
    );
    assert_eq!(
        json!(car.profile.hmi_version),
        unit["idrive_version"],
        "{name}"
    );
    assert_eq!(
        json!(car.profile.head_unit_type),
        unit["headunit_type"],
        "{name}"
    );
    check_profile_and_tyres(name, car, parsed);
}

fn check_profile_and_tyres(name: &str, car: &Vehicle, parsed: &Json) {
    let expected = &parsed["charging_profile"];
    if let Some(profile) = &car.state.charging_profile {
        assert_eq!(
            json!(profile.is_pre_entry_climate),
            expected["is_pre_entry_climatization_enabled"]
        );
        assert_eq!(
            json!(profile.charging_control_type),
            expected["timer_type"],
            "{name}"
        );
        assert_eq!(
            json!(profile.charging_mode),
            expected["charging_mode"],
            "{name}"
        );
        assert_eq!(
            json!(profile.charging_preference),
            expected["charging_preferences"],
            "{name}"
        );
        assert_eq!(
            json!(profile.ac_current_limit_a),
            expected["ac_current_limit"],
            "{name}"
        );
        let clock = |time: Option<TimeOfDay>| {
            json!(time.map(|time| format!("{:02}:{:02}:00", time.hour, time.minute)))
        };
        let window = profile.window.clone().unwrap_or_default();
        assert_eq!(
            clock(window.start),
            expected["preferred_charging_window"]["start_time"]
        );
        assert_eq!(
            clock(window.end),
            expected["preferred_charging_window"]["end_time"]
        );
        let departures = profile.departure_times.iter().map(|departure| {
            json!({"action": departure.action, "start_time": clock(departure.time_stamp),
                   "timer_id": departure.id, "weekdays": departure.timer_week_days})
        });
        assert_eq!(
            departures.collect::<Json>(),
            expected["departure_times"],
            "{name}"
        );
        let limits = car.charging.as_ref().map(|details| details.ac_limits_a());
        assert_eq!(json!(limits), expected["ac_available_limits"], "{name}");
        let pack = car
            .charging
            .as_ref()
            .and_then(|details| details.service_pack.clone());
        assert_eq!(
            json!(pack),
            expected["charging_preferences_service_pack"],
            "{name}"
        );
    } else {
        assert!(expected.is_null(), "{name}");
    }
    let Some(tyres) = &car.state.tyres else {
        assert!(parsed["tires"].is_null(), "{name}");
        return;
    };
    let each = [
        ("front_left", &tyres.front_left),
        ("front_right", &tyres.front_right),
        ("rear_left", &tyres.rear_left),
        ("rear_right", &tyres.rear_right),
    ];
    for (place, tyre) in each {
        let tyre = tyre.clone().unwrap();
        let (status, details) = (tyre.status.unwrap(), tyre.details.unwrap());
        let seen = json!({"current_pressure": status.pressure_kpa,
            "target_pressure": status.target_pressure_kpa, "season": details.season,
            "manufacturing_week": details.made_in().map(|date| format!("{date}T00:00:00"))});
        assert_eq!(seen, parsed["tires"][place], "{name} {place}");
    }
}

fn check_capabilities(name: &str, car: &Vehicle, parsed: &Json) {
    let can = &car.capabilities;
    let train = car.profile.drive_train.clone().unwrap();
    assert_eq!(
        json!(car.profile.brand().as_str()),
        parsed["brand"],
        "{name}"
    );
    assert_eq!(json!(car.profile.model), parsed["name"], "{name}");
    for (seen, key) in [
        (Some(train.has_combustion()), "has_combustion_drivetrain"),
        (Some(train.has_electric()), "has_electric_drivetrain"),
        (can.is_charging_plan_supported, "is_charging_plan_supported"),
        (
            can.is_charging_settings_enabled,
            "is_charging_settings_supported",
        ),
        (car.state.is_lsc_supported, "is_lsc_enabled"),
        (Some(can.charge_start()), "is_remote_charge_start_enabled"),
        (Some(can.charge_stop()), "is_remote_charge_stop_enabled"),
        (can.climate_now, "is_remote_climate_start_enabled"),
        (
            Some(car.state.climate.is_some()),
            "is_remote_climate_stop_enabled",
        ),
        (can.horn, "is_remote_horn_enabled"),
        (can.lights, "is_remote_lights_enabled"),
        (can.lock, "is_remote_lock_enabled"),
        (can.send_poi, "is_remote_sendpoi_enabled"),
        (
            can.is_charging_power_limit_enabled,
            "is_remote_set_ac_limit_enabled",
        ),
        (
            can.is_charging_target_soc_enabled,
            "is_remote_set_target_soc_enabled",
        ),
        (can.unlock, "is_remote_unlock_enabled"),
        (can.vehicle_finder, "is_vehicle_tracking_enabled"),
    ] {
        assert_eq!(seen, parsed[key].as_bool(), "{name} {key}");
    }
    assert_eq!(
        json!(can.last_state_call_state),
        parsed["lsc_type"],
        "{name}"
    );
}

/// What the client of the vectors leaves out.
#[test]
fn values_that_others_leave_out() {
    let mut vector = vehicle("bev_charging");
    vector["state"]["state"]["vehicleSoftwareVersion"] =
        json!({"iStep": 563, "puStep": {"month": 3, "year": 22}, "seriesCluster": "G070"});
    vector["state"]["capabilities"]["isPlugAndChargeSupported"] = json!(true);
    vector["charging_settings"]["chargeAndClimateTimerDetail"]["departureTimer"]["weeklyTimers"] = json!([{"id": 1, "time": "0001-01-01T07:05:00", "daysOfTheWeek": ["MONDAY"],
            "timerAction": "ACTIVATE"}, {"time": "soon"}]);
    let car = read(&vector);
    let state = &car.state;
    assert_eq!(state.lsc_privacy_mode.as_deref(), Some("OFF"));
    assert_eq!(state.security_overview_mode.as_deref(), Some("ARMED"));
    assert_eq!(
        state.vehicle_software_version.as_ref().unwrap().i_step,
        Some(563)
    );
    let timer = &state.climate_timers[0];
    assert_eq!(timer.departure_time, Some(TimeOfDay { hour: 7, minute: 0 }));
    assert_eq!(
        (timer.is_weekly_timer, timer.timer_week_days.len()),
        (Some(true), 1)
    );
    let profile = state.charging_profile.as_ref().unwrap();
    assert_eq!(
        (profile.target_soc_percent, profile.ac_current_limit_a),
        (Some(80), Some(16))
    );
    assert_eq!(profile.hospitality.as_deref(), Some("NO_ACTION"));
    assert_eq!(profile.idcc.as_deref(), Some("NO_ACTION"));
    assert!(car.capabilities.a4a_type.is_some());
    assert_eq!(
        car.capabilities.flags.get("isPlugAndChargeSupported"),
        Some(&true)
    );
    assert!(!car.capabilities.flags.contains_key("lock"));

    let timers = car.charging.as_ref().unwrap().timers.as_ref().unwrap();
    assert_eq!(timers.is_precondition_active, Some(true));
    let slot = timers.charging.as_ref().unwrap();
    assert_eq!(slot.kind.as_deref(), Some("TIME_SLOT"));
    assert_eq!(slot.preference, Some(ChargingPreference::ChargingWindow));
    assert_eq!(
        slot.start,
        Some(TimeOfDay {
            hour: 22,
            minute: 30
        })
    );
    assert_eq!(slot.end, Some(TimeOfDay { hour: 5, minute: 0 }));
    let weekly = &timers.departure.as_ref().unwrap().weekly;
    assert_eq!(weekly[0].time, Some(TimeOfDay { hour: 7, minute: 5 }));
    assert_eq!((weekly[0].days.len(), weekly[1].time), (1, None));
}
