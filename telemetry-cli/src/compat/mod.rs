//! Drop-in commands: replacements of other people's programs, one for one. Each
//! is a function from the original's flags and environment to a [`Config`] of
//! the normal gateway, and the original's messages, made from what the device
//! said.
//!
//! [`Config`]: crate::config::Config

use std::ffi::OsStr;
use std::path::Path;

pub mod bluetti;
pub mod bmw_mqtt;
mod broker;
pub mod jbd_bms_mqtt;
pub mod saic;

/// The subcommands that are drop-in commands. Called through a link of such a
/// name, the program is that command.
pub const COMMANDS: [&str; 7] = [
    bmw_mqtt::NAME,
    jbd_bms_mqtt::NAME,
    bluetti::monitor::NAME,
    bluetti::mqtt::NAME,
    bluetti::LOGGER,
    bluetti::DISCOVERY,
    saic::NAME,
];

/// The drop-in command that a program called `program` stands for.
pub fn command_of(program: &OsStr) -> Option<&'static str> {
    let name = Path::new(program).file_stem()?;
    COMMANDS.into_iter().find(|command| name == *command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_name_is_a_subcommand() {
        let cli = Cli::command();
        for name in COMMANDS {
            assert!(cli.find_subcommand(name).is_some(), "{name}");
            let path = format!("/usr/local/bin/{name}");
            assert_eq!(command_of(path.as_ref()), Some(name));
        }
        assert_eq!(command_of("/usr/bin/telemetry".as_ref()), None);
        assert_eq!(command_of("run".as_ref()), None);
    }
}
