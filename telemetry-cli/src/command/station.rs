//! Which Bluetti power station a command is about.

use super::which;
use crate::cli::StationArgs;
use crate::config::{Bluetti, Config};
use crate::exit::Failure;

impl StationArgs {
    /// The station that is meant.
    ///
    /// # Errors
    /// If it is not clear which one.
    pub(super) fn find(&self, config: &Config) -> Result<Bluetti, Failure> {
        let Some(tcp) = &self.tcp else {
            return which::choose(&config.bluetti, &self.name, &self.address);
        };
        let mut stations = config.bluetti.iter();
        let known = stations.find(|station| station.tcp.as_ref() == Some(tcp));
        Ok(known.cloned().unwrap_or_else(|| Bluetti {
            tcp: Some(tcp.clone()),
            ..Bluetti::new(None, None)
        }))
    }
}
