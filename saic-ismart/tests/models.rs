//! What answers mean, against values that other people's clients decoded.

mod support;

use saic_ismart::charging::{ChargeSettingsAnswer, ChargingData, HeatingScheduleAnswer};
use saic_ismart::message::Messages;
use saic_ismart::vehicle::{ClimateStatus, ControlAnswer, VehicleListAnswer};
use saic_ismart::{
    ChargingState, Climate, ClimateActivity, CurrentLimit, Drive, Profile, ScheduleMode,
    SeatHeating, TargetSoc, VehicleInfo, VehicleStatus,
};
use serde_json::Value;
use support::{json, list, text};

fn vectors() -> Value {
    json(include_str!("data/models.json"))
}

fn vehicles() -> Vec<VehicleInfo> {
    let data = vectors()["vehicle_list"]["data"].to_string();
    VehicleListAnswer::from_json(&data).unwrap().vehicles
}

/// The other client rounds; both must be the same to this many decimals.
fn close(ours: Option<f64>, theirs: &Value, decimals: i32, what: &str) {
    match (ours, theirs.as_f64()) {
        (None, None) => {}
        (Some(ours), Some(theirs)) => {
            let step = 10f64.powi(-decimals);
            assert!(
                (ours - theirs).abs() <= 0.5001 * step,
                "{what}: {ours} and {theirs}"
            );
        }
        other => panic!("{what}: {other:?}"),
    }
}

fn same(ours: impl Into<Value>, theirs: &Value, what: &str) {
    assert_eq!(&ours.into(), theirs, "{what}");
}

#[test]
fn vehicle_list() {
    let vectors = vectors();
    let decoded = list(&vectors["vehicle_list"]["decoded"]);
    let vehicles = vehicles();
    assert_eq!(vehicles.len(), decoded.len());
    for (vehicle, want) in vehicles.iter().zip(decoded) {
        let profile = Profile::of(vehicle);
        assert_eq!(vehicle.vin.as_ref().unwrap().as_str(), text(&want["vin"]));
        assert_eq!(vehicle.series_key(), text(&want["series"]));
        assert_eq!(
            profile.drive == Drive::Electric,
            want["is_ev"].as_bool().unwrap()
        );
        assert_eq!(profile.has_sunroof, want["has_sunroof"].as_bool().unwrap());
        let levels = profile.seat_heating == SeatHeating::Levels;
        assert_eq!(levels, want["heated_seats_levels"].as_bool().unwrap());
        let on_off = profile.seat_heating == SeatHeating::OnOff;
        assert_eq!(on_off, want["heated_seats_on_off"].as_bool().unwrap());
        assert_eq!(
            profile.has_target_soc,
            want["supports_target_soc"].as_bool().unwrap()
        );
        let index = want["ac_index"].as_object().unwrap();
        for (temperature, index) in index {
            let temperature = temperature.parse().unwrap();
            let ours = profile.temperature_index(temperature).unwrap();
            assert_eq!(u64::from(ours), index.as_u64().unwrap());
        }
    }
    // Both numbers of the hybrid come from a later source than the vectors.
    let mg4 = Profile::of(&vehicles[0]);
    assert_eq!(
        (mg4.temperatures_c, mg4.battery_kwh),
        ((17, 33), Some(64.0))
    );
    assert_eq!(mg4.climate_start(22).unwrap(), Climate::Start { index: 8 });
    let hybrid = Profile::of(&vehicles[1]);
    assert_eq!(
        (hybrid.temperatures_c, hybrid.battery_kwh),
        ((16, 30), Some(1.83))
    );
    println!("vehicles: {0}/{0}", decoded.len());
}

