//! `status`

use clap::{Args, Subcommand};

use super::{AccountArgs, PackArgs};

/// `status`
#[derive(Clone, Debug, Subcommand)]
pub enum StatusCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(StatusJbdArgs),
    /// The cars of an iSMART account
    ///
    /// A car that was asked a moment ago is not asked again: its last answer is
    /// shown.
    Saic(StatusSaicArgs),
}

/// `status saic`
#[derive(Clone, Debug, Default, Args)]
pub struct StatusSaicArgs {
    /// Which account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Ask the cars whenever they were asked last; that wakes them up
    #[arg(long)]
    pub spend_quota: bool,
    /// Print JSON, as `once` does
    #[arg(long)]
    pub json: bool,
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
