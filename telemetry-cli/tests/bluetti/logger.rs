//! `bluetti-logger`, and the lists that all of the tools print.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use telemetry_cli::command::bluetti::logger::record;
use telemetry_cli::compat::bluetti::log::Line;
use telemetry_cli::radio::{Air, Radio};

use crate::running::Running;
use crate::scene::{AC200M, AC200M_ADDRESS, AC300, AC300_ADDRESS, DEADLINE, Scene, until};

#[test]
fn every_tool_lists_the_stations_and_discovery_all_devices() {
    let scene = Scene::new();
    for tool in [
        "bluetti-monitor",
        "bluetti-mqtt",
        "bluetti-logger",
        "bluetti-discovery",
    ] {
        let output = scene.tool(tool, &["--scan"]).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""));
        let found = |name, address| stdout.contains(&format!("Found {name}: address {address}\n"));
        assert!(found(AC300, AC300_ADDRESS), "{stdout}");
        assert!(found(AC200M, AC200M_ADDRESS), "{stdout}");
        let all = tool == "bluetti-discovery";
        assert_eq!(found("House battery", "A4:C1:38:00:00:03"), all, "{stdout}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let scene = Scene::new();
    for (tool, args, missing) in [
        ("bluetti-monitor", &[][..], "<ADDRESS>"),
        ("bluetti-mqtt", &["AC300"], "--broker <HOST>"),
        ("bluetti-logger", &["AC300"], "--log <FILE>"),
        ("bluetti-discovery", &["--log", "x"], "<ADDRESS>"),
    ] {
        let output = scene.tool(tool, args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(missing), "{tool}: {stderr}");
    }
    let output = scene
        .tool("bluetti-logger", &["--log", "x", "A4:C1:38:00:00:0F"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("A4:C1:38:00:00:0F"), "{stderr}");
}

#[test]
fn all_that_a_station_says_is_written_down_and_can_be_decoded() {
    let scene = Scene::new();
    // What another run has left in the middle of a line.
    std::fs::write(scene.path("log"), "{\"type\": \"cli").unwrap();
    let said = File::create(scene.path("said")).unwrap();
    let logger = Running::start(
        scene
            .tool("bluetti-logger", &["--log", "log", AC300_ADDRESS])
            .stdout(said)
            .stderr(Stdio::null()),
    );
    // Both packs twice: 91 and 119 registers from there.
    let packs = |scene: &Scene| scene.text("log").matches("AQMAWwB3dD8=").count();
    until("two rounds", || packs(&scene) >= 4);
    assert_eq!(logger.stop().code(), Some(0));

    let text = scene.text("log");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("{\"type\": \"cli"));
    let lines: Vec<Line> = lines.map(|line| Line::from_json(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line.outcome.is_ok()));
    // So is which pack they are of.
    assert!(text.contains(r#""data": "AQYLvgACags=", "command": "AQYLvgACags="}"#));
    // Nothing private: neither PIN nor network.
    let read = |register: u16| {
        let words = lines.iter().filter_map(Line::words);
        words
            .filter(|(start, words)| (*start..=*start + words.len() as u16 - 1).contains(&register))
            .count()
    };
    assert_eq!((read(7), read(9)), (0, 0));
    assert!(read(6) >= 2 && read(10) >= 2 && read(3061) >= 2);

    let output = scene
        .computer
        .telemetry(&["decode", "bluetti", "--model", "AC300"])
        .stdin(File::open(scene.path("log")).unwrap())
        .output()
        .unwrap();
    // The damaged line is a mistake, and costs no other.
    assert_eq!(output.status.code(), Some(2));
    let decoded = String::from_utf8(output.stdout).unwrap();
    assert_eq!(decoded, scene.text("said"));
    let field = |name: &str| {
        let objects = decoded
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let values = objects.filter_map(|object: Value| object["fields"].get(name).cloned());
        values.collect::<Vec<_>>()
    };
    assert_eq!(field("device_type")[0], "AC300");
    assert_eq!(field("serial_number")[0], 2_236_000_123_456_u64);
    let numbers = field("pack_num");
    assert!(numbers.contains(&1.into()) && numbers.contains(&2.into()));
}

/// Simulated stations that encrypt have a key of their own, so this one is in
/// memory.
#[tokio::test]
async fn what_is_encrypted_is_written_down_decrypted() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let radio = Radio::Simulated(Air::demo());
    let text = || std::fs::read_to_string(&log).unwrap_or_default();
    let enough = async {
        while text().lines().count() < 30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        ended = record(&radio, "AC1802305000000002", None, &log) => panic!("{ended:?}"),
        done = tokio::time::timeout(DEADLINE, enough) => done.unwrap(),
    }
    let text = text();
    let lines: Vec<Line> = text
        .lines()
        .map(|line| Line::from_json(line).unwrap())
        .collect();
    // Answers to what was asked, in plain: no challenge, no key.
    assert!(lines.iter().all(|line| line.words().is_some()));
    let words = |register: u16| {
        lines
            .iter()
            .filter_map(Line::words)
            .find_map(|(start, words)| {
                let at = register.checked_sub(start)?;
                words.get(usize::from(at)).copied()
            })
    };
    assert!(words(102).is_some_and(|percent| percent <= 100));
    assert_eq!(words(110), Some(u16::from_be_bytes(*b"CA")));
    assert_eq!((words(7), words(174), words(2200)), (None, None, None));
}