#[test]
fn vehicle_status() {
    let vectors = vectors();
    let cases = list(&vectors["vehicle_status"]["cases"]);
    assert_eq!(cases.len(), 9);
    for case in cases {
        let name = text(&case["name"]);
        let status = VehicleStatus::from_json(&case["data"].to_string()).unwrap();
        let want = &case["decoded_topics"];
        let basic = &status.basic;
        close(basic.odometer_km(), &want["drivetrain/mileage"], 1, name);
        same(basic.is_running(), &want["drivetrain/running"], name);
        same(
            basic.interior_temperature_c,
            &want["climate/interiorTemperature"],
            name,
        );
        same(
            basic.exterior_temperature_c,
            &want["climate/exteriorTemperature"],
            name,
        );
        close(
            basic.aux_battery_voltage_v(),
            &want["drivetrain/auxiliaryBatteryVoltage"],
            1,
            name,
        );
        let window = |open: Option<bool>| open.filter(|_| basic.windows_known());
        same(
            window(basic.driver_window_open),
            &want["windows/driver"],
            name,
        );
        same(
            window(basic.passenger_window_open),
            &want["windows/passenger"],
            name,
        );
        same(
            window(basic.rear_left_window_open),
            &want["windows/rearLeft"],
            name,
        );
        same(
            window(basic.rear_right_window_open),
            &want["windows/rearRight"],
            name,
        );
        same(basic.sunroof_open, &want["windows/sunRoof"], name);
        same(basic.locked, &want["doors/locked"], name);
        same(basic.driver_door_open, &want["doors/driver"], name);
        same(basic.passenger_door_open, &want["doors/passenger"], name);
        same(basic.rear_left_door_open, &want["doors/rearLeft"], name);
        same(basic.rear_right_door_open, &want["doors/rearRight"], name);
        same(basic.bonnet_open, &want["doors/bonnet"], name);
        same(basic.boot_open, &want["doors/boot"], name);
        let tyres = basic.tyre_pressures_bar();
        for (pressure, place) in
            tyres
                .into_iter()
                .zip(["frontLeft", "frontRight", "rearLeft", "rearRight"])
        {
            close(pressure, &want[format!("tyres/{place}Pressure")], 2, name);
        }
        same(basic.main_beam_on, &want["lights/mainBeam"], name);
        same(basic.dipped_beam_on, &want["lights/dippedBeam"], name);
        same(basic.side_light_on, &want["lights/side"], name);
        let climate = match basic.climate.unwrap() {
            ClimateStatus::Off => "off",
            ClimateStatus::Blowing => "blowingonly",
            ClimateStatus::On => "on",
            ClimateStatus::FrontDefrost => "front",
            other => panic!("{other:?}"),
        };
        same(climate, &want["climate/remoteClimateState"], name);
        let rear = if basic.rear_window_heating.unwrap() {
            "on"
        } else {
            "off"
        };
        same(rear, &want["climate/rearWindowDefrosterHeating"], name);
        same(
            basic.seat_heating_front_left,
            &want["climate/heatedSeatsFrontLeftLevel"],
            name,
        );
        same(
            basic.seat_heating_front_right,
            &want["climate/heatedSeatsFrontRightLevel"],
            name,
        );
        close(
            basic.fuel_range_km(),
            &want["drivetrain/fossilFuel/range"],
            1,
            name,
        );
        let fuel = &want["drivetrain/fossilFuel/percentage"];
        same(basic.fuel_percent, fuel, name);
        let journey = &want["drivetrain/currentJourney"];
        same(basic.journey_id, &journey["id"], name);
        close(basic.journey_distance_km(), &journey["distance"], 1, name);
        let place = status.position.latitude_longitude_deg();
        close(
            place.map(|place| place.0),
            &want["location/latitude"],
            6,
            name,
        );
        close(
            place.map(|place| place.1),
            &want["location/longitude"],
            6,
            name,
        );
        same(
            status.position.heading_deg(),
            &want["location/heading"],
            name,
        );
        same(
            status.position.altitude_m(),
            &want["location/elevation"],
            name,
        );
        close(status.speed_kmh(), &want["location/speed"], 1, name);
        let result = &case["result"];
        same(
            basic.is_hv_active(),
            &result["hv_battery_active_from_car"],
            name,
        );
        same(basic.is_parked(), &result["is_parked"], name);
        assert_eq!(basic.is_placeholder(), name == "generic_asleep", "{name}");
        assert_eq!(status.status_at.unwrap().timestamp(), 1_700_000_000);
    }
    println!("vehicle status: {0}/{0}", cases.len());
}

