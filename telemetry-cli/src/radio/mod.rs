//! The radio: the one owner of Bluetooth. Sources ask it for a [`Link`] and
//! know neither adapters nor scans.

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use error::{RadioError, paused};
pub use gatt::{GattCharacteristic, GattLayout, GattTable};
pub use link::Link;
pub use simulated::Air;
pub use system::{Settings, System};

use pause::Pauses;

mod error;
mod gatt;
mod link;
mod pause;
pub mod simulated;
pub mod system;

/// Where links come from; cheap to clone.
#[derive(Clone, Debug)]
pub enum Radio {
    /// Devices that exist only in memory.
    Simulated(Air),
    /// The Bluetooth adapter of this computer.
    System(System),
}

impl Radio {
    /// Connects to `target`, through the first of `layouts` that it has.
    ///
    /// Dropping the future ends the attempt, dropping the link disconnects.
    ///
    /// # Errors
    /// If it is not there, does not let us in, or Bluetooth cannot be used.
    pub async fn connect(
        &self,
        target: &Target,
        layouts: &[GattLayout],
    ) -> Result<Link, RadioError> {
        match self {
            Self::Simulated(air) => air.connect(target).await,
            Self::System(system) => system.connect(target, layouts).await,
        }
    }

    /// Listens for `duration` and tells which devices were heard, and which
    /// this computer is connected to. Those in the hands of others are silent.
    ///
    /// # Errors
    /// If Bluetooth cannot be used.
    pub async fn scan(&self, duration: Duration) -> Result<Vec<Seen>, RadioError> {
        match self {
            Self::Simulated(air) => Ok(air.scan(duration).await),
            Self::System(system) => system.scan(duration).await,
        }
    }

    /// Whether Bluetooth can be used at all.
    ///
    /// # Errors
    /// What is missing.
    pub async fn ready(&self) -> Result<(), RadioError> {
        match self {
            Self::Simulated(_) => Ok(()),
            Self::System(system) => system.ready().await,
        }
    }

    /// Leaves `target` alone for `duration`, a year at most, so that a phone can
    /// connect: ends its link at once and refuses new ones. Tells when the pause
    /// ends by itself; it replaces an earlier one.
    ///
    /// It concerns those who call the device what it is called here, by its name
    /// or by its address: for a configured device that is its table's `target`.
    pub fn pause(&self, target: &Target, duration: Duration) -> DateTime<Utc> {
        self.pauses().pause(target, duration)
    }

    /// Ends the pause of `target`, if there is one.
    pub fn resume(&self, target: &Target) {
        self.pauses().resume(target);
    }

    /// When the pause of `target` ends; nothing if it is not paused.
    pub fn paused_until(&self, target: &Target) -> Option<DateTime<Utc>> {
        self.pauses().until(target)
    }

    /// Waits for as long as [`paused_until`](Self::paused_until) is `known`, and
    /// tells what it is then: a pause began, ended, or was replaced. Cancel safe.
    pub async fn pause_changed(
        &self,
        target: &Target,
        known: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        self.pauses().changed(target, known).await
    }

    fn pauses(&self) -> &Pauses {
        match self {
            Self::Simulated(air) => air.pauses(),
            Self::System(system) => system.pauses(),
        }
    }

    /// Disconnects from every device and waits for it, a few seconds at most.
    /// Without it the operating system holds the links beyond the end of this
    /// process, and no phone gets in.
    pub async fn close(&self) {
        match self {
            Self::Simulated(_) => {}
            Self::System(system) => system.close().await,
        }
    }
}

/// Which device is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The one that advertises this name.
    Name(String),
    /// The one with this address, upper case with colons.
    Address(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(text) | Self::Address(text) => f.write_str(text),
        }
    }
}

/// A device that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its address, upper case with colons; where the operating system hides
    /// it and the device does not tell it either, the system's own identifier.
    pub address: String,
    /// The name it advertises.
    pub name: Option<String>,
    /// Signal strength.
    pub rssi_dbm: Option<i16>,
    /// Advertised services, 128-bit numbers.
    pub services: Vec<u128>,
    /// Manufacturer specific data: company number and what follows it.
    pub manufacturer_data: Vec<(u16, Vec<u8>)>,
    /// This computer has a connection to it.
    pub connected: bool,
}

impl Seen {
    /// Whether this is the device that `target` means.
    pub fn is(&self, target: &Target) -> bool {
        match target {
            Target::Name(name) => self.name.as_ref() == Some(name),
            Target::Address(address) => self.address.eq_ignore_ascii_case(address),
        }
    }
}
