//! A phone's Bluetooth log as the input of a command.

use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::btsnoop::{LogError, Records};
use super::warn;
use crate::exit::{Code, Failure};

/// Begins to read `file`.
///
/// # Errors
/// If it cannot be read, or is no log.
pub(super) fn open(file: &Path) -> Result<Records<BufReader<File>>, Failure> {
    let opened = File::open(file).map_err(|error| failure(file, &error))?;
    Records::new(BufReader::new(opened)).map_err(|error| match error {
        LogError::NoLog => failure(file, &error).hint(WHERE_FROM),
        error => failure(file, &error),
    })
}

/// What is wrong with `file`.
pub(super) fn failure(file: &Path, error: &dyn Display) -> Failure {
    Failure::new(Code::Usage, format!("{}: {error}", file.display()))
}

/// Phones leave out contents unless they are told otherwise.
pub(super) fn warn_of_gaps(incomplete: u64) {
    let left_out = match incomplete {
        0 => return,
        1 => "1 packet is not whole in this log and was left out".to_owned(),
        count => format!("{count} packets are not whole in this log and were left out"),
    };
    warn(&format!(
        "{left_out}; set the phone to log Bluetooth in full"
    ));
}

const WHERE_FROM: &str = "turn on `Bluetooth HCI snoop log` in the developer options of an \
                          Android phone; `adb bugreport` holds the file";
