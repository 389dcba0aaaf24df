//! `login`

use clap::{Args, Subcommand};

use super::{AccountArgs, ConfigArgs, Hidden, StateDirArgs};

/// `login`
#[derive(Clone, Debug, Subcommand)]
pub enum LoginCommand {
    /// An iSMART account, with user and password
    ///
    /// The cloud keeps one session for each account: the phone is logged out if
    /// it uses the same one.
    Saic(LoginSaicArgs),
    /// A BMW or MINI account of the configuration
    ///
    /// CarData: shows a link, a code and a QR code, waits until the login is
    /// confirmed, then checks the whole set-up, for three calls of the day's 50.
    /// MyBMW: shows where the captcha is, and takes its token; in China it solves
    /// the sliding picture by itself.
    Bmw(LoginBmwArgs),
}

/// `login bmw`
#[derive(Clone, Debug, Default, Args)]
pub struct LoginBmwArgs {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which state directory.
    #[command(flatten)]
    pub state_dir: StateDirArgs,
    /// Which account, if there are several: its label, client id or user
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// MyBMW: the answer to the captcha; without it stdin is asked
    #[arg(long, value_name = "TOKEN")]
    pub captcha_token: Option<Hidden>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
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
