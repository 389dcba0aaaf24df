//! `status`, `command`, `check` and `scan` with a power station.

use bluetti_modbus::model::Model;
use bluetti_modbus::simulator::StationConfig;
use serde_json::Value;

use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::outcome;

const NAME: &str = "AC3002237000000001";

fn station() -> Config {
    let station = StationConfig::of_model(Model::AC300, 2_237_000_000_001);
    Config::station(NAME, 1, station)
}

#[test]
fn a_station_is_looked_at_and_switched_without_a_gateway() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(station());
    let run = |args: &[&str]| {
        let mut command = computer.telemetry(args);
        outcome(command.args(["--name", NAME]).output().unwrap())
    };

    let (code, stdout, stderr) = run(&["status", "bluetti"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let about = "AC3002237000000001 (AC300, 2237000000001, A4:C1:38:00:00:01, -";
    assert!(stdout.starts_with(about), "{stdout}");
    for line in [
        "  Charge            87.0 %\n",
        "  Kept between      20 % and 90 %\n",
        "  AC output         on, 148 W, 230.1 V, 49.98 Hz\n",
        "  Alarms            none\n",
        "  Pack 1            87 %, 53.11 V, discharge, cells 3.31 V to 3.33 V\n",
        "  Pack 2            86 %, 53.12 V, discharge, cells 3.31 V to 3.33 V\n",
    ] {
        assert!(stdout.contains(line), "{line}{stdout}");
    }

    let (code, stdout, _) = run(&["command", "bluetti", "ac_output", "off"]);
    assert_eq!((code, stdout.as_str()), (Some(0), "AC output: off\n"));
    let (code, stdout, _) = run(&["command", "bluetti", "ups_mode", "time_control"]);
    assert_eq!(
        (code, stdout.as_str()),
        (Some(0), "UPS mode: time_control\n")
    );
    let (code, _, stderr) = run(&["command", "bluetti", "ups_mode", "fast"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("`fast` is not one of `CUSTOMIZED`"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["command", "bluetti", "charge_limit", "80"]);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("AC300 has no control `charge_limit`"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["command", "bluetti", "factory_reset", "press"]);
    assert_eq!(code, Some(2), "{stderr}");

    let (code, stdout, _) = run(&["status", "bluetti", "--json"]);
    assert_eq!(code, Some(0));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let reading = &document["readings"][0];
    assert_eq!(reading["device"]["id"], "bluetti-ac300-2237000000001");
    assert_eq!(reading["device"]["kind"], "power_station");
    assert_eq!(reading["values"]["ac_output_on"], false);
    assert_eq!(reading["values"]["ups_mode"], "TIME_CONTROL");
    assert_eq!(reading["values"]["packs"].as_array().unwrap().len(), 2);
    assert!(!bluez.with(|service| service.is_connected(1)));
}

#[test]
fn a_station_is_found_and_checked() {
    let computer = Computer::blank();
    computer.configure(&format!(
        "[gateway]\nstate_dir = 'state'\n\
         [[bluetti]]\nname = '{NAME}'\n\
         [[bluetti]]\ntcp = '127.0.0.1:9'\nlabel = 'Barn'\n"
    ));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(station());

    let output = computer.telemetry(&["check", "--json"]).output();
    let (code, stdout, _) = outcome(output.unwrap());
    assert_eq!(code, Some(3));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let about = |component: &str| {
        let mut checks = document["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["component"] == component);
        check
            .unwrap_or_else(|| panic!("{component}: {document}"))
            .clone()
    };
    let station = about(&format!("bluetti {NAME}"));
    assert_eq!(station["message"], "answers: AC300, 87 %");
    let barn = about("bluetti Barn");
    assert_eq!(barn["ok"], false);
    let message = barn["message"].as_str().unwrap();
    assert!(
        message.starts_with("no connection to 127.0.0.1:9: "),
        "{message}"
    );
    assert!(barn["hint"].as_str().unwrap().contains("web page"));

    let output = computer
        .telemetry(&["scan", "--json", "--for", "2s"])
        .output();
    let (code, stdout, _) = outcome(output.unwrap());
    assert_eq!(code, Some(0));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let device = &document["devices"][0];
    assert_eq!(device["kind"], "bluetti");
    assert_eq!(device["model"], "AC300");
    // It says nothing about that.
    assert_eq!(device["encrypted"], Value::Null);
}
