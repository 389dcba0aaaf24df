//! The subcommands, one file each.

use std::io::{self, Write as _};
use std::path::Path;

use crate::cli::{Cli, Command, LogArgs};
use crate::config::{Config, Environment, find, load};
use crate::exit::{Code, Failure};
use crate::log;
use crate::state_dir::StateDir;

pub mod config;

/// Does what the command line asks for.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(args) => {
            let config = prepare(&cli.log, args.config.file.as_deref())?;
            let state_dir = open_state_dir(args.state_dir.state_dir.as_deref(), &config)?;
            // TEMPORARY: run::run(config, state_dir).await
            drop(state_dir);
            Err(not_yet("run"))
        }
        Command::Demo(_args) => {
            start_log(&cli.log, "warn")?;
            // TEMPORARY: demo::run(args).await
            Err(not_yet("demo"))
        }
        Command::Once(args) => {
            let _config = prepare(&cli.log, args.config.file.as_deref())?;
            // TEMPORARY: once::run(config, args.json).await
            Err(not_yet("once"))
        }
        Command::Export(_args) => {
            start_log(&cli.log, "warn")?;
            // TEMPORARY: export::run(args).await
            Err(not_yet("export"))
        }
        Command::Config(command) => config::run(&command),
    }
}

// TEMPORARY: goes with the last of the arms above that calls it.
fn not_yet(command: &str) -> Failure {
    Failure::new(
        Code::Internal,
        format!("`{command}` is not part of this build"),
    )
}

/// The configuration for a command that needs one. Its warnings go to the log,
/// which starts here, because the configuration may say what is logged.
pub fn prepare(log: &LogArgs, file: Option<&Path>) -> Result<Config, Failure> {
    let environment = Environment::of_process();
    let loaded = load(&find(file, &environment)?, &environment)?;
    start_log(log, &loaded.config.gateway.log)?;
    for warning in loaded.report.warnings() {
        tracing::warn!("{}", warning.line(&loaded.report.file));
    }
    Ok(loaded.config)
}

/// Starts the log. The command line and `TELEMETRY_LOG` come before `filter`.
pub fn start_log(log: &LogArgs, filter: &str) -> Result<(), Failure> {
    let asked = log.filter.as_deref().filter(|asked| !asked.is_empty());
    log::init(asked.unwrap_or(filter), log.format)
}

/// Takes hold of the state directory. The command line comes before the
/// configuration.
pub fn open_state_dir(asked: Option<&Path>, config: &Config) -> Result<StateDir, Failure> {
    let asked = asked.or(config.gateway.state_dir.as_deref());
    StateDir::open(&StateDir::locate(asked, &Environment::of_process()))
}

/// Prints to stdout. Not `print!`, which panics when the reader is gone.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let result = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    result.map_err(|error| Failure::stdout(&error))
}
