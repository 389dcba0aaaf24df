//! The program around it: `run`, `simulate`, `login`, `command`, `status`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::cloud::TestCloud;
use crate::running::Running;
use crate::{command, home, json};

/// Against hangs only.
const PATIENCE: Duration = Duration::from_secs(120);

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_restart_loop_neither_asks_the_car_nor_logs_anybody_out() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    let start = || Running::start(command(home.path(), &["run"]).stderr(Stdio::null()));
    let mut gateway = start();
    let asked = || {
        let requests = cloud.with(|cloud| cloud.live_calls());
        requests >= 2
    };
    wait_for("the car is asked", asked);
    // The switch comes last: everything has been asked by then.
    wait_for("it settles", || {
        cloud
            .requests()
            .iter()
            .any(|path| path == "/vehicle/alarmSwitch")
    });
    gateway.kill();
    let before = cloud.with(|cloud| cloud.live_calls());
    for _ in 0..5 {
        let mut gateway = start();
        thread::sleep(Duration::from_secs(1));
        gateway.kill();
    }
    assert_eq!(cloud.with(|cloud| cloud.live_calls()), before);
    assert_eq!(cloud.with(|cloud| cloud.logins()), 1);
}

#[test]
fn a_command_is_carried_out_and_shows() {
    let cloud = TestCloud::start();
    let home = home(&cloud);
    let told = ["command", "saic", "target_soc", "90", "--json"];
    let (code, output, _) = json(home.path(), &told);
    assert_eq!((code, &output["ok"]), (Some(0), &Value::Bool(true)));
    let (_, output, _) = json(home.path(), &["status", "saic", "--json"]);
    assert_eq!(output["readings"][0]["values"]["target_soc_percent"], 90);

    let wrong = ["command", "saic", "target_soc", "95", "--json"];
    let (code, output, _) = json(home.path(), &wrong);
    assert_eq!(code, Some(2));
    assert_eq!(
        output["error"],
        "demo@example.com: `95` is not a number of % from 40 to 100 in steps of 10"
    );
    let none = ["command", "saic", "sunroof", "open", "--json"];
    let (_, output, _) = json(home.path(), &none);
    let error = output["error"].as_str().expect("text");
    assert!(error.contains("this car has no `sunroof`"), "{error}");
}

#[test]
fn the_simulated_cloud_says_where_it_is_and_refuses_wrong_passwords() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut simulator = command(directory.path(), &["simulate", "saic"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(simulator.stdout.take().expect("stdout")).lines();
    let ready = lines.next().expect("a line").expect("text");
    let line: Value = serde_json::from_str(&ready).expect("JSON");
    assert_eq!(line["ready"], true);
    let url = line["base_url"].as_str().expect("an address");
    assert!(url.ends_with("/api.app/v1/"), "{url}");
    let login = |password: &str| {
        let args = [
            "login",
            "saic",
            "--user",
            "demo@example.com",
            "--base-url",
            url,
        ];
        let output = command(directory.path(), &args)
            .env("SAIC_PASSWORD", password)
            .output()
            .expect("the program starts");
        let stdout = String::from_utf8(output.stdout).expect("text");
        let stderr = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), stdout, stderr)
    };
    let (code, _, stderr) = login("wrong-password");
    assert_eq!(code, Some(5));
    assert!(stderr.contains("check user and password"), "{stderr}");
    assert!(!stderr.contains("wrong-password"), "{stderr}");
    let (code, stdout, _) = login("demo-password");
    assert_eq!(code, Some(0));
    assert_eq!(
        stdout,
        "Logged in as demo@example.com.\n  LSJDEMO0000000001  MG MG4 Electric Demo MG4\n"
    );
    let session = directory.path().join(".local/state/telemetry/saic");
    let files = fs::read_dir(session).expect("the session is kept");
    assert_eq!(files.count(), 2);
    simulator.kill().expect("it runs");
    simulator.wait().expect("a child of ours");
    assert!(lines.next().is_none(), "nothing else on stdout");
}

#[test]
fn a_phone_number_needs_its_country_code() {
    let directory = tempfile::tempdir().expect("a directory");
    for words in [["login", "saic"], ["status", "saic"]] {
        let output = command(directory.path(), &words)
            .args(["--user", "171 123456", "--base-url", "http://127.0.0.1:9/"])
            .env("SAIC_PASSWORD", "x")
            .output()
            .expect("the program starts");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("its country code is missing"), "{said}");
        assert!(said.contains("`--country-code 49`"), "{said}");
    }
}
