//! `telemetry bmw-mqtt`: a gateway of BMW and MINI cars.

use std::path::Path;

use super::{login, run, start_log};
use crate::cli::{BmwMqttArgs, LogArgs};
use crate::compat::bmw_mqtt::{NAME, config};
use crate::config::{Bmw, BmwApi, Environment};
use crate::exit::Failure;
use crate::source::bmw::BmwError;
use crate::source::bmw::tokens::Tokens;
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
    for bmw in config.bmw.iter().filter(|bmw| bmw.api == BmwApi::CarData) {
        if let Some(directory) = state.path() {
            log_in_first(bmw, directory).await?;
        }
    }
    run::run(config, &state).await
}

/// There is no other command that could do it: the drop-in has a state
/// directory of its own.
async fn log_in_first(bmw: &Bmw, directory: &Path) -> Result<(), Failure> {
    let failed = |error: BmwError| error.failure(bmw.title());
    let tokens = Tokens::open(bmw, Some(directory)).map_err(failed)?;
    let known = bimmer::TokenStore::load(&tokens).await;
    match known.map_err(|error| failed(error.into()))? {
        Some(_) => Ok(()),
        None => login::bmw::cardata(bmw, directory).await,
    }
}
