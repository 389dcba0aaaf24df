//! Which Bluetti power station a command is about.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::pack::bluetooth_address;
use super::{ConfigArgs, StateDirArgs};

/// Which Bluetti power station.
#[derive(Clone, Debug, Default, Args)]
pub struct StationArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// The name that the station advertises, or its label in the configuration;
    /// not needed if the configuration has one station
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Its Bluetooth address, such as `F0:5E:CD:00:00:01`
    #[arg(long, value_parser = bluetooth_address)]
    pub address: Option<String>,
    /// Where it speaks MODBUS-TCP instead, such as `station.lan:502`
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["name", "address"])]
    pub tcp: Option<String>,
}
