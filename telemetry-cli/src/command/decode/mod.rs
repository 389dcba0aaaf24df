//! `telemetry decode`: what a device said, from recorded bytes.
//!
//! ```text
//!   chunk     lines of hexadecimal ──▶ notification chunks
//!   phone     a phone's log: btsnoop ──▶ packets ──▶ att ──▶ notification chunks
//!   jbd       the command; stream: chunks ──▶ frames, answer: frames ──▶ JSON objects
//!   bluetti   the command; answers: chunks ──▶ answers, object: answers ──▶ JSON objects
//! ```

use std::io::{Write as _, stderr};

use crate::cli::DecodeCommand;
use crate::exit::{Failure, Paint, Style};

use stream::Rejected;

pub mod answer;
pub mod att;
pub mod bluetti;
pub mod btsnoop;
pub mod chunk;
pub mod jbd;
mod phone;
pub mod stream;

/// Does what the command line asks for.
///
/// # Errors
/// If the input is not what it should be, or the output fails.
pub fn run(command: &DecodeCommand) -> Result<(), Failure> {
    match command {
        DecodeCommand::Jbd(args) => jbd::decode(args),
        DecodeCommand::Bluetti(args) => bluetti::decode(args),
    }
}

/// What was rejected, and how the input ended.
type Heeded = (Rejected, Result<(), Failure>);

/// What a command ends with: what went wrong, and last the counters.
fn end(rejected: Rejected, input: Result<(), Failure>) -> Result<(), Failure> {
    if let Err(failure) = &input {
        failure.report();
    }
    let Rejected { bytes, frames } = rejected;
    tell(&format!("rejected_bytes={bytes} rejected_frames={frames}"));
    input.map_err(|failure| Failure::silent(failure.code))
}

fn warn(message: &str) {
    let label = Paint::for_stderr().with(Style::Warning, "warning");
    tell(&format!("{label}: {message}"));
}

fn tell(line: &str) {
    // If stderr is gone, there is nobody to tell.
    let _ = writeln!(stderr(), "{line}");
}
