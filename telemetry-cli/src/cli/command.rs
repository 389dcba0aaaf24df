//! `command`

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use super::{PackArgs, StationArgs};
use crate::control::{self, Control};

/// `command`
#[derive(Clone, Debug, Subcommand)]
pub enum CommandCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(CommandJbdArgs),
    /// A Bluetti power station; it need not be in any configuration
    Bluetti(CommandBluettiArgs),
}

/// `command jbd`
#[derive(Clone, Debug, Args)]
pub struct CommandJbdArgs {
    /// What is to be changed
    #[arg(value_parser = names(control::battery::ALL))]
    pub control: &'static Control,
    /// `on` or `off`
    pub value: String,
    /// Which pack.
    #[command(flatten)]
    pub pack: PackArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `command bluetti`
#[derive(Clone, Debug, Args)]
pub struct CommandBluettiArgs {
    /// What is to be changed; each model has some of them
    #[arg(value_parser = names(control::power_station::ALL))]
    pub control: &'static Control,
    /// `on` or `off`, a number, an option of the model, or `press`
    pub value: String,
    /// Which station.
    #[command(flatten)]
    pub station: StationArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// One of `controls`, by its name.
fn names(
    controls: &'static [&'static Control],
) -> impl clap::builder::TypedValueParser<Value = &'static Control> {
    let names = controls.iter().map(|control| control.name);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut known = controls.iter().copied();
        known.find(|of| of.name == name).ok_or("not a control")
    })
}
