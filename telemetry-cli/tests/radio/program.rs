//! The program on computers with, without and with half of Bluetooth: what it
//! prints and how it ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::bluez::{Bluez, Bus, Config, Policy, Security};
use crate::computer::Computer;
use serde_json::Value;

pub(crate) fn computer() -> Computer {
    let computer = Computer::blank();
    computer.configure("[[jbd]]\nname = \"House battery\"\n");
    computer
}

/// `telemetry COMMAND -c telemetry.toml`
pub(crate) fn telemetry(computer: &Computer, command: &str) -> Command {
    computer.telemetry(&[command, "-c", "telemetry.toml"])
}

/// `telemetry once`
pub(crate) fn once(computer: &Computer, args: &[&str]) -> Output {
    telemetry(computer, "once").args(args).output().unwrap()
}

/// Exit code, error and hint of `telemetry once`.
fn trouble(computer: &Computer) -> (Option<i32>, String, String) {
    let output = once(computer, &["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["readings"], serde_json::json!([]));
    let trouble = &document["errors"][0];
    assert_eq!(trouble["device"], "House battery");
    let text = |key: &str| trouble[key].as_str().unwrap().to_owned();
    (output.status.code(), text("error"), text("hint"))
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_pack_is_read_once_and_let_go() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    let began = Instant::now();
    let output = once(&computer, &["--json"]);
    println!("the whole program: {:?}", began.elapsed());
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reading = &document["readings"][0];
    assert_eq!(reading["device"]["id"], "jbd-a4c138000001");
    assert_eq!(reading["device"]["model"], "JBD-SIM-4S-100A");
    let values = &reading["values"];
    assert_eq!(values["cell_voltages_v"].as_array().unwrap().len(), 4);
    assert!((-70..-50).contains(&values["rssi_dbm"].as_f64().map_or(0, |dbm| dbm as i64)));
    // A phone could connect now.
    assert!(!bluez.with(|service| service.is_connected(1)));
    assert!(bluez.calls("Disconnect") >= 1);
}

/// The pack takes what is written and says it back until it is paired.
#[test]
fn a_pack_behind_a_pin_is_paired_and_read() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::secured(1, Security::Echo(4_711)));
    let configure = |pin: &str| {
        let config = format!("[[jbd]]\nname = \"Pack 1\"\nlabel = \"House battery\"\n{pin}");
        std::fs::write(computer.directory.path().join("telemetry.toml"), config).unwrap();
    };
    configure("");
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(5));
    assert_eq!(error, "Pack 1 wants to be paired first");
    assert!(hint.contains("set `pin`"), "{hint}");
    assert_eq!(bluez.calls("Pair"), 0);

    configure("pin = \"123456\"");
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(5));
    assert_eq!(error, "Pack 1 refused the PIN");
    assert!(hint.contains("correct `pin`"), "{hint}");
    assert_eq!(bluez.calls("Pair"), 1);

    configure("pin = \"file:pin\"");
    std::fs::write(computer.directory.path().join("pin"), "004711\n").unwrap();
    let output = once(&computer, &["--json"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["readings"][0]["values"]["cycles"], 12);
    assert_eq!(bluez.calls("Pair"), 2);
    assert_eq!(bluez.with(|service| service.agents()), 0);

    // One that was paired without its PIN, which helps nobody.
    bluez.add(Config::secured(2, Security::Echo(4_711)));
    bluez.with(|service| service.peripheral(2).paired = true);
    computer.configure("[[jbd]]\nname = \"Pack 2\"\npin = \"4711\"\n");
    let output = once(&computer, &["--json"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(bluez.calls("RemoveDevice"), 1);
}

#[test]
fn the_gateway_waits_for_a_new_pin_without_asking_the_pack_again() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::secured(1, Security::Attributes(4_711)));
    let directory = computer.directory.path();
    let config = "[[jbd]]\nname = \"Pack 1\"\npin = \"file:pin\"\ninterval = \"1s\"\n";
    std::fs::write(directory.join("telemetry.toml"), config).unwrap();
    std::fs::write(directory.join("pin"), "1\n").unwrap();
    let mut run = telemetry(&computer, "run");
    run.args(["--state-dir", "state"]).stderr(Stdio::piped());
    let mut gateway = Running(run.spawn().unwrap());
    let stderr = BufReader::new(gateway.0.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    let told = lines.find(|line| line.contains("waiting for you"));
    let told = told.expect("it says so");
    assert!(told.contains("Pack 1 refused the PIN"), "{told}");
    // Far longer than the wait after any other failure would be.
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(bluez.calls("Pair"), 1);

    std::fs::write(directory.join("pin"), "004711\n").unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    while bluez.with(|service| service.peripheral(1).writes.len()) < 4 {
        assert!(Instant::now() < end, "it goes on with the new PIN");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(bluez.calls("Pair"), 2);
}

#[test]
fn each_missing_part_has_its_words_and_its_advice() {
    let computer = computer();
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(3));
    assert!(
        error.starts_with("no connection to the system bus"),
        "{error}"
    );
    assert!(hint.contains("dbus"), "{hint}");

    let bus = Bus::start(&computer.bus, Policy::Open);
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(3));
    assert_eq!(error, "the Bluetooth service is not running");
    assert!(hint.contains("systemctl enable --now bluetooth"), "{hint}");

    let bluez = Bluez::start(&bus);
    bluez.with(|service| service.unplug());
    let (code, error, _) = trouble(&computer);
    assert_eq!(code, Some(3));
    assert_eq!(error, "this computer has no Bluetooth adapter");

    bluez.with(|service| {
        service.plug_in();
        service.power(false);
    });
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(3));
    assert_eq!(error, "Bluetooth is switched off");
    assert!(hint.contains("bluetoothctl power on"), "{hint}");
    // It is the user's to switch on.
    assert_eq!(bluez.calls("Set"), 0);
}

