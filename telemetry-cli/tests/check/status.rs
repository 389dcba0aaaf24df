//! `status jbd` of packs that no configuration names.

use jbd_bms::simulator::Access;
use serde_json::Value;

use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::outcome;

#[test]
fn a_pack_without_a_configuration() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    let mut config = Config::pack("Shed", 1);
    // Charging with too much current, and a bit that nobody explains.
    config.pack.forced_protection = 1 << 8 | 1 << 13;
    bluez.add(config);
    let mut config = Config::pack("Cellar", 2);
    config.pack.access = Access::ModuleLogin {
        password: Some("123456".to_owned()),
        password_is_key: false,
    };
    bluez.add(config);
    let status = |args: &[&str]| computer.telemetry(&[&["status", "jbd"], args].concat());

    let (code, stdout, stderr) = outcome(status(&["--name", "Shed"]).output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let about = "Shed (JBD-SIM-4S-100A, A4:C1:38:00:00:01, -";
    assert!(stdout.starts_with(about), "{stdout}");
    assert!(stdout.contains("Protection        too much current while charging\n"));
    assert!(stdout.contains("                  bit_13, whose meaning is not known\n"));
    assert!(!bluez.with(|air| air.is_connected(1)));

    let (code, stdout, stderr) = outcome(status(&["--name", "Cellar"]).output().unwrap());
    assert_eq!((code, stdout.as_str()), (Some(5), ""));
    assert_eq!(
        stderr,
        "error: Cellar: the device wants a password\n\
         help: give it in JBD_PASSWORD, or as `password` in the pack's [[jbd]] table\n"
    );

    let by_address = ["--address", "a4:c1:38:00:00:02", "--json"];
    let (code, stdout, _) = outcome(status(&by_address).output().unwrap());
    assert_eq!(code, Some(5));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["readings"], serde_json::json!([]));
    let error = &document["errors"][0]["error"];
    assert_eq!(error, "the device wants a password");

    let mut with_password = status(&by_address);
    let with_password = with_password.env("JBD_PASSWORD", "123456");
    let (code, stdout, stderr) = outcome(with_password.output().unwrap());
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let device = &document["readings"][0]["device"];
    assert_eq!(device["id"], "jbd-a4c138000002");
    assert_eq!(device["name"], "Cellar");
}
