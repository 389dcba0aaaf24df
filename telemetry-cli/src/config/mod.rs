//! The configuration: one plain table per component, all of it in
//! [`Config`]. Sources and sinks get their own table and nothing else.
//!
//! [`load()`] reads the file and puts the environment over it; what is wrong
//! comes back as one [`Report`] with the place of each mistake.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::filter::Keep;

pub use bluetti::{Bluetti, BluettiAllow};
pub use bmw::{Bmw, BmwAllow, BmwApi, BmwRegion, BmwTokenStore};
pub use broker_url::{BrokerUrl, BrokerUrlError};
pub use check::is_address;
pub use drop_in::{BluettiTopics, BmwMessages, DropIn, MergedJson};
pub use duration::parse as parse_duration;
pub use environment::Environment;
pub use host_name::HostName;
pub use load::{Loaded, find, load};
pub use mariadb::{MariaDb, Tls};
pub use mariadb_names::MariaDbNames;
pub use mqtt_names::MqttNames;
pub use pin::{Passkey, Pin, PinError};
pub use report::{Place, Problem, Report, Severity};
pub use saic::{Saic, SaicAllow, SaicPolling, SaicRegion, SaicVehicle};
pub use sample::SAMPLE;
pub use secret::{Secret, SecretError};

pub(crate) use secret::plain;

mod bluetti;
mod bmw;
mod broker_url;
mod check;
mod drop_in;
mod duration;
mod environment;
mod explain;
mod host_name;
mod load;
mod mariadb;
mod mariadb_names;
mod mqtt_names;
mod pin;
mod report;
mod saic;
mod sample;
mod schema;
mod secret;
mod tree;

/// Everything that `telemetry.toml` can say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[gateway]`
    pub gateway: Gateway,
    /// `[mqtt]`; without it nothing is published.
    pub mqtt: Option<Mqtt>,
    /// `[home_assistant]`
    pub home_assistant: HomeAssistant,
    /// `[store]`
    pub store: Store,
    /// `[mariadb]`; without it there is no such database.
    pub mariadb: Option<MariaDb>,
    /// `[bluetooth]`
    pub bluetooth: Bluetooth,
    /// `[[jbd]]`
    pub jbd: Vec<Jbd>,
    /// `[[bluetti]]`
    pub bluetti: Vec<Bluetti>,
    /// `[[saic]]`
    pub saic: Vec<Saic>,
    /// `[[bmw]]`
    pub bmw: Vec<Bmw>,
    /// What a drop-in command publishes. No file can say it.
    #[serde(skip)]
    pub drop_in: Option<DropIn>,
}

impl Config {
    /// How many devices are named, of whatever make. An account counts as one.
    pub fn device_count(&self) -> usize {
        self.jbd.len() + self.bluetti.len() + self.saic.len() + self.bmw.len()
    }

    /// The same without any device.
    #[must_use]
    pub fn without_devices(self) -> Self {
        Self {
            jbd: Vec::new(),
            bluetti: Vec::new(),
            saic: Vec::new(),
            bmw: Vec::new(),
            ..self
        }
    }
}

/// `[gateway]`: the process itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gateway {
    /// What people call it.
    pub name: String,
    /// Where journal, store, tokens and lock live.
    pub state_dir: Option<PathBuf>,
    /// Log filter, such as `info` or `telemetry=debug`.
    pub log: String,
    /// A reading is stored at least this often, changed or not.
    #[serde(with = "duration")]
    pub heartbeat: Duration,
    /// Readings of this long are lost at most when the process is killed.
    #[serde(with = "duration")]
    pub commit_interval: Duration,
    /// The journal forgets what is older, delivered or not.
    #[serde(with = "duration")]
    pub journal_max_age: Duration,
    /// The journal forgets its oldest entries beyond this size.
    pub journal_max_megabytes: u64,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            name: "telemetry".to_owned(),
            state_dir: None,
            log: "info".to_owned(),
            heartbeat: Duration::from_secs(300),
            commit_interval: Duration::from_secs(1),
            journal_max_age: Duration::from_secs(30 * 86_400),
            journal_max_megabytes: 1024,
        }
    }
}

/// `[mqtt]`: the broker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// `tcp://host:1883`, `tls://…`, `ws://…` or `wss://…`.
    pub url: String,
    /// User name, if the broker asks for one.
    #[serde(default)]
    pub user: Option<String>,
    /// Its password.
    #[serde(default)]
    pub password: Option<Secret>,
    /// PEM file with the authority that signed the broker's certificate, if
    /// the system does not know it.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// PEM file with our certificate, if the broker asks for one.
    #[serde(default)]
    pub client_cert: Option<PathBuf>,
    /// PEM file with its key.
    #[serde(default)]
    pub client_key: Option<PathBuf>,
    /// Client id; made from the gateway's id if absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Whether the broker's certificate has to be for its host name.
    #[serde(skip)]
    pub host_name: HostName,
    /// First level of every topic.
    #[serde(default = "Mqtt::default_topic_prefix")]
    pub topic_prefix: String,
    /// One topic per value, besides the JSON state of the device.
    #[serde(default = "yes")]
    pub per_metric_topics: bool,
    /// Every stored reading once more on `…/history`, at least once, also
    /// those of an outage.
    #[serde(default)]
    pub history: bool,
    /// What these settings are called where they were set.
    #[serde(skip)]
    pub names: MqttNames,
}

