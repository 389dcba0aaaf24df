//! How a drop-in command reaches its MQTT broker.

use std::path::PathBuf;

use clap::Args;

use super::Hidden;

/// All but its host: each original calls the variable for that differently.
#[derive(Clone, Debug, Default, Args)]
pub struct BrokerArgs {
    /// Its port; without it $MQTT_PORT or 1883, with TLS 8883
    #[arg(long, value_name = "PORT", help_heading = BROKER, value_parser = clap::value_parser!(u16).range(1..))]
    pub mqtt_port: Option<u16>,
    /// User name; without it $MQTT_USER
    #[arg(long, value_name = "USER", help_heading = BROKER)]
    pub mqtt_user: Option<String>,
    /// Its password: better `env:NAME`, `file:PATH` or $MQTT_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET", help_heading = BROKER)]
    pub mqtt_password: Option<Hidden>,
    /// Encrypt the connection
    #[arg(long, help_heading = BROKER)]
    pub mqtt_tls: bool,
    /// Encrypt it, and trust the authority in this PEM file alone
    #[arg(long, value_name = "FILE", help_heading = BROKER)]
    pub mqtt_ca: Option<PathBuf>,
}

/// Heading in the help.
pub(super) const BROKER: &str = "MQTT broker";

/// A topic that can be published on.
pub(super) fn topic(text: &str) -> Result<String, &'static str> {
    let possible = !text.is_empty() && text.len() <= usize::from(u16::MAX);
    match possible && !text.contains(['+', '#', '\0']) {
        true => Ok(text.to_owned()),
        false => Err("not a topic: it is empty or too long, or has a `+`, a `#` or a NUL in it"),
    }
}
