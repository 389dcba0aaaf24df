//! `once --json`: what is printed, what is kept, and how many calls it costs,
//! whatever goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use saic_ismart::simulator::Faults;
use serde_json::{Value, json as value};

use crate::cloud::TestCloud;
use crate::{home, json};

const ONCE: [&str; 2] = ["once", "--json"];
const ASK: [&str; 3] = ["once", "--json", "--spend-quota"];

/// Everything that a charging MG4 tells.
const CHARGING: [&str; 34] = [
    "altitude_m",
    "aux_battery_voltage_v",
    "battery_capacity_kwh",
    "battery_heating",
    "charge_current_limit",
    "charge_kind",
    "charging_current_a",
    "charging_ends_at",
    "charging_power_w",
    "charging_state",
    "charging_voltage_v",
    "climate_active",
    "doors_open",
    "energy_charged_kwh",
    "exterior_temperature_c",
    "heading_deg",
    "interior_temperature_c",
    "last_activity_at",
    "latitude",
    "locked",
    "longitude",
    "moving",
    "odometer_km",
    "plugged_in",
    "range_km",
    "running",
    "soc_kwh",
    "soc_percent",
    "speed_kmh",
    "target_soc_percent",
    "time_to_full_s",
    "total_range_km",
    "tyre_pressure_bar",
    "windows_open",
];

fn token(home: &Path) -> PathBuf {
    home.join("state/saic/eu-demo-example-com.token.json")
}

/// The state of charge in the one reading, and what is wrong with it.
fn kept(output: &Value) -> (&Value, &Value) {
    let reading = &output["readings"][0];
    (
        &reading["values"]["soc_percent"],
        &reading["extra"]["trouble"],
    )
}

#[test]
fn every_value_of_a_charging_car_and_then_no_call() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    let (code, output, stderr) = json(home.path(), &ONCE);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(output["errors"], value!([]));
    let reading = &output["readings"][0];
    assert_eq!(
        reading["device"],
        value!({"id": "lsjdemo0000000001", "kind": "vehicle", "name": "Demo MG4",
                "model": "MG4 Electric", "serial": "LSJDEMO0000000001"})
    );
    let values = reading["values"].as_object().expect("values");
    let mut keys: Vec<_> = values.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, CHARGING);
    assert_eq!(values["charging_state"], "charging");
    assert_eq!(values["charge_kind"], "ac");
    assert_eq!(values["target_soc_percent"], 80);
    assert_eq!(values["battery_capacity_kwh"], 64);
    // 7.2 kW from the grid, a tenth of it lost.
    let power = values["charging_power_w"].as_f64().expect("a number");
    assert!((6400.0..6560.0).contains(&power), "{power}");
    assert_eq!(
        cloud.with(|cloud| (cloud.logins(), cloud.live_calls())),
        (1, 2)
    );
    let mut requests = cloud.requests();
    requests.dedup();
    assert_eq!(
        requests,
        [
            "/oauth/token",
            "/vehicle/list",
            "/message/list",
            "/vehicle/status/cache",
            "/vehicle/status",
            "/vehicle/charging/mgmtData",
            "/charging/batteryHeating",
        ]
    );

    let (code, output, _) = json(home.path(), &ONCE);
    assert_eq!(code, Some(0));
    assert_eq!(
        output["readings"][0]["values"]["soc_kwh"],
        values["soc_kwh"]
    );
    let again = cloud.requests();
    // What the cloud knows by itself, if a minute has passed; the car is not asked.
    let wakes = |path: &String| !["/message/list", "/vehicle/status/cache"].contains(&&**path);
    assert!(!again.iter().any(wakes), "{again:?}");
}

