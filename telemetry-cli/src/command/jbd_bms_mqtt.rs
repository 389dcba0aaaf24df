//! `telemetry jbd-bms-mqtt`: once, or as a gateway of one pack.

use super::run::{self, radio};
use super::{BRIEF, start_log};
use crate::cli::{JbdBmsMqttArgs, LogArgs};
use crate::compat::jbd_bms_mqtt::{config, directory, publication};
use crate::config::{Config, DropIn, Environment};
use crate::exit::{Code, Failure};
use crate::native::JbdPack;
use crate::radio::RadioError;
use crate::shutdown;
use crate::sink::mqtt::errand;
use crate::source::bluetooth::Trouble as _;
use crate::source::jbd::PollError;
use crate::source::{self, Context};
use crate::state_dir::StateDir;

/// Reads and publishes, as often as `args` say.
///
/// # Errors
/// The first thing that kept a message from being published once; with an
/// interval, only what keeps the gateway from starting.
pub async fn jbd_bms_mqtt(args: &JbdBmsMqttArgs, log: &LogArgs) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let config = config(args, &environment)?;
    let once = args.interval == 0;
    start_log(log, if once { BRIEF } else { &config.gateway.log })?;
    let root = StateDir::locate(args.state_dir.as_deref(), &environment);
    // Held to the end.
    let state = StateDir::open(&root.join(directory(args))).map_err(|failure| {
        failure.hint(
            "wait for the end of that process; for a pack that takes long, run this less often",
        )
    })?;
    match once {
        true => publish_once(&config).await,
        false => run::run(config, &state).await,
    }
}

/// Nothing is published that is not complete.
async fn publish_once(config: &Config) -> Result<(), Failure> {
    let (Some(mqtt), Some(DropIn::JbdBmsMqtt(merged))) = (&config.mqtt, &config.drop_in) else {
        return Err(Failure::new(Code::Internal, "nothing to publish"));
    };
    // What is wrong with the flags costs the pack no reading.
    let visit = errand::Visit::new(mqtt).map_err(|failure| Failure {
        code: Code::Usage,
        ..failure.hint(BROKER)
    })?;
    let pack = measure(config).await?;
    let message = publication(merged, &pack);
    let published = visit.publish(message).await;
    published.map_err(|failure| failure.hint(BROKER))
}

const BROKER: &str = "the broker is what `--mqtt-host`, `--mqtt-port`, `--mqtt-user` and \
                      MQTT_PASSWORD say";

async fn measure(config: &Config) -> Result<JbdPack, Failure> {
    let Some(jbd) = config.jbd.first() else {
        return Err(Failure::new(Code::Internal, "nothing to read"));
    };
    let shutdown = shutdown::on_signal();
    let context = Context::brief(radio(config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let radio = context.radio.clone();
    let read = shutdown.run_until_cancelled(source::jbd::measure(jbd.clone(), context));
    let read = read.await;
    // Before the broker, which may take its time: a phone can connect again.
    radio.close().await;
    let device = jbd.title();
    match read {
        Some(Ok(pack)) => Ok(pack),
        Some(Err(error)) => {
            let failure = error.failure(device);
            Err(match error {
                error if error.wants_password() => {
                    failure.hint("give the pack's password in JBD_PASSWORD or `--pack-password`")
                }
                // Here is no configuration to set it in.
                PollError::Radio(RadioError::PairingNeeded(_)) => failure.hint(
                    "pair it once with `bluetoothctl pair ADDRESS`, or give `telemetry run` \
                     its `pin` in a [[jbd]] table",
                ),
                _ => failure,
            })
        }
        None => Err(Failure::new(
            Code::Protocol,
            format!("{device}: interrupted before it was read"),
        )),
    }
}
