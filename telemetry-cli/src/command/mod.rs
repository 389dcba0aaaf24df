//! The subcommands, one file each.

use std::io::{self, Write as _};
use std::path::Path;

use crate::cli::{Cli, Command, LogArgs};
use crate::config::{Config, Environment, find, load};
use crate::exit::Failure;
use crate::log;
use crate::state_dir::StateDir;

pub mod config;
pub mod demo;
pub mod export;
pub mod once;
pub mod run;

/// Does what the command line asks for.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(args) => {
            let config = prepare(&cli.log, args.config.file.as_deref())?;
            let state = open_state_dir(args.state_dir.state_dir.as_deref(), &config)?;
            run::run(config, &state).await
        }
        Command::Demo(args) => {
            // A warning would tear the table.
            start_log(&cli.log, if args.json { "warn" } else { "error" })?;
            demo::demo(&args).await
        }
        Command::Once(args) => {
            let config = prepare(&cli.log, args.config.file.as_deref())?;
            once::once(config, args.json).await
        }
        Command::Export(args) => {
            start_log(&cli.log, "warn")?;
            export::export(&args).await
        }
        Command::Config(command) => config::run(&command),
    }
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
