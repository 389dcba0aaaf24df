//! The journal: every reading worth storing, numbered without gaps, on disk.
//!
//! Appending never waits: readings go into a bounded queue, and one task writes
//! them in groups, each group one transaction for the journal and the history
//! together. Consumers such as a database sink follow with a cursor of their
//! own ([`Consumer`]); what all of them have taken is deleted.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::database::{Database, DatabaseError};
use crate::event::{Device, Reading};
use crate::store::sqlite;

pub use consumer::{Consumer, Entry};

mod consumer;
mod table;

/// Readings that wait to be written, at most; beyond it the oldest is lost.
const QUEUE: usize = 20_000;

/// Readings written in one transaction, at most.
const GROUP: usize = 1024;

/// How often old entries are deleted.
const TIDY_INTERVAL: Duration = Duration::from_secs(600);

/// How often a device's `last_seen` is written, at most.
const SEEN_INTERVAL: Duration = Duration::from_secs(300);

const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What the journal keeps, and how fast it writes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A reading waits at most this long to be committed.
    pub commit_interval: Duration,
    /// Entries that are older are deleted, taken or not.
    pub max_age: Duration,
    /// The oldest entries beyond this many bytes are deleted, taken or not.
    pub max_bytes: u64,
    /// How long the history keeps a row; without it there is no history.
    pub history: Option<Duration>,
}

/// Handle on the journal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: Arc<Database>,
    limits: Limits,
    queue: Mutex<VecDeque<Work>>,
    queued: Notify,
    /// Number of the newest committed entry.
    committed: watch::Sender<i64>,
    consumers: Mutex<BTreeSet<String>>,
    dropped: AtomicU64,
}

#[derive(Clone, Debug)]
enum Work {
    Describe(Arc<Device>),
    Append(Arc<Reading>),
}

impl Journal {
    /// The journal in `database`. Nothing is written until
    /// [`Writer::run`] runs.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(
        database: Arc<Database>,
        limits: Limits,
    ) -> Result<(Self, Writer), DatabaseError> {
        let newest = table::newest(&mut *database.lock().await).await?;
        let journal = Self {
            shared: Arc::new(Shared {
                database,
                limits,
                queue: Mutex::default(),
                queued: Notify::new(),
                committed: watch::Sender::new(newest),
                consumers: Mutex::default(),
                dropped: AtomicU64::new(0),
            }),
        };
        let writer = Writer {
            journal: journal.clone(),
            seen: Vec::new(),
        };
        Ok((journal, writer))
    }

    /// Id of the gateway whose journal it is.
    pub fn gateway(&self) -> &str {
        self.shared.database.gateway()
    }

    /// Notes a device's description. Does not wait.
    pub fn describe(&self, device: Arc<Device>) {
        self.queue(Work::Describe(device));
    }

    /// Appends a reading. Does not wait.
    pub fn append(&self, reading: Arc<Reading>) {
        self.queue(Work::Append(reading));
    }

    fn queue(&self, work: Work) {
        let mut queue = lock(&self.shared.queue);
        if queue.len() >= QUEUE {
            queue.pop_front();
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.push_back(work);
        drop(queue);
        self.shared.queued.notify_one();
    }

    /// The last reading of each device, from this run or an earlier one.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn last_readings(&self) -> Result<Vec<Reading>, DatabaseError> {
        let mut connection = self.shared.database.lock().await;
        Ok(table::last_per_device(&mut connection).await?)
    }

    /// Follows the journal under `name`, from where that name left off.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn consumer(&self, name: &str) -> Result<Consumer, DatabaseError> {
        lock(&self.shared.consumers).insert(name.to_owned());
        Consumer::open(self.shared.clone(), name).await
    }

    /// How many entries each consumer has not taken yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn backlog(&self) -> Result<Vec<(String, u64)>, DatabaseError> {
        let names = lock(&self.shared.consumers).clone();
        let mut connection = self.shared.database.lock().await;
        let mut backlog = Vec::new();
        for name in names {
            let count = table::backlog(&mut connection, &name).await?;
            backlog.push((name, count));
        }
        Ok(backlog)
    }

    /// Entries lost since start: to the bounds before a consumer took them,
    /// or because the disk could not keep up.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// The one task that writes.
#[derive(Debug)]
pub struct Writer {
    journal: Journal,
    /// When each device was last noted as seen.
    seen: Vec<(Arc<Device>, Option<tokio::time::Instant>)>,
}

