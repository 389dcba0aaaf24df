//! `bluetti-mqtt`: the Python program that publishes stations, and takes commands
//! for them.

use std::net::Ipv6Addr;

use super::{password, process, stations};
use crate::cli::BluettiMqttArgs;
use crate::config::{
    self, BluettiAllow, BluettiTopics, BrokerUrl, Config, DropIn, Environment, MqttNames,
};
use crate::event::DeviceId;
use crate::exit::{Code, Failure};
use crate::filter::Keep;
use crate::registers::Record;
use crate::sink::Context;
use crate::sink::mqtt::foreign;
use crate::supervisor::{Exit, Task};

use bridge::Stations;

mod bridge;
mod discovery;
mod entity;

/// The name of the command.
pub const NAME: &str = "bluetti-mqtt";

/// What states and commands are published on.
const STATES: &str = "bluetti/state";
const COMMANDS: &str = "bluetti/command";

/// The gateway that does what `args` ask for.
///
/// # Errors
/// If they cannot be meant.
pub fn config(args: &BluettiMqttArgs, environment: &Environment) -> Result<Config, Failure> {
    let usage = |message: String| Failure::new(Code::Usage, message);
    let host = args.broker.clone().unwrap_or_default();
    if host.is_empty() || host.contains(':') && host.parse::<Ipv6Addr>().is_err() {
        return Err(usage(format!("`{host}` is no host name"))
            .hint("give the port with `--port`, and the host without a scheme"));
    }
    let url = BrokerUrl {
        tls: false,
        websocket: false,
        host,
        port: args.port,
        path: String::new(),
    };
    let mut mqtt = config::Mqtt::new(url.to_string());
    mqtt.names = MqttNames {
        url: "`--broker`",
        user: "`--username`",
        password: "`--password`",
        ..MqttNames::FLAGS
    };
    mqtt.user.clone_from(&args.username);
    mqtt.password = password(args.password.as_deref(), environment, "MQTT_PASSWORD");
    if mqtt.user.is_none() {
        // Set for another program, maybe.
        if args.password.is_some() {
            return Err(usage("a password for the broker, but no user".to_owned())
                .hint("name the user with `--username`"));
        }
        mqtt.password = None;
    }
    let mut stations = stations(&args.addresses, args.interval);
    for station in &mut stations {
        station.store = Keep::Nothing;
        // Its users' automations rely on them.
        station.allow = BluettiAllow {
            ac_output: true,
            dc_output: true,
            eco: true,
            power_lifting: true,
            power_off: true,
            split_phase: true,
            split_phase_role: true,
            ..BluettiAllow::default()
        };
    }
    let mut config = Config {
        mqtt: Some(mqtt),
        bluetti: stations,
        drop_in: Some(DropIn::BluettiMqtt(BluettiTopics {
            home_assistant: args.ha_config,
            read_only: args.read_only,
            process: process(&args.addresses),
        })),
        ..Config::default()
    };
    config.gateway.name = NAME.to_owned();
    config.store.sqlite = false;
    Ok(config)
}

/// The sink: the original's topics.
pub async fn run(mqtt: config::Mqtt, topics: BluettiTopics, context: Context, task: Task) -> Exit {
    foreign::run(mqtt, Stations::new(topics), context, task).await
}

fn state_topic(record: &Record, id: &str) -> String {
    format!("{STATES}/{}/{id}", record.device())
}

fn command_topic(record: &Record, id: &str) -> String {
    format!("{COMMANDS}/{}/{id}", record.device())
}

/// The original has none: whoever it serves sees old values for present ones.
/// Each process has its own: one that ends says nothing about the stations of
/// another.
fn status_topic(process: &DeviceId) -> String {
    format!("bluetti/status/{process}")
}

fn availability_topic(record: &Record) -> String {
    format!("bluetti/availability/{}", record.device())
}
