//! The whole gateway on real parts: the program, the real Bluetooth client
//! against an emulated BlueZ, a real Mosquitto, a real MariaDB.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::time::Duration;

use serde_json::Value;

use bluez::{Bluez, Bus, Config, Policy};
use computer::Computer;
use mosquitto::Mosquitto;
use running::Running;
use watcher::Watcher;

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
pub mod computer;
#[path = "../support/mariadb.rs"]
pub mod mariadb;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/running.rs"]
pub mod running;
#[path = "../support/watcher.rs"]
pub mod watcher;

mod control;
mod kill;
mod station;

/// `telemetry run`; what it says is added to the file `log`.
fn start(computer: &Computer) -> Running {
    let log = File::options()
        .append(true)
        .create(true)
        .open(computer.directory.path().join("log"))
        .expect("the directory takes files");
    let args = ["run", "-c", "telemetry.toml", "--state-dir", "state"];
    Running::start(computer.telemetry(&args).stderr(log))
}

/// What it said.
fn log(computer: &Computer) -> String {
    fs::read_to_string(computer.directory.path().join("log")).unwrap_or_default()
}

/// The state topic of pack `number`.
fn state(number: u8) -> String {
    topic(number, "state")
}

/// A topic of pack `number`.
fn topic(number: u8, key: &str) -> String {
    format!("telemetry/jbd-a4c1380000{number:02x}/{key}")
}

/// A payload as JSON.
fn json(payload: &str) -> Value {
    serde_json::from_str(payload).expect("JSON")
}
