//! `telemetry bmw-mqtt`: a gateway of BMW and MINI cars.

use super::{run, start_log};
use crate::cli::{BmwMqttArgs, LogArgs};
use crate::compat::bmw_mqtt::{NAME, config};
use crate::config::Environment;
use crate::exit::Failure;
use crate::state_dir::StateDir;

/// Reads and publishes until it is told to stop.
///
/// # Errors
/// What keeps the gateway from starting.
pub(super) async fn bmw_mqtt(args: &BmwMqttArgs, log: &LogArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let config = config(args, &environment)?;
    start_log(log, &config.gateway.log)?;
    let root = StateDir::locate(args.state_dir.as_deref(), &environment);
    // Held to the end.
    let state = StateDir::open(&root.join(NAME))?;
    run::run(config, &state).await
}
