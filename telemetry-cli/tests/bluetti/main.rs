//! The tools for Bluetti stations that others made: the program under their names
//! against an emulated BlueZ, a real MariaDB and a real Mosquitto.

#![cfg(target_os = "linux")]

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

mod discovery;
mod logger;
mod monitor;
mod mqtt;
mod packaging;
mod scene;

#[path = "../support/running.rs"]
pub mod running;
