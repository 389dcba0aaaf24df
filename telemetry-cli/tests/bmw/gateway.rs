//! `telemetry run` with an account of each kind, and a real Mosquitto.

use std::process::Stdio;

use bimmer::FileTokenStore;
use bimmer::cardata::{Client, ClientId, Hosts};
use serde_json::Value;
use telemetry_cli::cloud::bmw::{CAPTCHA_TOKEN, CLIENT_ID, CarData, MyBmw, PASSWORD, USER, cars};

use crate::clouds::{serve, serve_cardata};
use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::running::Running;
use crate::watcher::Watcher;

const BMW: &str = "telemetry/wba00sim000000001";
const MINI: &str = "telemetry/wmw00sim000000004";

fn json(watcher: &Watcher, topic: &str) -> Value {
    let payload = watcher.last.get(topic).map_or("null", String::as_str);
    serde_json::from_str(payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_raw_descriptors_and_commands() {
    let (bmws, minis): (Vec<_>, Vec<_>) = cars().into_iter().partition(|car| car.brand != "MINI");
    let app = serve(MyBmw::with_cars(minis, 1)).await;
    let (official, stream) = serve_cardata(CarData::with_cars(bmws, 1)).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let computer = Computer::blank();
    let tokens = computer.directory.path().join("state/bmw");
    std::fs::create_dir_all(&tokens).unwrap();
    let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
        .hosts(Hosts::default().with_auth_url(&official.url))
        .token_store(FileTokenStore::new(
            tokens.join(format!("{CLIENT_ID}.token")),
        ))
        .build()
        .unwrap();
    client.login(|_| {}).await.unwrap();
    computer.configure(&format!(
        "[gateway]\nstate_dir = \"state\"\n[mqtt]\nurl = \"tcp://{}\"\n\
         [[bmw]]\nclient_id = \"{CLIENT_ID}\"\nraw = true\nvin = [\"WBA00SIM000000001\"]\n\
         auth_url = \"{url}\"\napi_url = \"{url}\"\nstream_url = \"{stream}\"\n\
         [[bmw]]\napi = \"mybmw\"\nuser = \"{USER}\"\npassword = \"env:BMW_PASSWORD\"\n\
         api_url = \"{}\"\n",
        broker.address(),
        app.url,
        url = official.url,
    ));
    let login = ["login", "bmw", "--account", USER, "--captcha-token"];
    let captcha = format!("{CAPTCHA_TOKEN}once");
    let mut login = computer.telemetry(&[&login[..], &[&captcha]].concat());
    login.env("BMW_PASSWORD", PASSWORD);
    let output = tokio::task::spawn_blocking(move || login.output().unwrap());
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let mut run = computer.telemetry(&["run"]);
    let running = Running::start(run.env("BMW_PASSWORD", PASSWORD).stderr(Stdio::null()));
    let state = format!("{BMW}/state");
    watcher
        .wait_until("both cars", |watcher| {
            let bmw = json(watcher, &state);
            let mini = json(watcher, &format!("{MINI}/state"));
            bmw["odometer_km"] == 12_345
                && bmw["soc_percent"].is_number()
                && mini["soc_percent"].is_number()
        })
        .await;
    let bmw = json(&watcher, &state);
    assert!(bmw["extra"]["measured"]["soc_percent"].is_string(), "{bmw}");
    let raw = format!("{BMW}/raw/vehicle.drivetrain.batteryManagement.header");
    watcher
        .wait_until("a descriptor", |watcher| watcher.last.contains_key(&raw))
        .await;
    let raw = json(&watcher, &raw);
    assert!(
        (45.0..=80.0).contains(&raw["value"].as_f64().unwrap()),
        "{raw}"
    );
    assert_eq!(raw["unit"], "%");

    // What is not allowed by name is refused, without asking BMW.
    let lock = format!("{MINI}/locked");
    watcher
        .publish(&format!("{lock}/set"), "unlock", false)
        .await;
    let result = format!("{lock}/result");
    watcher
        .wait_until("a refusal", |watcher| watcher.last.contains_key(&result))
        .await;
    assert_eq!(json(&watcher, &result)["ok"], false);

    // And a command that takes effect shows it.
    let climate = format!("{MINI}/climate_active");
    watcher.wait_for(&climate, "false").await;
    watcher
        .publish(&format!("{climate}/set"), "on", false)
        .await;
    let result = format!("{climate}/result");
    watcher
        .wait_until("a result", |watcher| watcher.last.contains_key(&result))
        .await;
    assert_eq!(json(&watcher, &result)["ok"], true);
    assert_eq!(watcher.last[&climate], "true");
    assert_eq!(running.stop().code(), Some(0));
    watcher
        .wait_for(&format!("{BMW}/availability"), "offline")
        .await;
}
