//! BMW and MINI: the program against simulated clouds and a real Mosquitto.

#[path = "../support/computer.rs"]
pub mod computer;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/running.rs"]
pub mod running;
#[path = "../support/watcher.rs"]
pub mod watcher;

pub mod clouds;
pub mod documents;
mod drop_in;
mod gateway;
mod kill;
mod login;
mod simulate;
mod status;
