//! `status`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AccountArgs, Hidden, PackArgs, StationArgs};
use crate::config::BmwRegion;

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
    /// The BMW, MINI and Toyota cars of a MyBMW account
    ///
    /// Logs in with a captcha token, which is valid once and for minutes;
    /// `telemetry login bmw` says where to get one. The password is that in
    /// $BIMMER_PASSWORD. BMW lets no other program than its app in since
    /// September 2025; servers that speak the same language do.
    Bmw(StatusBmwArgs),
    /// A Bluetti power station; it need not be in any configuration
    Bluetti(StatusBluettiArgs),
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

/// `status bmw`
#[derive(Clone, Debug, Args)]
pub struct StatusBmwArgs {
    /// E-mail address of the account; phone number in China
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// The answer to the captcha
    #[arg(long, value_name = "TOKEN")]
    pub captcha_token: Option<Hidden>,
    /// Where the account is registered
    #[arg(long, value_enum, default_value_t)]
    pub region: BmwRegion,
    /// This car alone
    #[arg(long)]
    pub vin: Option<String>,
    /// Another server than BMW's, for login and calls
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Trust the authority in this PEM file besides those of the system
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Print JSON
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
