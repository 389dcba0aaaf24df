//! `simulate`

use std::net::SocketAddr;

use clap::{Args, Subcommand};

/// `simulate`
#[derive(Clone, Debug, Subcommand)]
pub enum SimulateCommand {
    /// The iSMART cloud with an MG that charges, drives and rests
    Saic(SimulateArgs),
    /// The cloud of the MyBMW app with a car of each drive train
    ///
    /// `captcha_token` of the first line is how a captcha token begins; each is
    /// good once.
    Bmw(SimulateArgs),
    /// BMW CarData with the same cars, and its stream
    ///
    /// A device code is confirmed when its page is opened, or by itself when it
    /// is asked for the second time.
    #[command(name = "cardata")]
    CarData(SimulateArgs),
}

/// Where a simulated cloud listens.
#[derive(Clone, Debug, Args)]
pub struct SimulateArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The same number gives the same course of things
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}
