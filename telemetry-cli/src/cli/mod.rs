//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::compat;
use crate::config::parse_duration;
use crate::log;

pub use account::AccountArgs;
pub use bluetti::{
    BluettiDiscoveryArgs, BluettiLoggerArgs, BluettiMonitorArgs, BluettiMqttArgs, HaConfig,
};
pub use bmw_mqtt::BmwMqttArgs;
pub use broker::BrokerArgs;
pub use command::{CommandBluettiArgs, CommandCommand, CommandJbdArgs, CommandSaicArgs};
pub use decode::{DecodeBluettiArgs, DecodeCommand, DecodeJbdArgs, UnitScale};
pub use export::{ExportArgs, ExportFormat, Moment};
pub use hidden::Hidden;
pub use jbd_bms_mqtt::JbdBmsMqttArgs;
pub use login::{LoginBmwArgs, LoginCommand, LoginSaicArgs};
pub use pack::PackArgs;
pub use saic_mqtt_gateway::SaicMqttGatewayArgs;
pub use simulate::{SimulateArgs, SimulateCommand};
pub use station::StationArgs;
pub use status::{StatusBluettiArgs, StatusBmwArgs, StatusCommand, StatusJbdArgs, StatusSaicArgs};

mod account;
mod bluetti;
mod bmw_mqtt;
mod broker;
mod command;
mod decode;
mod export;
mod hidden;
mod jbd_bms_mqtt;
mod login;
mod pack;
mod saic_mqtt_gateway;
mod simulate;
mod station;
mod status;

use pack::bluetooth_address;

/// Reads electric cars, home batteries and power stations, and brings what
/// they say to MQTT, Home Assistant and a database.
#[derive(Clone, Debug, Parser)]
#[command(name = "telemetry", version, max_term_width = WIDTH, after_help = EXIT_CODES)]
pub struct Cli {
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What the process was called with; ends it with help or an error if that
    /// is asked for or due. A program called as a drop-in command is called is
    /// that command.
    pub fn of_process() -> Self {
        Self::of(std::env::args_os().collect()).unwrap_or_else(|error| error.exit())
    }

    /// The same for these arguments, the name of the program first.
    ///
    /// # Errors
    /// What is wrong with them, or the help that they ask for.
    pub fn of(args: Vec<OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let name = args.first().and_then(|program| compat::command_of(program));
        let is_bmw = |word: &OsString| word == compat::bmw_mqtt::NAME;
        let args = match name == Some(compat::bmw_mqtt::NAME) || args.iter().any(is_bmw) {
            true => bmw_mqtt::plain_flags(args),
            false => args,
        };
        let drop_in = name.and_then(|name| command.find_subcommand(name)).cloned();
        let Some(drop_in) = drop_in else {
            let matches = command.try_get_matches_from_mut(args)?;
            return Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command));
        };
        let has_log_args = !has_another_log(&drop_in);
        let mut command = clap::Command::new("telemetry")
            .multicall(true)
            .subcommand(with_log_args(drop_in));
        let matches = command.try_get_matches_from_mut(args)?;
        let read = || {
            let log = matches
                .subcommand()
                .filter(|_| has_log_args)
                .map(|(_, matches)| LogArgs::from_arg_matches(matches));
            Ok(Self {
                log: log.transpose()?.unwrap_or_default(),
                command: Command::from_arg_matches(&matches)?,
            })
        };
        read().map_err(|error: clap::Error| error.format(&mut command))
    }
}

/// The subcommand as a program of its own.
fn with_log_args(drop_in: clap::Command) -> clap::Command {
    if has_another_log(&drop_in) {
        return drop_in.max_term_width(WIDTH);
    }
    // They bring a text about themselves along.
    let about = drop_in.get_about().cloned().unwrap_or_default();
    let long_about = drop_in.get_long_about().cloned().unwrap_or_default();
    LogArgs::augment_args(drop_in)
        .about(about)
        .long_about(long_about)
        .max_term_width(WIDTH)
}

/// Whether `--log` is another thing there.
fn has_another_log(command: &clap::Command) -> bool {
    let mut arguments = command.get_arguments();
    arguments.any(|argument| argument.get_long() == Some("log"))
}

