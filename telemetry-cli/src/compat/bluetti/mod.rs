//! The tools for Bluetti power stations that others made: `bluetti-monitor`,
//! `bluetti-mqtt`, `bluetti-logger`, `bluetti-discovery`.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Bluetti, Environment, Secret, is_address};
use crate::event::DeviceId;

pub mod log;
pub mod monitor;
pub mod mqtt;
pub mod survey;
pub mod tables;

/// The names of the commands that only read and write files.
pub const LOGGER: &str = "bluetti-logger";
/// See [`LOGGER`].
pub const DISCOVERY: &str = "bluetti-discovery";

/// As fast as possible: a station takes about as long to answer.
const FASTEST: Duration = Duration::from_secs(1);

/// Packs are read no more often than this: most have to be selected one by one,
/// which takes seconds for each.
const PACKS: Duration = Duration::from_secs(30);

/// In the name of a directory or of a topic.
const ADDRESSES_MAX: usize = 8;

/// The stations at these addresses, each once.
fn stations(addresses: &[String], interval: u32) -> Vec<Bluetti> {
    let interval = Duration::from_secs(interval.into()).max(FASTEST);
    let mut stations: Vec<Bluetti> = Vec::new();
    for text in addresses {
        let station = match is_address(text) {
            true => Bluetti::new(None, Some(text.to_ascii_uppercase())),
            false => Bluetti::named(text),
        };
        if stations
            .iter()
            .all(|known| known.target() != station.target())
        {
            stations.push(Bluetti {
                interval,
                packs_interval: interval.max(PACKS),
                ..station
            });
        }
    }
    stations
}

/// The directory for the process that reads these stations, in the directory for
/// all of `telemetry`: several may run side by side.
pub fn directory(name: &str, addresses: &[String]) -> PathBuf {
    PathBuf::from(name).join(process(addresses).as_str())
}

/// What tells the process that reads these stations apart from others.
fn process(addresses: &[String]) -> DeviceId {
    let mut addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.truncate(ADDRESSES_MAX);
    DeviceId::new(&addresses)
}

/// From the flag, else from the variable.
fn password(flag: Option<&str>, environment: &Environment, variable: &str) -> Option<Secret> {
    match flag {
        Some("") => None,
        Some(text) => Some(text.to_owned().into()),
        None => environment
            .get(variable)
            .map(|_| format!("env:{variable}").into()),
    }
}
