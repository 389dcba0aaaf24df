//! The Indian protocol: every published frame, and what must hold for all others.

mod support;

use proptest::prelude::*;
use saic_ismart::charging::ChargingStatus;
use saic_ismart::india::{
    AccountDispatcher, CarDispatcher, ChargeStatus, CodecError, ControlAnswer, ControlRequest,
    LoginAnswer, LoginRequest, MessageCounter, PinRequest, Status, StatusRequest, frame_signature,
    gateway_signature, open_account, open_car, pin_hash, seal_account, seal_car,
};
use saic_ismart::vehicle::{Climate, Panes, WindowAction, Windows};
use saic_ismart::{ChargingData, ChargingState, Command, VehicleStatus};
use serde_json::Value;
use support::{json, list, text};

fn vectors() -> Value {
    json(include_str!("data/india.json"))
}

fn user_id(vectors: &Value) -> String {
    format!("{:0>50}", text(&vectors["inputs"]["phone"]))
}

fn input(vectors: &Value, name: &str) -> String {
    text(&vectors["inputs"][name]).to_owned()
}

const CREATED_S: u32 = 1_700_000_000;

/// As published requests have it.
fn account(vectors: &Value, application: &str, sim: &str) -> AccountDispatcher {
    AccountDispatcher {
        user_id: Some(user_id(vectors)),
        application: application.to_owned(),
        created_at_s: CREATED_S,
        message_id: 1,
        counter: Some(MessageCounter {
            uplink: 1,
            downlink: 0,
        }),
        sim: Some(sim.to_owned()),
        icc_id: "12345678901234567890".to_owned(),
        data_encoding: Some(0),
        data_version: 513,
        test_flag: Some(2),
        ..AccountDispatcher::default()
    }
}

fn car(vectors: &Value, application: &str, message_id: u8, event_id: u32) -> CarDispatcher {
    CarDispatcher {
        user_id: Some(user_id(vectors)),
        token: Some(input(vectors, "token")),
        application: application.to_owned(),
        vin: Some(input(vectors, "vin")),
        message_id,
        created_at_s: CREATED_S,
        event_id: Some(event_id),
        uplink: Some(0),
        downlink: Some(0),
        acknowledged: Some(0),
        ack_required: Some(false),
        data_length: None,
        data_encoding: Some(0),
        data_version: Some(513),
        test_flag: Some(2),
        result: Some(0),
        error_message: None,
    }
}

#[test]
fn login() {
    let vectors = vectors();
    let request = LoginRequest {
        password: input(&vectors, "password"),
        device_id: Some(text(&vectors["device_id"]).to_owned()),
    };
    let dispatcher = account(&vectors, "501", "1234567891234567890");
    let body = seal_account(&dispatcher, &request.to_bytes().unwrap()).unwrap();
    assert_eq!(body, text(&vectors["login_body"]));
    assert_eq!(frame_signature(&body), text(&vectors["login_signature"]));
    let (read, data) = open_account(&body).unwrap();
    assert_eq!(read.data_length as usize, data.len());
    assert_eq!(LoginRequest::from_bytes(&data).unwrap(), request);
    let shown = format!("{read:?} {request:?}");
    assert!(!shown.contains("9876543210") && !shown.contains("Passw0rd"));
}

#[test]
fn pin() {
    let vectors = vectors();
    let hash = pin_hash(&input(&vectors, "pin"));
    assert_eq!(hash, text(&vectors["md5_pin_1234"]));
    let dispatcher = AccountDispatcher {
        token: Some(input(&vectors, "token")),
        vin: Some(input(&vectors, "vin")),
        ..account(&vectors, "313", "1234567890987654321")
    };
    let data = PinRequest { pin_hash: hash }.to_bytes().unwrap();
    let body = seal_account(&dispatcher, &data).unwrap();
    assert_eq!(body, text(&vectors["pin"]["body"]));
    assert_eq!(frame_signature(&body), text(&vectors["pin"]["signature"]));
}

