//! `run`, `once` and `export` as a user runs them, on simulated devices.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::call::Cli;
use serde_json::Value;

const TWO_PACKS: &str = r#"
[bluetooth]
backend = "simulated"

[[jbd]]
name = "House battery"
label = "Cellar"
interval = "1s"

[[jbd]]
address = "a4:c1:38:00:00:02"
interval = "1s"
"#;

const NOT_THERE: &str = r#"
[bluetooth]
backend = "simulated"

[[jbd]]
name = "House battery"

[[jbd]]
name = "Attic battery"
"#;

#[test]
fn once_reads_each_device() {
    let outcome = Cli::new(["once"]).file("telemetry.toml", TWO_PACKS).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("Cellar: 70.0 %"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("Workshop battery: 88.0 %"),
        "{}",
        lines[1]
    );
}

#[test]
fn once_says_which_device_it_did_not_find_and_what_to_do() {
    let outcome = Cli::new(["once", "--json"])
        .file("telemetry.toml", NOT_THERE)
        .run();
    assert_eq!(outcome.code, Some(3));
    let all: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let readings = all["readings"].as_array().unwrap();
    assert_eq!(readings.len(), 1);
    assert_eq!(readings[0]["device"]["id"], "jbd-a4c138000001");
    assert_eq!(readings[0]["values"]["nominal_capacity_ah"], 280);
    let error = &all["errors"][0];
    assert_eq!(error["device"], "Attic battery");
    assert_eq!(
        error["error"],
        "Attic battery was not found: out of reach, asleep, or in use by another app"
    );
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("close its phone app")
    );
}

#[test]
fn once_needs_devices() {
    let outcome = Cli::new(["once"]).file("telemetry.toml", "").run();
    assert_eq!(outcome.code, Some(78));
    assert!(
        outcome.stderr.ends_with(
            "error: no devices are configured\n\
             help: add a [[jbd]], [[bluetti]], [[saic]] or [[bmw]] table; \
             `telemetry config sample` shows them\n"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn export_without_a_history_says_where_it_looked() {
    let outcome = Cli::new(["export"]).run();
    assert_eq!(outcome.code, Some(6));
    assert_eq!(
        outcome.stderr,
        "error: there is no history at $DIR/home/.local/state/telemetry/telemetry.sqlite\n\
         help: name the gateway's state directory with `--state-dir DIR`\n"
    );
}

/// Runs the gateway until `enough` rows are stored, then ends it as a service
/// manager does.
fn run_until(directory: &std::path::Path, enough: usize) {
    std::fs::write(directory.join("telemetry.toml"), TWO_PACKS).unwrap();
    let mut child = telemetry(directory, &["run", "--state-dir", "state"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while rows(directory, &[]).len() < enough {
        assert!(began.elapsed() < Duration::from_secs(60), "no rows");
        std::thread::sleep(Duration::from_millis(200));
    }
    let terminated = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(terminated.success());
    assert!(child.wait().unwrap().success(), "an orderly end");
}

fn telemetry(directory: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
    command
        .args(arguments)
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

fn rows(directory: &std::path::Path, arguments: &[&str]) -> Vec<Value> {
    let output = telemetry(directory, &["export", "--format", "jsonl"])
        .args(["--state-dir", "state"])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn run_stores_what_export_prints() {
    let directory = tempfile::tempdir().unwrap();
    run_until(directory.path(), 4);

    let all = rows(directory.path(), &[]);
    let numbers: Vec<_> = all
        .iter()
        .map(|row| row["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
    let names: std::collections::BTreeSet<_> = all
        .iter()
        .map(|row| row["device"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Cellar", "Workshop battery"].into());

    let one = rows(directory.path(), &["--device", "jbd-a4c138000002"]);
    assert!(!one.is_empty() && one.len() < all.len());
    assert!(rows(directory.path(), &["--from", "2099-01-01T00:00:00Z"]).is_empty());
    assert!(rows(directory.path(), &["--to", "1h"]).is_empty());
    assert_eq!(rows(directory.path(), &["--from", "1h"]).len(), all.len());
}

#[test]
fn export_writes_csv() {
    let directory = tempfile::tempdir().unwrap();
    run_until(directory.path(), 2);
    let output = telemetry(directory.path(), &["export", "--state-dir", "state"])
        .args(["--output", "rows.csv"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut reader = csv::Reader::from_path(directory.path().join("rows.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    assert_eq!(&header[0], "number");
    let cells = header
        .iter()
        .position(|key| key == "cell_voltages_v")
        .unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        assert_eq!(record.len(), header.len());
        let list: Vec<f64> = serde_json::from_str(&record[cells]).unwrap();
        assert!(matches!(list.len(), 4 | 16));
    }
}

/// The counter of reads survives the process.
#[test]
fn a_restart_does_not_refill_the_daily_budget() {
    let directory = tempfile::tempdir().unwrap();
    let config = r#"
        [bluetooth]
        backend = "simulated"
        [[jbd]]
        name = "House battery"
        interval = "1s"
        store = "all"
        reads_per_day = 3
    "#;
    std::fs::write(directory.path().join("telemetry.toml"), config).unwrap();
    let start = || {
        telemetry(directory.path(), &["run", "--state-dir", "state"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut first = start();
    let began = Instant::now();
    while rows(directory.path(), &[]).len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "no rows");
        std::thread::sleep(Duration::from_millis(200));
    }
    first.kill().unwrap();
    first.wait().unwrap();

    let mut second = start();
    // Time for several reads, if they were allowed.
    std::thread::sleep(Duration::from_secs(5));
    second.kill().unwrap();
    second.wait().unwrap();
    assert_eq!(rows(directory.path(), &[]).len(), 3);
}
