//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::compat;
use crate::config::{is_address, parse_duration};
use crate::control::{self, Control};
use crate::event::DeviceKind;
use crate::log;

pub use jbd_bms_mqtt::JbdBmsMqttArgs;

mod jbd_bms_mqtt;

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
        let drop_in = name.and_then(|name| command.find_subcommand(name)).cloned();
        let Some(drop_in) = drop_in else {
            let matches = command.try_get_matches_from_mut(args)?;
            return Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command));
        };
        let mut command = clap::Command::new("telemetry")
            .multicall(true)
            .subcommand(with_log_args(drop_in));
        let matches = command.try_get_matches_from_mut(args)?;
        let read = || {
            let log = matches
                .subcommand()
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
    // They bring a text about themselves along.
    let about = drop_in.get_about().cloned().unwrap_or_default();
    let long_about = drop_in.get_long_about().cloned().unwrap_or_default();
    LogArgs::augment_args(drop_in)
        .about(about)
        .long_about(long_about)
        .max_term_width(WIDTH)
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

/// `status`
#[derive(Clone, Debug, Subcommand)]
pub enum StatusCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(StatusJbdArgs),
}

/// `status jbd`
#[derive(Clone, Debug, Default, Args)]
pub struct StatusJbdArgs {
    /// Which pack.
    #[command(flatten)]
    pub pack: PackArgs,
    /// Print JSON, as `once` does
    #[arg(long)]
    pub json: bool,
}

/// `command`
#[derive(Clone, Debug, Subcommand)]
pub enum CommandCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(CommandJbdArgs),
}

/// `command jbd`
#[derive(Clone, Debug, Args)]
pub struct CommandJbdArgs {
    /// What is to be changed
    #[arg(value_parser = names(control::battery::ALL))]
    pub control: &'static Control,
    /// `on` or `off`
    pub value: String,
    /// Which pack.
    #[command(flatten)]
    pub pack: PackArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which JBD pack.
#[derive(Clone, Debug, Default, Args)]
pub struct PackArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// The name that the pack advertises, or its label in the configuration;
    /// not needed if the configuration has one pack
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Its Bluetooth address, such as `A4:C1:38:30:C2:8E`
    #[arg(long, value_parser = bluetooth_address)]
    pub address: Option<String>,
    /// Its password, if it asks for one: better `env:NAME`, `file:PATH`, the
    /// configuration or $JBD_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET")]
    pub password: Option<String>,
}

/// `once`
#[derive(Clone, Debug, Default, Args)]
pub struct OnceArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
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

/// `export`
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// Only devices of this kind
    #[arg(long, value_parser = device_kinds())]
    pub kind: Option<DeviceKind>,
    /// Only this device, such as `jbd-a4c13830c28e`
    #[arg(long, value_name = "ID")]
    pub device: Option<String>,
    /// From this time on: `2026-11-01T00:00:00Z`, or `30d` for 30 days ago
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub from: Option<Moment>,
    /// Up to, but not including, this time
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub to: Option<Moment>,
    /// What is printed
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// Write to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The form of exported readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A table with a header; one kind of device at a time
    #[default]
    Csv,
    /// One JSON object a line
    Jsonl,
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

/// `decode`
#[derive(Clone, Debug, Subcommand)]
pub enum DecodeCommand {
    /// Answers of JBD battery packs, as JSON lines
    ///
    /// Reads stdin: each line is one Bluetooth notification in hexadecimal,
    /// `#` starts a comment. Prints one JSON object for each complete answer;
    /// the last line on stderr counts what belonged to none.
    Jbd(DecodeJbdArgs),
}

/// `decode jbd`
#[derive(Clone, Debug, Default, Args)]
pub struct DecodeJbdArgs {
    /// Read the Bluetooth log of a phone (btsnoop) instead of stdin
    #[arg(long, value_name = "FILE")]
    pub btsnoop: Option<PathBuf>,
    /// What currents and capacities count in: units of 10 mA and 10 mAh (`1`),
    /// ten times that (`10`), or what the answer says
    #[arg(long, value_name = "FACTOR", value_enum, default_value_t)]
    pub unit_scale: UnitScale,
}

/// What currents and capacities of a JBD pack count in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UnitScale {
    /// As the answer says.
    #[default]
    Auto,
    /// 10 mA and 10 mAh.
    #[value(name = "1")]
    One,
    /// 100 mA and 100 mAh.
    #[value(name = "10")]
    Ten,
}

impl From<UnitScale> for jbd_bms::UnitScale {
    fn from(scale: UnitScale) -> Self {
        match scale {
            UnitScale::Auto => Self::Auto,
            UnitScale::One => Self::TenMilliamp,
            UnitScale::Ten => Self::HundredMilliamp,
        }
    }
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

/// A point in time, as such or counted back from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(DateTime<Utc>),
    /// So long ago.
    Ago(Duration),
}

impl Moment {
    /// Reads `2026-11-01T00:00:00+01:00` or `30d`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        parse_duration(text).map(Self::Ago).map_err(|_| {
            "neither a time such as 2026-11-01T00:00:00Z nor a duration such as 30d".to_owned()
        })
    }

    /// The time, if it is `now` now.
    pub fn resolve(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            // Durations end at 100 years: this does not overflow.
            Self::Ago(duration) => now - duration,
        }
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    log::check_filter(text).map(|()| text.to_owned())
}

/// One of `controls`, by its name.
fn names(
    controls: &'static [&'static Control],
) -> impl clap::builder::TypedValueParser<Value = &'static Control> {
    let names = controls.iter().map(|control| control.name);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut known = controls.iter().copied();
        known.find(|of| of.name == name).ok_or("not a control")
    })
}

fn bluetooth_address(text: &str) -> Result<String, &'static str> {
    match is_address(text) {
        true => Ok(text.to_owned()),
        false => Err("six pairs of hex digits are wanted, such as A4:C1:38:30:C2:8E"),
    }
}

fn device_kinds() -> impl clap::builder::TypedValueParser<Value = DeviceKind> {
    // The gateway's own figures are not part of the history.
    let kinds = DeviceKind::ALL
        .iter()
        .filter(|kind| **kind != DeviceKind::Gateway);
    PossibleValuesParser::new(kinds.map(|kind| kind.as_str())).try_map(|name| {
        let mut kinds = DeviceKind::ALL.into_iter();
        kinds
            .find(|kind| kind.as_str() == name)
            .ok_or("no such kind")
    })
}

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 2 usage, 3 device not found or in use, or state \
directory held by another process, 4 protocol or time-out, \
5 login or password needed, 6 broker or database, 7 quota, 70 internal, 78 configuration";

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn moments_are_times_or_ages() {
        let now = Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap();
        for (text, time) in [
            (
                "2026-11-01T01:00:00+01:00",
                Utc.with_ymd_and_hms(2026, 11, 1, 0, 0, 0),
            ),
            ("30d", Utc.with_ymd_and_hms(2026, 10, 22, 12, 0, 0)),
        ] {
            let moment = Moment::parse(text).unwrap();
            assert_eq!(moment.resolve(now), time.unwrap());
        }
        assert!(Moment::parse("yesterday").is_err());
    }
}
