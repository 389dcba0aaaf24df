//! The tools for Bluetti power stations that others made, as subcommands.

use std::time::Duration;

use super::progress::with_progress;
use super::{BRIEF, print, run, start_log};
use crate::cli::LogArgs;
use crate::config::{Bluetooth, Config, Environment, find, load};
use crate::exit::Failure;
use crate::log;
use crate::radio::{Radio, Seen};
use crate::source::recognition::recognize;

pub mod diff;
pub mod discovery;
pub mod file;
pub mod logger;
pub mod service;
pub mod station;

/// How long the originals listen.
const SCAN: Duration = Duration::from_secs(5);

/// Whom a scan lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Stations,
    Everybody,
}

/// `--scan`, in the words of the originals.
async fn scan(radio: Radio, listed: Listed) -> Result<(), Failure> {
    let heard = with_progress("listening", SCAN, radio.scan(SCAN)).await;
    radio.close().await;
    let heard = heard?;
    if heard.is_empty() {
        print("0 devices found - something probably went wrong\n")?;
    }
    let mut lines = String::new();
    for seen in &heard {
        if listed == Listed::Everybody || is_station(seen) {
            let name = seen.name.as_deref().unwrap_or("(no name)");
            // Anybody can choose a name: it must not move the cursor.
            let name = name.replace(char::is_control, "\u{FFFD}");
            lines.push_str(&format!("Found {name}: address {}\n", seen.address));
        }
    }
    print(&lines)
}

fn is_station(seen: &Seen) -> bool {
    recognize(seen).is_some_and(|of| of.kind == "bluetti" && of.likely)
}

/// The radio for a tool that reads and ends.
fn guest_radio() -> Result<Radio, Failure> {
    run::guest_radio(&Config {
        bluetooth: bluetooth(&Environment::of_process())?,
        ..Config::default()
    })
}

/// Which adapter: the originals cannot be told, the configuration of this
/// program can.
fn bluetooth(environment: &Environment) -> Result<Bluetooth, Failure> {
    match find(None, environment) {
        Ok(file) => Ok(load(&file, environment)?.config.bluetooth),
        Err(_) => Ok(Bluetooth::default()),
    }
}

/// Starts the log of a tool whose `--log` is another thing.
fn start_tool_log() -> Result<(), Failure> {
    let args = LogArgs {
        filter: None,
        format: log::Format::default(),
    };
    start_log(&args, filter(&Environment::of_process(), BRIEF))
}

/// With `DEBUG` the originals say more.
fn filter<'f>(environment: &Environment, otherwise: &'f str) -> &'f str {
    match environment.get("DEBUG") {
        Some(_) => "debug",
        None => otherwise,
    }
}