impl Writer {
    /// Writes until `shutdown`, then what is left.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let commit_interval = self.journal.shared.limits.commit_interval;
        let mut tidy = tokio::time::interval(TIDY_INTERVAL);
        loop {
            tokio::select! {
                () = self.journal.shared.queued.notified() => {
                    // Even a sleep of nothing takes a millisecond.
                    if !commit_interval.is_zero() {
                        tokio::select! {
                            () = tokio::time::sleep(commit_interval) => {}
                            () = shutdown.cancelled() => {}
                        }
                    }
                    self.write_until_done(&shutdown).await;
                }
                _ = tidy.tick() => self.tidy().await,
                () = shutdown.cancelled() => break,
            }
        }
        self.write_until_done(&shutdown).await;
    }

    /// Writes the whole queue. A failing disk is tried again and again, while
    /// the queue drops its oldest; after `shutdown` once more.
    async fn write_until_done(&mut self, shutdown: &CancellationToken) {
        let mut backoff = RETRY.0;
        let mut failing = false;
        loop {
            let group: Vec<_> = {
                let queue = lock(&self.journal.shared.queue);
                queue.iter().take(GROUP).cloned().collect()
            };
            if group.is_empty() {
                break;
            }
            let dropped = self.journal.dropped();
            match self.write(&group).await {
                Ok(()) => {
                    // What overflowed meanwhile was the head of this group,
                    // and is written after all.
                    let mut queue = lock(&self.journal.shared.queue);
                    let overflowed = (self.journal.dropped() - dropped).min(group.len() as u64);
                    let total = &self.journal.shared.dropped;
                    total.fetch_sub(overflowed, Ordering::Relaxed);
                    queue.drain(..group.len() - overflowed as usize);
                    if failing {
                        tracing::info!("the journal is being written again");
                        failing = false;
                    }
                    backoff = RETRY.0;
                }
                Err(error) => {
                    if !failing {
                        tracing::error!(%error, "the journal cannot be written; readings wait in memory");
                        failing = true;
                    }
                    if shutdown.is_cancelled() {
                        tracing::error!(lost = group.len(), "readings were not written");
                        break;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(backoff) => {}
                        () = shutdown.cancelled() => {}
                    }
                    backoff = (backoff * 2).min(RETRY.1);
                }
            }
        }
    }

    async fn write(&mut self, group: &[Work]) -> Result<(), DatabaseError> {
        use sqlx::Connection;

        let shared = self.journal.shared.clone();
        let first = *shared.committed.borrow() + 1;
        let readings = group.iter().filter_map(|work| match work {
            Work::Append(reading) => Some(reading.as_ref()),
            Work::Describe(_) => None,
        });
        let numbered = (first..).zip(readings);
        let last = first - 1 + numbered.clone().count() as i64;

        let mut connection = shared.database.lock().await;
        let mut transaction = connection.begin().await?;
        table::append(&mut transaction, numbered.clone()).await?;
        if shared.limits.history.is_some() {
            let gateway = shared.database.gateway();
            sqlite::insert_readings(&mut transaction, gateway, numbered).await?;
        }
        for device in self.devices_to_note(group) {
            sqlite::upsert_device(&mut transaction, &device, Utc::now()).await?;
        }
        transaction.commit().await?;
        shared.committed.send_replace(last);
        Ok(())
    }

    fn devices_to_note(&mut self, group: &[Work]) -> Vec<Arc<Device>> {
        for work in group {
            if let Work::Describe(device) = work {
                self.seen.retain(|(known, _)| known.id != device.id);
                self.seen.push((device.clone(), None));
            }
        }
        let now = tokio::time::Instant::now();
        let mut noted = Vec::new();
        for (device, at) in &mut self.seen {
            let due = at.is_none_or(|at| now - at >= SEEN_INTERVAL);
            let spoke = group.iter().any(|work| match work {
                Work::Append(reading) => reading.device == device.id,
                Work::Describe(described) => described.id == device.id,
            });
            if due && spoke {
                *at = Some(now);
                noted.push(device.clone());
            }
        }
        noted
    }

    async fn tidy(&self) {
        let shared = &self.journal.shared;
        let consumers = lock(&shared.consumers).clone();
        let mut connection = shared.database.lock().await;
        match table::tidy(&mut connection, &consumers, &shared.limits).await {
            Ok(0) => {}
            Ok(dropped) => {
                shared.dropped.fetch_add(dropped, Ordering::Relaxed);
                tracing::warn!(dropped, "the journal is full: its oldest entries are lost");
            }
            Err(error) => tracing::warn!(%error, "old journal entries could not be deleted"),
        }
        if let Some(history) = shared.limits.history
            && let Err(error) = sqlite::forget(&mut connection, Utc::now() - history).await
        {
            tracing::warn!(%error, "old history could not be deleted");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::event::{DeviceId, DeviceKind};
    use crate::metric::battery;
    use crate::value::Value;

    const LIMITS: Limits = Limits {
        commit_interval: Duration::ZERO,
        max_age: Duration::from_secs(3600),
        max_bytes: 1 << 20,
        history: Some(Duration::from_secs(3600)),
    };

    fn reading(device: &str, number: i64) -> Arc<Reading> {
        let time = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
        let mut reading = Reading::new(DeviceId::new(&[device]), DeviceKind::Battery, time);
        reading.values.set(&battery::CYCLES, Value::from(number));
        Arc::new(reading)
    }

    async fn memory(limits: Limits) -> (Journal, Writer) {
        let database = Database::open(None).await.unwrap();
        Journal::open(database.into(), limits).await.unwrap()
    }

    /// Writes what is queued, once.
    async fn write(writer: &mut Writer) {
        writer.write_until_done(&CancellationToken::new()).await;
    }

    #[tokio::test]
    async fn a_consumer_goes_on_where_it_left_off() {
        let (journal, mut writer) = memory(LIMITS).await;
        let third = reading("pack", 3);
        for number in 1..=5 {
            journal.append(if number == 3 {
                third.clone()
            } else {
                reading("pack", number)
            });
        }
        write(&mut writer).await;

        let mut consumer = journal.consumer("test").await.unwrap();
        let entries = consumer.after(consumer.taken(), 3).await.unwrap();
        let numbers: Vec<_> = entries.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(entries[2].reading, *third);
        consumer.advance(3).await.unwrap();

        let again = journal.consumer("test").await.unwrap();
        assert_eq!(again.taken(), 3);
        assert_eq!(again.after(3, 9).await.unwrap().len(), 2);
        assert_eq!(journal.backlog().await.unwrap(), [("test".to_owned(), 2)]);
    }

    #[tokio::test]
    async fn waiting_ends_with_the_commit() {
        let (journal, mut writer) = memory(LIMITS).await;
        let mut consumer = journal.consumer("test").await.unwrap();
        let waiting = tokio::spawn(async move { consumer.wait_beyond(0).await });
        journal.append(reading("pack", 1));
        write(&mut writer).await;
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn taken_entries_go_and_the_last_of_each_device_stays() {
        let (journal, mut writer) = memory(LIMITS).await;
        journal.append(reading("one", 1));
        journal.append(reading("other", 2));
        journal.append(reading("one", 3));
        journal.append(reading("one", 4));
        write(&mut writer).await;
        let mut consumer = journal.consumer("test").await.unwrap();
        consumer.advance(3).await.unwrap();
        writer.tidy().await;

        let left = consumer.after(0, 9).await.unwrap();
        let numbers: Vec<_> = left.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers, [2, 4]);
        assert_eq!(journal.dropped(), 0);
    }

    #[tokio::test]
    async fn what_somebody_still_wanted_is_counted_when_it_goes() {
        let limits = Limits {
            max_bytes: 2000,
            ..LIMITS
        };
        let (journal, mut writer) = memory(limits).await;
        let consumer = journal.consumer("test").await.unwrap();
        for number in 0..3000 {
            journal.append(reading("pack", number));
        }
        write(&mut writer).await;
        writer.tidy().await;
        let left = consumer.after(0, 9999).await.unwrap().len() as u64;
        assert!(left < 100, "{left}");
        assert_eq!(journal.dropped(), 3000 - left);
    }

    #[tokio::test]
    async fn entries_beyond_the_age_go() {
        let limits = Limits {
            max_age: Duration::from_secs(60),
            ..LIMITS
        };
        let (journal, mut writer) = memory(limits).await;
        let consumer = journal.consumer("test").await.unwrap();
        let mut old = reading("pack", 1).as_ref().clone();
        old.fetched_at -= TimeDelta::seconds(61);
        journal.append(Arc::new(old));
        journal.append(reading("pack", 2));
        write(&mut writer).await;
        writer.tidy().await;
        assert_eq!(consumer.after(0, 9).await.unwrap().len(), 1);
        assert_eq!(journal.dropped(), 1);
    }

    #[tokio::test]
    async fn a_full_queue_loses_its_oldest() {
        let (journal, mut writer) = memory(LIMITS).await;
        for number in 0..QUEUE as i64 + 10 {
            journal.append(reading("pack", number));
        }
        assert_eq!(journal.dropped(), 10);
        write(&mut writer).await;
        let consumer = journal.consumer("test").await.unwrap();
        let first = consumer.after(0, 1).await.unwrap().remove(0);
        assert_eq!(first.reading.values.number(&battery::CYCLES), Some(10.0));
    }

    #[tokio::test]
    async fn numbers_and_totals_go_on_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("telemetry.sqlite");
        for run in 1..=3 {
            let database = Database::open(Some(&file)).await.unwrap();
            let (journal, mut writer) = Journal::open(database.into(), LIMITS).await.unwrap();
            journal.append(reading("pack", run));
            write(&mut writer).await;
            writer.tidy().await;
            let last = journal.last_readings().await.unwrap();
            assert_eq!(last.len(), 1);
            assert_eq!(last[0].values.number(&battery::CYCLES), Some(run as f64));
            assert_eq!(*journal.shared.committed.borrow(), run);
        }
        let database = Database::open_read_only(&file).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(DISTINCT number) FROM battery")
            .fetch_one(&mut *database.lock().await)
            .await
            .unwrap();
        assert_eq!(rows, 3);
    }
}