impl Mqtt {
    /// The broker at `url`, everything else by default.
    pub fn new(url: String) -> Self {
        Self {
            url,
            user: None,
            password: None,
            ca: None,
            client_cert: None,
            client_key: None,
            names: MqttNames::KEYS,
            client_id: None,
            host_name: HostName::default(),
            topic_prefix: Self::default_topic_prefix(),
            per_metric_topics: yes(),
            history: false,
        }
    }

    fn default_topic_prefix() -> String {
        "telemetry".to_owned()
    }
}

/// `[home_assistant]`: discovery.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HomeAssistant {
    /// Announce devices to Home Assistant.
    pub enabled: bool,
    /// First level of the discovery topics.
    pub prefix: String,
    /// Where Home Assistant says that it started.
    pub status_topic: String,
}

impl Default for HomeAssistant {
    fn default() -> Self {
        Self {
            enabled: true,
            prefix: "homeassistant".to_owned(),
            status_topic: "homeassistant/status".to_owned(),
        }
    }
}

/// `[store]`: the embedded database.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Keep the history in an SQLite file.
    pub sqlite: bool,
    /// That file; `telemetry.sqlite` in the state directory if absent.
    pub path: Option<PathBuf>,
    /// Rows that are older are deleted.
    #[serde(with = "duration")]
    pub history: Duration,
    /// Nobody else reads the file while the gateway runs.
    pub exclusive: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            sqlite: true,
            path: None,
            history: Duration::from_secs(730 * 86_400),
            exclusive: false,
        }
    }
}

/// `[bluetooth]`: the radio.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bluetooth {
    /// Real or simulated.
    pub backend: BluetoothBackend,
    /// Which adapter of the computer, by name or by address; the first that is
    /// switched on if absent.
    pub adapter: Option<String>,
}

/// Where Bluetooth devices come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BluetoothBackend {
    /// The computer's adapter.
    #[default]
    System,
    /// The devices of `telemetry demo`.
    Simulated,
}

/// `[[jbd]]`: a JBD battery pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jbd {
    /// The name it advertises.
    #[serde(default)]
    pub name: Option<String>,
    /// Its Bluetooth address.
    #[serde(default)]
    pub address: Option<String>,
    /// What people call it; the advertised name if absent.
    #[serde(default)]
    pub label: Option<String>,
    /// Password, if the pack asks for one.
    #[serde(default)]
    pub password: Option<Secret>,
    /// PIN, if the pack wants to be paired.
    #[serde(default)]
    pub pin: Option<Pin>,
    /// How often it is read.
    #[serde(with = "duration", default = "Jbd::default_interval")]
    pub interval: Duration,
    /// Keep the connection between reads; by default only if the interval is
    /// under a minute.
    #[serde(default)]
    pub hold_link: Option<bool>,
    /// Which readings are stored.
    #[serde(default)]
    pub store: Keep,
    /// At most this many reads in 24 hours, restarts included.
    #[serde(default)]
    pub reads_per_day: Option<u32>,
    /// `[jbd.allow]`
    #[serde(default)]
    pub allow: JbdAllow,
}

/// `[jbd.allow]`: which commands that can hurt are let through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JbdAllow {
    /// Stop and allow charging.
    pub charge_mosfet: bool,
    /// Cut off and restore what the pack feeds.
    pub discharge_mosfet: bool,
}

impl Jbd {
    /// The pack that advertises `name`, everything else by default.
    pub fn named(name: &str) -> Self {
        Self::new(Some(name.to_owned()), None)
    }

    /// The pack with this name or address, everything else by default.
    pub fn new(name: Option<String>, address: Option<String>) -> Self {
        Self {
            name,
            address,
            label: None,
            password: None,
            pin: None,
            interval: Self::default_interval(),
            hold_link: None,
            store: Keep::default(),
            reads_per_day: None,
            allow: JbdAllow::default(),
        }
    }

    /// What the configuration calls it.
    pub fn title(&self) -> &str {
        [&self.label, &self.name, &self.address]
            .into_iter()
            .find_map(Option::as_deref)
            .unwrap_or_default()
    }

    fn default_interval() -> Duration {
        Duration::from_secs(30)
    }
}

fn yes() -> bool {
    true
}
