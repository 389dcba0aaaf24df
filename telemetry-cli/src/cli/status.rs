//! `status`

use clap::{Args, Subcommand};

use super::{PackArgs, StationArgs};

/// `status`
#[derive(Clone, Debug, Subcommand)]
pub enum StatusCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(StatusJbdArgs),
    /// A Bluetti power station; it need not be in any configuration
    Bluetti(StatusBluettiArgs),
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

/// `status bluetti`
#[derive(Clone, Debug, Default, Args)]
pub struct StatusBluettiArgs {
    /// Which station.
    #[command(flatten)]
    pub station: StationArgs,
    /// Print JSON, as `once` does
    #[arg(long)]
    pub json: bool,
}
