//! Messages for whoever runs the program: on stderr, as text or JSON.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, IsTerminal as _};
use std::panic::{self, PanicHookInfo};
use std::{env, thread};

use clap::ValueEnum;
use strsim::damerau_levenshtein;
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::exit::{Code, Failure, Paint};

/// How messages look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends messages that pass `filter` to stderr, panics included. To be called
/// once.
pub fn init(filter: &str, format: Format) -> Result<(), Failure> {
    let filter = parse(filter)
        .map_err(|error| Failure::new(Code::Configuration, format!("log filter: {error}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let done = match format {
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        // The journal notes the time itself.
        Format::Text if stderr_is_the_journal() => registry
            .with(lines.with_ansi(false).without_time())
            .try_init(),
        Format::Text => registry
            .with(lines.with_ansi(Paint::for_stderr() == Paint::Ansi))
            .try_init(),
    };
    done.map_err(|error: TryInitError| Failure::new(Code::Internal, error.to_string()))?;
    panic::set_hook(Box::new(on_panic));
    Ok(())
}

/// What a filter looks like, for messages.
pub const EXPECTED: &str =
    "off, error, warn, info, debug or trace, also per module: \"info,telemetry_cli::source=debug\"";

/// Says what is wrong with a filter.
pub fn check_filter(filter: &str) -> Result<(), String> {
    parse(filter).map(drop)
}

fn parse(filter: &str) -> Result<Targets, String> {
    let directives = filter.split(',').map(str::trim);
    let directives: Vec<_> = directives.filter(|text| !text.is_empty()).collect();
    for directive in &directives {
        // A mistyped level would be taken for the name of a module.
        let level = directive
            .rsplit('=')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let near = |name: &&&str| matches!(damerau_levenshtein(name, &level), 1..=2);
        if level.len() > 2
            && !LEVELS.contains(&level.as_str())
            && let Some(name) = LEVELS.iter().find(near)
        {
            return Err(format!("`{level}` is not a level; did you mean `{name}`?"));
        }
    }
    if directives.is_empty() {
        return Ok(Targets::new().with_default(LevelFilter::ERROR));
    }
    directives
        .join(",")
        .parse()
        .map_err(|error: ParseError| format!("`{filter}` is not a log filter: {error}"))
}

fn stderr_is_the_journal() -> bool {
    // Programs that were started from a desktop session inherit the variable,
    // terminals among them.
    env::var_os("JOURNAL_STREAM").is_some() && !io::stderr().is_terminal()
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("no message");
    let file = info.location().map_or("", |location| location.file());
    let line = info.location().map_or(0, |location| location.line());
    if is_harmless(file) {
        tracing::debug!(
            panic = message,
            file,
            line,
            "A Bluetooth stream was dropped in the middle of a signal"
        );
        return;
    }
    let thread = thread::current();
    let thread = thread.name().unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(file, line, thread, %backtrace, "Panic: {message}");
    } else {
        tracing::error!(file, line, thread, "Panic: {message}");
    }
}

/// bluez-async unwraps the removal of a match rule in a detached task; D-Bus
/// refuses it when a signal arrives in that moment. Nobody waits for the task.
fn is_harmless(file: &str) -> bool {
    file.contains("bluez-async") && file.ends_with("messagestream.rs")
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels_and_modules() {
        for good in [
            "info",
            "OFF",
            "telemetry=debug",
            "info,rumqttc=trace",
            "info, rumqttc=trace,",
            "",
            "rumqttc",
        ] {
            assert_eq!(check_filter(good), Ok(()), "{good}");
        }
        assert_eq!(
            check_filter("inof").unwrap_err(),
            "`inof` is not a level; did you mean `info`?"
        );
        assert_eq!(
            check_filter("telemetry=debgu").unwrap_err(),
            "`debgu` is not a level; did you mean `debug`?"
        );
        assert!(check_filter("telemetry=loud").is_err());
    }

    #[test]
    fn one_panic_of_a_dependency_is_harmless() {
        let registry = "registry/src/index/bluez-async-0.8.2/src/messagestream.rs";
        assert!(is_harmless(registry));
        assert!(!is_harmless("src/messagestream.rs"));
        assert!(!is_harmless(
            "registry/src/index/bluez-async-0.8.2/src/lib.rs"
        ));
    }
}
