//! The arguments of the drop-in `jbd-bms-mqtt`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Args};

use super::broker::{BROKER, BrokerArgs, topic};
use super::{Hidden, bluetooth_address};

/// `jbd-bms-mqtt`
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("pack").required(true).multiple(true).args(["name", "address"])))]
pub struct JbdBmsMqttArgs {
    /// The name that the pack advertises; comes before the address
    #[arg(short, long, value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Its Bluetooth address, such as `A4:C1:38:30:C2:8E`
    #[arg(short, long, value_parser = bluetooth_address)]
    pub address: Option<String>,
    /// Minutes between two readings; 0 reads once and ends
    #[arg(short, long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(..=YEAR))]
    pub interval: u32,
    /// The topic of the message
    #[arg(short, long, value_parser = topic)]
    pub topic: String,
    /// The broker; without it $MQTT_HOST or `localhost`
    #[arg(long, value_name = "HOST", help_heading = BROKER)]
    pub mqtt_host: Option<String>,
    /// How it is reached.
    #[command(flatten)]
    pub broker: BrokerArgs,
    /// 1 to have the broker acknowledge the message
    #[arg(long, value_name = "QOS", help_heading = BROKER, default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=1))]
    pub mqtt_qos: u8,
    /// Let the broker keep the message for those who subscribe later
    #[arg(long, help_heading = BROKER)]
    pub mqtt_retain: bool,
    /// Password of the pack, if it asks for one: better `env:NAME`, `file:PATH`
    /// or $JBD_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET")]
    pub pack_password: Option<Hidden>,
    /// Where the lock is that keeps two processes from one pack; without it
    /// $STATE_DIRECTORY, ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// In minutes.
const YEAR: i64 = 365 * 24 * 60;
