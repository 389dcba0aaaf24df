//! `telemetry capture`: what a device says, for a bug report that anybody may
//! read.
//!
//! ```text
//!   jbd        the command: connects, asks, writes the file
//!   recorder   stands between client and link, and keeps what passes
//!   script     what passed ──▶ lines that `telemetry decode` takes
//!   mask       addresses, serial numbers and passwords ──▶ xxxx
//! ```

pub mod jbd;
pub mod mask;
pub mod recorder;
pub mod script;

use crate::cli::CaptureCommand;
use crate::config::Config;
use crate::exit::Failure;

/// Does what the command line asks for.
///
/// # Errors
/// If the device cannot be read, or the output fails.
pub async fn run(command: &CaptureCommand, config: &Config) -> Result<(), Failure> {
    match command {
        CaptureCommand::Jbd(args) => jbd::capture(args, config).await,
    }
}
