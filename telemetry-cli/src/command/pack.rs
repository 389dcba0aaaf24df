//! Which JBD pack a command is about.

use std::path::Path;

use super::locate_state_dir;
use crate::cli::PackArgs;
use crate::config::{Config, Environment, Jbd};
use crate::exit::{Code, Failure};
use crate::source::bluetooth::Trouble as _;
use crate::source::jbd::PollError;
use crate::state_dir::StateDir;

/// The pack that is meant, with the password that is meant for it.
///
/// # Errors
/// If it is not clear which one.
pub(super) fn find(config: &Config, args: &PackArgs) -> Result<Jbd, Failure> {
    let mut pack = choose(config, args)?;
    let password = args.password.clone().map(Into::into);
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

/// One of the configuration, or any other.
fn choose(config: &Config, args: &PackArgs) -> Result<Jbd, Failure> {
    let usage = |message: &str, hint: String| Err(Failure::new(Code::Usage, message).hint(hint));
    if args.name.is_none() && args.address.is_none() {
        return match config.jbd.as_slice() {
            [one] => Ok(one.clone()),
            [] => usage(
                "which pack?",
                "name it with `--name NAME` or `--address ADDRESS`".to_owned(),
            ),
            several => {
                let names: Vec<_> = several.iter().map(Jbd::title).collect();
                usage(
                    "which of the packs?",
                    format!("choose one with `--name`: {}", names.join(", ")),
                )
            }
        };
    }
    let known = config
        .jbd
        .iter()
        .find(|jbd| match (&args.name, &args.address) {
            (_, Some(address)) => {
                let own = jbd.address.as_ref();
                own.is_some_and(|own| own.eq_ignore_ascii_case(address))
            }
            (name, None) => [&jbd.label, &jbd.name].contains(&name),
        });
    let other = || Jbd::new(args.name.clone(), args.address.clone());
    Ok(known.cloned().unwrap_or_else(other))
}

/// A connection that the gateway holds would be taken from it: `instead` is what
/// to do.
///
/// # Errors
/// If it holds one.
pub(super) fn refuse_held(
    config: &Config,
    pack: &Jbd,
    state_dir: Option<&Path>,
    instead: &str,
) -> Result<(), Failure> {
    let is_configured = config.jbd.iter().any(|jbd| jbd.title() == pack.title());
    if !is_configured || !pack.holds_link() {
        return Ok(());
    }
    match StateDir::holder(&locate_state_dir(state_dir, config)) {
        None => Ok(()),
        Some(holder) => {
            let message = format!("{} is held by the running gateway, {holder}", pack.title());
            Err(Failure::new(Code::Device, message).hint(format!(
                "{instead}; with `hold_link = false` the gateway lets go of it between two reads"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_is_one_of_the_configuration_or_any_other() {
        let labelled = Jbd {
            label: Some("Cellar".to_owned()),
            reads_per_day: Some(7),
            ..Jbd::named("House battery")
        };
        let address = "A4:C1:38:00:00:02".to_owned();
        let config = Config {
            jbd: vec![labelled, Jbd::new(None, Some(address))],
            ..Config::default()
        };
        let choose = |name: Option<&str>, address: Option<&str>| {
            let args = PackArgs {
                name: name.map(str::to_owned),
                address: address.map(str::to_owned),
                ..PackArgs::default()
            };
            super::choose(&config, &args)
        };
        for name in ["Cellar", "House battery"] {
            assert_eq!(choose(Some(name), None).unwrap().reads_per_day, Some(7));
        }
        let known = choose(None, Some("a4:c1:38:00:00:02")).unwrap();
        assert_eq!(known.title(), "A4:C1:38:00:00:02");
        let other = choose(Some("Attic"), None).unwrap();
        assert_eq!((other.title(), other.reads_per_day), ("Attic", None));
        let failure = choose(None, None).unwrap_err();
        assert_eq!(failure.code, Code::Usage);
        assert!(
            failure
                .hint
                .unwrap()
                .ends_with(": Cellar, A4:C1:38:00:00:02")
        );
    }
}
