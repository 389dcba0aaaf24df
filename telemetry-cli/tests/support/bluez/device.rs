//! What is behind a peripheral: one of the SDKs' simulated devices.

use bluetti_modbus::simulator as bluetti;
use jbd_bms::simulator as jbd;

pub(super) use telemetry_cli::radio::simulated::{Output, Peer as Device};

/// Decides over the faults.
const SEED: u64 = 7;

pub(super) fn pack(config: &jbd::PackConfig) -> Device {
    Device::Pack(Box::new(jbd::Pack::new(config.clone(), SEED)))
}

pub(super) fn station(config: &bluetti::StationConfig) -> Device {
    Device::Station(Box::new(bluetti::Station::new(config.clone(), SEED)))
}
