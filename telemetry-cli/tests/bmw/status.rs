//! `telemetry status bmw`

use std::process::Output;

use serde_json::Value;

use crate::clouds::serve;
use crate::computer::Computer;
use crate::documents::{Documents, NAMES, document};

async fn status(url: &str, more: &[&str], password: Option<&str>) -> Output {
    let computer = Computer::blank();
    let args = [
        "status",
        "bmw",
        "--json",
        "--base-url",
        url,
        "--username",
        "me@example.com",
    ];
    let mut command = computer.telemetry(&[&args, more].concat());
    if let Some(password) = password {
        command.env("BIMMER_PASSWORD", password);
    }
    tokio::task::spawn_blocking(move || {
        let output = command.output().unwrap();
        drop(computer);
        output
    })
    .await
    .unwrap()
}

fn vehicles(output: &Output) -> Vec<Value> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["vehicles"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn cars_of_every_brand_and_drive_train() {
    let served = serve(Documents::default().in_miles("ice", 1000)).await;
    let output = status(&served.url, &["--captcha-token", "P1_eY"], Some("x")).await;
    let cars = vehicles(&output);
    assert_eq!(cars.len(), NAMES.len());
    for name in NAMES {
        let document = document(name);
        let car = cars
            .iter()
            .find(|car| car["vin"] == document["profile"]["vin"]);
        let car = car.unwrap_or_else(|| panic!("{name}"));
        let original = &document["legacy_message"];
        assert_eq!(car["brand"], original["brand"], "{name}");
        assert_eq!(car["name"], original["name"], "{name}");
        let (values, parsed) = (&car["values"], &document["parsed"]);
        let energy = &parsed["fuel_and_battery"];
        for (key, theirs) in [
            ("soc_percent", &energy["remaining_battery_percent"]),
            ("range_km", &energy["remaining_range_electric"][0]),
            ("fuel_range_km", &energy["remaining_range_fuel"][0]),
            ("total_range_km", &energy["remaining_range_total"][0]),
            ("fuel_percent", &energy["remaining_fuel_percent"]),
        ] {
            assert_eq!(&values[key], theirs, "{name}: {key}");
        }
        match name {
            // Kilometres, whatever the document has.
            "ice" => assert_eq!(values["odometer_km"], 1609),
            _ => assert_eq!(values["odometer_km"], parsed["mileage"][0], "{name}"),
        }
    }
    let bev = cars
        .iter()
        .find(|car| car["name"] == "i9 Synthetic")
        .unwrap();
    assert_eq!(bev["values"]["charging_state"], "charging");
    assert_eq!(bev["values"]["locked"], true);
    assert_eq!(bev["values"]["tyre_pressure_bar"]["rear_right"], 2.64);
    let asked = &served.cloud.lock().unwrap().asked;
    // Nothing went to BMW, although the server names BMW's login.
    assert!(asked.iter().any(|path| path == "/gcdm/oauth/token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_car() {
    let served = serve(Documents::default()).await;
    let flags = [
        "--captcha-token",
        "P1_eY",
        "--vin",
        "wmw11aa0001234505",
        "--region",
        "north_america",
    ];
    let cars = vehicles(&status(&served.url, &flags, Some("x")).await);
    assert_eq!(cars.len(), 1);
    assert_eq!(cars[0]["brand"], "mini");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said() {
    let served = serve(Documents::default()).await;
    for (flags, password, code, said) in [
        (
            &[][..],
            None,
            5,
            "environment variable BIMMER_PASSWORD is not set",
        ),
        (&[], Some("x"), 5, "a captcha token is needed"),
        (
            &["--captcha-token", "P1_eY", "--vin", "WBA00SIM000000009"],
            Some("x"),
            3,
            "the account has no car with the VIN WBA00SIM000000009",
        ),
    ] {
        let output = status(&served.url, flags, password).await;
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_api_is_said_to_be_closed() {
    use telemetry_cli::cloud::bmw::{MyBmw, PASSWORD};
    let mut cloud = MyBmw::new(1);
    cloud.0.faults.blocked = true;
    let served = serve(cloud).await;
    let output = status(&served.url, &["--captcha-token", "P1_1"], Some(PASSWORD)).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(
        stderr.contains("blocked by BMW: this API answers BMW's own app only"),
        "{stderr}"
    );
    assert!(stderr.contains("telemetry login bmw"), "{stderr}");
}
