//! The arguments of the tools for Bluetti power stations that others made.

use std::path::PathBuf;

use bluetti_modbus::model::Model;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};

use super::Hidden;
use super::decode::bluetti_model;

/// `bluetti-monitor`
#[derive(Clone, Debug, Args)]
pub struct BluettiMonitorArgs {
    /// List the stations in reach, and end
    #[arg(long)]
    pub scan: bool,
    /// Seconds between two readings; 0 is every second
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=YEAR))]
    pub interval: u32,
    /// The database server
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    pub dbhost: String,
    /// Its port
    #[arg(long, value_name = "PORT", default_value_t = 3306, value_parser = clap::value_parser!(u16).range(1..))]
    pub dbport: u16,
    /// User name
    #[arg(long, value_name = "USER", default_value = "default")]
    pub dbuser: String,
    /// Its password: better `env:NAME`, `file:PATH` or $DBPASS than the text itself
    #[arg(long, value_name = "SECRET")]
    pub dbpass: Option<Hidden>,
    /// The database; it has to exist, its tables need not
    #[arg(long, value_name = "NAME", default_value = "bluetti_db")]
    pub dbname: String,
    /// Which stations, such as `A4:C1:38:30:C2:8E`; or the names that they advertise
    #[arg(value_name = "ADDRESS", required_unless_present = "scan", value_parser = NonEmptyStringValueParser::new())]
    pub addresses: Vec<String>,
    /// Where readings wait while the database is away; without it
    /// $STATE_DIRECTORY, ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `bluetti-mqtt`
#[derive(Clone, Debug, Args)]
pub struct BluettiMqttArgs {
    /// List the stations in reach, and end
    #[arg(long)]
    pub scan: bool,
    /// The broker
    #[arg(long, value_name = "HOST", required_unless_present = "scan")]
    pub broker: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT", default_value_t = 1883, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// User name
    #[arg(long, value_name = "USER")]
    pub username: Option<String>,
    /// Its password: better `env:NAME`, `file:PATH` or $MQTT_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET")]
    pub password: Option<Hidden>,
    /// Seconds between two readings; 0 is every second
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=YEAR))]
    pub interval: u32,
    /// What Home Assistant is told about
    #[arg(long, value_enum, default_value_t)]
    pub ha_config: HaConfig,
    /// Take no commands
    #[arg(long)]
    pub read_only: bool,
    /// Which stations, such as `A4:C1:38:30:C2:8E`; or the names that they advertise
    #[arg(value_name = "ADDRESS", required_unless_present = "scan", value_parser = NonEmptyStringValueParser::new())]
    pub addresses: Vec<String>,
    /// Where the lock is that keeps two processes from the same stations; without
    /// it $STATE_DIRECTORY, ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// What Home Assistant is told about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum HaConfig {
    /// What most people want.
    #[default]
    Normal,
    /// Nothing.
    None,
    /// Voltages and currents inside, too.
    Advanced,
}

/// `bluetti-logger`
#[derive(Clone, Debug, Args)]
pub struct BluettiLoggerArgs {
    /// List the stations in reach, and end
    #[arg(long)]
    pub scan: bool,
    /// Add what is asked and answered to this file. What the program itself logs
    /// is set with $TELEMETRY_LOG
    // The id is that of the option of the same name that all other commands have:
    // so this one takes its place.
    #[arg(
        id = "filter",
        long = "log",
        value_name = "FILE",
        required_unless_present = "scan"
    )]
    pub log: Option<String>,
    /// Which station, such as `A4:C1:38:30:C2:8E`; or the name that it advertises
    #[arg(required_unless_present = "scan", value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,
    /// The unit that answers; found out without it
    #[arg(long, value_name = "UNIT", visible_alias = "unit", value_parser = clap::value_parser!(u8).range(..=247))]
    pub slave: Option<u8>,
}

/// `bluetti-discovery`
#[derive(Clone, Debug, Args)]
pub struct BluettiDiscoveryArgs {
    /// List all Bluetooth devices in reach, and end
    #[arg(long)]
    pub scan: bool,
    /// Add what is asked and answered to this file; if it is there already, go on
    /// where it ends. What the program itself logs is set with $TELEMETRY_LOG
    // As in `bluetti-logger`.
    #[arg(id = "filter", long = "log", value_name = "FILE", required_unless_present_any = ["scan", "diff"])]
    pub log: Option<String>,
    /// Which station, such as `A4:C1:38:30:C2:8E`; or the name that it advertises
    #[arg(required_unless_present_any = ["scan", "diff"], value_parser = NonEmptyStringValueParser::new())]
    pub address: Option<String>,
    /// Ask for every register: where none seems to be, and where PINs and
    /// passwords are
    #[arg(long)]
    pub all: bool,
    /// The unit that answers; found out without it
    #[arg(long, value_name = "UNIT", visible_alias = "unit", value_parser = clap::value_parser!(u8).range(..=247))]
    pub slave: Option<u8>,
    /// Print which registers differ between two logs, and end
    #[arg(long, num_args = 2, value_names = ["A", "B"], conflicts_with_all = ["scan", "filter", "address"])]
    pub diff: Option<Vec<PathBuf>>,
    /// With `--diff`: name the registers of this model
    #[arg(long, value_name = "MODEL", requires = "diff", value_parser = bluetti_model)]
    pub model: Option<Model>,
}

/// In seconds.
const YEAR: i64 = 365 * 86_400;
