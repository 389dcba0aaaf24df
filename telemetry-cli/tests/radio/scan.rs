//! `telemetry scan`, run beside other users of the radio.

use std::process::Output;

use serde_json::{Value, json};

use crate::bluez::{Attributes, Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::program::computer;

fn scan(computer: &Computer, args: &[&str]) -> Output {
    let mut command = computer.telemetry(&["scan"]);
    command.args(["--for", "1s"]).args(args).output().unwrap()
}

fn devices(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["devices"].as_array().unwrap().clone()
}

#[test]
fn packs_are_listed_with_what_their_advertisement_tells() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("JBD-SP04S020", 1));
    bluez.add(Config {
        attributes: Attributes::HEART_RATE,
        advertises_address: false,
        ..Config::pack("Belt", 2)
    });
    // In the hands of the gateway beside us.
    bluez.add(Config::pack("Held", 3));
    bluez.with(|service| service.connect_silently(3));

    let all = devices(&scan(&computer, &["--json"]));
    assert_eq!(all.len(), 2, "{all:?}");
    let rssi = all[0]["rssi"].as_i64().unwrap();
    assert!((-70..-50).contains(&rssi), "{rssi}");
    assert_eq!(
        all[0],
        json!({
            "address": "A4:C1:38:00:00:01",
            "name": "JBD-SP04S020",
            "rssi": rssi,
            "kind": "jbd",
            "likely": true,
            "model": "SP04S020",
            "encrypted": false,
            "connected": false,
        })
    );
    assert_eq!(all[1]["name"], "Held");
    assert_eq!(all[1]["connected"], true);
    assert!(bluez.with(|service| service.is_connected(3)));

    let all = devices(&scan(&computer, &["--json", "--all"]));
    assert_eq!(all.len(), 3);
    let belt = all.iter().find(|device| device["name"] == "Belt").unwrap();
    assert_eq!(belt["kind"], Value::Null);
    assert_eq!(belt["encrypted"], Value::Null);

    let output = scan(&computer, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("│ A4:C1:38:00:00:01 ┆ JBD-SP04S020 ┆ jbd"),
        "{text}"
    );
    assert!(text.contains("in use here"), "{text}");
    assert!(!text.contains("Belt"), "{text}");
    let snippet = "[[jbd]]\naddress = \"A4:C1:38:00:00:01\"    # JBD-SP04S020\n";
    assert!(text.contains(snippet), "{text}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn an_empty_list_says_what_may_help() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("Pack 1", 1));
    bluez.with(|service| service.peripheral(1).held = true);
    let output = scan(&computer, &["--json"]);
    assert_eq!(devices(&output), [] as [Value; 0]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("close the app"), "{text}");
    let output = scan(&computer, &[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
}

#[test]
fn without_bluetooth_it_says_which_part_is_missing() {
    let computer = computer();
    let trouble = || {
        let output = scan(&computer, &["--json"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(output.stdout.is_empty());
        text
    };
    assert!(trouble().contains("no connection to the system bus"));
    let bus = Bus::start(&computer.bus, Policy::Open);
    assert!(trouble().contains("help: `sudo systemctl enable --now bluetooth`"));
    let bluez = Bluez::start(&bus);
    bluez.with(|service| service.power(false));
    assert!(trouble().starts_with("error: Bluetooth is switched off\nhelp: switch it on"));

    let other = Computer::blank();
    let bus = Bus::start(&other.bus, Policy::Closed);
    let _bluez = Bluez::start(&bus);
    let output = scan(&other, &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("group `bluetooth`"), "{text}");
}