/// Fields that the other client does not know.
#[test]
fn rear_seats_and_steering_wheel() {
    let vectors = vectors();
    let case = list(&vectors["vehicle_status"]["cases"])
        .iter()
        .find(|case| case["name"] == "climate_on_seats")
        .unwrap();
    let basic = VehicleStatus::from_json(&case["data"].to_string())
        .unwrap()
        .basic;
    assert_eq!(basic.seat_heating_rear_left, Some(3));
    assert_eq!(basic.seat_heating_rear_right, Some(0));
    assert_eq!(basic.steering_wheel_heating, Some(1));
    assert_eq!(
        basic.last_can_activity_at.unwrap().timestamp(),
        1_699_999_000
    );
    assert_eq!(basic.last_key_seen, Some(4242));
    let mg4 = Profile::of(&vehicles()[0]);
    assert_eq!(
        mg4.climate_activity(basic.climate.unwrap()),
        ClimateActivity::Heating
    );
    let other = Profile::default();
    assert_eq!(
        other.climate_activity(basic.climate.unwrap()),
        ClimateActivity::On
    );
}

#[test]
fn charging() {
    let vectors = vectors();
    let cases = list(&vectors["charging_mgmt_data"]["cases"]);
    assert_eq!(cases.len(), 7);
    let profile = Profile::of(&vehicles()[0]);
    for case in cases {
        let name = text(&case["name"]);
        let data = ChargingData::from_json(&case["data"].to_string()).unwrap();
        let (ours, rvs, want) = (&data.management, &data.rvs, &case["decoded_topics"]);
        // The other client counts charging current as negative.
        let negative = |value: Option<f64>| value.map(|value| -value);
        close(
            negative(ours.pack_current_a()),
            &want["drivetrain/current"],
            3,
            name,
        );
        close(ours.pack_voltage_v(), &want["drivetrain/voltage"], 3, name);
        let kw = ours.pack_power_w().map(|watts| -watts / 1000.0);
        close(kw, &want["drivetrain/power"], 3, name);
        // It makes 0 of values that are not there.
        let reported = |value: Option<f64>| value.or(Some(0.0));
        close(reported(ours.ac_current_a()), &want["obc/current"], 1, name);
        close(reported(ours.ac_voltage_v()), &want["obc/voltage"], 0, name);
        close(
            ours.ac_power_single_phase_w(),
            &want["obc/powerSinglePhase"],
            1,
            name,
        );
        close(
            ours.ac_power_three_phase_w(),
            &want["obc/powerThreePhase"],
            1,
            name,
        );
        same(
            ours.estimated_range_km,
            &want["drivetrain/hybrid_electrical_range"],
            name,
        );
        same(
            ours.ac_plug_raw,
            &want["ccu/onboardChargerPlugStatus"],
            name,
        );
        same(
            ours.dc_plug_raw,
            &want["ccu/offboardChargerPlugStatus"],
            name,
        );
        same(ours.is_charging(), &want["drivetrain/charging"], name);
        same(
            ours.is_battery_heating(),
            &want["drivetrain/batteryHeating"],
            name,
        );
        same(
            ours.cable_locked(),
            &want["drivetrain/chargingCableLock"],
            name,
        );
        // It makes 0 of a time that is not known.
        let remaining = ours.time_to_full_s().unwrap_or(0);
        same(remaining, &want["drivetrain/remainingChargingTime"], name);
        let state = match ours.state.unwrap() {
            ChargingState::Unplugged => Some("UNPLUGGED"),
            ChargingState::Charging => Some("CHARGING_1"),
            ChargingState::Done => Some("CHARGE_DONE"),
            ChargingState::ChargingDc => Some("CHARGING_10"),
            ChargingState::Discharging => Some("V2X_DISCHARGING"),
            ChargingState::Other(14) => None,
            other => panic!("{other:?}"),
        };
        same(state, &want["bms/chargeStatus"], name);
        let schedule = ours.schedule();
        let wanted = &want["drivetrain/chargingSchedule"];
        same(
            schedule.map(|s| format!("{:02}:{:02}", s.start.0, s.start.1)),
            &wanted["startTime"],
            name,
        );
        same(
            schedule.map(|s| format!("{:02}:{:02}", s.end.0, s.end.1)),
            &wanted["endTime"],
            name,
        );
        let mode = schedule.map(|s| match s.mode {
            ScheduleMode::UntilTime => "UNTIL_CONFIGURED_TIME",
            ScheduleMode::UntilTargetSoc => "UNTIL_CONFIGURED_SOC",
            ScheduleMode::Off => "DISABLED",
        });
        same(mode, &wanted["mode"], name);
        close(
            rvs.distance_today_km(),
            &want["drivetrain/mileageOfTheDay"],
            1,
            name,
        );
        close(
            rvs.distance_since_charge_km(),
            &want["drivetrain/mileageSinceLastCharge"],
            1,
            name,
        );
        same(
            rvs.charging_type_raw,
            &want["drivetrain/chargingType"],
            name,
        );
        same(
            rvs.cable_connected,
            &want["drivetrain/chargerConnected"],
            name,
        );
        same(
            rvs.started_at.map(|at| at.timestamp()),
            &want["drivetrain/charging/lastStart"],
            name,
        );
        same(
            rvs.ended_at.map(|at| at.timestamp()),
            &want["drivetrain/charging/lastEnd"],
            name,
        );
        close(
            profile.capacity_kwh(rvs),
            &want["drivetrain/totalBatteryCapacity"],
            1,
            name,
        );
        let factor = profile.energy_factor(rvs);
        let scaled = |energy: Option<f64>| energy.map(|energy| energy * factor);
        close(
            scaled(rvs.energy_kwh()),
            &want["drivetrain/soc_kwh"],
            2,
            name,
        );
        close(
            scaled(rvs.energy_after_last_charge_kwh()),
            &want["drivetrain/lastChargeEndingPower"],
            2,
            name,
        );
        close(
            scaled(rvs.energy_used_today_kwh()),
            &want["drivetrain/powerUsageOfDay"],
            2,
            name,
        );
        close(
            scaled(rvs.energy_used_since_charge_kwh()),
            &want["drivetrain/powerUsageSinceLastCharge"],
            2,
            name,
        );
        let raw_soc = case["result"]["raw_soc"]
            .as_u64()
            .filter(|raw| *raw <= 1000);
        assert_eq!(ours.soc_deci_percent.map(u64::from), raw_soc, "{name}");
        match name {
            "invalid_flags" => {
                assert_eq!((ours.target_soc, ours.current_limit), (None, None));
                assert_eq!(rvs.electric_range_km(), None);
            }
            _ => {
                assert_eq!(ours.target_soc, Some(TargetSoc::P80), "{name}");
                assert_eq!(ours.current_limit, Some(CurrentLimit::Max), "{name}");
                assert_eq!(rvs.electric_range_km(), Some(271.0), "{name}");
            }
        }
        let stop = ours.stop_reason.unwrap().code();
        assert_eq!(stop, if name == "battery_heating" { 9 } else { 0 });
    }
    println!("charging: {0}/{0}", cases.len());
}