#[test]
fn a_bus_that_forbids_bluetooth_is_said_to_do_so() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Closed);
    let _bluez = Bluez::start(&bus);
    let (code, error, hint) = trouble(&computer);
    assert_eq!(code, Some(3));
    assert!(
        error.starts_with("no permission to use Bluetooth"),
        "{error}"
    );
    assert!(hint.contains("group `bluetooth`"), "{hint}");
}

/// Three packs, a Bluetooth service that is killed, and a goodbye.
#[test]
fn the_gateway_reads_three_packs_and_outlives_the_service() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    let mut config = String::new();
    for number in 1..=3 {
        let name = format!("Pack {number}");
        config += &format!("[[jbd]]\nname = \"{name}\"\ninterval = \"1s\"\n");
        bluez.add(Config::pack(&name, number));
    }
    computer.configure(&config);
    let mut run = telemetry(&computer, "run");
    run.args(["--state-dir", "state"]).stderr(Stdio::null());
    let mut gateway = Running(run.spawn().unwrap());

    let each_is_asked = |times: usize| {
        let end = Instant::now() + Duration::from_secs(60);
        for number in 1..=3 {
            bluez.with(move |service| service.peripheral(number).writes.clear());
        }
        for number in 1..=3 {
            while bluez.with(move |service| service.peripheral(number).writes.len()) < times {
                assert!(Instant::now() < end, "pack {number} is not asked");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    };
    each_is_asked(6);
    bluez.with(|service| service.vanish());
    std::thread::sleep(Duration::from_millis(300));
    bluez.with(|service| service.come());
    each_is_asked(6);

    let pid = gateway.0.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(gateway.0.wait().unwrap().code(), Some(0));
    for number in 1..=3 {
        assert!(!bluez.with(move |service| service.is_connected(number)));
    }
}

/// Nobody advertises: 15 s of listening, as long as a user would wait.
#[test]
fn a_pack_that_is_not_there_is_said_to_be_away_or_in_use() {
    let computer = computer();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    bluez.with(|service| service.peripheral(1).held = true);
    let output = once(&computer, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: House battery: House battery was not found: out of reach, asleep, or in use \
         by another app\nhelp: such a device takes one connection at a time: close its phone \
         app; wake a sleeping pack with its charger\n"
    );
}
