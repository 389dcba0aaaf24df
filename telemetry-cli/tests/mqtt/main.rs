//! The MQTT sink against brokers: our own and a real Mosquitto.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use rumqttc::{LastWill, Packet, QoS};
use telemetry_cli::broker::Broker;
use telemetry_cli::config::{HomeAssistant, Mqtt};
use telemetry_cli::control::{self, Controls, Offer};
use telemetry_cli::database::Database;
use telemetry_cli::event::{Device, DeviceId, DeviceKind, Reading};
use telemetry_cli::filter::Keep;
use telemetry_cli::hub::{Handling, Hub};
use telemetry_cli::journal::{Journal, Limits, Writer};
use telemetry_cli::metric::battery;
use telemetry_cli::sink::{Context, mqtt};
use telemetry_cli::stats::Stats;
use telemetry_cli::supervisor::{Exit, Task};
use telemetry_cli::value::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use link::Link;
use mosquitto::{Mosquitto, started, tool};
use watcher::{DEADLINE, Watcher, retained};

mod commands;
mod embedded;
mod history;
mod state;
mod transports;

#[path = "../support/certificate.rs"]
pub mod certificate;
#[path = "../support/link.rs"]
pub mod link;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/watcher.rs"]
pub mod watcher;

const STATE: &str = "telemetry/jbd-pack/state";
const SOC: &str = "telemetry/jbd-pack/soc_percent";
const AVAILABILITY: &str = "telemetry/jbd-pack/availability";
const HISTORY: &str = "telemetry/jbd-pack/history";
const STATUS: &str = "telemetry/status";
const CONFIG: &str = "homeassistant/device/jbd-pack/config";

/// A gateway that is only this sink.
struct Gateway {
    hub: Hub,
    controls: Controls,
    sink: JoinHandle<Exit>,
    shutdown: CancellationToken,
}

impl Gateway {
    fn start(broker: SocketAddr) -> Self {
        Self::with(&format!("url = 'tcp://{broker}'"))
    }

    fn with(config: &str) -> Self {
        Self::with_journal(config, None)
    }

    fn with_journal(config: &str, journal: Option<Journal>) -> Self {
        let config: Mqtt = toml::from_str(config).expect("valid");
        let hub = Hub::new(journal.clone(), Duration::from_secs(300), vec![]);
        hub.announce(
            pack("jbd-pack"),
            Handling {
                source: "jbd".to_owned(),
                interval: Duration::from_secs(30),
                keep: Keep::All,
            },
        );
        let controls = Controls::default();
        let shutdown = CancellationToken::new();
        let task = Task {
            name: "mqtt".to_owned(),
            shutdown: shutdown.clone(),
        };
        let context = Context {
            hub: hub.clone(),
            journal,
            stats: Stats::default(),
            controls: controls.clone(),
            gateway: DeviceId::new(&["gateway-home"]),
            gateway_name: "Home".to_owned(),
        };
        let sink = mqtt::run(config, HomeAssistant::default(), context, task);
        Self {
            hub,
            controls,
            sink: tokio::spawn(sink),
            shutdown,
        }
    }

    fn read(&self, soc: f64) {
        self.hub.read(reading(soc, 4));
    }

    async fn stop(self) -> Exit {
        self.shutdown.cancel();
        self.exit().await
    }

    async fn exit(self) -> Exit {
        let exit = tokio::time::timeout(DEADLINE, self.sink).await;
        exit.expect("it ends").expect("it does not panic")
    }
}

fn pack(id: &str) -> Device {
    Device {
        name: "House battery".to_owned(),
        vendor: "JBD".to_owned(),
        ..Device::unknown(DeviceId::new(&[id]), DeviceKind::Battery)
    }
}

fn reading(soc: f64, cells: usize) -> Reading {
    let id = DeviceId::new(&["jbd-pack"]);
    let mut reading = Reading::new(id, DeviceKind::Battery, Utc::now());
    reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
    let voltages: Value = (0..cells).map(|_| Some(3.3)).collect();
    reading.values.set(&battery::CELL_VOLTAGES_V, voltages);
    reading
}

/// Our own broker; it ends with the test's runtime.
async fn broker() -> SocketAddr {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a free port");
    let address = broker.local_addr();
    tokio::spawn(broker.run(CancellationToken::new()));
    address
}