#[test]
fn calls_to_a_car() {
    let vectors = vectors();
    let status = StatusRequest { kind: 2 }.to_bytes().unwrap();
    let command = |command| ControlRequest::of(&command).unwrap().to_bytes().unwrap();
    let calls = [
        ("status_event0", car(&vectors, "511", 1, 0), status.clone()),
        ("status_event_77", car(&vectors, "511", 1, 77), status),
        ("charge_event0", car(&vectors, "511", 8, 0), Vec::new()),
        (
            "control_lock",
            car(&vectors, "510", 1, 0),
            command(Command::Lock),
        ),
        (
            "control_unlock",
            car(&vectors, "510", 1, 0),
            command(Command::Unlock),
        ),
    ];
    for (name, dispatcher, data) in calls {
        let body = seal_car(&dispatcher, &data).unwrap();
        assert_eq!(body, text(&vectors[name]["body"]), "{name}");
        let signature = text(&vectors[name]["signature"]);
        assert_eq!(frame_signature(&body), signature, "{name}");
        let (read, same) = open_car(&body).unwrap();
        assert_eq!((read.event_id, same), (dispatcher.event_id, data), "{name}");
    }
}

#[test]
fn gateway_signatures() {
    let vectors = vectors();
    let cases = list(&vectors["gateway_signature"]);
    assert_eq!(cases.len(), 2);
    for case in cases {
        let timestamp_ms = text(&case["timestamp"]).parse().unwrap();
        let signature = gateway_signature(
            text(&case["path"]),
            timestamp_ms,
            text(&case["content_type"]),
        );
        assert_eq!(signature, text(&case["out"]));
    }
}

/// The published status, raw and in the model of all regions.
#[test]
fn a_status() {
    let vectors = vectors();
    let (dispatcher, data) = open_car(text(&vectors["status_response_frame"])).unwrap();
    assert_eq!((dispatcher.message_id, dispatcher.event_id), (2, Some(42)));
    assert_eq!(
        (dispatcher.result, dispatcher.test_flag),
        (Some(0), Some(2))
    );
    assert_eq!(dispatcher.data_length.map(usize::from), Some(data.len()));
    let raw = Status::from_bytes(&data).unwrap();
    assert_eq!(raw.to_bytes().unwrap(), data);

    let want = &vectors["status_response_decoded"];
    let basic = &raw.basic;
    let [front_left, front_right, rear_left, rear_right] = basic.tyre_pressures_psi();
    for (name, seen) in [
        ("front_left_tyre_psi", front_left),
        ("front_right_tyre_psi", front_right),
        ("rear_left_tyre_psi", rear_left),
        ("rear_right_tyre_psi", rear_right),
    ] {
        assert!(
            (seen.unwrap() - want[name].as_f64().unwrap()).abs() < 1e-9,
            "{name}"
        );
    }
    assert_eq!(
        Some(basic.climate_running()),
        want["climate_running"].as_bool()
    );

    let status = VehicleStatus::from_json(&raw.to_json()).unwrap();
    assert_eq!(
        status.status_at.map(|at| at.timestamp()),
        want["status_time"].as_i64()
    );
    let basic = &status.basic;
    for (name, seen) in [
        ("locked", basic.locked),
        ("driver_door_open", basic.driver_door_open),
        ("passenger_door_open", basic.passenger_door_open),
        ("rear_left_door_open", basic.rear_left_door_open),
        ("rear_right_door_open", basic.rear_right_door_open),
        ("boot_open", basic.boot_open),
        ("bonnet_open", basic.bonnet_open),
        ("driver_window_open", basic.driver_window_open),
        ("passenger_window_open", basic.passenger_window_open),
        ("rear_left_window_open", basic.rear_left_window_open),
        ("rear_right_window_open", basic.rear_right_window_open),
        ("sunroof_open", basic.sunroof_open),
        ("can_bus_active", basic.can_bus_active),
        ("handbrake", basic.hand_brake),
        ("side_lights_on", basic.side_light_on),
        ("dipped_beam_on", basic.dipped_beam_on),
        ("main_beam_on", basic.main_beam_on),
    ] {
        assert_eq!(seen, want[name].as_bool(), "{name}");
    }
    for (name, seen) in [
        (
            "interior_temperature",
            basic.interior_temperature_c.map(i64::from),
        ),
        (
            "exterior_temperature",
            basic.exterior_temperature_c.map(i64::from),
        ),
        ("fuel_level", basic.fuel_percent.map(i64::from)),
        (
            "last_can_activity",
            basic.last_can_activity_at.map(|at| at.timestamp()),
        ),
        ("power_mode_raw", basic.power_mode.map(|mode| mode.code())),
        ("engine_status_raw", basic.engine_status),
        (
            "front_left_seat_heat_level",
            basic.seat_heating_front_left.map(i64::from),
        ),
        (
            "front_right_seat_heat_level",
            basic.seat_heating_front_right.map(i64::from),
        ),
    ] {
        assert_eq!(seen, want[name].as_i64(), "{name}");
    }
    assert_eq!(basic.tyre_monitor_fault, Some(false));
    for (name, seen) in [
        ("range_km", basic.fuel_range_km()),
        ("odometer_km", basic.odometer_km()),
        ("aux_battery_voltage", basic.aux_battery_voltage_v()),
    ] {
        assert_eq!(seen, want[name].as_f64(), "{name}");
    }
    let bars = basic.tyre_pressures_bar().map(Option::unwrap);
    for (bar, psi) in bars.into_iter().zip([34.0, 33.8, 34.4, 34.2]) {
        assert!((bar - psi * 0.068_947_57).abs() <= 0.021, "{bar} {psi}");
    }
    let (gps, position) = (&want["gps"], &status.position);
    let place = position.latitude_longitude_deg();
    assert_eq!(
        place,
        gps["latitude"].as_f64().zip(gps["longitude"].as_f64())
    );
    assert_eq!(
        position.altitude_m().map(i64::from),
        gps["altitude_m"].as_i64()
    );
    assert_eq!(
        position.heading_deg().map(i64::from),
        gps["heading_deg"].as_i64()
    );
    assert_eq!(position.speed_kmh(), gps["speed_kmh"].as_f64());
    assert_eq!(
        position.way_point.hdop_raw.map(i64::from),
        gps["hdop"].as_i64()
    );
    assert_eq!(
        position.way_point.satellites.map(i64::from),
        gps["satellites"].as_i64()
    );
    assert_eq!(
        position.fix.map(|fix| fix.code()),
        gps["gps_status"].as_i64()
    );
    assert_eq!(
        position.at.map(|at| at.timestamp()),
        gps["position_time"].as_i64()
    );
}

