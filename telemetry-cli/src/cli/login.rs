//! `login`

use clap::{Args, Subcommand};

use super::AccountArgs;

/// `login`
#[derive(Clone, Debug, Subcommand)]
pub enum LoginCommand {
    /// An iSMART account, with user and password
    ///
    /// The cloud keeps one session for each account: the phone is logged out if
    /// it uses the same one.
    Saic(LoginSaicArgs),
}

/// `login saic`
#[derive(Clone, Debug, Default, Args)]
pub struct LoginSaicArgs {
    /// Which account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
