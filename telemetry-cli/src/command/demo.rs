//! `telemetry demo`: the same gateway against simulated devices, with its own
//! broker, and nothing to configure.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::run::{database_file, open};
use crate::broker::Broker;
use crate::config::{Config, Jbd, Mqtt};
use crate::exit::{Code, Failure};
use crate::radio::{Air, Radio};
use crate::state_dir::StateDir;
use crate::{shutdown, sink};

/// Where the broker listens if nothing else is asked for and it is free.
const BROKER: SocketAddr = SocketAddr::new(
    std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
    18_830,
);

/// Short, so that there is something to see.
const INTERVAL: Duration = Duration::from_secs(2);

/// What the demo is asked to do.
#[derive(Clone, Debug)]
pub struct Demo {
    /// End after this long.
    pub duration: Option<Duration>,
    /// JSON lines instead of a table.
    pub json: bool,
    /// Where the broker has to listen.
    pub mqtt_listen: Option<SocketAddr>,
}

/// Runs the demo.
///
/// # Errors
/// If the broker's address or the database cannot be used.
pub async fn demo(demo: Demo, state: &StateDir) -> Result<(), Failure> {
    let shutdown = shutdown::on_signal();
    let broker = listen(demo.mqtt_listen).await?;
    let address = broker.local_addr();
    let air = Air::demo(fastrand::u64(..));
    let config = config(&air, address);
    let database = database_file(&config, state);

    let mut gateway = open(config, Radio::Simulated(air), state).await?;
    if demo.json {
        gateway.add_sink("stdout", sink::stdout::run);
    } else {
        gateway.add_sink("table", sink::table::run);
    }
    let place = database.map_or_else(|| "memory".to_owned(), |file| file.display().to_string());
    announce(&demo, address, &place, state)?;

    if let Some(duration) = demo.duration {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            shutdown.cancel();
        });
    }
    // The broker goes last: the gateway says goodbye on it.
    let broker_shutdown = CancellationToken::new();
    let broker = tokio::spawn(broker.run(broker_shutdown.clone()));
    let result = gateway.run(shutdown).await.map_err(Failure::from);
    broker_shutdown.cancel();
    let _ = broker.await;
    result
}

async fn listen(wanted: Option<SocketAddr>) -> Result<Broker, Failure> {
    let bound = match wanted {
        Some(address) => Broker::bind(address).await,
        None => match Broker::bind(BROKER).await {
            Ok(broker) => Ok(broker),
            Err(_) => Broker::bind(SocketAddr::new(BROKER.ip(), 0)).await,
        },
    };
    bound.map_err(|error| {
        let address = wanted.unwrap_or(BROKER);
        Failure::new(
            Code::Backend,
            format!("the demo's broker cannot listen on {address}: {error}"),
        )
        .hint("choose another address with `--mqtt-listen 127.0.0.1:0`")
    })
}

fn config(air: &Air, broker: SocketAddr) -> Config {
    let mut config = Config::default();
    config.gateway.name = "Demo".to_owned();
    config.mqtt = Some(Mqtt::new(format!("tcp://{broker}")));
    config.jbd = air
        .names()
        .map(|name| {
            let mut jbd = Jbd::named(name);
            jbd.interval = INTERVAL;
            jbd
        })
        .collect();
    config
}

/// The first words on stdout: where to look.
fn announce(
    demo: &Demo,
    broker: SocketAddr,
    database: &str,
    state: &StateDir,
) -> Result<(), Failure> {
    use std::io::Write;

    let text = if demo.json {
        let state_dir = state.path().map(|path| path.display().to_string());
        json!({
            "ready": true,
            "mqtt": format!("tcp://{broker}"),
            "state_dir": state_dir,
        })
        .to_string()
    } else {
        format!(
            "Three simulated battery packs, read every {} s. Ctrl-C ends it.\n\
             MQTT     mosquitto_sub -h {} -p {} -v -t 'telemetry/#'\n\
             History  {database}\n",
            INTERVAL.as_secs(),
            broker.ip(),
            broker.port(),
        )
    };
    writeln!(std::io::stdout(), "{text}").map_err(|error| Failure::stdout(&error))
}
