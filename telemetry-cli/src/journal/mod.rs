//! The journal: every reading worth storing, numbered without gaps, on disk.
//!
//! Appending never waits: readings go into a bounded queue, and one task writes
//! them in groups, each group one transaction for the journal and the history
//! together. Consumers such as a database sink follow with a cursor of their
//! own ([`Consumer`]); what all of them have taken is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::database::{Database, DatabaseError};
use crate::event::{Device, Reading};
use crate::lock::lock;
use queue::Queue;

pub use consumer::{Consumer, Entry};
pub use writer::Writer;

mod consumer;
mod queue;
mod table;
mod writer;

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
    /// Everybody who has a right to the entries, whether it runs yet or not.
    consumers: BTreeSet<String>,
    queue: Queue,
    /// Number of the newest committed entry.
    committed: watch::Sender<i64>,
    /// How far consumers are that keep their place elsewhere.
    noted: std::sync::Mutex<BTreeMap<String, i64>>,
    /// Entries that the bounds took from a consumer.
    cut: AtomicU64,
    /// Held by the one writer.
    writing: Mutex<()>,
}

impl Journal {
    /// The journal in `database`. Entries stay until all `consumers` have
    /// taken them, those included that did not start yet. Nothing is written
    /// until [`Writer::run`] runs.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open(
        database: Arc<Database>,
        limits: Limits,
        consumers: BTreeSet<String>,
    ) -> Result<Self, DatabaseError> {
        let newest = table::newest(&mut *database.lock().await).await?;
        Ok(Self {
            shared: Arc::new(Shared {
                database,
                limits,
                consumers,
                queue: Queue::default(),
                committed: watch::Sender::new(newest),
                noted: std::sync::Mutex::default(),
                cut: AtomicU64::new(0),
                writing: Mutex::default(),
            }),
        })
    }

    /// Id of the gateway whose journal it is.
    pub fn gateway(&self) -> &str {
        self.shared.database.gateway()
    }

    /// Notes a device's description. Does not wait.
    pub fn describe(&self, device: Arc<Device>) {
        self.shared.queue.describe(device);
    }

    /// Appends a reading. Does not wait.
    pub fn append(&self, reading: Arc<Reading>) {
        self.shared.queue.append(reading);
        self.shared.queue.announce();
    }

    /// Appends a reading that says nothing new: it is committed with the next
    /// that does, or with others of its kind a minute later. Each commit costs
    /// the disk far more than a reading does.
    pub fn append_in_company(&self, reading: Arc<Reading>) {
        self.shared.queue.append(reading);
        if self.shared.limits.commit_interval.is_zero() {
            self.shared.queue.announce();
        } else {
            self.shared.queue.announce_some_time();
        }
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
        Consumer::open(self.shared.clone(), name).await
    }

    /// How many entries each consumer has not taken yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn backlog(&self) -> Result<BTreeMap<String, u64>, DatabaseError> {
        let newest = *self.shared.committed.borrow();
        let mut connection = self.shared.database.lock().await;
        let mut backlog = BTreeMap::new();
        for name in &self.shared.consumers {
            let saved = table::cursor(&mut connection, name).await?;
            let noted = lock(&self.shared.noted).get(name).copied();
            let taken = noted.unwrap_or(saved);
            backlog.insert(name.clone(), (newest - taken).unsigned_abs());
        }
        Ok(backlog)
    }

    /// Entries lost since start: to the bounds before a consumer took them,
    /// or because the disk could not keep up.
    pub fn dropped(&self) -> u64 {
        self.shared.cut.load(Ordering::Relaxed) + self.shared.queue.lost()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use tokio_util::sync::CancellationToken;

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

    async fn journal(database: Database, limits: Limits) -> (Journal, Writer) {
        let consumers = ["test".to_owned()].into();
        let journal = Journal::open(database.into(), limits, consumers)
            .await
            .unwrap();
        let writer = Writer::new(journal.clone());
        (journal, writer)
    }

    async fn memory(limits: Limits) -> (Journal, Writer) {
        journal(Database::open(None).await.unwrap(), limits).await
    }

    /// Writes what is queued, once.
    async fn write(writer: &mut Writer) {
        writer.write_all(&CancellationToken::new()).await;
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
        assert_eq!(
            journal.backlog().await.unwrap(),
            [("test".to_owned(), 2)].into()
        );
    }

    #[tokio::test]
    async fn what_says_nothing_new_is_written_with_what_does() {
        let limits = Limits {
            commit_interval: Duration::from_millis(1),
            ..LIMITS
        };
        let (journal, writer) = memory(limits).await;
        let mut consumer = journal.consumer("test").await.unwrap();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(writer.run(shutdown.clone()));
        // It looks at what an earlier one left, and then waits.
        tokio::task::yield_now().await;
        journal.append(reading("other", 1));
        consumer.wait_beyond(0).await;
        journal.append_in_company(reading("one", 2));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(consumer.newest(), 1, "it waits for company");
        journal.append(reading("other", 3));
        consumer.wait_beyond(2).await;
        let entries = consumer.after(1, 9).await.unwrap();
        let devices: Vec<_> = entries.iter().map(|entry| &entry.reading.device).collect();
        assert_eq!(
            devices,
            [&DeviceId::new(&["one"]), &DeviceId::new(&["other"])]
        );
        // And at the end.
        journal.append_in_company(reading("one", 4));
        shutdown.cancel();
        running.await.unwrap();
        assert_eq!(consumer.newest(), 4);
    }

    #[tokio::test]
    async fn what_a_consumer_noted_is_deleted_without_its_doing() {
        let (journal, mut writer) = memory(LIMITS).await;
        for number in 1..=3 {
            journal.append(reading("pack", number));
        }
        write(&mut writer).await;
        let consumer = journal.consumer("test").await.unwrap();
        consumer.note(2);
        writer.tidy().await;
        assert_eq!(consumer.after(0, 9).await.unwrap().len(), 1);
        assert_eq!(journal.consumer("test").await.unwrap().taken(), 2);
    }

    /// What keeps the place elsewhere was restored from a backup.
    #[tokio::test]
    async fn a_consumer_that_goes_back_keeps_what_comes_again() {
        let (journal, mut writer) = memory(LIMITS).await;
        for number in 1..=4 {
            journal.append(reading("pack", number));
        }
        write(&mut writer).await;
        let mut consumer = journal.consumer("test").await.unwrap();
        consumer.note(3);
        consumer.advance(1).await.unwrap();
        assert_eq!(
            journal.backlog().await.unwrap(),
            [("test".to_owned(), 3)].into()
        );
        writer.tidy().await;
        assert_eq!(consumer.after(0, 9).await.unwrap().len(), 3);
        assert_eq!(journal.consumer("test").await.unwrap().taken(), 1);
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
        for number in 0..queue::CAPACITY as i64 + 10 {
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
            let (journal, mut writer) = journal(database, LIMITS).await;
            journal.append(reading("pack", run));
            write(&mut writer).await;
            let mut consumer = journal.consumer("test").await.unwrap();
            consumer.advance(run).await.unwrap();
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

    #[tokio::test]
    async fn a_restart_keeps_what_a_consumer_has_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("telemetry.sqlite");
        let open = async || journal(Database::open(Some(&file)).await.unwrap(), LIMITS).await;
        let (before, mut writer) = open().await;
        for number in 0..40 {
            before.append(reading("pack", number));
        }
        write(&mut writer).await;
        drop((before, writer));

        // Tidied before the consumer is up.
        let (after, writer) = open().await;
        writer.tidy().await;
        let consumer = after.consumer("test").await.unwrap();
        assert_eq!(consumer.after(0, 99).await.unwrap().len(), 40);
    }

    #[tokio::test]
    async fn a_clock_that_runs_years_ahead_deletes_nothing() {
        let (journal, mut writer) = memory(LIMITS).await;
        let consumer = journal.consumer("test").await.unwrap();
        for number in 0..3 {
            let mut old = reading("pack", number).as_ref().clone();
            old.fetched_at -= TimeDelta::days(700);
            journal.append(Arc::new(old));
        }
        write(&mut writer).await;
        writer.tidy().await;
        assert_eq!(consumer.after(0, 9).await.unwrap().len(), 3);
    }

    /// A commit that fails must not leave a transaction behind that swallows
    /// all later ones.
    #[tokio::test]
    async fn writing_goes_on_after_a_failed_commit() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("telemetry.sqlite");
        let (journal, mut writer) =
            journal(Database::open(Some(&file)).await.unwrap(), LIMITS).await;
        // A deferred constraint fails when it is committed, not before.
        sqlx::raw_sql(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE allowed (device TEXT PRIMARY KEY);
             CREATE TABLE trap (device TEXT REFERENCES allowed DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER fail AFTER INSERT ON journal
                 BEGIN INSERT INTO trap VALUES (new.device); END;",
        )
        .execute(&mut *journal.shared.database.lock().await)
        .await
        .unwrap();
        journal.append(reading("pack", 1));
        let stopped = CancellationToken::new();
        stopped.cancel();
        writer.write_all(&stopped).await;
        assert_eq!(*journal.shared.committed.borrow(), 0);

        sqlx::raw_sql("DROP TRIGGER fail")
            .execute(&mut *journal.shared.database.lock().await)
            .await
            .unwrap();
        write(&mut writer).await;
        let other = Database::open_read_only(&file).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM battery")
            .fetch_one(&mut *other.lock().await)
            .await
            .unwrap();
        assert_eq!(rows, 1, "seen by another connection");
    }
}
