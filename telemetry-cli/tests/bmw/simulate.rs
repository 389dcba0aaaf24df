//! `telemetry simulate bmw` and `telemetry simulate cardata`

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use bimmer::cardata::stream::StreamEvent;
use bimmer::cardata::{Client, ClientId, Hosts, RECOMMENDED_KEYS};
use bimmer::mybmw;
use serde_json::Value;

use crate::computer::Computer;
use crate::running::Running;

/// The server and its first line.
fn simulate(kind: &str) -> (Running, Value, Computer) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let computer = Computer::blank();
    let mut command = computer.telemetry(&["simulate", kind, "--seed", "7"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], true);
    (Running::of(child), ready, computer)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_logs_in_and_reads_cars() {
    let (running, ready, _computer) = simulate("bmw");
    let text = |key: &str| ready[key].as_str().unwrap().to_owned();
    let client = mybmw::Client::builder(mybmw::Region::RestOfWorld)
        .api_url(&text("base_url"))
        .credentials(text("user"), text("password"))
        .captcha_token(format!("{}any", text("captcha_token")))
        .build()
        .unwrap();
    let profiles = client.profiles().await.unwrap();
    assert_eq!(profiles.len(), 4);
    let car = client.vehicle(&profiles[0]).await.unwrap();
    assert_eq!(car.soc_percent(), Some(50));
    assert_eq!(running.stop().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_client_has_data_and_stream() {
    let (_running, ready, _computer) = simulate("cardata");
    let text = |key: &str| ready[key].as_str().unwrap().to_owned();
    let address = text("mqtt");
    let (host, port) = address
        .strip_prefix("tcp://")
        .unwrap()
        .split_once(':')
        .unwrap();
    let hosts = Hosts::default()
        .with_auth_url(&text("base_url"))
        .with_api_url(&text("base_url"))
        .with_stream(host, port.parse().unwrap());
    let id = ClientId::new(&text("client_id")).unwrap();
    let client = Client::builder(id).hosts(hosts).build().unwrap();
    let pending = client.begin_login().await.unwrap();
    // The user does what the program asks for.
    let page = reqwest::get(&pending.verification_url_complete)
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    client.finish_login(pending).await.unwrap();
    let cars = client.mappings().await.unwrap();
    assert_eq!(cars.len(), 4);
    let data = client
        .telematic_data(&cars[0].vin, RECOMMENDED_KEYS)
        .await
        .unwrap();
    assert!(data.values.len() > 5);
    let mut options = bimmer::cardata::stream::StreamOptions::default();
    options.plain_loopback = true;
    let mut stream = client.stream(options).unwrap();
    assert_eq!(stream.next().await.unwrap(), StreamEvent::Connected);
    let StreamEvent::Message { message, .. } = stream.next().await.unwrap() else {
        panic!("a message");
    };
    assert_eq!(message.vin, cars[0].vin);
}
