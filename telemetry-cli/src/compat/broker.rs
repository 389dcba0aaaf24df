//! The broker of a drop-in command, from its flags and variables.

use std::net::Ipv6Addr;

use crate::cli::BrokerArgs;
use crate::config::{self, BrokerUrl, Environment, MqttNames, Secret};
use crate::exit::{Code, Failure};

/// The broker of a drop-in command. What is no flag comes from the environment,
/// the host from the variable that the original calls `host_variable`.
///
/// # Errors
/// What is wrong with a flag or a variable.
pub(super) fn mqtt(
    host: Option<&str>,
    host_variable: &str,
    args: &BrokerArgs,
    environment: &Environment,
) -> Result<config::Mqtt, Failure> {
    let variable = |name| environment.get(name).map(str::to_owned);
    let host = host.map(str::to_owned).or_else(|| variable(host_variable));
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let usage = |message: String| Failure::new(Code::Usage, message);
    if host.contains(':') && host.parse::<Ipv6Addr>().is_err() {
        return Err(usage(format!("`{host}` is no host name"))
            .hint("give the port with `--mqtt-port`, and the host without a scheme"));
    }
    let tls = args.mqtt_tls || args.mqtt_ca.is_some();
    let port = match (args.mqtt_port, environment.get("MQTT_PORT")) {
        (Some(port), _) => port,
        (None, Some(text)) => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            usage(format!(
                "environment variable MQTT_PORT: `{text}` is no port"
            ))
            .hint("a number from 1 to 65535")
        })?,
        (None, None) if tls => 8883,
        (None, None) => 1883,
    };
    let url = BrokerUrl {
        tls,
        websocket: false,
        host,
        port,
        path: String::new(),
    };
    let url = url.to_string();
    BrokerUrl::parse(&url).map_err(|error| usage(format!("`{url}` is no broker: {error}")))?;
    let mut mqtt = config::Mqtt::new(url);
    mqtt.names = MqttNames::FLAGS;
    mqtt.user = args.mqtt_user.clone().or_else(|| variable("MQTT_USER"));
    mqtt.password = secret(args.mqtt_password.as_deref(), environment, "MQTT_PASSWORD");
    mqtt.ca = args.mqtt_ca.clone();
    if mqtt.password.is_some() && mqtt.user.is_none() {
        return Err(usage("a password for the broker, but no user".to_owned())
            .hint("name the user with `--mqtt-user` or MQTT_USER"));
    }
    Ok(mqtt)
}

/// From the flag, else from the variable.
pub(super) fn secret(
    flag: Option<&str>,
    environment: &Environment,
    variable: &str,
) -> Option<Secret> {
    match flag {
        Some(text) => Some(text.to_owned().into()),
        None => environment
            .get(variable)
            .map(|_| format!("env:{variable}").into()),
    }
}