/// Charging as five cars reported it, raw and in the models of all regions.
#[test]
fn charging() {
    let vectors = vectors();
    let cases = list(&vectors["charge_frames"]);
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = text(&case["name"]);
        let (dispatcher, data) = open_car(text(&case["frame"])).unwrap();
        assert_eq!((dispatcher.message_id, data.len()), (9, 63), "{name}");
        let raw = ChargeStatus::from_bytes(&data).unwrap();
        assert_eq!(raw.to_bytes().unwrap(), data, "{name}");
        let charging = ChargingData::from_json(&raw.to_data_json()).unwrap();
        let status = ChargingStatus::from_json(&raw.to_status_json()).unwrap();
        let (management, rvs) = (&charging.management, &charging.rvs);
        assert_eq!(&status.charging, rvs);
        let capacity = raw.charge.usable_capacity_kwh().unwrap();
        assert!((36.5..37.5).contains(&capacity), "{name} {capacity}");
        let seen = |field: &str| match field {
            "charging" => Some(f64::from(u8::from(management.state?.is_charging()))),
            "plugged_in" => rvs.cable_connected.map(|is| f64::from(u8::from(is))),
            "charging_type" => rvs.charging_type_raw.map(|raw| raw as f64),
            "soc_percent" => management.soc_percent(),
            "range_km" => rvs.electric_range_km(),
            "voltage_v" => management.pack_voltage_v(),
            "current_a" => management.pack_current_a(),
            "duration_s" => rvs.duration_s.map(f64::from),
            "started_at" => rvs.started_at.map(|at| at.timestamp() as f64),
            "ended_at" => rvs.ended_at.map(|at| at.timestamp() as f64),
            "status_at" => status.status_at.map(|at| at.timestamp() as f64),
            "energy_kwh" => rvs.energy_kwh(),
            "energy_after_last_charge_kwh" => rvs.energy_after_last_charge_kwh(),
            "working_voltage_v" => rvs.working_voltage_v(),
            "working_current_a" => rvs.working_current_a(),
            "odometer_km" => rvs.odometer_km(),
            "distance_since_charge_km" => rvs.distance_since_charge_km(),
            "minutes_left" => rvs.time_level_raw.map(|raw| raw as f64),
            other => panic!("{other}"),
        };
        for (field, want) in case["expected"].as_object().unwrap() {
            let want = want
                .as_bool()
                .map_or(want.as_f64(), |is| Some(f64::from(u8::from(is))));
            match (seen(field), want) {
                (Some(seen), Some(want)) => {
                    assert!((seen - want).abs() < 1e-9, "{name} {field}: {seen} {want}");
                }
                (seen, want) => assert_eq!(seen, want, "{name} {field}"),
            }
        }
        assert!((raw.charge.current_a() - management.pack_current_a().unwrap()).abs() < 1e-9);
        assert!((raw.charge.voltage_v() - management.pack_voltage_v().unwrap()).abs() < 1e-9);
    }
    let unplugged = ChargeStatus::default();
    let data = ChargingData::from_json(&unplugged.to_data_json()).unwrap();
    assert_eq!(data.management.state, Some(ChargingState::Unplugged));
    assert_eq!(unplugged.charge.usable_capacity_kwh(), None);
}

