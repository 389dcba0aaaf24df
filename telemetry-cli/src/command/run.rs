//! `telemetry run`: the gateway, until it is told to stop.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

use crate::config::{BluetoothBackend, Config, plain};
use crate::database::DatabaseError;
use crate::exit::{Code, Failure};
use crate::file_lock::{FileLock, Refusal};
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
    let lock = config.store.path.as_deref().map(lock).transpose()?;
    let devices = config.device_count();
    let gateway = open(config, radio.clone(), state).await?;
    if let Some(Lock::Impossible(file, error)) = &lock {
        tracing::warn!(
            file = %file.display(),
            error = plain(error),
            "Cannot lock the history: make sure that no other process uses it"
        );
    }
    tracing::info!(devices, "running");
    let result = gateway.run(shutdown).await;
    radio.close().await;
    result.map_err(Failure::from)
}

/// Held as long as the gateway runs.
enum Lock {
    Taken {
        _lock: FileLock,
    },
    /// If not even the database can be opened there, that says more.
    Impossible(PathBuf, std::io::Error),
}

/// Keeps gateways with other state directories from the same history.
fn lock(file: &Path) -> Result<Lock, Failure> {
    let path = beside(file);
    match FileLock::take(&path) {
        Ok(lock) => Ok(Lock::Taken { _lock: lock }),
        Err(Refusal::Unsupported(error) | Refusal::Io(error)) => Ok(Lock::Impossible(path, error)),
        Err(Refusal::HeldBy(holder)) => {
            let message = format!("the history {} is held by {holder}", file.display());
            Err(Failure::new(Code::Device, message)
                .hint("stop that process, or give this gateway another `path` in `[store]`"))
        }
    }
}

/// `FILE.lock`, whatever links lead to the file.
fn beside(file: &Path) -> PathBuf {
    let canonical = fs::canonicalize(file).or_else(|error| {
        let name = file.file_name().ok_or(error)?;
        Ok::<_, std::io::Error>(fs::canonicalize(directory(file))?.join(name))
    });
    let mut path = canonical
        .unwrap_or_else(|_| file.to_path_buf())
        .into_os_string();
    path.push(".lock");
    path.into()
}

fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Opens the gateway with its database in `state`.
///
/// # Errors
/// If the database cannot be opened.
pub async fn open(config: Config, radio: Radio, state: &StateDir) -> Result<Gateway, Failure> {
    let file = database_file(&config, state);
    Gateway::open(config, radio, file.as_deref())
        .await
        .map(|gateway| gateway.with_state_dir(state.path()))
        .map_err(|error| match &file {
            Some(file) => database_failure(file, &error),
            None => Failure::new(Code::Backend, format!("memory: {error}")),
        })
}

/// What to say when the database in `file` failed.
pub fn database_failure(file: &Path, error: &DatabaseError) -> Failure {
    Failure::new(Code::Backend, format!("{}: {error}", file.display())).hint(advice(file, error))
}

fn advice(file: &Path, error: &DatabaseError) -> String {
    let mut next = error.source();
    while let Some(error) = next {
        match error.downcast_ref() {
            Some(MigrateError::VersionMissing(_)) => {
                return "a newer version of telemetry wrote it: upgrade this one, or move the \
                        file away to begin anew"
                    .to_owned();
            }
            Some(MigrateError::VersionMismatch(_) | MigrateError::Dirty(_)) => {
                return "another version of telemetry wrote it: use that one, or move the file \
                        away to begin anew"
                    .to_owned();
            }
            _ => {}
        }
        let code = error
            .downcast_ref::<sqlx::Error>()
            .and_then(sqlx::Error::as_database_error)
            .and_then(|error| error.code()?.parse().ok());
        if let Some(code) = code {
            return advice_on(file, code);
        }
        next = error.source();
    }
    UNKNOWN.to_owned()
}

/// What to do about a result code of SQLite.
fn advice_on(file: &Path, code: u32) -> String {
    let directory = directory(file);
    // The upper bits tell more than anyone can act upon.
    match code & 0xff {
        FULL => "the disk is full: free some space".to_owned(),
        CORRUPT | NOT_A_DATABASE => {
            "it is damaged, or no database at all: move the file away to begin anew".to_owned()
        }
        BUSY | LOCKED => "another program uses it: close that, and try again".to_owned(),
        CANNOT_OPEN if file.is_dir() => {
            "it is a directory: name a file in it with `path` in `[store]`".to_owned()
        }
        CANNOT_OPEN if !directory.exists() => {
            format!("create the directory {}", directory.display())
        }
        CANNOT_OPEN | READ_ONLY | NOT_PERMITTED => format!(
            "let this user write to the file and to its directory {}, or name another file with \
             `path` in `[store]`",
            directory.display()
        ),
        _ => UNKNOWN.to_owned(),
    }
}

const UNKNOWN: &str = "move the file away to begin anew if this does not pass";

// Primary result codes of SQLite.
const NOT_PERMITTED: u32 = 3;
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READ_ONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;

/// Where the database of `config` lies; nowhere if nothing can be written.
pub fn database_file(config: &Config, state: &StateDir) -> Option<PathBuf> {
    let configured = config.store.path.clone();
    configured.or_else(|| Some(state.path()?.join(DATABASE)))
}

/// The radio that `config` asks for, for the one process that owns the devices.
///
/// # Errors
/// If this program has none of that kind.
pub fn radio(config: &Config) -> Result<Radio, Failure> {
    radio_with(config, true)
}

/// The same for a command beside it, which leaves its links alone.
///
/// # Errors
/// If this program has none of that kind.
pub fn guest_radio(config: &Config) -> Result<Radio, Failure> {
    radio_with(config, false)
}

fn radio_with(config: &Config, adopt: bool) -> Result<Radio, Failure> {
    match config.bluetooth.backend {
        BluetoothBackend::Simulated => Ok(Radio::Simulated(Air::demo())),
        BluetoothBackend::System => {
            let pins = config.jbd.iter();
            let settings = Settings {
                adapter: config.bluetooth.adapter.clone(),
                adopt,
                pins: pins
                    .filter_map(|jbd| Some((jbd.target(), jbd.pin.clone()?)))
                    .collect(),
                ..Settings::default()
            };
            Ok(Radio::System(System::new(settings)))
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let message = format!("{}: {}", fault.component, fault.reason);
        Self::new(Code::Configuration, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_advice_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("history.sqlite");
        for (code, advice) in [
            (13, "the disk is full"),
            (11, "it is damaged"),
            (26, "it is damaged"),
            (5, "another program uses it"),
            (8, "let this user write"),
            // SQLITE_READONLY_DIRECTORY
            (1544, "let this user write"),
            (14, "let this user write"),
            (1, UNKNOWN),
        ] {
            let given = advice_on(&file, code);
            assert!(given.starts_with(advice), "{code}: {given}");
        }
        assert!(advice_on(directory.path(), 14).starts_with("it is a directory"));
    }
}
