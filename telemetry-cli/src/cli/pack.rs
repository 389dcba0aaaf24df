//! Which JBD pack a command is about.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::{ConfigArgs, Hidden, StateDirArgs};
use crate::config::is_address;

/// Which JBD pack.
#[derive(Clone, Debug, Default, Args)]
pub struct PackArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// The name that the pack advertises, or its label in the configuration;
    /// not needed if the configuration has one pack
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Its Bluetooth address, such as `A4:C1:38:30:C2:8E`
    #[arg(long, value_parser = bluetooth_address)]
    pub address: Option<String>,
    /// Its password, if it asks for one: better `env:NAME`, `file:PATH`, the
    /// configuration or $JBD_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET")]
    pub password: Option<Hidden>,
}

pub(super) fn bluetooth_address(text: &str) -> Result<String, &'static str> {
    match is_address(text) {
        true => Ok(text.to_owned()),
        false => Err("six pairs of hex digits are wanted, such as A4:C1:38:30:C2:8E"),
    }
}
