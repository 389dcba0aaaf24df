//! `telemetry demo` as a newcomer runs it, and what it leaves behind.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const PACKS: [&str; 3] = ["jbd-a4c138000001", "jbd-a4c138000002", "jbd-a4c138000003"];

/// A demo in a process of its own, ended when dropped.
struct Demo {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    ready: Value,
}

impl Demo {
    fn start(state_dir: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_telemetry"))
            .args([
                "demo",
                "--json",
                "--mqtt-listen",
                "127.0.0.1:0",
                "--state-dir",
            ])
            .arg(state_dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let ready = lines.next().expect("a line").expect("text");
        assert!(ready.starts_with(r#"{"ready":true,"#), "{ready}");
        let ready = serde_json::from_str(&ready).expect("JSON");
        Self {
            child,
            lines,
            ready,
        }
    }

    /// The next one of any device.
    fn any_reading(&mut self) -> Value {
        let line = self.lines.next().expect("a reading").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The next one of a pack: most tests are about those.
    fn reading(&mut self) -> Value {
        loop {
            let reading = self.any_reading();
            if is_pack(&reading) {
                return reading;
            }
        }
    }

    fn broker(&self) -> (String, String) {
        let url = self.ready["mqtt"].as_str().expect("a broker");
        let address = url.strip_prefix("tcp://").expect("tcp");
        let (host, port) = address.split_once(':').expect("a port");
        (host.to_owned(), port.to_owned())
    }

    /// What the broker holds under `filter`, as `(topic, payload)`.
    fn retained(&self, filter: &str) -> Vec<(String, String)> {
        let (host, port) = self.broker();
        let output = Command::new("mosquitto_sub")
            .args(["-h", &host, "-p", &port, "-t", filter])
            .args(["--retained-only", "-W", "3", "-F", "%t %p"])
            .output()
            .expect("mosquitto_sub runs: apt-get install mosquitto-clients");
        String::from_utf8(output.stdout)
            .expect("text")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(topic, payload)| (topic.to_owned(), payload.to_owned()))
            .collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_pack(reading: &Value) -> bool {
    reading["device"]["kind"] == "battery"
}

fn export(state_dir: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["export", "--format", "jsonl", "--state-dir"])
        .arg(state_dir)
        .output()
        .expect("the export runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn readings_come_as_json_lines() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut demo = Demo::start(directory.path(), &[]);
    assert_eq!(demo.ready["state_dir"].as_str(), directory.path().to_str());
    let mut seen = BTreeSet::new();
    while seen.len() < PACKS.len() {
        let reading = demo.reading();
        let time = reading["measured_at"].as_str().expect("a time");
        assert!(time.ends_with('Z'));
        let values = &reading["values"];
        let cells = values["cell_voltages_v"].as_array().expect("cells");
        assert!(cells.len() >= 4);
        let charge = values["soc_percent"].as_f64().expect("a charge");
        assert!((0.0..=100.0).contains(&charge));
        seen.insert(reading["device"]["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(seen, PACKS.map(str::to_owned).into());
}

#[test]
fn the_demo_ends_in_time_with_everything_stored() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut demo = Demo::start(directory.path(), &["--for", "6s"]);
    let mut said = BTreeSet::new();
    for line in demo.lines.by_ref() {
        let reading = serde_json::from_str(&line.expect("text")).expect("JSON");
        if is_pack(&reading) {
            said.insert(stamp(&reading));
        }
    }
    assert!(demo.child.wait().expect("an end").success());
    let stored: BTreeSet<_> = export(directory.path())
        .iter()
        .filter(|row| is_pack(row))
        .map(stamp)
        .collect();
    assert_eq!(stored, said, "an orderly end loses nothing");
}

/// What tells a reading from all others: its device and its time.
fn stamp(reading: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (
        text(&reading["device"]["id"]),
        text(&reading["measured_at"]),
    )
}

#[test]
fn the_broker_holds_topics_and_discovery() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut demo = Demo::start(directory.path(), &[]);
    let mut seen = BTreeSet::new();
    while seen.len() < PACKS.len() {
        let reading = demo.reading();
        seen.insert(reading["device"]["id"].as_str().expect("an id").to_owned());
    }
    // The first announcement follows the first reading, after a moment.
    let announced = |documents: &Vec<(String, String)>| {
        let topic = |id: &str| documents.iter().any(|(topic, _)| topic.contains(id));
        PACKS.iter().all(|id| topic(id)) && topic("gateway")
    };
    let mut documents = Vec::new();
    for _ in 0..10 {
        documents = demo.retained("homeassistant/device/+/config");
        if announced(&documents) {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(announced(&documents), "packs and gateway: {documents:?}");

    let topics = demo.retained("telemetry/#");
    let payload = |topic: &str| {
        let found = topics.iter().find(|(name, _)| name == topic);
        found.map(|(_, payload)| payload.as_str())
    };
    assert_eq!(payload("telemetry/status"), Some("online"));
    for pack in PACKS {
        assert_eq!(
            payload(&format!("telemetry/{pack}/availability")),
            Some("online")
        );
        let state = payload(&format!("telemetry/{pack}/state")).expect("a state");
        let state: Value = serde_json::from_str(state).expect("JSON");
        assert!(state["measured_at"].is_string());
        assert!(state["soh_percent"].is_null(), "unknown, but there");
        let plain = payload(&format!("telemetry/{pack}/soc_percent")).expect("a plain value");
        assert_eq!(plain.parse::<f64>().ok(), state["soc_percent"].as_f64());
        assert!(payload(&format!("telemetry/{pack}/cell_voltages_v/4")).is_some());
    }
}

/// Kills the demo at points of time that look random. What it said longer than
/// a commit interval before is stored, once, whatever happens later.
#[test]
fn killed_at_any_point_it_loses_nothing_and_stores_nothing_twice() {
    const KILLS: u64 = 8;
    let directory = tempfile::tempdir().expect("a directory");
    let mut said = Vec::new();
    for kill in 0..KILLS {
        let mut demo = Demo::start(directory.path(), &[]);
        for _ in 0..=(kill % 3) {
            let reading = demo.reading();
            said.push(stamp(&reading));
        }
        // Longer than the commit interval of a second, even on a slow machine;
        // what comes meanwhile is killed at some point on its way to the disk.
        std::thread::sleep(Duration::from_millis(3000 + kill * 337 % 1500));
        // SIGKILL: no goodbye, no flush.
        drop(demo);
    }
    let rows = export(directory.path());
    let mut stored = BTreeSet::new();
    for row in rows.iter().filter(|row| is_pack(row)) {
        assert!(stored.insert(stamp(row)), "twice: {row}");
    }
    for reading in &said {
        assert!(stored.contains(reading), "lost: {reading:?}");
    }
    let mut numbers: Vec<_> = rows
        .iter()
        .map(|row| row["number"].as_i64().expect("a number"))
        .collect();
    // Packs come before stations.
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=rows.len() as i64).collect::<Vec<_>>());
    println!(
        "{KILLS} kills, {} readings said before, {} rows: none missing, none twice",
        said.len(),
        rows.len()
    );
}

/// A restart goes on with the totals of the last run.
#[test]
fn energy_counters_never_go_back() {
    let directory = tempfile::tempdir().expect("a directory");
    for _ in 0..3 {
        let mut demo = Demo::start(directory.path(), &["--for", "6s"]);
        assert!(demo.lines.by_ref().all(|line| line.is_ok()));
    }
    let mut last = [0.0; 2];
    for row in export(directory.path()) {
        if row["device"]["id"] != PACKS[1] {
            continue;
        }
        for (last, key) in last.iter_mut().zip(["energy_in_kwh", "energy_out_kwh"]) {
            let total = row["values"][key].as_f64().expect("a total");
            assert!(total >= *last, "{key} went from {last} to {total}");
            *last = total;
        }
    }
    assert!(last.iter().sum::<f64>() > 0.0, "no energy flowed");
}

#[test]
fn a_second_demo_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path(), &[]);
    let second = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["demo", "--state-dir"])
        .arg(directory.path())
        .output()
        .expect("the second one runs");
    assert_eq!(second.status.code(), Some(3));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains(&demo.child.id().to_string()), "{said}");
}

#[test]
fn cars_of_both_ways_to_bmw_are_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut demo = Demo::start(directory.path(), &[]);
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        let reading = demo.any_reading();
        let id = reading["device"]["id"].as_str().expect("an id");
        if ["wba00sim000000001", "wmw00sim000000004"].contains(&id) {
            assert_eq!(reading["device"]["kind"], "vehicle");
            let values = &reading["values"];
            if values["soc_percent"].is_number() && values["odometer_km"].is_number() {
                seen.insert(id.to_owned());
            }
        }
    }
}
