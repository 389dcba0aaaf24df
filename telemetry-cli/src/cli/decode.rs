//! `decode`

use std::path::PathBuf;

use bluetti_modbus::model::Model;
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
    /// Answers of Bluetti power stations, as JSON lines
    ///
    /// Reads on stdin what `bluetti-logger` and `bluetti-discovery` have written;
    /// or, with `--start` and `--count`, the notifications that answered that
    /// read: one in hexadecimal on each line, `#` starts a comment. Prints one
    /// JSON object for each answer; the last line on stderr counts what belonged
    /// to none.
    ///
    /// A field that is known under two names is printed under both.
    Bluetti(DecodeBluettiArgs),
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

/// `decode bluetti`
#[derive(Clone, Debug, Args)]
pub struct DecodeBluettiArgs {
    /// Whose registers they are, such as `AC300`, `Generic V1` or `Generic V2`
    #[arg(long, value_name = "MODEL", value_parser = bluetti_model)]
    pub model: Model,
    /// Pass over the answers of other units; without it all count
    #[arg(long, value_name = "UNIT", visible_alias = "unit", value_parser = clap::value_parser!(u8).range(..=247))]
    pub slave: Option<u8>,
    /// The first register that was read
    #[arg(long, value_name = "REGISTER", requires = "count")]
    pub start: Option<u16>,
    /// How many were read
    #[arg(long, value_name = "NUMBER", requires = "start", value_parser = clap::value_parser!(u16).range(1..=125))]
    pub count: Option<u16>,
    /// Read the Bluetooth log of a phone (btsnoop) instead of stdin; what a
    /// station encrypts cannot be read from it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["start", "count"])]
    pub btsnoop: Option<PathBuf>,
}

/// A model by its name, or by a name that is advertised.
pub(super) fn bluetti_model(text: &str) -> Result<Model, String> {
    let advertised = || Model::from_advertised(text).and_then(|name| name.model);
    let model = Model::from_name(text).or_else(advertised);
    model.ok_or_else(|| {
        let names: Vec<_> = Model::ALL.iter().map(|model| model.name()).collect();
        format!("known models are {}", names.join(", "))
    })
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
