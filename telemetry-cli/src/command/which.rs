//! Which of the configured devices a command is about, or which other one.

use std::path::Path;

use super::locate_state_dir;
use crate::config::{Bluetti, Config, Jbd};
use crate::exit::{Code, Failure};
use crate::state_dir::StateDir;

/// A device of the configuration.
pub(super) trait Configured: Clone {
    /// What people call such a device.
    const WORD: &str;

    /// Its label, its name and its address, as far as they are known.
    fn called(&self) -> [&Option<String>; 3];

    /// What the configuration calls it.
    fn title(&self) -> &str;

    /// Whether the gateway keeps its connection between two reads.
    fn holds_link(&self) -> bool;

    /// One that is in no configuration.
    fn other(name: Option<String>, address: Option<String>) -> Self;
}

impl Configured for Jbd {
    const WORD: &str = "pack";

    fn called(&self) -> [&Option<String>; 3] {
        [&self.label, &self.name, &self.address]
    }

    fn title(&self) -> &str {
        self.title()
    }

    fn holds_link(&self) -> bool {
        self.holds_link()
    }

    fn other(name: Option<String>, address: Option<String>) -> Self {
        Self::new(name, address)
    }
}

impl Configured for Bluetti {
    const WORD: &str = "station";

    fn called(&self) -> [&Option<String>; 3] {
        [&self.label, &self.name, &self.address]
    }

    fn title(&self) -> &str {
        self.title()
    }

    fn holds_link(&self) -> bool {
        self.hold_link
    }

    fn other(name: Option<String>, address: Option<String>) -> Self {
        Self::new(name, address)
    }
}

/// One of `devices`, or any other.
///
/// # Errors
/// If it is not clear which one.
pub(super) fn choose<D: Configured>(
    devices: &[D],
    name: &Option<String>,
    address: &Option<String>,
) -> Result<D, Failure> {
    let usage = |message: String, hint: String| Err(Failure::new(Code::Usage, message).hint(hint));
    let word = D::WORD;
    if name.is_none() && address.is_none() {
        return match devices {
            [one] => Ok(one.clone()),
            [] => usage(
                format!("which {word}?"),
                "name it with `--name NAME` or `--address ADDRESS`".to_owned(),
            ),
            several => {
                let names: Vec<_> = several.iter().map(D::title).collect();
                usage(
                    format!("which of the {word}s?"),
                    format!("choose one with `--name`: {}", names.join(", ")),
                )
            }
        };
    }
    let known = devices.iter().find(|device| {
        let [label, own_name, own_address] = device.called();
        match address {
            Some(address) => own_address
                .as_ref()
                .is_some_and(|own| own.eq_ignore_ascii_case(address)),
            None => [label, own_name].contains(&name),
        }
    });
    let other = || D::other(name.clone(), address.clone());
    Ok(known.cloned().unwrap_or_else(other))
}

/// A connection that the gateway holds would be taken from it: `instead` is what
/// to do.
///
/// # Errors
/// If it holds one.
pub(super) fn refuse_held<D: Configured>(
    config: &Config,
    devices: &[D],
    device: &D,
    state_dir: Option<&Path>,
    instead: &str,
) -> Result<(), Failure> {
    let is_configured = devices.iter().any(|of| of.title() == device.title());
    if !is_configured || !device.holds_link() {
        return Ok(());
    }
    match StateDir::holder(&locate_state_dir(state_dir, config)) {
        None => Ok(()),
        Some(holder) => {
            let title = device.title();
            let message = format!("{title} is held by the running gateway, {holder}");
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
            let [name, address] = [name, address].map(|text| text.map(str::to_owned));
            super::choose(&config.jbd, &name, &address)
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