#[test]
fn answers_to_commands() {
    let vectors = vectors();
    let cases = list(&vectors["rvcReqSts_decoding"]["cases"]);
    for case in cases {
        let answer = serde_json::json!({ "rvcReqSts": case["raw"] }).to_string();
        let answer = ControlAnswer::from_json(&answer).unwrap();
        let hex: String = answer
            .request_status
            .bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(
            hex,
            case["decoded_hex"].as_str().unwrap_or(""),
            "{}",
            case["raw"]
        );
    }
    println!("request status: {0}/{0}", cases.len());

    let example = vectors["control_resp_example"]["data"].to_string();
    let answer = ControlAnswer::from_json(&example).unwrap();
    assert_eq!(answer.request_type.bytes(), [6]);
    assert_eq!(answer.request_status.bytes(), [1]);
    assert_eq!(answer.failure, Some(0));
    assert_eq!(answer.status().unwrap().basic.locked, Some(true));
    assert_eq!(ControlAnswer::from_json("{}").unwrap().status(), None);

    let settings = vectors["charging_setting_resp"]["data"].to_string();
    let settings = ChargeSettingsAnswer::from_json(&settings).unwrap();
    assert_eq!(settings.target_soc, Some(TargetSoc::P100));
    assert_eq!(settings.current_limit, Some(CurrentLimit::Max));
    assert_eq!(settings.v2x_target_soc, Some(TargetSoc::P40));
    assert_eq!(settings.request_status.bytes(), [3]);
    assert_eq!(settings.estimated_range_km, Some(377));
    assert_eq!(settings.pack_current_raw, Some(20_042));
}

