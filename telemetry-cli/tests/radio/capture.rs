//! `telemetry capture`, and what `telemetry decode` makes of it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jbd_bms::simulator::Access;
use serde_json::Value;

use crate::bluez::{Bluez, Bus, Config, Policy, Security};
use crate::computer::Computer;
use crate::program::{computer, once};

/// Exit code, stdout and stderr of `telemetry capture jbd`.
fn capture(computer: &Computer, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = computer.telemetry(&["capture"]);
    let output = command.arg("jbd").args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn decode(capture: &str) -> Vec<Value> {
    let mut decode = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["decode", "jbd"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = decode.stdin.take().unwrap();
    stdin.write_all(capture.as_bytes()).unwrap();
    drop(stdin);
    let output = decode.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.ends_with("rejected_frames=0\n"), "{text}");
    let lines = output.stdout.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

/// Neither the address of pack `number` in any form, nor what else must not
/// show.
fn assert_anonymous(capture: &str, number: u8, secrets: &[&str]) {
    let plain = capture.to_lowercase().replace([':', '-', '_'], "");
    for shown in [
        format!("a4c1380000{number:02x}"),
        format!("{number:02x}000038c1a4"),
    ] {
        assert!(!plain.contains(&shown), "{capture}");
    }
    for secret in secrets {
        assert!(!plain.contains(secret), "{capture}");
    }
}

#[test]
fn what_is_captured_decodes_to_what_the_gateway_reads() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    let mut config = Config::pack("JBD-SP04S020-a4c138000001", 1);
    // At rest, so that both read the same.
    config.pack.load = jbd_bms::simulator::Load::Constant(0);
    config.pack.hardware_name = Some("SP04S020-123456789".to_owned());
    bluez.add(config);
    std::fs::write(
        computer.directory.path().join("telemetry.toml"),
        "[[jbd]]\naddress = \"A4:C1:38:00:00:01\"\n",
    )
    .unwrap();

    let address = ["--address", "a4:c1:38:00:00:01", "--for", "1ms"];
    let (code, text, told) = capture(&computer, &address);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("before you publish them"), "{told}");
    assert_anonymous(&text, 1, &["123456789"]);
    assert!(
        text.contains("# name: JBD-SP04S020-xxxxxxxxxxxx\n"),
        "{text}"
    );
    let layout = "# service ff00, characteristic ff01: read notify, carries answers\n";
    assert!(text.contains(layout), "{text}");
    assert!(
        text.contains("asked register 0x03: dda50300fffd77\n"),
        "{text}"
    );

    let answers = decode(&text);
    let one = |kind: &str| answers.iter().find(|of| of["kind"] == kind).unwrap();
    assert_eq!(one("hardware")["name"], "SP04S020-xxxxxxxxx");
    assert_eq!(one("error_counts")["short_circuit"], 0);
    let output = once(&computer, &["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let values = &document["readings"][0]["values"];
    let number = |value: &Value, unit: f64| value.as_f64().unwrap() / unit;
    let info = one("basic_info");
    for (key, unit, other) in [
        ("pack_voltage_mv", 1000.0, "pack_voltage_v"),
        ("current_ma", 1000.0, "current_a"),
        ("soc_percent", 1.0, "soc_percent"),
        ("cycles", 1.0, "cycles"),
        ("remaining_capacity_mah", 1000.0, "remaining_capacity_ah"),
    ] {
        let close = (number(&info[key], unit) - number(&values[other], 1.0)).abs();
        assert!(close < 0.02, "{key}: {} {}", info[key], values[other]);
    }
    let cells = one("cell_voltages")["cell_voltages_mv"].as_array().unwrap();
    for (mv, volts) in cells
        .iter()
        .zip(values["cell_voltages_v"].as_array().unwrap())
    {
        assert!((number(mv, 1000.0) - number(volts, 1.0)).abs() < 0.01);
    }
    assert_eq!(cells.len(), 4);
    assert!(!bluez.with(|service| service.is_connected(1)));
}

#[test]
fn passwords_and_pins_stay_out() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    let mut config = Config::pack("Pack 1", 1);
    config.pack.access = Access::ModuleLogin {
        password: Some("a1b2c3".to_owned()),
        password_is_key: false,
    };
    bluez.add(config);
    bluez.add(Config::secured(2, Security::Echo(4_711)));
    let directory = computer.directory.path();
    let config = "[[jbd]]\nname = \"Pack 1\"\npassword = \"a1b2c3\"\n\
                  [[jbd]]\nname = \"Pack 2\"\npin = \"004711\"\n";
    std::fs::write(directory.join("telemetry.toml"), config).unwrap();

    for (number, secret) in [(1, "a1b2c3"), (2, "004711")] {
        let name = format!("Pack {number}");
        let args = ["--name", &name, "--for", "1ms", "--output", "pack.txt"];
        let (code, text, told) = capture(&computer, &args);
        assert_eq!((code, text.as_str()), (Some(0), ""), "{told}");
        let text = std::fs::read_to_string(directory.join("pack.txt")).unwrap();
        let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_anonymous(&text, number, &[secret, &digits]);
        let login = "the module, command 0x18, left out";
        assert_eq!(text.contains(login), number == 1, "{text}");
        assert_eq!(text.contains("paired\n"), number == 2, "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.filter(|line| line.starts_with("dd03")).count() >= 1);
    }
}

#[test]
fn a_pack_that_keeps_silent_is_captured_so_far() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::secured(1, Security::Echo(4_711)));
    let (code, text, told) = capture(&computer, &["--name", "Pack 1", "--for", "1ms"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("Pack 1 wants to be paired first"), "{told}");
    // What it echoed tells what it is.
    assert!(text.contains("\ndda50300fffd77  # +"), "{text}");

    let (code, text, told) = capture(&computer, &["--for", "1s"]);
    assert_eq!((code, text.as_str()), (Some(2), ""));
    assert!(told.contains("--address <ADDRESS>|--name <NAME>"), "{told}");
}