#[test]
fn a_cloud_that_answers_nonsense_costs_one_call_and_the_last_state_stays() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    assert_eq!(json(home.path(), &ONCE).0, Some(0));
    let calls = cloud.with(|cloud| cloud.live_calls());
    let fault = |change: fn(&mut Faults)| {
        let mut faults = Faults::default();
        change(&mut faults);
        faults
    };
    for (faults, code, error, hint) in [
        (
            fault(|faults| faults.web_page = 1.0),
            4,
            "a web page instead of data (HTTP 200): a proxy or maintenance",
            value!("maintenance, or a proxy in between: try again later"),
        ),
        (
            fault(|faults| faults.half_body = 1.0),
            4,
            "unreadable answer",
            Value::Null,
        ),
        (
            fault(|faults| faults.server_error = 1.0),
            4,
            "the cloud is not available (HTTP 500)",
            value!("nothing is wrong here: try again later"),
        ),
        (
            fault(|faults| faults.unavailable = 1.0),
            4,
            "the cloud is not available (code 6)",
            value!("nothing is wrong here: try again later"),
        ),
    ] {
        cloud.requests();
        cloud.with(|cloud| cloud.set_faults(faults));
        let (exit, output, stderr) = json(home.path(), &ASK);
        assert_eq!(exit, Some(code), "{error}");
        let told = &output["errors"][0];
        assert_eq!(told["device"], "demo@example.com");
        let text = told["error"].as_str().expect("text");
        assert!(text.contains(error), "{text}");
        assert_eq!(told["hint"], hint, "{error}");
        assert!(stderr.contains(error), "{stderr}");
        assert!(kept(&output).0.is_number(), "{error}");
        let requests = cloud.requests();
        assert_eq!(requests.len(), 1, "{error}: {requests:?}");
    }
    // Nothing got as far as the car, and nobody logged in again.
    let after = cloud.with(|cloud| (cloud.logins(), cloud.live_calls()));
    assert_eq!(after, (1, calls));
}

#[test]
fn another_device_is_left_alone_until_the_user_takes_the_account_back() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    assert_eq!(json(home.path(), &ONCE).0, Some(0));
    cloud.requests();
    cloud.with(|cloud| cloud.log_in_elsewhere());
    let (code, output, _) = json(home.path(), &ASK);
    assert_eq!(code, Some(5));
    assert_eq!(
        output["errors"][0]["error"],
        "another device logged in to this account; use a second, shared account for telemetry"
    );
    let hint = output["errors"][0]["hint"].as_str().expect("text");
    assert!(hint.contains("`telemetry login saic`"), "{hint}");
    assert!(kept(&output).0.is_number());
    assert_eq!(cloud.requests().len(), 1);
    // Whatever is called now does not log the phone out.
    for _ in 0..3 {
        assert_eq!(json(home.path(), &ASK).0, Some(5));
    }
    assert_eq!(cloud.requests(), [""; 0]);
    assert_eq!(cloud.with(|cloud| cloud.logins()), 1);

    let (code, output, _) = json(home.path(), &["login", "saic", "--json"]);
    assert_eq!(code, Some(0));
    assert_eq!(output["vehicles"][0]["vin"], "LSJDEMO0000000001");
    assert_eq!(cloud.with(|cloud| cloud.logins()), 2);
    let (code, output, _) = json(home.path(), &ONCE);
    assert_eq!((code, output["errors"].clone()), (Some(0), value!([])));
    assert_eq!(cloud.with(|cloud| cloud.logins()), 2);
}

#[test]
fn an_expired_session_is_renewed_once() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    assert_eq!(json(home.path(), &ONCE).0, Some(0));
    let file = token(home.path());
    let mut session: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    session["expires_at_ms"] = 1.into();
    fs::write(&file, session.to_string()).unwrap();
    cloud.requests();
    let (code, output, _) = json(home.path(), &ASK);
    assert_eq!((code, output["errors"].clone()), (Some(0), value!([])));
    let requests = cloud.requests();
    let logins = requests.iter().filter(|path| *path == "/oauth/token");
    assert_eq!(logins.count(), 1, "{requests:?}");
    assert_eq!(
        cloud.with(|cloud| (cloud.logins(), cloud.live_calls())),
        (2, 4)
    );
}

/// Waits as long as a car has to answer.
#[test]
fn a_car_out_of_reach_keeps_its_last_state() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    assert_eq!(json(home.path(), &ONCE).0, Some(0));
    cloud.with(|cloud| cloud.set_signal(0, false));
    let (code, output, _) = json(home.path(), &ASK);
    assert_eq!(code, Some(3));
    let silent = "the car does not answer: it sleeps deeply or has no signal";
    assert_eq!(
        output["errors"],
        value!([{"device": "Demo MG4", "error": silent,
                 "hint": "try again when the car was opened or driven, where it has a signal"}])
    );
    let (charge, trouble) = kept(&output);
    assert!(charge.is_number());
    assert_eq!(trouble, silent);
    // Three were answered or not; the charging data were not asked for any more.
    assert_eq!(cloud.with(|cloud| cloud.live_calls()), 3);
    cloud.requests();
    // It is left alone for five minutes then.
    let (code, output, _) = json(home.path(), &ONCE);
    assert_eq!((code, kept(&output).0.is_number()), (Some(0), true));
    assert_eq!(cloud.with(|cloud| cloud.live_calls()), 3);
}
