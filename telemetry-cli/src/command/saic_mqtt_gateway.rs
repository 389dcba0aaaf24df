//! `telemetry saic-mqtt-gateway`.

use super::start_log;
use crate::cli::{LogArgs, SaicMqttGatewayArgs};
use crate::compat::saic::options::Log;
use crate::compat::saic::{self, NAME, Options, dotenv};
use crate::config::Environment;
use crate::exit::Failure;
use crate::shutdown;
use crate::state_dir::StateDir;

/// Runs the gateway of `args`.
///
/// # Errors
/// What keeps it from starting or from working.
pub async fn saic_mqtt_gateway(args: &SaicMqttGatewayArgs, log: &LogArgs) -> Result<(), Failure> {
    let file = std::fs::read_to_string(".env").unwrap_or_default();
    let environment = Environment::of_process().or(dotenv::parse(&file));
    let levels = Log::new(&environment)?;
    start_log(log, &levels.filter)?;
    levels.warn();
    let options = Options::new(args, &environment)?;
    let root = StateDir::locate(args.state_dir.as_deref(), &environment);
    // Held to the end.
    let state = StateDir::open(&root.join(NAME))?;
    let directory = state.path().map(Into::into);
    saic::run(options, directory, shutdown::on_signal()).await
}
