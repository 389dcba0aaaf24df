use std::time::Duration;

/// How the adapter is used. The defaults suit real radios; tests shorten them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which adapter, such as `hci0`; the first that is switched on if `None`.
    pub adapter: Option<String>,
    /// How long a device is listened for. Some advertise once in ten seconds.
    pub scan_limit: Duration,
    /// For a connection, after which the device is called silent. BlueZ alone
    /// would take 30 s and go on trying.
    pub connect_limit: Duration,
    /// For reading which services a device has.
    pub discovery_limit: Duration,
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            adapter: None,
            scan_limit: Duration::from_secs(15),
            connect_limit: Duration::from_secs(20),
            discovery_limit: Duration::from_secs(30),
            call_limit: Duration::from_secs(5),
            disconnect_limit: Duration::from_secs(5),
            retry_delay: Duration::from_millis(300),
            check_interval: Duration::from_secs(30),
        }
    }
}
