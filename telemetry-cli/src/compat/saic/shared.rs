//! What all parts of the gateway work with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWriteExt as _;

use super::announcer::Left;
use super::names::Names;
use super::options::Options;
use crate::lock::lock;
use crate::sink::mqtt::session::{Kind, Outgoing, Speaker};
use crate::zone::Zone;

/// The time.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What all parts of the gateway work with; cheap to clone.
#[derive(Clone)]
pub struct Shared {
    /// What is set.
    pub options: Arc<Options>,
    /// Where things are published.
    pub names: Arc<Names>,
    /// Publishes.
    pub speaker: Speaker,
    /// For ABRP and the like.
    pub http: reqwest::Client,
    /// The time.
    pub clock: Clock,
    /// What outlives the process; nothing if it cannot.
    pub directory: Option<PathBuf>,
    /// What another gateway has announced.
    pub left: Left,
    zone: Arc<Mutex<Zone>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// For these options, on the clock of this computer.
    ///
    /// # Errors
    /// If HTTPS cannot be set up.
    pub fn new(
        options: Options,
        speaker: Speaker,
        directory: Option<PathBuf>,
    ) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(5))
            .build()
            .map_err(|error| format!("HTTPS: {error}"))?;
        Ok(Self {
            names: Arc::new(Names::new(
                &options.prefix,
                &options.account.user,
                options.allow_dots,
            )),
            zone: Arc::new(Mutex::new(options.account.zone.unwrap_or(Zone::System))),
            options: Arc::new(options),
            speaker,
            http,
            clock: Arc::new(Utc::now),
            directory,
            left: Left::default(),
        })
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// The time zone of schedules.
    pub fn zone(&self) -> Zone {
        *lock(&self.zone)
    }

    /// The account says what its time zone is; what the user says counts more.
    pub fn set_zone(&self, zone: Zone) {
        if self.options.account.zone.is_none() {
            *lock(&self.zone) = zone;
        }
    }

    /// The broker shall hold a value.
    pub fn hold(&self, topic: String, payload: String, always: bool) {
        let kind = Kind::Value;
        self.speaker.say(Outgoing::Hold {
            kind,
            topic,
            payload,
            always,
        });
    }

    /// A message of the moment.
    pub fn tell(&self, topic: String, payload: String) {
        self.speaker.say(Outgoing::Tell {
            topic,
            payload,
            retain: false,
        });
    }

    /// What was saved under this name, if it can be read.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.directory.as_deref()?.join(name);
        let json = std::fs::read(&path).ok()?;
        let read = serde_json::from_slice(&json);
        read.inspect_err(|error| {
            // Its name holds the VIN.
            let what = match name.contains("vehicle-") {
                true => "the state of a car",
                false => name,
            };
            tracing::warn!(%error, "{what} is not readable, begun anew");
        })
        .ok()
    }

    /// Forgets what was saved under this name.
    pub async fn remove(&self, name: &str) {
        if let Some(directory) = &self.directory {
            // It may not be there.
            let _ = tokio::fs::remove_file(directory.join(name)).await;
        }
    }

    /// Saves it under this name, as a whole or not at all.
    pub async fn save(&self, name: &str, value: &impl Serialize) {
        let Some(directory) = &self.directory else {
            return;
        };
        let Ok(json) = serde_json::to_vec(value) else {
            return;
        };
        let saved = replace(directory, name, &json).await;
        if let Err(error) = saved {
            tracing::warn!(directory = %directory.display(), %error, "a restart will not know what happened");
        }
    }
}

async fn replace(directory: &Path, name: &str, content: &[u8]) -> std::io::Result<()> {
    let new = directory.join(format!("{name}.new"));
    let mut file = tokio::fs::File::create(&new).await?;
    file.write_all(content).await?;
    // Before the name: a cut of the power would leave an empty file.
    file.sync_all().await?;
    tokio::fs::rename(&new, directory.join(name)).await
}
