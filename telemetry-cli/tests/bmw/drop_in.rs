//! `telemetry bmw-mqtt` against simulated clouds and a real Mosquitto.

use std::process::{Command, Stdio};

use bimmer::FileTokenStore;
use bimmer::cardata::{Client, ClientId, Hosts};
use rumqttc::QoS;
use serde_json::Value;
use telemetry_cli::cloud::bmw::{CLIENT_ID, CarData, MyBmw, PASSWORD, USER};

use crate::clouds::{serve, serve_cardata};
use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::running::Running;
use crate::watcher::Watcher;

const KEYS: [&str; 10] = [
    "brand",
    "name",
    "battery",
    "chargingstatus",
    "chargingtarget",
    "chargerconnected",
    "remainingrange",
    "mileage",
    "moving",
    "last_update",
];

const BMW: &str = "WBA00SIM000000001";
const MINI: &str = "WMW00SIM000000004";

/// The program as a link of this name, as its users call it.
fn linked(computer: &Computer) -> std::path::PathBuf {
    let link = computer.directory.path().join("bmw-mqtt");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_telemetry"), &link).unwrap();
    }
    link
}

fn with_account(command: &mut Command, broker: &Mosquitto) {
    command
        .env("BMW_VIN", BMW)
        .env("BMW_USERNAME", USER)
        .env("BMW_PASSWORD", PASSWORD)
        .env("Mini_VIN", MINI.to_lowercase())
        .env("MINI_USERNAME", USER)
        .env("Mini_PASSWORD", PASSWORD)
        .env("MQTT_BROKER", "127.0.0.1")
        .env("MQTT_PORT", broker.address().port().to_string())
        .stderr(Stdio::null());
}

