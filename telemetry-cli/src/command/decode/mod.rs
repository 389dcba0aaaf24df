//! `telemetry decode`: what a device said, from recorded bytes.
//!
//! ```text
//!   chunk     lines of hexadecimal ──▶ notification chunks
//!   btsnoop   a phone's log ──▶ packets ──▶ att ──▶ notification chunks
//!   stream    notification chunks ──▶ frames
//!   answer    frames ──▶ JSON objects
//!   jbd       the command: all of it in order, and how it ends
//! ```

pub mod answer;
pub mod att;
pub mod btsnoop;
pub mod chunk;
pub mod jbd;
pub mod stream;

use crate::cli::DecodeCommand;
use crate::exit::Failure;

/// Does what the command line asks for.
///
/// # Errors
/// If the input is not what it should be, or the output fails.
pub fn run(command: &DecodeCommand) -> Result<(), Failure> {
    match command {
        DecodeCommand::Jbd(args) => jbd::decode(args),
    }
}