#[test]
fn commands_differ_from_those_of_other_regions() {
    let params = |command: Command| {
        let request = ControlRequest::of(&command).unwrap();
        let params = request.params.unwrap_or_default().into_iter();
        let params: Vec<_> = params.map(|param| (param.id, param.value)).collect();
        (request.kind, params)
    };
    let pairs = |pairs: &[(u16, u8)]| -> Vec<(u16, Vec<u8>)> {
        pairs.iter().map(|(id, byte)| (*id, vec![*byte])).collect()
    };
    let climate = |climate| params(Command::Climate(climate));
    assert_eq!(
        climate(Climate::Start { index: 3 }),
        (vec![6], pairs(&[(19, 3), (20, 3), (255, 0)]))
    );
    assert_eq!(
        climate(Climate::Stop),
        (vec![6], pairs(&[(19, 0), (20, 0), (255, 0)]))
    );
    let windows = |action| {
        params(Command::Windows(Windows {
            panes: Panes::SUNROOF,
            action,
        }))
    };
    let sunroof = [(8, 1), (9, 0), (10, 0), (11, 0), (12, 0)];
    for (action, byte) in [
        (WindowAction::Open, 3),
        (WindowAction::OpenOld, 3),
        (WindowAction::Close, 0),
    ] {
        let want = pairs(&[&sunroof[..], &[(13, byte)]].concat());
        assert_eq!(windows(action), (vec![3], want));
    }
    assert_eq!(params(Command::Lock), (vec![1], Vec::new()));
    assert_eq!(
        params(Command::OpenTailgate),
        (vec![2], pairs(&[(4, 0), (5, 0), (6, 0), (7, 2), (255, 0)]))
    );
}

/// An open window of a car that is closed and locked otherwise is an old report.
#[test]
fn a_stale_window() {
    let mut status = Status::default();
    status.basic.locked = true;
    status.basic.driver_window_open = Some(true);
    assert_eq!(status.basic.driver_window(), None);
    status.basic.rear_left_window_open = Some(true);
    assert_eq!(status.basic.driver_window(), Some(true));
    status.basic.rear_left_window_open = None;
    status.basic.locked = false;
    assert_eq!(status.basic.driver_window(), Some(true));
}

