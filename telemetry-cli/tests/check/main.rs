//! `check`, `status` and `command` against an emulated BlueZ and a real Mosquitto.

#![cfg(target_os = "linux")]

#[path = "../support/bluez/mod.rs"]
pub mod bluez;
#[path = "../support/computer.rs"]
pub mod computer;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/running.rs"]
pub mod running;
#[path = "../support/watcher.rs"]
pub mod watcher;

mod command;
mod everything;
mod station;
mod status;

use std::process::Output;

/// Exit code, stdout and stderr.
fn outcome(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}
