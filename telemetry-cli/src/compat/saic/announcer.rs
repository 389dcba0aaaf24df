//! Announces a device to Home Assistant: one document for all of it. What another
//! gateway has announced one by one is handed over first, so that entities keep
//! their ids, names and history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saic_ismart::{Profile, VehicleInfo};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::entities::{self, Entities};
use super::shared::Shared;
use crate::lock::lock;
use crate::sink::home_assistant::Document;
use crate::sink::mqtt::session::{Kind, Outgoing};

/// Retained messages are there by then.
const LOOK: Duration = Duration::from_secs(3);

/// Between two steps of the handing over.
const STEP: Duration = Duration::from_secs(2);

/// The same document once more: Home Assistant may have lost a part of it while
/// it set up the first entities.
const AGAIN: Duration = Duration::from_secs(30);

/// More than a device has entities.
const MOST: usize = 256;

/// Topics that another gateway has left behind, on their way to the announcer of
/// the node that they are about.
#[derive(Clone, Debug, Default)]
pub struct Left(Arc<Mutex<BTreeMap<String, mpsc::Sender<String>>>>);

impl Left {
    /// A retained message was heard, which may be a part of discovery.
    pub fn heard(&self, topic: &str) {
        let node = topic.split('/').rev().nth(2).unwrap_or_default();
        if let Some(announcer) = lock(&self.0).get(node) {
            // More of them come from nobody.
            let _ = announcer.try_send(topic.to_owned());
        }
    }

    fn of(&self, node: &str) -> mpsc::Receiver<String> {
        let (sender, receiver) = mpsc::channel(MOST);
        lock(&self.0).insert(node.to_owned(), sender);
        receiver
    }
}

/// Announces one device.
#[derive(Debug)]
pub struct Announcer {
    shared: Shared,
    /// What the original would have published below.
    filter: String,
    left: mpsc::Receiver<String>,
    topic: String,
    payload: String,
}

impl Announcer {
    /// Of a car. None if Home Assistant is not to be told.
    pub fn car(shared: &Shared, info: &VehicleInfo, profile: &Profile) -> Option<Self> {
        let prefix = shared.options.home_assistant.as_ref()?;
        let vin = info.vin.as_ref()?.as_str();
        let entities = Entities {
            names: &shared.names,
            vin,
            info,
            profile,
            show_unavailable: shared.options.show_unavailable,
        };
        Some(Self::new(
            shared,
            prefix,
            &entities::node(vin),
            &entities.document(prefix),
        ))
    }

    /// Of the gateway itself.
    pub fn account(shared: &Shared) -> Option<Self> {
        let prefix = shared.options.home_assistant.as_ref()?;
        let user = &shared.options.account.user;
        let document = entities::account::document(&shared.names, user, prefix);
        Some(Self::new(
            shared,
            prefix,
            &entities::account::node(user),
            &document,
        ))
    }

    fn new(shared: &Shared, prefix: &str, node: &str, document: &Document) -> Self {
        Self {
            left: shared.left.of(node),
            shared: shared.clone(),
            filter: format!("{prefix}/+/{node}/+/config"),
            topic: document.topic.clone(),
            payload: document.payload(),
        }
    }

    /// Announces it, unless `stop` comes first.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.announce()).await;
    }

    async fn announce(mut self) {
        self.shared
            .speaker
            .say(Outgoing::Listen(self.filter.clone()));
        let mut old = BTreeSet::new();
        let until = Instant::now() + LOOK;
        while let Ok(Some(topic)) = timeout_at(until, self.left.recv()).await {
            old.insert(topic);
        }
        if !old.is_empty() {
            tracing::info!(
                entities = old.len(),
                "Home Assistant knows them from another gateway"
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
            topic: entities::topic(prefix, &entities::node(vin)),
            payload: String::new(),
            always: true,
        });
    }
}