#[test]
fn charge_control_carries_the_charging_state() {
    let answer = saic_ismart::charging::ChargeControlAnswer::from_json(
        r#"{"chrgCtrlDspCmd":1,"chrgCtrlResp":0,"rvcReqSts":"AQ==","bmsPackSOCDsp":613,"ccuEleccLckCtrlDspCmd":1}"#,
    )
    .unwrap();
    assert_eq!(answer.charge_command_raw, Some(1));
    assert_eq!(answer.management.soc_percent(), Some(61.3));
    assert_eq!(answer.management.cable_locked(), Some(true));
}

#[test]
fn messages() {
    let vectors = vectors();
    let messages = Messages::from_json(&vectors["messages"]["data"].to_string()).unwrap();
    assert_eq!(
        (messages.alarms, messages.news, messages.total),
        (Some(2), Some(1), Some(3))
    );
    let decoded = list(&vectors["messages"]["decoded"]);
    assert_eq!(messages.messages.len(), decoded.len());
    for (message, want) in messages.messages.iter().zip(decoded) {
        assert_eq!(message.id.as_ref().unwrap().to_string(), text(&want["id"]));
        let time = message
            .local_time()
            .unwrap()
            .format("%Y-%m-%dT%H:%M:%S")
            .to_string();
        assert_eq!(time, text(&want["time_naive"]));
        let read = match message.is_read() {
            Some(true) => "read",
            Some(false) => "unread",
            None => "unknown",
        };
        assert_eq!(read, text(&want["read"]));
    }
    assert!(messages.messages[0].is_vehicle_start());
    assert_eq!(messages.messages[1].content_ids[0].id.as_deref(), Some("7"));
    println!("messages: {0}/{0}", decoded.len());
}

#[test]
fn battery_heating_schedule() {
    let vectors = vectors();
    let data = vectors["battery_heating_schedule"]["data"].to_string();
    let schedule = HeatingScheduleAnswer::from_json(&data).unwrap();
    assert_eq!(schedule.enabled, Some(true));
    let start = schedule.start_at.unwrap();
    assert_eq!(start.format("%H:%M:%S").to_string(), "06:00:00");
    let rome = chrono::FixedOffset::east_opt(3600).unwrap();
    assert_eq!(
        start.with_timezone(&rome).format("%H:%M:%S").to_string(),
        "07:00:00"
    );
}

#[test]
fn steps_have_the_numbers_of_other_clients() {
    let vectors = vectors();
    let target = vectors["enums_python"]["target_soc"].as_object().unwrap();
    for (name, code) in target {
        let ours = TargetSoc::from_code(code.as_u64().unwrap() as u8);
        let percent = name.strip_prefix("P_").unwrap().parse().ok();
        assert_eq!(ours.map(TargetSoc::percent), percent, "{name}");
    }
    let limit = vectors["enums_python"]["charge_current_limit"]
        .as_object()
        .unwrap();
    for (name, code) in limit {
        let ours = CurrentLimit::from_code(code.as_u64().unwrap() as u8);
        let name = name.strip_prefix("C_").unwrap();
        assert_eq!(ours, name.parse().ok(), "{name}");
    }
}