#[test]
fn damaged_frames() {
    let vectors = vectors();
    let account = text(&vectors["login_body"]);
    let car = text(&vectors["status_response_frame"]);
    for text in ["", "1", "00051", "zzzz1", "<html></html>", "0004"] {
        assert!(open_account(text).is_err(), "{text}");
        assert!(open_car(text).is_err(), "{text}");
    }
    assert_eq!(open_account(&account[..60]), Err(CodecError::CutOff));
    assert_eq!(open_car(&car[..60]).unwrap_err(), CodecError::NoFrame);
    assert_eq!(open_car(&car[..61]).unwrap_err(), CodecError::CutOff);
    assert_eq!(
        open_car(&car.replace('A', "é")).unwrap_err(),
        CodecError::NoFrame
    );
    let (_, data) = open_car(car).unwrap();
    assert_eq!(Status::from_bytes(&data[..40]), Err(CodecError::CutOff));
    assert_eq!(LoginAnswer::from_bytes(&[0x80]), Err(CodecError::CutOff));
    // A latitude of 143 degrees.
    let far = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(Status::from_bytes(&far), Err(CodecError::Range));
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let vectors = vectors();
    let dispatcher = car(&vectors, "511", 1, 0);
    let short_vin = CarDispatcher {
        vin: Some("MZ1".to_owned()),
        ..dispatcher.clone()
    };
    assert_eq!(seal_car(&short_vin, &[]), Err(CodecError::Range));
    let wide = CarDispatcher {
        event_id: Some(u32::MAX),
        ..dispatcher
    };
    assert_eq!(seal_car(&wide, &[]), Err(CodecError::Range));
    let login = LoginRequest {
        password: "häslich".to_owned(),
        device_id: None,
    };
    assert_eq!(login.to_bytes(), Err(CodecError::Range));
    let letters = AccountDispatcher {
        icc_id: "1234567890123456789x".to_owned(),
        application: "501".to_owned(),
        ..AccountDispatcher::default()
    };
    assert_eq!(seal_account(&letters, &[]), Err(CodecError::Range));
}

proptest! {
    /// Whatever can be read is written again as it was, but for what follows it
    /// and the bits that fill its last byte.
    #[test]
    fn read_and_written_again(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        macro_rules! again {
            ($($message:ty),*) => {$(
                if let Ok(read) = <$message>::from_bytes(&bytes) {
                    let written = read.to_bytes().unwrap();
                    prop_assert!(written.len() <= bytes.len());
                    let whole = written.len().saturating_sub(1);
                    prop_assert_eq!(&written[..whole], &bytes[..whole]);
                    prop_assert_eq!(<$message>::from_bytes(&written).unwrap(), read);
                }
            )*};
        }
        again!(
            AccountDispatcher, CarDispatcher, LoginRequest, PinRequest, StatusRequest, Status,
            ControlRequest, ControlAnswer, ChargeStatus
        );
        let _ = LoginAnswer::from_bytes(&bytes);
    }

    #[test]
    fn any_text_is_opened_or_refused(text in "[01][0-9A-F]{0,300}|\\PC{0,60}") {
        let _ = open_account(&text);
        let _ = open_car(&text);
        prop_assert_eq!(frame_signature(&text).len(), 64);
    }

    #[test]
    fn sealed_and_opened(
        data in proptest::collection::vec(any::<u8>(), 0..300),
        token in proptest::option::of("[0-9A-F]{40}"), event_id in proptest::option::of(0u32..1 << 31),
        result in any::<Option<u16>>(), message in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..60)),
    ) {
        let dispatcher = CarDispatcher {
            application: "511".to_owned(),
            token: token.clone(),
            event_id,
            result,
            error_message: message.clone(),
            data_length: Some(data.len() as u16),
            ..CarDispatcher::default()
        };
        let frame = seal_car(&dispatcher, &data).unwrap();
        prop_assert_eq!(open_car(&frame).unwrap(), (dispatcher, data.clone()));
        let dispatcher = AccountDispatcher {
            application: "501".to_owned(),
            icc_id: "12345678901234567890".to_owned(),
            token,
            event_id: event_id.map(u64::from),
            result,
            error_message: message,
            data_length: data.len() as u32,
            ..AccountDispatcher::default()
        };
        let frame = seal_account(&dispatcher, &data).unwrap();
        prop_assert_eq!(open_account(&frame).unwrap(), (dispatcher, data));
    }
}
