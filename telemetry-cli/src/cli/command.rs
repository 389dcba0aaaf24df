//! `command`

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use super::{AccountArgs, PackArgs, StationArgs};
use crate::control::{self, Control};

/// `command`
#[derive(Clone, Debug, Subcommand)]
pub enum CommandCommand {
    /// A JBD battery pack; it need not be in any configuration
    Jbd(CommandJbdArgs),
    /// A Bluetti power station; it need not be in any configuration
    Bluetti(CommandBluettiArgs),
    /// A car of an iSMART account
    ///
    /// It is told once, and its state is read afterwards.
    Saic(CommandSaicArgs),
}

/// `command saic`
#[derive(Clone, Debug, Args)]
pub struct CommandSaicArgs {
    /// What is to be done
    #[arg(value_parser = names(control::vehicle::ALL))]
    pub control: &'static Control,
    /// How: `on` or `off`, `lock` or `unlock`, a number, one of the car's words;
    /// nothing for what is simply done
    #[arg(default_value = "press")]
    pub value: String,
    /// Which account.
    #[command(flatten)]
    pub account: AccountArgs,
    /// Which of its cars; not needed if there is one
    #[arg(long)]
    pub vin: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
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
