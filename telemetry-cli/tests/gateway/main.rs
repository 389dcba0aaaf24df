//! The whole gateway on real parts: the program, the real Bluetooth client
//! against an emulated BlueZ, a real Mosquitto, a real MariaDB.

#![cfg(target_os = "linux")]

use std::time::Duration;

use serde_json::Value;

use bluez::{Bluez, Bus, Config, Policy};
use computer::Computer;
use mosquitto::Mosquitto;
use running::{Running, log};
use watcher::Watcher;

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
pub mod computer;
#[path = "../support/mariadb.rs"]
pub mod mariadb;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/watcher.rs"]
pub mod watcher;

mod control;
mod kill;
mod running;

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