/// Every key, in the original's order.
fn keys(text: &str) -> Vec<&str> {
    let mut places: Vec<_> = KEYS
        .into_iter()
        .filter_map(|key| Some((text.find(&format!("\"{key}\":"))?, key)))
        .collect();
    places.sort_unstable();
    places.into_iter().map(|(_, key)| key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cars_of_mybmw_and_a_restart_without_captcha() {
    let served = serve(MyBmw::new(1)).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let computer = Computer::blank();
    let program = linked(&computer);
    let args = ["--base-url", served.url.as_str(), "--interval", "2"];
    let captchas = [
        "--captcha_token_BMW",
        "P1_one",
        "--captcha_token_mini=P1_two",
    ];
    let mut command = computer.program(&program, &[&args[..], &captchas].concat());
    with_account(&mut command, &broker);
    let first = Running::start(&mut command);
    watcher
        .wait_until("both cars", |watcher| names(watcher).len() == 2)
        .await;
    assert_eq!(names(&watcher), ["Cooper Simulated", "i4 Simulated"]);
    for (topic, payload, retained) in &watcher.log {
        assert_eq!((topic.as_str(), *retained), ("data/charging/", false));
        assert_eq!(keys(payload), KEYS, "{payload}");
    }
    assert_eq!(watcher.qos["data/charging/"], QoS::AtMostOnce);
    let message: Value = serde_json::from_str(&watcher.last["data/charging/"]).unwrap();
    assert_eq!(message["battery"], 50);
    assert_eq!(message["moving"], false);
    assert!(message["last_update"].as_str().unwrap().ends_with("+00:00"));
    assert_eq!(first.stop().code(), Some(0));

    // The logins are kept: the next start needs no captcha.
    let state = computer
        .directory
        .path()
        .join(".local/state/telemetry/bmw-mqtt/bmw");
    for name in ["bmw.token", "mini.token"] {
        use std::os::unix::fs::PermissionsExt as _;
        let data = std::fs::metadata(state.join(name)).unwrap();
        assert_eq!(data.permissions().mode() & 0o777, 0o600);
    }
    watcher.log.clear();
    let args = [
        &args[..],
        &["--topic", "cars/{name}/{vin}", "--value-pairs"],
    ]
    .concat();
    let mut command = computer.program(&program, &args);
    with_account(&mut command, &broker);
    let second = Running::start(&mut command);
    let topic = format!("cars/Mini/{MINI}");
    watcher
        .wait_until("the MINI", |watcher| watcher.last.contains_key(&topic))
        .await;
    let message: Value = serde_json::from_str(&watcher.last[&topic]).unwrap();
    assert_eq!(message["mileage"][1], "km");
    assert_eq!(second.stop().code(), Some(0));
}

fn names(watcher: &Watcher) -> Vec<String> {
    let mut names: Vec<_> = watcher
        .log
        .iter()
        .filter_map(|(_, payload, _)| {
            let json: Value = serde_json::from_str(payload).ok()?;
            Some(json["name"].as_str()?.to_owned())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cars_of_one_cardata_client() {
    let (served, stream) = serve_cardata(CarData::new(1)).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let computer = Computer::blank();
    let state = computer.directory.path().join("state");
    let tokens = state.join("bmw-mqtt/bmw");
    std::fs::create_dir_all(&tokens).unwrap();
    let hosts = Hosts::default().with_auth_url(&served.url);
    let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
        .hosts(hosts)
        .token_store(FileTokenStore::new(tokens.join("bmw.token")))
        .build()
        .unwrap();
    client.login(|_| {}).await.unwrap();

    let state = state.to_str().unwrap();
    let mut args = vec![
        "bmw-mqtt",
        "--base-url",
        &served.url,
        "--stream-url",
        &stream,
    ];
    args.extend(["--interval", "2", "--state-dir", state]);
    let mut command = computer.telemetry(&args);
    command
        .env("BMW_VIN", BMW)
        .env("Mini_VIN", MINI)
        .env("BMW_CARDATA_CLIENT_ID", CLIENT_ID.to_uppercase())
        .env("Mini_CARDATA_CLIENT_ID", CLIENT_ID)
        .env("MQTT_BROKER", "127.0.0.1")
        .env("MQTT_PORT", broker.address().port().to_string())
        .stderr(Stdio::null());
    let running = Running::start(&mut command);
    let complete = |watcher: &Watcher| {
        let of = |name: &str| {
            watcher.log.iter().any(|(_, payload, _)| {
                payload.contains(name)
                    && payload.contains("\"battery\":5")
                    && payload.contains("\"mileage\":123")
            })
        };
        of("i4 Simulated") && of("Cooper Simulated")
    };
    watcher.wait_until("both cars", complete).await;
    let (_, payload, _) = watcher.log.last().unwrap();
    assert_eq!(keys(payload), KEYS, "{payload}");
    let message: Value = serde_json::from_str(payload).unwrap();
    let status = message["chargingstatus"].as_str().unwrap();
    assert!(
        ["CHARGING", "NOT_CHARGING", "PLUGGED_IN", "TARGET_REACHED"].contains(&status),
        "{status}"
    );
    assert_eq!(running.stop().code(), Some(0));
    // What each is, how each is, and the container.
    let used = served.cloud.lock().unwrap().cloud.calls_used();
    assert!((6..=8).contains(&used), "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_login_is_said_once() {
    let served = serve(MyBmw::new(1)).await;
    let computer = Computer::blank();
    let log = computer.directory.path().join("log");
    let mut command = computer.telemetry(&["bmw-mqtt", "--base-url", &served.url]);
    command
        .env("BMW_VIN", BMW)
        .env("BMW_USERNAME", USER)
        .env("BMW_PASSWORD", PASSWORD)
        .env("MQTT_PORT", "1")
        .stderr(std::fs::File::create(&log).unwrap());
    let running = Running::start(&mut command);
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let end = std::time::Instant::now() + crate::watcher::DEADLINE;
    while !said().contains("captcha_token_BMW") {
        assert!(std::time::Instant::now() < end, "{}", said());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(
        said().matches("a captcha token is needed").count(),
        1,
        "{}",
        said()
    );
    assert_eq!(running.stop().code(), Some(0));
}
