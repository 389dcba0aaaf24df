//! What outlives a restart: sessions, what the cars said, and when they were
//! asked. A restart loop costs no calls and logs no phone out.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::polling;
use crate::config::{Saic, plain};
use crate::event::DeviceId;

/// What is remembered of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// The list of cars as JSON, and when it was read.
    pub(super) vehicles: Option<String>,
    pub(super) listed_at: Option<DateTime<Utc>>,
    /// When messages were read, and the newest of them.
    pub(super) messages_at: Option<DateTime<Utc>>,
    pub(super) newest_message: Option<String>,
    /// The account is left to another device until then.
    pub(super) elsewhere_until: Option<DateTime<Utc>>,
    /// By VIN.
    pub(super) cars: BTreeMap<String, CarMemory>,
}

/// What is remembered of a car: answers as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CarMemory {
    pub(super) polling: polling::State,
    pub(super) status: Option<String>,
    pub(super) cached: Option<String>,
    pub(super) charging: Option<String>,
    pub(super) heating: Option<String>,
    /// When the last of these came.
    pub(super) fetched_at: Option<DateTime<Utc>>,
    /// Which charge is under way, and what was in the battery then, kWh.
    pub(super) charge: Option<(DateTime<Utc>, f64)>,
    /// Its message "vehicle started" was seen to.
    pub(super) start_message: bool,
}

/// Where an account keeps what outlives a restart.
#[derive(Clone, Debug)]
pub struct Files {
    directory: PathBuf,
    name: String,
}

impl Files {
    /// Of the account of `config`, below `state_dir`, which is made if it is
    /// missing.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn of(config: &Saic, state_dir: &Path) -> io::Result<Self> {
        let files = Self::existing(config, state_dir);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&files.directory)?;
        Ok(files)
    }

    /// The same, where nothing is to be written.
    pub fn existing(config: &Saic, state_dir: &Path) -> Self {
        let id = DeviceId::new(&[config.region.code(), &config.user]);
        Self {
            directory: state_dir.join("saic"),
            name: id.to_string(),
        }
    }

    /// The session. Only its owner can read it.
    pub fn token(&self) -> PathBuf {
        self.directory.join(format!("{}.token.json", self.name))
    }

    fn memory(&self) -> PathBuf {
        self.directory.join(format!("{}.cars.json", self.name))
    }

    /// What was remembered; nothing if that cannot be read any more.
    pub(super) fn load(&self) -> Memory {
        let text = fs::read_to_string(self.memory()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Remembers it. Positions are in it: only its owner can read it.
    pub(super) fn save(&self, memory: &Memory) {
        let written = serde_json::to_vec(memory)
            .map_err(io::Error::other)
            .and_then(|text| replace(&self.memory(), &text));
        if let Err(error) = written {
            let file = self.memory();
            tracing::warn!(
                file = %file.display(),
                error = plain(&error),
                "what the cars said cannot be kept for the next start"
            );
        }
    }
}

/// A crash leaves the old content or the new one.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(content)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_private_and_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let config = Saic::new("Me@Example.com".to_owned(), "x".to_owned().into());
        let files = Files::of(&config, directory.path()).unwrap();
        assert_eq!(files.load(), Memory::default());
        let memory = Memory {
            newest_message: Some("7".to_owned()),
            cars: BTreeMap::from([("LSJ".to_owned(), CarMemory::default())]),
            ..Memory::default()
        };
        files.save(&memory);
        assert_eq!(files.load(), memory);
        assert!(files.token().ends_with("saic/eu-me-example-com.token.json"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(files.memory()), 0o600);
            assert_eq!(mode(directory.path().join("saic")), 0o700);
        }
        fs::write(files.memory(), "{\"cars\":7").unwrap();
        assert_eq!(files.load(), Memory::default());
    }
}
