//! Announces a device to Home Assistant: one document for all of it. What another
//! gateway has announced one by one is handed over first, so that entities keep
//! their ids, names and history.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saic_ismart::{Profile, VehicleInfo};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::car::Car;
use super::entities::{self, Entities};
use super::extra::Extras;
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
    about: About,
}

/// What of a car its document depends on, and may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// What it can be told beyond the original's commands.
    pub extras: Extras,
    /// It charges.
    pub charging: bool,
}

/// What is announced.
#[derive(Debug)]
enum About {
    Account,
    Car {
        vin: String,
        info: Box<VehicleInfo>,
        profile: Box<Profile>,
        shown: watch::Receiver<Shown>,
    },
}

impl Announcer {
    /// Of a car. None if Home Assistant is not to be told.
    pub fn car(shared: &Shared, info: &VehicleInfo, car: &Car) -> Option<Self> {
        let vin = info.vin.as_ref()?.as_str().to_owned();
        let about = About::Car {
            vin,
            info: Box::new(info.clone()),
            profile: Box::new(car.profile().clone()),
            shown: car.shown(),
        };
        Self::new(shared, about)
    }

    /// Of the gateway itself.
    pub fn account(shared: &Shared) -> Option<Self> {
        Self::new(shared, About::Account)
    }

    fn new(shared: &Shared, about: About) -> Option<Self> {
        let prefix = shared.options.home_assistant.as_ref()?;
        let node = match &about {
            About::Account => entities::account::node(&shared.options.account.user),
            About::Car { vin, .. } => entities::node(vin),
        };
        Some(Self {
            left: shared.left.of(&node),
            shared: shared.clone(),
            filter: format!("{prefix}/+/{node}/+/config"),
            about,
        })
    }

    fn document(&mut self) -> Option<Document> {
        let options = &self.shared.options;
        let (names, prefix) = (&self.shared.names, options.home_assistant.as_ref()?);
        Some(match &mut self.about {
            About::Account => entities::account::document(names, &options.account.user, prefix),
            About::Car {
                vin,
                info,
                profile,
                shown,
            } => {
                let entities = Entities {
                    names,
                    vin,
                    info,
                    profile,
                    shown: *shown.borrow_and_update(),
                    show_unavailable: options.show_unavailable,
                };
                entities.document(prefix)
            }
        })
    }

    /// Announces it, unless `stop` comes first.
    pub async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.announce()).await;
    }

    async fn announce(mut self) {
        self.shared.speaker.listen(self.filter.clone()).await;
        let old = self.look(BTreeSet::new()).await;
        self.take_over(&old).await;
        let mut again = std::pin::pin!(sleep(AGAIN));
        let mut is_again = false;
        loop {
            tokio::select! {
                // The broker was lost in the middle of the handing over, or
                // has got them back.
                Some(topic) = self.left.recv() => {
                    let old = self.look(BTreeSet::from([topic])).await;
                    self.take_over(&old).await;
                }
                () = &mut again, if !is_again => {
                    is_again = true;
                    self.hold();
                }
                () = changed(&mut self.about) => self.hold(),
            }
        }
    }

    /// What is on the broker from another gateway.
    async fn look(&mut self, mut old: BTreeSet<String>) -> BTreeSet<String> {
        let until = Instant::now() + LOOK;
        while let Ok(Some(topic)) = timeout_at(until, self.left.recv()).await {
            old.insert(topic);
        }
        old
    }

    /// Announces the device in place of the `old` topics.
    async fn take_over(&mut self, old: &BTreeSet<String>) {
        if !old.is_empty() {
            tracing::info!(
                entities = old.len(),
                "Home Assistant knows them from another gateway"
            );
            // Others would stay in Home Assistant, provided by nobody.
            let kept = self.document().map(|document| successors(&document));
            let kept = kept.unwrap_or_default();
            for topic in old.iter().filter(|topic| is_kept(topic, &kept)) {
                self.tell(topic, r#"{"migrate_discovery":true}"#, false);
            }
            sleep(STEP).await;
        }
        self.hold();
        if !old.is_empty() {
            sleep(STEP).await;
            for topic in old {
                self.tell(topic, "", true);
            }
        }
    }

    fn hold(&mut self) {
        if let Some(document) = self.document() {
            self.shared.speaker.say(Outgoing::Hold {
                kind: Kind::Document,
                topic: document.topic.clone(),
                payload: document.payload(),
                always: true,
            });
        }
    }

    fn tell(&self, topic: &str, payload: &str, retain: bool) {
        self.shared.speaker.say(Outgoing::Tell {
            topic: topic.to_owned(),
            payload: payload.to_owned(),
            retain,
        });
    }
}

/// Platforms and unique ids of the entities of a document.
fn successors(document: &Document) -> BTreeSet<(String, String)> {
    let components = document.content.get("components");
    let components = components.and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    components
        .filter_map(|(_, one)| text(&one["platform"]).zip(text(&one["unique_id"])))
        .collect()
}

/// Whether the entity of an old topic, `…/PLATFORM/NODE/UNIQUE ID/config`, lives on.
fn is_kept(topic: &str, successors: &BTreeSet<(String, String)>) -> bool {
    let mut levels = topic.rsplit('/').skip(1);
    let (id, _, platform) = (levels.next(), levels.next(), levels.next());
    let old = platform.zip(id);
    old.is_some_and(|(platform, id)| successors.contains(&(platform.to_owned(), id.to_owned())))
}

/// Waits until the document is another one.
async fn changed(about: &mut About) {
    if let About::Car { shown, .. } = about
        && shown.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
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