const WIDTH: usize = 100;

/// How messages are logged.
#[derive(Clone, Debug, Default, Args)]
pub struct LogArgs {
    /// What is logged, such as `debug` or `info,telemetry_cli::source=debug`;
    /// without it $TELEMETRY_LOG or `log` of the configuration
    #[arg(
        long = "log",
        value_name = "FILTER",
        global = true,
        display_order = 100,
        value_parser = log_filter
    )]
    pub filter: Option<String>,
    /// How it is logged
    #[arg(
        // Not `format`: that is one of `export`.
        id = "log_format",
        long = "log-format",
        value_name = "FORMAT",
        global = true,
        display_order = 100,
        value_enum,
        default_value_t
    )]
    pub format: log::Format,
}

/// The subcommands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the gateway
    Run(RunArgs),
    /// Run the gateway against simulated devices: nothing to configure
    Demo(DemoArgs),
    /// Try everything in the configuration once, and say what to do next
    ///
    /// Nothing is changed. What a running gateway holds is left alone.
    Check(CheckArgs),
    /// Log in to a cloud and keep the session
    #[command(subcommand)]
    Login(LoginCommand),
    /// Ask one device what it says now
    #[command(subcommand)]
    Status(StatusCommand),
    /// Tell one device something, and wait until it has done it
    #[command(subcommand)]
    Command(CommandCommand),
    /// Read each device once and print what it says
    Once(OnceArgs),
    /// List the Bluetooth devices that can be read
    Scan(ScanArgs),
    /// Print the stored history
    Export(ExportArgs),
    /// Record what a device says, without what identifies it
    ///
    /// For a bug report that anybody may read. `telemetry decode` takes the
    /// output.
    #[command(subcommand)]
    Capture(CaptureCommand),
    /// Decode recorded Bluetooth traffic
    #[command(subcommand)]
    Decode(DecodeCommand),
    /// Serve a simulated cloud, for tests of other programs
    ///
    /// The first and only line on stdout says where it is and which account it
    /// takes, as JSON. Ctrl-C ends it.
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// Print or check a configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Read a JBD battery pack and publish one JSON message: stands in for the
    /// Python script of this name
    ///
    /// Needs no root: the user has to be in the group `bluetooth`. Nothing is
    /// published if the pack did not answer completely; exit code and error say why.
    ///
    /// Give passwords by environment or file: every user of this computer can
    /// read the arguments of a process.
    #[command(name = compat::jbd_bms_mqtt::NAME, version, after_help = EXIT_CODES)]
    JbdBmsMqtt(JbdBmsMqttArgs),
    /// Write what Bluetti power stations say into MariaDB: stands in for the
    /// Python program of this name
    ///
    /// Fills its four tables, and makes those that are missing. While the database
    /// is away, readings wait on disk; each arrives once.
    #[command(name = compat::bluetti::monitor::NAME, version, after_help = EXIT_CODES)]
    BluettiMonitor(BluettiMonitorArgs),
    /// Publish what Bluetti power stations say, and take commands for them: stands
    /// in for the Python program of this name
    ///
    /// Its topics and payloads, and its entities in Home Assistant.
    #[command(name = compat::bluetti::mqtt::NAME, version, after_help = EXIT_CODES)]
    BluettiMqtt(BluettiMqttArgs),
    /// Write down everything that a Bluetti power station says: stands in for the
    /// Python program of this name
    ///
    /// One JSON line for each request and its answer, decrypted if the station
    /// encrypts; `telemetry decode bluetti` reads them. Goes on until it is stopped.
    #[command(name = compat::bluetti::LOGGER, version, after_help = EXIT_CODES)]
    BluettiLogger(BluettiLoggerArgs),
    /// Find out which registers a Bluetti power station has: stands in for the
    /// Python program of this name
    ///
    /// Asks for registers 0 to 12500, many at once where there are many, and writes
    /// down the answers in the form of `bluetti-logger`. Registers with PINs and
    /// passwords are left out. An interrupted survey goes on where it ended.
    #[command(name = compat::bluetti::DISCOVERY, version, after_help = EXIT_CODES)]
    BluettiDiscovery(BluettiDiscoveryArgs),
    /// Read BMW and MINI cars and publish one JSON message for each: stands in
    /// for the service of this name
    ///
    /// A vehicle is each NAME with NAME_VIN in the environment. NAME_USERNAME
    /// and NAME_PASSWORD take it from MyBMW, NAME_CARDATA_CLIENT_ID from
    /// CarData. The first login at MyBMW needs `--captcha_token_NAME TOKEN`.
    #[command(name = compat::bmw_mqtt::NAME, version, after_help = EXIT_CODES)]
    BmwMqtt(BmwMqttArgs),
    /// Bring MG cars to MQTT: stands in for the Python gateway of this name
    ///
    /// Flags, environment variables, topics and commands are those of the
    /// original. One account has one session: use a second, shared account, or
    /// the phone and this program log each other out.
    ///
    /// Give passwords by environment or file: every user of this computer can
    /// read the arguments of a process.
    #[command(name = compat::saic::NAME, version, after_help = EXIT_CODES)]
    SaicMqttGateway(Box<SaicMqttGatewayArgs>),
}

