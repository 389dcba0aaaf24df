//! `status`

use clap::{Args, Subcommand};

use super::PackArgs;

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
