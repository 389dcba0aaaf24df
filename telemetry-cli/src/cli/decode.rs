//! `decode`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `decode`
#[derive(Clone, Debug, Subcommand)]
pub enum DecodeCommand {
    /// Answers of JBD battery packs, as JSON lines
    ///
    /// Reads stdin: each line is one Bluetooth notification in hexadecimal,
    /// `#` starts a comment. Prints one JSON object for each complete answer;
    /// the last line on stderr counts what belonged to none.
    Jbd(DecodeJbdArgs),
}

/// `decode jbd`
#[derive(Clone, Debug, Default, Args)]
pub struct DecodeJbdArgs {
    /// Read the Bluetooth log of a phone (btsnoop) instead of stdin
    #[arg(long, value_name = "FILE")]
    pub btsnoop: Option<PathBuf>,
    /// What currents and capacities count in: units of 10 mA and 10 mAh (`1`),
    /// ten times that (`10`), or what the answer says
    #[arg(long, value_name = "FACTOR", value_enum, default_value_t)]
    pub unit_scale: UnitScale,
}

/// What currents and capacities of a JBD pack count in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UnitScale {
    /// As the answer says.
    #[default]
    Auto,
    /// 10 mA and 10 mAh.
    #[value(name = "1")]
    One,
    /// 100 mA and 100 mAh.
    #[value(name = "10")]
    Ten,
}

impl From<UnitScale> for jbd_bms::UnitScale {
    fn from(scale: UnitScale) -> Self {
        match scale {
            UnitScale::Auto => Self::Auto,
            UnitScale::One => Self::TenMilliamp,
            UnitScale::Ten => Self::HundredMilliamp,
        }
    }
}
