//! The one task that writes the journal.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::queue::Group;
use super::{Journal, table};
use crate::database::{DatabaseError, begin, finish};
use crate::event::{Device, DeviceId};
use crate::lock::lock;
use crate::store::sqlite;

/// Readings written in one transaction, at most.
const GROUP: usize = 1024;

/// How often old entries are deleted. Not at the start: a clock may be wrong
/// until the network has set it.
const TIDY_INTERVAL: Duration = Duration::from_secs(3600);

/// How often a device's `last_seen` is written, at most.
const SEEN_INTERVAL: Duration = Duration::from_secs(1800);

/// How long a reading that says nothing new waits for others.
const COMPANY: Duration = Duration::from_secs(60);

const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Writes what the journal is given, in groups.
#[derive(Debug)]
pub struct Writer {
    journal: Journal,
    /// When each device was last noted as seen.
    seen: HashMap<DeviceId, (Arc<Device>, Instant)>,
}

impl Writer {
    /// A writer of `journal`. A second one waits until the first has ended.
    pub fn new(journal: Journal) -> Self {
        Self {
            journal,
            seen: HashMap::new(),
        }
    }

    /// Writes until `shutdown`, then what is left.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let shared = self.journal.shared.clone();
        let _only = shared.writing.lock().await;
        let commit_interval = shared.limits.commit_interval;
        let mut tidy = tokio::time::interval_at(Instant::now() + TIDY_INTERVAL, TIDY_INTERVAL);
        // What an earlier writer left in the queue.
        self.write_all(&shutdown).await;
        loop {
            tokio::select! {
                () = shared.queue.filled() => {}
                () = shared.queue.touched() => {
                    tokio::select! {
                        () = shared.queue.filled() => {}
                        () = tokio::time::sleep(COMPANY) => {}
                        () = shutdown.cancelled() => {}
                    }
                }
                _ = tidy.tick() => {
                    self.tidy().await;
                    continue;
                }
                () = shutdown.cancelled() => break,
            }
            // Even a sleep of nothing takes a millisecond.
            if !commit_interval.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(commit_interval) => {}
                    () = shutdown.cancelled() => {}
                }
            }
            self.write_all(&shutdown).await;
        }
        self.write_all(&shutdown).await;
        let lost = shared.queue.len();
        if lost > 0 {
            tracing::error!(lost, "readings were not written");
        }
    }

    /// Writes the whole queue. A failing disk is tried again and again, while
    /// the queue drops its oldest; after `shutdown` once more.
    pub(super) async fn write_all(&mut self, shutdown: &CancellationToken) {
        let shared = self.journal.shared.clone();
        let mut backoff = RETRY.0;
        let mut failing = false;
        loop {
            let group = shared.queue.group(GROUP);
            if group.is_empty() {
                return;
            }
            let Err(error) = self.write(&group).await else {
                shared.queue.written(&group);
                if failing {
                    tracing::info!("the journal is being written again");
                    failing = false;
                    backoff = RETRY.0;
                }
                continue;
            };
            if !failing {
                tracing::error!(%error, "the journal cannot be written; readings wait in memory");
                failing = true;
            }
            if shutdown.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(backoff) => {}
                () = shutdown.cancelled() => {}
            }
            backoff = (backoff * 2).min(RETRY.1);
        }
    }

    async fn write(&mut self, group: &Group) -> Result<(), DatabaseError> {
        let shared = self.journal.shared.clone();
        let due = self.due(group);
        let mut connection = shared.database.lock().await;
        // Asked each time: an error on the way back from an earlier commit
        // says nothing about what was committed.
        let newest = table::newest(&mut connection).await?;
        let committed = *shared.committed.borrow();
        let done = usize::try_from(newest - committed).unwrap_or(0);
        let numbered = (newest + 1..)
            .zip(group.readings.iter().skip(done))
            .map(|(number, reading)| (number, reading.as_ref()));
        let last = newest + numbered.clone().count() as i64;
        begin(&mut connection).await?;
        let gateway = shared.database.gateway();
        let rows = async {
            table::append(&mut connection, numbered.clone()).await?;
            if shared.limits.history.is_some() {
                sqlite::insert_readings(&mut connection, gateway, numbered).await?;
            }
            for device in &due {
                sqlite::upsert_device(&mut connection, device, Utc::now()).await?;
            }
            Ok(())
        };
        let result = rows.await;
        finish(&mut connection, result).await?;
        drop(connection);
        shared.committed.send_replace(last);
        let now = Instant::now();
        for device in due {
            self.seen.insert(device.id.clone(), (device, now));
        }
        Ok(())
    }

    /// The devices to write: those described anew, and those that spoke and
    /// were not noted for a while.
    fn due(&self, group: &Group) -> Vec<Arc<Device>> {
        let now = Instant::now();
        let mut due: HashMap<_, _> = group
            .readings
            .iter()
            .filter_map(|reading| self.seen.get(&reading.device))
            .filter(|(_, at)| now - *at >= SEEN_INTERVAL)
            .map(|(device, _)| (&device.id, device.clone()))
            .collect();
        due.extend(
            group
                .devices
                .iter()
                .map(|device| (&device.id, device.clone())),
        );
        due.into_values().collect()
    }

    pub(super) async fn tidy(&self) {
        let shared = &self.journal.shared;
        let mut connection = shared.database.lock().await;
        // Behind the lock, or it may be older than the cursors.
        let noted = lock(&shared.noted).clone();
        let tidied = async {
            for (consumer, number) in &noted {
                table::set_cursor(&mut connection, consumer, *number).await?;
            }
            table::tidy(&mut connection, &shared.consumers, &shared.limits).await
        };
        match tidied.await {
            Ok(0) => {}
            Ok(cut) => {
                shared.cut.fetch_add(cut, Ordering::Relaxed);
                tracing::warn!(cut, "the journal is full: its oldest entries are lost");
            }
            Err(error) => tracing::warn!(%error, "old journal entries could not be deleted"),
        }
        if let Some(history) = shared.limits.history {
            let gateway = shared.database.gateway();
            let limit = Utc::now() - history;
            if let Err(error) = sqlite::forget(&mut connection, gateway, limit).await {
                tracing::warn!(%error, "old history could not be deleted");
            }
        }
    }
}
