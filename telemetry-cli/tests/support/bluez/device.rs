//! What is behind a peripheral: one of the SDKs' simulated devices.

use bluetti_modbus::simulator as bluetti;
use jbd_bms::simulator as jbd;

/// A battery pack or a power station.
#[derive(Debug)]
pub(super) enum Device {
    Pack(Box<jbd::Pack>),
    Station(Box<bluetti::Station>),
}

/// What it does by itself.
pub(super) enum Output {
    Notify(Vec<u8>),
    LinkLost,
}

impl Device {
    pub(super) fn pack(config: &jbd::PackConfig) -> Self {
        Self::Pack(Box::new(jbd::Pack::new(config.clone(), 7)))
    }

    pub(super) fn station(config: &bluetti::StationConfig) -> Self {
        Self::Station(Box::new(bluetti::Station::new(config.clone(), 7)))
    }

    pub(super) fn connect(&mut self, now_ms: u64) {
        match self {
            Self::Pack(pack) => pack.connect(now_ms),
            Self::Station(station) => station.connect(now_ms),
        }
    }

    pub(super) fn disconnect(&mut self) {
        match self {
            Self::Pack(pack) => pack.disconnect(),
            Self::Station(station) => station.disconnect(),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], now_ms: u64) {
        match self {
            Self::Pack(pack) => pack.write(bytes, now_ms),
            Self::Station(station) => station.write(bytes, now_ms),
        }
    }

    pub(super) fn poll(&mut self, now_ms: u64) -> Option<Output> {
        match self {
            Self::Pack(pack) => pack.poll(now_ms).map(|output| match output {
                jbd::Output::Notify(chunk) => Output::Notify(chunk),
                jbd::Output::LinkLost => Output::LinkLost,
            }),
            Self::Station(station) => station.poll(now_ms).map(|output| match output {
                bluetti::Output::Notify(chunk) => Output::Notify(chunk),
                bluetti::Output::LinkLost => Output::LinkLost,
            }),
        }
    }

    pub(super) fn next_at(&self) -> Option<u64> {
        match self {
            Self::Pack(pack) => pack.next_at(),
            Self::Station(station) => station.next_at(),
        }
    }
}
