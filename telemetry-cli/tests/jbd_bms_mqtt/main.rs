//! The drop-in command `jbd-bms-mqtt`: its message byte by byte, and the
//! program against an emulated BlueZ and a real Mosquitto.

#![cfg(target_os = "linux")]

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
pub mod computer;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/watcher.rs"]
pub mod watcher;

mod interval;
mod message;
mod once;
mod packaging;