/// Which configuration.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Configuration; without it $TELEMETRY_CONFIG, ./telemetry.toml,
    /// ~/.config/telemetry/telemetry.toml or /etc/telemetry/telemetry.toml
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Which state directory.
#[derive(Clone, Debug, Default, Args)]
pub struct StateDirArgs {
    /// Where history, unsent readings and tokens are kept; without it
    /// `state_dir` of the configuration, $STATE_DIRECTORY,
    /// ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `run`
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
}

/// `demo`
#[derive(Clone, Debug, Default, Args)]
pub struct DemoArgs {
    /// End after this time, such as `10s`
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration)]
    pub duration: Option<Duration>,
    /// Print JSON lines
    #[arg(long)]
    pub json: bool,
    /// Keep everything there; without it in `demo` in the usual state directory
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where the built-in MQTT broker listens, such as `127.0.0.1:1883`;
    /// without it on port 18830 of this computer, or a free one
    #[arg(long, value_name = "ADDR")]
    pub mqtt_listen: Option<SocketAddr>,
}

/// `check`
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `once`
#[derive(Clone, Debug, Default, Args)]
pub struct OnceArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory: sessions are kept there.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// Ask cars and clouds even if they were asked a moment ago
    #[arg(long)]
    pub spend_quota: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `scan`
#[derive(Clone, Debug, Args)]
pub struct ScanArgs {
    /// Which configuration: its `[bluetooth]` says where to listen; needs none.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Listen for this time; some devices speak up once in ten seconds
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, default_value = "10s")]
    pub duration: Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// List devices that cannot be read, too
    #[arg(long)]
    pub all: bool,
}

/// `capture`
#[derive(Clone, Debug, Subcommand)]
pub enum CaptureCommand {
    /// A JBD battery pack
    ///
    /// Only reads. The Bluetooth address, serial numbers and passwords are left
    /// out or replaced by `x`, which is 78 in hexadecimal.
    Jbd(CaptureJbdArgs),
}

/// `capture jbd`
#[derive(Clone, Debug, Args)]
pub struct CaptureJbdArgs {
    /// Which configuration: it may hold the password or the PIN of the pack;
    /// needs none.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which pack.
    #[command(flatten)]
    pub which: WhichArgs,
    /// Record for this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_duration, default_value = "30s")]
    pub duration: Duration,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which Bluetooth device.
#[derive(Clone, Debug, Default, Args)]
#[group(required = true, multiple = false)]
pub struct WhichArgs {
    /// The one with this address
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// The one that advertises this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
}

/// `config`
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration with every key, explained
    Sample,
    /// Say what is wrong with a configuration, and where
    Check(ConfigCheckArgs),
}

/// `config check`
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigCheckArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn log_filter(text: &str) -> Result<String, String> {
    log::check_filter(text).map(|()| text.to_owned())
}

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 2 usage, 3 device not found or in use, or state \
directory held by another process, 4 protocol or time-out, \
5 login or password needed, 6 broker or database, 7 quota, 70 internal, 78 configuration";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
