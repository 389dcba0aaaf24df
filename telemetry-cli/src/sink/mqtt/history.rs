//! Every stored reading, also those of an outage: the journal's entries in
//! their order, at least once.
//!
//! A task of its own reads the journal, so that the connection never waits for
//! the disk. An entry counts as delivered when the broker has acknowledged it
//! and all before it; after a lost connection everything else is sent again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::connection::MAX_MESSAGE;
use super::topics::Topics;
use crate::database::DatabaseError;
use crate::event::{Device, DeviceId, ReadingJson};
use crate::journal::{Consumer, Entry, Journal};

/// Under this name the journal remembers how far we are.
pub const CONSUMER: &str = "mqtt";

/// Entries read from the journal in one go.
const BATCH: u32 = 200;

/// Entries made ready before the connection asks for them.
const AHEAD: usize = 16;

/// How often the journal is told how far we are. What was delivered since is
/// delivered again after a kill.
const SAVE: Duration = Duration::from_secs(5);

/// Pause after an error of the database.
const RETRY: Duration = Duration::from_secs(5);

/// How long the end may take.
const END: Duration = Duration::from_secs(2);

/// One entry, ready to be published.
#[derive(Debug)]
pub(super) struct Prepared {
    generation: u64,
    pub(super) number: i64,
    pub(super) topic: String,
    pub(super) payload: String,
}

#[derive(Debug)]
enum Order {
    /// A new connection: entries that are not delivered come again.
    StartOver(u64),
    /// Everything up to this number is delivered.
    Delivered(i64),
}

/// The sink's end of the history.
#[derive(Debug)]
pub(super) struct History {
    entries: mpsc::Receiver<Prepared>,
    orders: mpsc::UnboundedSender<Order>,
    /// Counts connections: what was prepared for an old one is not sent.
    generation: u64,
    in_flight: BTreeSet<i64>,
    last: i64,
    feeder: JoinHandle<()>,
}

impl History {
    /// Goes on where it left off.
    pub(super) async fn open(journal: &Journal, topics: Topics) -> Result<Self, DatabaseError> {
        let consumer = journal.consumer(CONSUMER).await?;
        let last = consumer.taken();
        let (sender, entries) = mpsc::channel(AHEAD);
        let (orders, receiver) = mpsc::unbounded_channel();
        let feeder = Feeder {
            delivered: last,
            saved: last,
            position: last,
            consumer,
            topics,
            gateway: journal.gateway().to_owned(),
            generation: 0,
            queue: VecDeque::new(),
            devices: BTreeMap::new(),
        };
        Ok(Self {
            entries,
            orders,
            generation: 0,
            in_flight: BTreeSet::new(),
            last,
            feeder: tokio::spawn(feeder.run(sender, receiver)),
        })
    }

    /// A new connection: the old one's unacknowledged entries are sent again.
    pub(super) fn start_over(&mut self) {
        self.generation += 1;
        self.in_flight.clear();
        self.order(Order::StartOver(self.generation));
    }

    /// The next entry. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Prepared {
        loop {
            match self.entries.recv().await {
                Some(entry) if entry.generation == self.generation => return entry,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// An entry is on its way.
    pub(super) fn sent(&mut self, number: i64) {
        self.in_flight.insert(number);
        self.last = number;
    }

    /// The broker has an entry.
    pub(super) fn acknowledged(&mut self, number: i64) {
        if self.in_flight.remove(&number) {
            let oldest = self.in_flight.first();
            let delivered = oldest.map_or(self.last, |oldest| oldest - 1);
            self.order(Order::Delivered(delivered));
        }
    }

    /// Notes how far it got.
    pub(super) async fn end(self) {
        drop(self.orders);
        if timeout(END, self.feeder).await.is_err() {
            tracing::debug!("the history's place is not saved: some of it will be sent again");
        }
    }

    fn order(&self, order: Order) {
        // Fails only if the feeder has panicked; then there are no entries.
        let _ = self.orders.send(order);
    }
}

struct Feeder {
    consumer: Consumer,
    topics: Topics,
    gateway: String,
    generation: u64,
    /// Number of the last entry in the queue, or that was in it.
    position: i64,
    delivered: i64,
    saved: i64,
    queue: VecDeque<Entry>,
    devices: BTreeMap<DeviceId, Device>,
}

impl Feeder {
    async fn run(
        mut self,
        entries: mpsc::Sender<Prepared>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let mut save = interval(SAVE);
        save.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if self.queue.is_empty()
                && let Err(error) = self.refill().await
            {
                tracing::debug!(%error, "the history cannot be read");
                sleep(RETRY).await;
            }
            tokio::select! {
                order = orders.recv() => match order {
                    None => break,
                    Some(Order::Delivered(number)) => self.delivered = number,
                    Some(Order::StartOver(generation)) => {
                        self.generation = generation;
                        self.queue.clear();
                        self.position = self.delivered;
                    }
                },
                permit = entries.reserve(), if !self.queue.is_empty() => {
                    let Ok(permit) = permit else { break };
                    if let Some(prepared) = self.prepare() {
                        permit.send(prepared);
                    }
                }
                () = self.consumer.wait_beyond(self.position), if self.queue.is_empty() => {}
                _ = save.tick() => self.save().await,
            }
        }
        self.save().await;
    }

    async fn refill(&mut self) -> Result<(), DatabaseError> {
        let entries = self.consumer.after(self.position, BATCH).await?;
        let known = |entry: &Entry| self.devices.contains_key(&entry.reading.device);
        if !entries.iter().all(known) {
            for device in self.consumer.devices().await? {
                self.devices.insert(device.id.clone(), device);
            }
        }
        if let Some(last) = entries.last() {
            self.position = last.number;
        }
        self.queue.extend(entries);
        Ok(())
    }

    fn prepare(&mut self) -> Option<Prepared> {
        let entry = self.queue.pop_front()?;
        let reading = &entry.reading;
        let topic = self.topics.history(&reading.device);
        let stranger = Device::unknown(reading.device.clone(), reading.kind);
        let device = self.devices.get(&reading.device).unwrap_or(&stranger);
        let mut json = serde_json::to_value(ReadingJson { device, reading }).unwrap_or_default();
        if let Value::Object(keys) = &mut json {
            // Who counts wants to know what came twice.
            keys.insert("gateway".to_owned(), self.gateway.clone().into());
            keys.insert("number".to_owned(), entry.number.into());
        }
        let payload = json.to_string();
        if topic.len() + payload.len() > MAX_MESSAGE {
            let bytes = payload.len();
            tracing::warn!(%topic, bytes, "not published: over the limit of 1 MiB");
            return None;
        }
        Some(Prepared {
            generation: self.generation,
            number: entry.number,
            topic,
            payload,
        })
    }

    async fn save(&mut self) {
        if self.delivered == self.saved {
            return;
        }
        match self.consumer.advance(self.delivered).await {
            Ok(()) => self.saved = self.delivered,
            Err(error) => tracing::debug!(%error, "the history's place cannot be saved"),
        }
    }
}
