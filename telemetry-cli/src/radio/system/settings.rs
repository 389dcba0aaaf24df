use std::time::Duration;

use crate::config::Pin;
use crate::radio::Target;

/// How the adapter is used. The defaults suit real radios; tests shorten them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which adapter, by name, such as `hci0`, or by address; the first that is
    /// switched on if `None`.
    pub adapter: Option<String>,
    /// The PINs of devices that may want to be paired. On other systems than
    /// Linux they are not used: those ask their user.
    pub pins: Vec<(Target, Pin)>,
    /// Links that the operating system holds already are taken over: nobody else
    /// needs them, they are what a killed process left behind.
    pub adopt: bool,
    /// How long a device is listened for. Some advertise once in ten seconds.
    pub scan_limit: Duration,
    /// For a connection, after which the device is called silent. BlueZ alone
    /// would take 30 s and go on trying.
    pub connect_limit: Duration,
    /// For reading which services a device has.
    pub discovery_limit: Duration,
    /// For pairing. The service gives up after about as long.
    pub pair_limit: Duration,
    /// For every other call, all of which take milliseconds.
    pub call_limit: Duration,
    /// For a disconnection, which takes BlueZ 2 s or more.
    pub disconnect_limit: Duration,
    /// Before the first retry; each one after it waits longer.
    pub retry_delay: Duration,
    /// How often a quiet link is looked after. A Bluetooth service that was
    /// killed says no goodbye.
    pub check_interval: Duration,
}

impl Settings {
    /// The PIN of `target`, if it has one.
    pub(super) fn pin(&self, target: &Target) -> Option<&Pin> {
        let mut pins = self.pins.iter();
        pins.find_map(|(owner, pin)| (owner == target).then_some(pin))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            adapter: None,
            pins: Vec::new(),
            adopt: true,
            scan_limit: Duration::from_secs(15),
            connect_limit: Duration::from_secs(20),
            discovery_limit: Duration::from_secs(30),
            pair_limit: Duration::from_secs(40),
            call_limit: Duration::from_secs(5),
            disconnect_limit: Duration::from_secs(5),
            retry_delay: Duration::from_millis(300),
            check_interval: Duration::from_secs(30),
        }
    }
}
