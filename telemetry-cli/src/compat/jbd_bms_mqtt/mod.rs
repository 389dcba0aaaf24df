//! `jbd-bms-mqtt`: the Python script that reads a JBD battery pack and
//! publishes one merged JSON message.

use std::path::PathBuf;
use std::time::Duration;

use super::broker;
use crate::cli::JbdBmsMqttArgs;
use crate::config::{self, Config, DropIn, Environment, Jbd, MergedJson};
use crate::event::{DeviceId, Reading};
use crate::exit::Failure;
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
        mqtt: Some(broker::mqtt(
            args.mqtt_host.as_deref(),
            "MQTT_HOST",
            &args.broker,
            environment,
        )?),
        jbd: vec![Jbd {
            password: broker::secret(args.pack_password.as_deref(), environment, "JBD_PASSWORD"),
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
    use crate::exit::Code;

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
