//! `command jbd`: a pack is switched without a gateway.

use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::outcome;

fn command(computer: &Computer, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = computer.telemetry(&["command", "jbd"]);
    outcome(command.args(args).output().unwrap())
}

/// `charge_mosfet_on` of the only pack.
fn charging(computer: &Computer) -> bool {
    let mut status = computer.telemetry(&["status", "jbd", "--json"]);
    let (_, stdout, _) = outcome(status.args(["--name", "House battery"]).output().unwrap());
    let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let values = &document["readings"][0]["values"];
    values["charge_mosfet_on"].as_bool().unwrap()
}

#[test]
fn a_pack_is_switched_and_read_back() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    let name = ["--name", "House battery"];
    let (code, stdout, stderr) =
        command(&computer, &[&["charge_mosfet", "off"][..], &name].concat());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout, "Charge MOSFET: off\n");
    assert!(!charging(&computer));
    let on = ["charge_mosfet", "on", "--json"];
    let (code, stdout, _) = command(&computer, &[&on[..], &name].concat());
    assert_eq!(code, Some(0));
    assert_eq!(stdout, "{\"error\":null,\"id\":null,\"ok\":true}\n");
    assert!(charging(&computer));
    assert!(!bluez.with(|service| service.is_connected(1)));
}

#[test]
fn what_cannot_be_done_is_said_with_its_exit_code() {
    let computer = Computer::blank();
    let (code, _, stderr) = command(&computer, &["factory_reset", "on", "--name", "a"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("charge_mosfet, discharge_mosfet"),
        "{stderr}"
    );
    let (code, _, stderr) = command(&computer, &["charge_mosfet", "maybe", "--name", "a"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("`maybe` is not `on` or `off`"), "{stderr}");
    let (code, _, stderr) = command(&computer, &["charge_mosfet", "off"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("which pack?"), "{stderr}");

    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.with(|service| service.power(false));
    let args = ["charge_mosfet", "off", "--name", "House battery", "--json"];
    let (code, stdout, stderr) = command(&computer, &args);
    assert_eq!(code, Some(3));
    let why = "House battery: not sent: Bluetooth is switched off";
    assert_eq!(
        stdout,
        format!("{{\"error\":\"{why}\",\"id\":null,\"ok\":false}}\n")
    );
    assert!(stderr.contains("bluetoothctl power on"), "{stderr}");
}
