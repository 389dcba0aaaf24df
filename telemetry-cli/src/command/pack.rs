//! Which JBD pack a command is about.

use super::which;
use crate::cli::PackArgs;
use crate::config::{Config, Environment, Jbd};
use crate::exit::Failure;
use crate::source::bluetooth::Trouble as _;
use crate::source::jbd::PollError;

/// The pack that is meant, with the password that is meant for it.
///
/// # Errors
/// If it is not clear which one.
pub(super) fn find(config: &Config, args: &PackArgs) -> Result<Jbd, Failure> {
    let mut pack = which::choose(&config.jbd, &args.name, &args.address)?;
    let password = args.password.as_deref().map(|text| text.to_owned().into());
    let variable = Environment::of_process()
        .get("JBD_PASSWORD")
        .map(|_| "env:JBD_PASSWORD".to_owned().into());
    pack.password = password.or(pack.password).or(variable);
    Ok(pack)
}

/// What a command fails with that could not do something with `pack`.
pub(super) fn failure(pack: &Jbd, error: &PollError) -> Failure {
    let failure = error.failure(pack.title());
    match error.wants_password() {
        true => {
            failure.hint("give it in JBD_PASSWORD, or as `password` in the pack's [[jbd]] table")
        }
        false => failure,
    }
}
