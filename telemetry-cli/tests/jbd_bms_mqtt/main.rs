//! The drop-in command `jbd-bms-mqtt`: its message byte by byte, and the
//! program against an emulated BlueZ and a real Mosquitto.

#![cfg(target_os = "linux")]

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
#[allow(dead_code, reason = "a drop-in command has no configuration")]
mod computer;
#[path = "../support/mosquitto.rs"]
#[allow(dead_code, reason = "not every test kills its broker")]
mod mosquitto;
#[path = "../support/watcher.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod watcher;

mod interval;
mod message;
mod once;
mod packaging;

#[path = "../support/running.rs"]
pub mod running;
