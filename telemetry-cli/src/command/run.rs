//! `telemetry run`: the gateway, until it is told to stop.

use crate::config::{BluetoothBackend, Config};
use crate::exit::{Code, Failure};
use crate::gateway::Gateway;
use crate::radio::{Air, Radio, Settings, System};
use crate::shutdown;
use crate::state_dir::StateDir;
use crate::supervisor::Fault;

/// Name of the database file in the state directory.
pub const DATABASE: &str = "telemetry.sqlite";

/// Runs the gateway of `config`.
///
/// # Errors
/// If it cannot start, or a component's configuration is wrong.
pub async fn run(config: Config, state: &StateDir) -> Result<(), Failure> {
    let shutdown = shutdown::on_signal();
    let radio = radio(&config)?;
    let gateway = open(config, radio.clone(), state).await?;
    tracing::info!(devices = gateway.source_count(), "running");
    let result = gateway.run(shutdown).await;
    radio.close().await;
    result.map_err(Failure::from)
}

/// Opens the gateway with its database in `state`.
///
/// # Errors
/// If the database cannot be opened.
pub async fn open(config: Config, radio: Radio, state: &StateDir) -> Result<Gateway, Failure> {
    let file = database_file(&config, state);
    Gateway::open(config, radio, file.as_deref())
        .await
        .map_err(|error| {
            let place = file.map_or_else(|| "memory".to_owned(), |file| file.display().to_string());
            Failure::new(Code::Backend, format!("{place}: {error}"))
                .hint("free some space, or move the file away to begin anew")
        })
}

/// Where the database of `config` lies; nowhere if nothing can be written.
pub fn database_file(config: &Config, state: &StateDir) -> Option<std::path::PathBuf> {
    let configured = config.store.path.clone();
    configured.or_else(|| Some(state.path()?.join(DATABASE)))
}

/// The radio that `config` asks for.
///
/// # Errors
/// If this program has none of that kind.
pub fn radio(config: &Config) -> Result<Radio, Failure> {
    match config.bluetooth.backend {
        BluetoothBackend::Simulated => Ok(Radio::Simulated(Air::demo())),
        BluetoothBackend::System => Ok(Radio::System(System::new(Settings::default()))),
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let message = format!("{}: {}", fault.component, fault.reason);
        Self::new(Code::Configuration, message)
    }
}
