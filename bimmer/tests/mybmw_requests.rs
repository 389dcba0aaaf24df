//! What the app API is asked for: polls, pictures and commands.

mod support;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bimmer::http::Response;
use bimmer::mybmw::{
    ChargingMode, ChargingProfileChange, Command, EventStatus, ImageView, Profile, Vehicle,
};
use bimmer::{Error, MemoryTokenStore, Position, TokenStore};
use serde_json::{Value as Json, json};
use support::mybmw::{
    client, cloud, fresh_token, iso, poi, profile, read, rows, vectors, vehicle, without_none,
};
use support::{Script, assert_recorded, json as answer, text};

/// A car whose answers the vectors of requests are about.
fn car_cloud(later_state: Option<Json>) -> Script {
    let vector = vehicle("bev_charging");
    let mut states = 0;
    cloud(vectors("login_rest_of_world"), 200, move |request| {
        if request.url.contains("/vehicle-list") {
            let ours = request.header("x-user-agent").unwrap().contains(";bmw;");
            let vin = &vector["profile"]["vin"];
            let infos = if ours {
                json!([{"vin": vin}])
            } else {
                json!([])
            };
            return answer(200, &json!({"gcid": "GCID-1", "mappingInfos": infos}));
        }
        if request.url.contains("/vehicle-data/profile") {
            return answer(200, &vector["profile"]);
        }
        if request.url.contains("/vehicles/state") {
            states += 1;
            return match &later_state {
                Some(later) if states > 1 => answer(200, later),
                _ => answer(200, &vector["state"]),
            };
        }
        if request.url.contains("/eadrax-crccs/v2/vehicles") {
            return answer(200, &vector["charging_settings"]);
        }
        Response {
            status: 200,
            headers: Vec::new(),
            body: vec![0x89, b'P', b'N', b'G'],
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_car_without_its_charging_settings_still_has_a_state() {
    let mut all = car_cloud(None);
    let script = Script::new(
        move |request| match request.url.contains("/eadrax-crccs/") {
            true => answer(404, &json!({})),
            false => all.answer(request),
        },
    );
    let store = MemoryTokenStore::with(fresh_token("AT-1"));
    let client = client(&script, store).build().unwrap();
    let profiles = client.profiles().await.unwrap();
    let vehicles = client.vehicles(&profiles).await.unwrap();
    let car = vehicles[0].1.as_ref().unwrap();
    assert_eq!((car.soc_percent(), &car.charging), (Some(57), &None));
    assert_eq!(script.count("/eadrax-crccs/"), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_poll() {
    let script = car_cloud(None);
    let store = MemoryTokenStore::with(fresh_token("AT-1"));
    let client = client(&script, store).build().unwrap();
    let profiles = client.profiles().await.unwrap();
    let vehicles = client.vehicles(&profiles).await.unwrap();
    assert_eq!(
        vehicles[0].1.as_ref().unwrap(),
        &read(&vehicle("bev_charging")).with_list(&profiles)
    );
    let recorded = rows("account_poll_requests");
    let requests = script.requests();
    assert_eq!(requests.len(), recorded.len());
    for (request, recorded) in requests.iter().zip(&recorded) {
        let free = ["x-correlation-id", "bmw-correlation-id"];
        assert_recorded(request, recorded, &free);
    }
    let ids: BTreeSet<_> = requests
        .iter()
        .map(|request| request.header("x-correlation-id").unwrap())
        .collect();
    assert_eq!(ids.len(), 1);
}

trait WithList {
    fn with_list(self, profiles: &[Profile]) -> Self;
}

impl WithList for Vehicle {
    fn with_list(mut self, profiles: &[Profile]) -> Self {
        self.profile.listed_as = profiles[0].listed_as.clone();
        self
    }
}

#[tokio::test(start_paused = true)]
async fn request_of_a_picture() {
    let script = car_cloud(None);
    let store = MemoryTokenStore::with(fresh_token("AT-1"));
    let client = client(&script, store).build().unwrap();
    let car = profile(&vehicle("bev_charging"));
    let picture = client.image(&car, &ImageView::VehicleStatus).await.unwrap();
    assert!(picture.starts_with(b"\x89PNG"));
    let free = ["x-correlation-id", "bmw-correlation-id"];
    assert_recorded(&script.requests()[0], &rows("image_request")[0], &free);
}

#[tokio::test(start_paused = true)]
async fn values_that_are_gone_are_gone() {
    let vector = vectors("stale_retention");
    let mut later = vehicle("bev_charging")["state"].clone();
    let state = later["state"].as_object_mut().unwrap();
    state["electricChargingState"]
        .as_object_mut()
        .unwrap()
        .remove("remainingChargingMinutes");
    state["electricChargingState"]["chargingStatus"] = json!("FULLY_CHARGED");
    state["checkControlMessages"] = json!([]);
    state.remove("climateControlState");
    state.remove("location");
    let script = car_cloud(Some(later));
    let store = MemoryTokenStore::with(fresh_token("AT-1"));
    let client = client(&script, store).build().unwrap();
    let car = profile(&vehicle("bev_charging"));
    client.vehicle(&car).await.unwrap();
    let second = client.vehicle(&car).await.unwrap();
    let wanted = &vector["wanted"];
    assert_eq!(json!(second.charging_status()), wanted["charging_status"]);
    assert_eq!(iso(second.charging_ends_at()), wanted["charging_end_time"]);
    let messages = second.urgent_messages().next().is_some();
    assert_eq!(json!(messages), wanted["has_check_control_messages"]);
    assert_eq!(json!(second.state.climate), wanted["climate_activity"]);
    assert_eq!(json!(second.state.location), wanted["location"]);
}

/// A car that takes commands and reports these states.
fn obedient(statuses: &Json) -> Script {
    let statuses = statuses.as_array().cloned().unwrap_or_default();
    let mut asked = 0;
    let vector = vehicle("bev_charging");
    cloud(vectors("login_rest_of_world"), 200, move |request| {
        if request.url.contains("eventStatus") {
            let status = &statuses[asked.min(statuses.len() - 1)];
            asked += 1;
            return match status {
                Json::Null => answer(200, &json!({})),
                status => answer(200, &json!({"eventStatus": status})),
            };
        }
        if request.url.contains("eventPosition") {
            let position = json!({"latitude": 51.5, "longitude": 7.25, "heading": 180});
            return answer(
                200,
                &json!({"positionData": {"status": "OK", "position": position}}),
            );
        }
        if request.url.contains("/vehicles/state") {
            return answer(200, &vector["state"]);
        }
        if request.url.contains("send-to-car") {
            return text(201, "");
        }
        answer(
            200,
            &json!({"creationTime": "2026-03-01T10:00:30Z", "eventId": "EV-1"}),
        )
    })
}

fn command(row: &Json) -> Command {
    let args = &row["args"];
    let number = |name: &str| {
        args[name]
            .as_u64()
            .map(|value| u8::try_from(value).unwrap())
    };
    match row["call"].as_str().unwrap() {
        "trigger_remote_light_flash" => Command::LightFlash,
        "trigger_remote_door_lock" => Command::DoorLock,
        "trigger_remote_door_unlock" => Command::DoorUnlock,
        "trigger_remote_horn" => Command::HornBlow,
        "trigger_remote_air_conditioning" => Command::ClimateStart,
        "trigger_remote_air_conditioning_stop" => Command::ClimateStop,
        "trigger_charge_start" => Command::ChargeStart,
        "trigger_charge_stop" => Command::ChargeStop,
        "trigger_charging_settings_update" => Command::ChargingSettings {
            target_soc_percent: number("target_soc"),
            ac_limit_a: number("ac_limit"),
        },
        "trigger_charging_profile_update" => Command::ChargingProfile(ChargingProfileChange {
            mode: args["charging_mode"].as_str().map(ChargingMode::parse),
            precondition_climate: args["precondition_climate"].as_bool(),
        }),
        "trigger_send_poi" => Command::SendPoi(poi(&args["poi"])),
        "trigger_remote_vehicle_finder" => Command::FindVehicle {
            observer: Some(Position {
                latitude: 50.0,
                longitude: 8.0,
            }),
        },
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn remote_services() {
    for row in rows("remote_services") {
        // "Initiated" is no end here: it goes on to the limit.
        let initiated = row["event_status_sequence"] == json!(["INITIATED"]);
        let script = obedient(&row["event_status_sequence"]);
        let store = MemoryTokenStore::with(fresh_token("AT-1"));
        let client = client(&script, store).build().unwrap();
        let mut car = read(&vehicle("bev_charging"));
        let started = tokio::time::Instant::now();
        let outcome = client.command(&mut car, &command(&row)).await;
        let call = row["call"].as_str().unwrap();
        if initiated {
            assert!(
                matches!(outcome, Err(Error::CommandTimedOut { .. })),
                "{outcome:?}"
            );
            assert!(started.elapsed().as_secs() >= 240);
            continue;
        }
        match (row["result"]["error"].as_str(), &outcome) {
            (None, Ok(result)) => {
                assert_eq!(json!(result.status), row["result"]["state"], "{call}");
                assert_eq!(json!(result.event_id), row["result"]["event_id"], "{call}");
            }
            (Some("ValueError"), Err(Error::InvalidValue(_)))
            | (Some("MyBMWRemoteServiceError"), Err(Error::CommandFailed { .. })) => {}
            (expected, outcome) => panic!("{call}: {expected:?} {outcome:?}"),
        }
        let requests = script.requests();
        assert_eq!(
            requests.len() as u64,
            row["request_count"].as_u64().unwrap(),
            "{call}"
        );
        let slept: f64 = row["sleeps_s"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s.as_f64().unwrap())
            .sum();
        assert!(
            (started.elapsed().as_secs_f64() - slept).abs() < 0.1,
            "{call}"
        );
        for (request, recorded) in requests.iter().zip(row["requests"].as_array().unwrap()) {
            let mut recorded = recorded.clone();
            if recorded["json"].get("places").is_some() {
                recorded["json"]["places"][0] = without_none(&recorded["json"]["places"][0]);
            }
            assert_recorded(request, &recorded, &[]);
        }
        if let Ok(result) = &outcome
            && call.ends_with("vehicle_finder")
        {
            assert_eq!(result.position, Position::new(51.5, 7.25));
        }
    }
}

#[test]
fn bodies_of_charging_settings() {
    // Their way over the wire is in `remote_services`; here the rest of them.
    let rows = rows("charging_settings_body");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        for row in rows {
            let script = obedient(&json!(["EXECUTED"]));
            let store = MemoryTokenStore::with(fresh_token("AT-1"));
            let client = client(&script, store).build().unwrap();
            let mut car = read(&vehicle("bev_charging"));
            let number = |name: &str| row[name].as_u64().map(|value| u8::try_from(value).unwrap());
            let order = Command::ChargingSettings {
                target_soc_percent: number("target_soc"),
                ac_limit_a: number("ac_limit"),
            };
            client.command(&mut car, &order).await.unwrap();
            let body: Json = serde_json::from_str(&script.requests()[0].body).unwrap();
            assert_eq!(body, row["body"]);
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_command_is_sent_once_and_pointless_ones_never() {
    let sent = Arc::new(Mutex::new(0));
    let counter = sent.clone();
    let script = Script::new(move |_| {
        *counter.lock().unwrap() += 1;
        text(503, "")
    });
    let store = MemoryTokenStore::with(fresh_token("AT-1"));
    let client = client(&script, store).build().unwrap();
    let mut car = read(&vehicle("bev_charging"));
    let error = client
        .command(&mut car, &Command::DoorUnlock)
        .await
        .unwrap_err();
    assert!(error.may_have_taken_effect());
    assert_eq!(*sent.lock().unwrap(), 1);
    car.state.electric.as_mut().unwrap().is_charger_connected = Some(false);
    let result = client
        .command(&mut car, &Command::ChargeStart)
        .await
        .unwrap();
    assert_eq!(result.status, EventStatus::Ignored);
    assert_eq!(*sent.lock().unwrap(), 1);
    let stored = MemoryTokenStore::default();
    assert!(stored.load().await.unwrap().is_none());
}
