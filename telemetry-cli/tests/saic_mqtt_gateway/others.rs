//! Those who are told besides the broker's readers: ABRP, an OsmAnd server, a
//! wallbox, the terminal.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use saic_ismart::simulator::Activity;
use telemetry_cli::cloud::{Answer, Cloud, Server};
use tokio_util::sync::CancellationToken;

use super::{Program, Simulated, VIN, car};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

/// Answers everything alike, and writes down what it was asked.
struct Service {
    status: u16,
    asked: Vec<String>,
}

impl Cloud for Service {
    fn answer(&mut self, head: &Parts, _: &[u8]) -> Answer {
        let key = head
            .headers
            .get("authorization")
            .map(|value| value.to_str().expect("text"));
        self.asked.push(format!(
            "{} {} {}",
            head.method,
            head.uri,
            key.unwrap_or("-")
        ));
        Answer {
            status: self.status,
            headers: Vec::new(),
            body: b"taken".to_vec(),
        }
    }
}

/// It listens there.
async fn service(status: u16) -> (Arc<Mutex<Service>>, String) {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into())
        .await
        .expect("a free port");
    let uri = format!("http://{}", server.local_addr());
    let service = Arc::new(Mutex::new(Service {
        status,
        asked: Vec::new(),
    }));
    tokio::spawn(server.run(service.clone(), CancellationToken::new()));
    (service, uri)
}

