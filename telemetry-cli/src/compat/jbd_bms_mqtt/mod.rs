//! `jbd-bms-mqtt`: the Python script that reads a JBD battery pack and
//! publishes one merged JSON message.

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::JbdBmsMqttArgs;
use crate::config::{self, BrokerUrl, Config, DropIn, Environment, Jbd, MergedJson, Secret};
use crate::event::{DeviceId, Reading};
use crate::exit::{Code, Failure};
use crate::filter::Keep;
use crate::native::{JbdPack, Native};
use crate::sink::Context;
use crate::sink::mqtt::fleeting::{self, Message};
use crate::supervisor::{Exit, Task};

pub use message::message;

mod message;

/// The name of the command.
pub const NAME: &str = "jbd-bms-mqtt";

/// The gateway that does what `args` ask for.
///
/// # Errors
/// If they cannot be meant.
pub fn config(args: &JbdBmsMqttArgs, environment: &Environment) -> Result<Config, Failure> {
    // Given both, the original looks for the name.
    let address = args.address.clone().filter(|_| args.name.is_none());
    let mut config = Config {
        mqtt: Some(mqtt(args, environment)?),
        jbd: vec![Jbd {
            password: secret(args.pack_password.as_deref(), environment, "JBD_PASSWORD"),
            interval: Duration::from_secs(60) * args.interval,
            store: Keep::Nothing,
            ..Jbd::new(args.name.clone(), address)
        }],
        drop_in: Some(DropIn::JbdBmsMqtt(MergedJson {
            topic: args.topic.clone(),
            at_least_once: args.mqtt_qos > 0,
            retain: args.mqtt_retain,
        })),
        ..Config::default()
    };
    config.gateway.name = NAME.to_owned();
    config.store.sqlite = false;
    Ok(config)
}

fn mqtt(args: &JbdBmsMqttArgs, environment: &Environment) -> Result<config::Mqtt, Failure> {
    let variable = |name| environment.get(name).map(str::to_owned);
    let host = args.mqtt_host.clone().or_else(|| variable("MQTT_HOST"));
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
fn secret(flag: Option<&str>, environment: &Environment, variable: &str) -> Option<Secret> {
    match flag {
        Some(text) => Some(text.to_owned().into()),
        None => environment
            .get(variable)
            .map(|_| format!("env:{variable}").into()),
    }
}

/// The directory for the process that reads the pack of `args`, in the
/// directory for all of `telemetry`: several packs may be read side by side.
pub fn directory(args: &JbdBmsMqttArgs) -> PathBuf {
    let pack = args.name.as_ref().or(args.address.as_ref());
    let pack = DeviceId::new(&pack.map(String::as_str).into_iter().collect::<Vec<_>>());
    PathBuf::from(NAME).join(pack.as_str())
}

/// The message for what a pack said.
pub fn publication(merged: &MergedJson, pack: &JbdPack) -> Message {
    Message {
        topic: merged.topic.clone(),
        payload: message(&merged.topic, pack),
        at_least_once: merged.at_least_once,
        retain: merged.retain,
    }
}

/// The sink: one message for each reading.
pub async fn run(mqtt: config::Mqtt, merged: MergedJson, context: Context, task: Task) -> Exit {
    let publication = move |reading: &Reading| {
        let Native::Jbd(pack) = reading.native.as_ref()? else {
            return None;
        };
        Some(publication(&merged, pack))
    };
    fleeting::run(mqtt, context, task, publication).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    /// What comes of these flags, and of these variables.
    fn configured(flags: &str, variables: &[(&str, &str)]) -> Result<Config, Failure> {
        let words = format!("{NAME} -i 2 -t solar {flags}");
        let cli = Cli::of(words.split_whitespace().map(Into::into).collect()).unwrap();
        let Command::JbdBmsMqtt(args) = cli.command else {
            panic!("{cli:?}");
        };
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        config(&args, &variables.iter().map(own).collect())
    }

    #[test]
    fn the_broker_comes_from_flags_then_variables_then_is_this_computer() {
        let variables = [("MQTT_HOST", "broker"), ("MQTT_PORT", "1884")];
        for (flags, variables, url) in [
            ("-n a", &[][..], "tcp://localhost:1883"),
            ("-n a", &variables, "tcp://broker:1884"),
            ("-n a --mqtt-host other", &variables, "tcp://other:1884"),
            ("-n a --mqtt-port 7", &variables, "tcp://broker:7"),
            ("-n a --mqtt-tls", &[], "tls://localhost:8883"),
            (
                "-n a --mqtt-ca ca.pem --mqtt-port 7",
                &[],
                "tls://localhost:7",
            ),
            ("-n a --mqtt-host ::1", &[], "tcp://[::1]:1883"),
        ] {
            let mqtt = configured(flags, variables).unwrap().mqtt.unwrap();
            assert_eq!(mqtt.url, url, "{flags}");
        }
        for flags in ["tcp://broker", "broker:1883", "a/b"] {
            let failure = configured(&format!("-n a --mqtt-host {flags}"), &[]).unwrap_err();
            assert_eq!(failure.code, Code::Usage, "{flags}");
        }
    }

    #[test]
    fn the_name_counts_if_both_are_given() {
        let both = "-n Cabin -a A4:C1:38:30:C2:8E";
        let config = configured(both, &[("JBD_PASSWORD", "123456")]).unwrap();
        let [pack] = config.jbd.as_slice() else {
            panic!("one pack: {:?}", config.jbd);
        };
        assert_eq!((pack.title(), &pack.address), ("Cabin", &None));
        assert_eq!(pack.interval, Duration::from_secs(120));
        assert!(!pack.holds_link(), "a phone can connect in between");
        assert_eq!(
            format!("{:?}", pack.password),
            "Some(Secret(env:JBD_PASSWORD))"
        );
    }
}
