//! A follower of the journal with a cursor that survives restarts.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Shared, table};
use crate::database::DatabaseError;
use crate::event::{Device, Reading};
use crate::lock::lock;
use crate::store::sqlite;

/// One numbered reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number: unique and rising per gateway.
    pub number: i64,
    /// The reading.
    pub reading: Reading,
}

/// Takes entries in order. An entry counts as taken once
/// [`Consumer::advance`] said so; until then it comes again after a restart.
#[derive(Debug)]
pub struct Consumer {
    journal: Arc<Shared>,
    name: String,
    taken: i64,
    committed: watch::Receiver<i64>,
}

impl Consumer {
    pub(super) async fn open(journal: Arc<Shared>, name: &str) -> Result<Self, DatabaseError> {
        let taken = table::cursor(&mut *journal.database.lock().await, name).await?;
        Ok(Self {
            committed: journal.committed.subscribe(),
            journal,
            name: name.to_owned(),
            taken,
        })
    }

    /// The next entries after `number`, at most `limit`; none if there are no
    /// more yet.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn after(&self, number: i64, limit: u32) -> Result<Vec<Entry>, DatabaseError> {
        let mut connection = self.journal.database.lock().await;
        Ok(table::after(&mut connection, number, limit).await?)
    }

    /// Number of the last taken entry.
    pub fn taken(&self) -> i64 {
        self.taken
    }

    /// Number of the newest committed entry, this consumer's or not.
    pub fn newest(&self) -> i64 {
        *self.committed.borrow()
    }

    /// Everything up to `number` is taken, and somebody else remembers it: the
    /// backlog counts from there. Costs no write now; the journal saves it when
    /// it next deletes what is taken.
    pub fn note(&self, number: i64) {
        lock(&self.journal.noted).insert(self.name.clone(), number);
    }

    /// Everything up to `number` is taken for good.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn advance(&mut self, number: i64) -> Result<(), DatabaseError> {
        let mut connection = self.journal.database.lock().await;
        table::set_cursor(&mut connection, &self.name, number).await?;
        // It may be less than was noted: somebody else's memory was restored.
        self.note(number);
        self.taken = number;
        Ok(())
    }

    /// Waits until an entry after `number` is committed. Cancel safe.
    pub async fn wait_beyond(&mut self, number: i64) {
        // Fails only when the journal is gone; then nothing will come.
        if self
            .committed
            .wait_for(|newest| *newest > number)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// Every device that readings can belong to.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn devices(&self) -> Result<Vec<Device>, DatabaseError> {
        let mut connection = self.journal.database.lock().await;
        Ok(sqlite::devices(&mut connection).await?)
    }
}