fn asked(service: &Arc<Mutex<Service>>) -> Vec<String> {
    service
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .asked
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn abrp_and_an_osmand_server_are_told_after_a_poll() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let (abrp, abrp_uri) = service(200).await;
    // One that fails disturbs nobody.
    let (osmand, osmand_uri) = service(500).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let token = format!("{VIN}=hush=hush");
    let running = program.start(&[
        "--abrp-uri",
        &abrp_uri,
        "--abrp-user-token",
        &token,
        "--osmand-server-uri",
        &format!("{osmand_uri}/in"),
        "--osmand-device-id",
        &format!("{VIN}=mine"),
        "--publish-raw-abrp-data",
        "true",
        "--publish-raw-osmand-data",
        "true",
    ]);
    let mut watcher = Watcher::new(broker.address()).await;
    watcher.wait_for(&car("_internal/abrp"), "taken").await;
    watcher
        .wait_for(&car("_internal/osmand"), "HTTP 500: taken")
        .await;
    watcher.wait_for(&car("available"), "online").await;
    assert!(running.stop().success());

    let asked_abrp = asked(&abrp).remove(0);
    let begin = "POST /1/tlm/send?token=hush%3Dhush&tlm=%7B%22utc%22%3A";
    assert!(asked_abrp.starts_with(begin), "{asked_abrp}");
    assert!(asked_abrp.ends_with(" APIKEY 8cfc314b-03cd-4efe-ab7d-4431cd8f2e2d"));
    assert!(asked_abrp.contains("%22is_charging%22%3Atrue"));
    let asked_osmand = asked(&osmand).remove(0);
    assert!(
        asked_osmand.starts_with("POST /in?id=mine&timestamp="),
        "{asked_osmand}"
    );
    let raw = |topic: &str| -> serde_json::Value {
        serde_json::from_str(&watcher.last[topic]).expect("JSON")
    };
    let request = raw("saic/_internal/abrp/1/tlm/send/request");
    assert_eq!(request["query"]["token"], serde_json::json!(["***"]));
    assert_eq!(request["headers"]["authorization"], "***");
    let response = raw("saic/_internal/abrp/1/tlm/send/response");
    assert_eq!(
        (&response["path"], &response["body"]),
        (&"1/tlm/send".into(), &"taken".into())
    );
    let request = raw("saic/_internal/osmand/in/request");
    assert_eq!(request["query"]["id"], serde_json::json!(["mine"]));
    assert!(
        !watcher
            .log
            .iter()
            .any(|(_, payload, _)| payload.contains("hush"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_the_cloud_is_published_but_not_kept() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--publish-raw-api-data", "true"]);
    watcher.wait_for(&car("available"), "online").await;
    assert!(running.stop().success());
    let raw = |direction: &str| -> serde_json::Value {
        let topic = format!("saic/_internal/api/vehicle/status/{direction}");
        serde_json::from_str(&watcher.last[&topic]).expect("JSON")
    };
    let request = raw("request");
    assert_eq!(request["path"], "vehicle/status");
    assert_eq!(
        request["query"]["vehStatusReqType"],
        serde_json::json!(["2"])
    );
    assert_eq!(request["headers"]["tenant-id"], "459771");
    assert_eq!(raw("response")["body"]["code"], 0);
    assert!(raw("response")["headers"].is_object());
    let said = watcher
        .log
        .iter()
        .filter(|(topic, ..)| topic.contains("/_internal/api/"));
    for (_, payload, _) in said {
        let secret = ["blade-auth", "access_token\":\"", "demo-password"];
        assert!(
            secret.iter().all(|secret| !payload.contains(secret)),
            "{payload}"
        );
    }
    let kept = retained(broker.address()).await;
    assert!(!kept.keys().any(|topic| topic.contains("/_internal/api/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallbox_is_told_and_heard() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let sample = include_str!("../../packaging/saic-mqtt-gateway/charging-stations.json");
    let stations = sample.replace("LSJTEST0000000001", VIN);
    fs::write(
        program.directory.path().join("charging-stations.json"),
        stations,
    )
    .expect("written");
    let running = program.start(&[]);
    let soc = "openWB/set/vehicle/2/get/soc";
    watcher
        .wait_until("a state of charge", |watcher| {
            watcher.last.contains_key(soc)
        })
        .await;
    assert_eq!(watcher.last[soc], watcher.last[&car("drivetrain/soc")]);
    watcher
        .wait_for(&car("refresh/pollingPhase"), "after_shutdown")
        .await;
    let range = &watcher.last["openWB/set/vehicle/2/get/range"];
    assert_eq!(range, &watcher.last[&car("drivetrain/range")]);
    assert!(
        watcher
            .last
            .contains_key("openWB/set/vehicle/2/get/soc_timestamp")
    );

    let state = car("refresh/lastVehicleState");
    let before = watcher.last[&state].clone();
    watcher
        .publish("openWB/chargepoint/2/get/charge_state", "true", false)
        .await;
    watcher.wait_for(&car("drivetrain/charging"), "True").await;
    watcher
        .wait_until("a poll", |watcher| watcher.last[&state] != before)
        .await;
    // It was not so.
    watcher.wait_for(&car("drivetrain/charging"), "False").await;

    // Home Assistant starts: it gets all values, but nothing new was measured.
    let measured = |watcher: &Watcher| {
        let told = watcher.log.iter().filter(|(topic, ..)| topic == soc);
        told.count()
    };
    watcher
        .wait_until("both measurements", |watcher| measured(watcher) == 2)
        .await;
    let before = measured(&watcher);
    watcher.last.remove(&car("info/series"));
    watcher
        .publish("homeassistant/status", "online", false)
        .await;
    watcher.wait_for(&car("info/series"), "EH32 S").await;
    assert_eq!(measured(&watcher), before);

    // That it charges no more is asked of the car, and not shown as a charge.
    let before = watcher.last[&state].clone();
    watcher.log.clear();
    watcher
        .publish("openWB/chargepoint/2/get/charge_state", "false", false)
        .await;
    watcher
        .wait_until("a poll", |watcher| watcher.last[&state] != before)
        .await;
    let charging = car("drivetrain/charging");
    let shown =
        |(topic, payload, _): &(String, String, bool)| *topic == charging && payload == "True";
    assert!(!watcher.log.iter().any(shown));
    assert!(running.stop().success());
    assert!(
        !watcher
            .last
            .keys()
            .any(|topic| topic.starts_with("saic/openWB"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_everything_is_printed() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let directory = tempfile::tempdir().expect("temporary directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
    command
        .args([
            "saic-mqtt-gateway",
            "--console",
            "-u",
            "demo@example.com",
            "-s",
        ])
        .arg(format!("http://{}/api.app/v1/", cloud.address))
        .arg("--state-dir")
        .arg(directory.path())
        .env_clear()
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    // In a file in the working directory.
    fs::write(
        directory.path().join(".env"),
        "SAIC_PASSWORD='demo-password'\n",
    )
    .expect("written");
    let mut child = command.spawn().expect("it was built");
    let stdout = child.stdout.take().expect("a pipe");
    let found = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // Without the prefix.
        let soc = format!("demo@example.com/vehicles/{VIN}/drivetrain/soc: ");
        let document = format!("homeassistant/device/{VIN}_mg/config: {{");
        let mut wanted = vec![soc, document];
        while !wanted.is_empty() {
            let line = lines.next()?;
            wanted.retain(|begin| !line.starts_with(begin));
        }
        Some(())
    });
    let found = tokio::time::timeout(crate::watcher::DEADLINE, found).await;
    child.kill().expect("it runs");
    child.wait().expect("a child of ours");
    assert!(found.expect("in time").expect("no panic").is_some());
}

/// What it says on stderr with these variables, and its code.
fn said(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args([
            "saic-mqtt-gateway",
            "-m",
            "nowhere",
            "-u",
            "a@b.example",
            "-p",
            "x",
        ])
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("it was built");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), stderr)
}

#[test]
fn variables_for_the_log_are_judged_before_all_else() {
    for variable in [
        "LOG_LEVEL",
        "MQTT_LOG_LEVEL",
        "SAIC_ISMART_CLIENT_NG_LOG_LEVEL",
    ] {
        let (code, stderr) = said(&[(variable, "loud")]);
        assert_eq!(code, Some(2));
        let why = format!("environment variable {variable}: `loud` is no level");
        assert!(stderr.contains(&why), "{stderr}");
    }
    let unknown = "NODE_LOG_LEVEL names no module";
    let (_, stderr) = said(&[("NODE_LOG_LEVEL", "silly")]);
    assert!(stderr.contains(unknown), "{stderr}");
    let (_, stderr) = said(&[("NODE_LOG_LEVEL", "silly"), ("LOG_LEVEL", "CRITICAL")]);
    assert!(
        !stderr.contains(unknown) && stderr.contains("`--mqtt-uri`"),
        "{stderr}"
    );
}

#[test]
fn a_flag_that_cannot_be_meant_ends_it_at_once() {
    for (flags, why) in [
        ("-u a@b.example -p x", "`--mqtt-uri` is missing"),
        ("-m tcp://b -u a@b.example", "`--saic-password` is missing"),
        (
            "-m tcp://b -u a@b.example -p x --saic-relogin-delay soon",
            "`--saic-relogin-delay`: `soon`",
        ),
        ("--no-such-flag", "unexpected argument '--no-such-flag'"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_telemetry"))
            .arg("saic-mqtt-gateway")
            .args(flags.split_whitespace())
            .env_clear()
            .output()
            .expect("it was built");
        assert_eq!(output.status.code(), Some(2), "{flags}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(why), "{flags}: {stderr}");
    }
}
