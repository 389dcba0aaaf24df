//! `telemetry demo`: the same gateway against simulated devices, with its own
//! broker, and nothing to configure.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::run::{database_file, open};
use crate::broker::Broker;
use crate::cli::DemoArgs;
use crate::config::{Bluetti, Config, Environment, Jbd, Mqtt};
use crate::exit::{Code, Failure};
use crate::filter::Keep;
use crate::radio::{Air, Radio};
use crate::state_dir::StateDir;
use crate::{shutdown, sink};

mod bmw;
mod mg;

/// Where the broker listens if nothing else is asked for and it is free.
const BROKER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 18_830);

/// Short, so that there is something to see.
const INTERVAL: Duration = Duration::from_secs(2);

/// What takes the stations some seconds.
const SETTINGS_INTERVAL: Duration = Duration::from_secs(30);

/// Runs the demo.
///
/// # Errors
/// If the broker's address or the state directory cannot be used.
pub async fn demo(args: &DemoArgs) -> Result<(), Failure> {
    let shutdown = shutdown::on_signal();
    let state = StateDir::open(&state_dir(args))?;
    let broker = listen(args.mqtt_listen).await?;
    let address = broker.local_addr();
    let air = Air::demo();
    // The broker and the clouds go last: the gateway says goodbye on them.
    let servers_shutdown = CancellationToken::new();
    let mut config = config(&air, address);
    config.saic = vec![mg::start(servers_shutdown.clone()).await?];
    config.bmw = bmw::start(&servers_shutdown).await?;
    let database = database_file(&config, &state);

    // Each demo has clouds of its own, which know no session of an earlier one.
    let gateway = open(config, Radio::Simulated(air), &state).await?;
    let mut gateway = gateway.with_state_dir(None);
    if args.json {
        gateway.add_sink("stdout", sink::stdout::run);
    } else {
        gateway.add_sink("table", sink::table::run);
    }
    let place = database.map_or_else(|| "memory".to_owned(), |file| file.display().to_string());
    announce(args, address, &place, &state)?;

    if let Some(duration) = args.duration {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            shutdown.cancel();
        });
    }
    let broker = tokio::spawn(broker.run(servers_shutdown.clone()));
    let result = gateway.run(shutdown).await.map_err(Failure::from);
    servers_shutdown.cancel();
    let _ = broker.await;
    result
}

/// Not where a real gateway keeps its own.
fn state_dir(args: &DemoArgs) -> PathBuf {
    match &args.state_dir {
        Some(directory) => directory.clone(),
        None => StateDir::locate(None, &Environment::of_process()).join("demo"),
    }
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
        .packs()
        .map(|name| {
            let mut jbd = Jbd::named(name);
            jbd.interval = INTERVAL;
            jbd.store = Keep::All;
            jbd
        })
        .collect();
    config.bluetti = air
        .stations()
        .map(|name| {
            let mut station = Bluetti::named(name);
            station.interval = INTERVAL;
            station.settings_interval = SETTINGS_INTERVAL;
            station.packs_interval = SETTINGS_INTERVAL;
            station.store = Keep::All;
            // They harm nobody.
            station.allow.ac_output = true;
            station.allow.dc_output = true;
            station
        })
        .collect();
    config
}

/// The first line of `--json`.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    mqtt: String,
    state_dir: Option<&'a Path>,
}

/// The first words on stdout: where to look.
fn announce(
    args: &DemoArgs,
    broker: SocketAddr,
    database: &str,
    state: &StateDir,
) -> Result<(), Failure> {
    use std::io::Write;

    let text = if args.json {
        let ready = Ready {
            ready: true,
            mqtt: format!("tcp://{broker}"),
            state_dir: state.path(),
        };
        serde_json::to_string(&ready)
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?
    } else {
        format!(
            "Three simulated battery packs, two power stations, an MG, a BMW and a MINI, read every {} s.\n\
             Ctrl-C ends it.\n\
             MQTT     mosquitto_sub -h {} -p {} -v -t 'telemetry/#'\n\
             History  {database}\n",
            INTERVAL.as_secs(),
            broker.ip(),
            broker.port(),
        )
    };
    writeln!(std::io::stdout(), "{text}").map_err(|error| Failure::stdout(&error))
}
