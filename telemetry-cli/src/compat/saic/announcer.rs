//! Announces a car to Home Assistant: one document for all of it. What another
//! gateway has announced one by one is handed over first, so that entities keep
//! their ids, names and history.

use std::collections::BTreeSet;
use std::time::Duration;

use saic_ismart::{Profile, VehicleInfo};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::entities::{self, Entities};
use super::shared::Shared;
use crate::sink::mqtt::session::{Kind, Outgoing};

/// Retained messages are there by then.
const LOOK: Duration = Duration::from_secs(3);

/// Between two steps of the handing over.
const STEP: Duration = Duration::from_secs(2);

/// The same document once more: Home Assistant may have lost a part of it while
/// it set up the first entities.
const AGAIN: Duration = Duration::from_secs(30);

/// Announces one car.
#[derive(Debug)]
pub struct Announcer {
    shared: Shared,
    prefix: String,
    vin: String,
    topic: String,
    payload: String,
}

impl Announcer {
    /// None if Home Assistant is not to be told.
    pub fn new(shared: &Shared, info: &VehicleInfo, profile: &Profile) -> Option<Self> {
        let prefix = shared.options.home_assistant.clone()?;
        let vin = info.vin.as_ref()?.as_str().to_owned();
        let entities = Entities {
            names: &shared.names,
            vin: &vin,
            info,
            profile,
            show_unavailable: shared.options.show_unavailable,
        };
        let document = entities.document(&prefix);
        Some(Self {
            shared: shared.clone(),
            topic: document.topic.clone(),
            payload: document.payload(),
            prefix,
            vin,
        })
    }

    /// Announces it, unless `stop` comes first.
    pub async fn run(self, found: mpsc::Receiver<String>, stop: CancellationToken) {
        stop.run_until_cancelled(self.announce(found)).await;
    }

    async fn announce(self, mut found: mpsc::Receiver<String>) {
        let filter = format!("{}/+/{}/+/config", self.prefix, entities::node(&self.vin));
        self.shared.speaker.say(Outgoing::Listen(filter));
        let mut old = BTreeSet::new();
        let until = Instant::now() + LOOK;
        while let Ok(Some(topic)) = timeout_at(until, found.recv()).await {
            old.insert(topic);
        }
        if !old.is_empty() {
            tracing::info!(
                entities = old.len(),
                "Home Assistant knows the car from another gateway"
            );
            for topic in &old {
                self.tell(topic, r#"{"migrate_discovery":true}"#, false);
            }
            sleep(STEP).await;
        }
        self.hold();
        if !old.is_empty() {
            sleep(STEP).await;
            for topic in &old {
                self.tell(topic, "", true);
            }
        }
        sleep(AGAIN).await;
        self.hold();
    }

    fn hold(&self) {
        self.shared.speaker.say(Outgoing::Hold {
            kind: Kind::Document,
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            always: true,
        });
    }

    fn tell(&self, topic: &str, payload: &str, retain: bool) {
        self.shared.speaker.say(Outgoing::Tell {
            topic: topic.to_owned(),
            payload: payload.to_owned(),
            retain,
        });
    }
}

/// A car has gone: so do its entities.
pub fn forget(shared: &Shared, vin: &str) {
    if let Some(prefix) = &shared.options.home_assistant {
        shared.speaker.say(Outgoing::Hold {
            kind: Kind::Document,
            topic: entities::topic(prefix, vin),
            payload: String::new(),
            always: true,
        });
    }
}
