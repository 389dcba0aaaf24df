//! The subcommands, one file each.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::{CaptureCommand, Cli, Command, LogArgs};
use crate::config::{Config, Environment, find, load};
use crate::exit::{Code, Failure};
use crate::log;
use crate::radio::RadioError;
use crate::source::bluetooth::Trouble;
use crate::source::jbd::PollError;
use crate::state_dir::StateDir;

mod account;
pub mod bluetti;
mod bmw_mqtt;
pub mod capture;
pub mod check;
pub mod config;
pub mod decode;
pub mod demo;
pub mod export;
pub mod jbd_bms_mqtt;
pub mod login;
pub mod once;
mod pack;
mod progress;
pub mod run;
pub mod saic_mqtt_gateway;
pub mod scan;
pub mod simulate;
mod station;
pub mod status;
pub mod tell;
mod which;

/// Does what the command line asks for.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(args) => {
            let config = prepare_service(&cli.log, args.config.file.as_deref())?;
            let state = open_state_dir(args.state_dir.state_dir.as_deref(), &config)?;
            run::run(config, &state).await
        }
        Command::Demo(args) => {
            // A warning would tear the table.
            start_log(&cli.log, if args.json { "warn" } else { "error" })?;
            demo::demo(&args).await
        }
        Command::Check(args) => check::check(&args, &cli.log).await,
        Command::Login(command) => login::run(&command, &cli.log).await,
        Command::Status(command) => status::run(&command, &cli.log).await,
        Command::Command(command) => tell::run(&command, &cli.log).await,
        Command::Once(args) => {
            let config = prepare(&cli.log, args.config.file.as_deref())?;
            once::once(config, &args).await
        }
        Command::Scan(args) => {
            let config = prepare_or_default(&cli.log, args.config.file.as_deref())?;
            scan::scan(&args, &config).await
        }
        Command::Export(args) => {
            let config = prepare_or_default(&cli.log, args.config.file.as_deref())?;
            export::export(&args, &config).await
        }
        Command::Capture(command) => {
            let CaptureCommand::Jbd(args) = &command;
            let config = prepare_or_default(&cli.log, args.config.file.as_deref())?;
            capture::run(&command, &config).await
        }
        Command::Decode(command) => decode::run(&command),
        Command::Simulate(command) => simulate::run(&command, &cli.log).await,
        Command::Config(command) => config::run(&command),
        Command::BmwMqtt(args) => bmw_mqtt::bmw_mqtt(&args, &cli.log).await,
        Command::JbdBmsMqtt(args) => jbd_bms_mqtt::jbd_bms_mqtt(&args, &cli.log).await,
        Command::BluettiMonitor(args) => bluetti::service::monitor(&args, &cli.log).await,
        Command::BluettiMqtt(args) => bluetti::service::mqtt(&args, &cli.log).await,
        // Their `--log` is a file.
        Command::BluettiLogger(args) => bluetti::logger::logger(&args).await,
        Command::BluettiDiscovery(args) => bluetti::discovery::discovery(&args).await,
        Command::SaicMqttGateway(args) => {
            saic_mqtt_gateway::saic_mqtt_gateway(&args, &cli.log).await
        }
    }
}

/// What a command logs by itself that prints and ends.
pub const BRIEF: &str = "warn";

/// The configuration for a command that needs one. Its warnings go to the log,
/// which starts here.
pub fn prepare(log: &LogArgs, file: Option<&Path>) -> Result<Config, Failure> {
    prepare_with(log, file, |_| BRIEF)
}

/// The same for a service, which logs what the configuration says.
pub fn prepare_service(log: &LogArgs, file: Option<&Path>) -> Result<Config, Failure> {
    prepare_with(log, file, |config| &config.gateway.log)
}

fn prepare_with(
    log: &LogArgs,
    file: Option<&Path>,
    filter: impl Fn(&Config) -> &str,
) -> Result<Config, Failure> {
    let environment = Environment::of_process();
    let loaded = load(&find(file, &environment)?, &environment)?;
    start_log(log, filter(&loaded.config))?;
    for warning in loaded.report.warnings() {
        tracing::warn!("{}", warning.line(&loaded.report.file));
    }
    Ok(loaded.config)
}

/// The same for a command that gets along without: if no file is named and
/// there is none in the usual places, the defaults are used.
pub fn prepare_or_default(log: &LogArgs, file: Option<&Path>) -> Result<Config, Failure> {
    if file.is_some() || find(None, &Environment::of_process()).is_ok() {
        return prepare(log, file);
    }
    start_log(log, BRIEF)?;
    Ok(Config::default())
}

/// Starts the log. The command line and `TELEMETRY_LOG` come before `filter`.
pub fn start_log(log: &LogArgs, filter: &str) -> Result<(), Failure> {
    let environment = Environment::of_process();
    let variable = environment.get("TELEMETRY_LOG");
    if let (None, Some(Err(error))) = (&log.filter, variable.map(log::check_filter)) {
        let message = format!("environment variable TELEMETRY_LOG: {error}");
        return Err(
            Failure::new(Code::Configuration, message).hint(format!("set it to {}", log::EXPECTED))
        );
    }
    let asked = log.filter.as_deref().or(variable);
    log::init(asked.unwrap_or(filter), log.format)
}

/// Takes hold of the state directory. The command line comes before the
/// configuration.
pub fn open_state_dir(asked: Option<&Path>, config: &Config) -> Result<StateDir, Failure> {
    StateDir::open(&locate_state_dir(asked, config))
}

/// Where the state directory is, for a command that only reads.
pub fn locate_state_dir(asked: Option<&Path>, config: &Config) -> PathBuf {
    let asked = asked.or(config.gateway.state_dir.as_deref());
    StateDir::locate(asked, &Environment::of_process())
}

impl<E: Trouble> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            message: error.to_string(),
            ..error.failure("")
        }
    }
}

impl From<RadioError> for Failure {
    fn from(error: RadioError) -> Self {
        PollError::from(error).into()
    }
}

/// Prints to stdout. Not `print!`, which panics when the reader is gone.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let result = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    result.map_err(|error| Failure::stdout(&error))
}
