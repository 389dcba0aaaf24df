//! `bluetti-monitor` and `bluetti-mqtt`: gateways of some stations.

use std::path::Path;

use super::{Listed, bluetooth, filter, guest_radio, scan};
use crate::cli::{BluettiMonitorArgs, BluettiMqttArgs, LogArgs};
use crate::command::{BRIEF, run, start_log};
use crate::compat::bluetti::{directory, monitor, mqtt};
use crate::config::{Config, Environment};
use crate::exit::Failure;
use crate::state_dir::StateDir;

/// `bluetti-monitor`
///
/// # Errors
/// What keeps the gateway from starting.
pub async fn monitor(args: &BluettiMonitorArgs, log: &LogArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    if args.scan {
        start_log(log, filter(&environment, BRIEF))?;
        return scan(guest_radio()?, Listed::Stations).await;
    }
    let config = monitor::config(args, &environment);
    let place = (monitor::NAME, args.addresses.as_slice());
    serve(config, place, args.state_dir.as_deref(), log).await
}

/// `bluetti-mqtt`
///
/// # Errors
/// What keeps the gateway from starting.
pub async fn mqtt(args: &BluettiMqttArgs, log: &LogArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    if args.scan {
        start_log(log, filter(&environment, BRIEF))?;
        return scan(guest_radio()?, Listed::Stations).await;
    }
    let config = mqtt::config(args, &environment)?;
    let place = (mqtt::NAME, args.addresses.as_slice());
    serve(config, place, args.state_dir.as_deref(), log).await
}

async fn serve(
    mut config: Config,
    (name, addresses): (&str, &[String]),
    state_dir: Option<&Path>,
    log: &LogArgs,
) -> Result<(), Failure> {
    let environment = Environment::of_process();
    start_log(log, filter(&environment, &config.gateway.log))?;
    config.bluetooth = bluetooth(&environment)?;
    let root = StateDir::locate(state_dir, &environment);
    // Held to the end.
    let state = StateDir::open(&root.join(directory(name, addresses))).map_err(|failure| {
        failure.hint("stop that process, or give this one another `--state-dir`")
    })?;
    run::run(config, &state).await
}
