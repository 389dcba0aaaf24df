//! The tables of another program in place of ours.
//!
//! The journal's entries are written in their order, one transaction for a batch
//! of them. The number of the last one stands in a small table of our own beside
//! those of the original and changes in the same transaction: whatever is killed
//! when, each row arrives exactly once. Where we may not make that table, or the
//! original's tables know no transactions (MyISAM), the journal's own cursor
//! counts: no row is lost then, but the last ones may come twice after a kill.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::failure::{Class, Failure};
use super::settings::Settings;
use crate::config;
use crate::database::DatabaseError;
use crate::event::Reading;
use crate::journal::Consumer;
use crate::sink::Context;
use crate::store::Cell;
use crate::supervisor::{Exit, Task};

use session::Session;

mod session;

/// Under this name the journal remembers what it may delete.
pub const CONSUMER: &str = "originals";

/// The column that our tables have for everything else.
const EXTRA: &str = "extra";

/// What marks a table as ours: its comment.
const COMMENT: &str = "made by telemetry, version 1";

/// How often an idle connection is tried.
const BEAT: Duration = Duration::from_secs(60);

/// How long the end may take.
const DRAIN: Duration = Duration::from_secs(5);

/// A table of the original.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns behind `device`, and the types that we give them where the
    /// table is missing.
    pub columns: &'static [(&'static str, &'static str)],
}

impl Table {
    /// What makes it. All columns may be empty: no device has all of them.
    fn create(&self) -> String {
        let columns = self.columns.iter();
        let columns: String = columns
            .map(|(name, sql)| format!("{name} {sql} NULL, "))
            .collect();
        format!(
            "CREATE TABLE IF NOT EXISTS {} (\
             id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
             ts TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), \
             device VARCHAR(48) NOT NULL, {columns}{EXTRA} JSON NULL, \
             KEY by_device (device, ts)) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='{COMMENT}'",
            self.name
        )
    }
}

/// A row of one of the tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The place of the table.
    pub table: usize,
    /// What `device` is.
    pub device: String,
    /// Values by column, typed: for tables that we made.
    pub ours: Vec<(&'static str, Cell)>,
    /// The same as the original wrote them.
    pub originals: Vec<(&'static str, Cell)>,
    /// What no table has a column for, as JSON.
    pub extra: Option<String>,
}

/// Another program's tables.
#[derive(Clone, Copy, Debug)]
pub struct Originals {
    /// All of them.
    pub tables: &'static [Table],
    /// The rows that a reading makes.
    pub rows: fn(&Reading) -> Vec<Row>,
}

/// Writes what the journal holds until the task is shut down. Ends as
/// [`super::run`] does.
pub async fn run(
    config: config::MariaDb,
    originals: Originals,
    context: Context,
    task: Task,
) -> Exit {
    let settings = match Settings::new(&config) {
        Ok(settings) => settings,
        Err(wrong) => return Exit::Fatal(wrong),
    };
    let Some(journal) = &context.journal else {
        return Exit::Fatal("there is no journal to write".to_owned());
    };
    let consumer = match journal.consumer(CONSUMER).await {
        Ok(consumer) => consumer,
        Err(error) => return Exit::Transient(error.to_string()),
    };
    let opened = tokio::select! {
        opened = Session::open(&settings, originals, journal.gateway(), consumer.taken()) => opened,
        () = task.shutdown.cancelled() => return Exit::Stopped,
    };
    let (session, taken) = match opened {
        Ok(opened) => opened,
        Err(failure) => return failure.exit(&settings),
    };
    let taken = taken.unwrap_or_else(|| consumer.taken());
    if taken > consumer.newest() {
        let newest = consumer.newest();
        let failure = Failure {
            class: Class::Person,
            text: format!(
                "it holds rows of this gateway up to number {taken}, and the journal here ends at \
                 {newest}: the state directory is an old backup, or the copy of another \
                 gateway's. Begin a new one: stop telemetry and move telemetry.sqlite away"
            ),
        };
        return failure.exit(&settings);
    }
    context.stats.well(&task.name);
    tracing::info!(place = %settings.place, "connected");
    let mut sink = Sink {
        session,
        saved: consumer.taken(),
        consumer,
        taken,
        batch: config.batch,
        context: &context,
        name: task.name.clone(),
        told: HashSet::new(),
    };
    match sink.run(&task).await {
        Ok(()) => Exit::Stopped,
        Err(Trouble::Server(failure)) => failure.exit(&settings),
        Err(Trouble::Journal(error)) => Exit::Transient(error.to_string()),
    }
}

enum Trouble {
    Server(Failure),
    Journal(DatabaseError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        Self::Journal(error)
    }
}

struct Sink<'c> {
    session: Session,
    consumer: Consumer,
    /// Number of the last entry that is in the database.
    taken: i64,
    /// What of it the journal knows.
    saved: i64,
    batch: u32,
    context: &'c Context,
    name: String,
    /// Tables whose refused rows were reported.
    told: HashSet<&'static str>,
}

impl Sink<'_> {
    async fn run(&mut self, task: &Task) -> Result<(), Trouble> {
        self.save().await?;
        let patience = async {
            task.shutdown.cancelled().await;
            sleep(DRAIN).await;
        };
        let worked = tokio::select! {
            result = self.work(task) => Some(result),
            () = patience => None,
        };
        self.save().await?;
        match worked {
            Some(result) => result,
            None => {
                tracing::warn!("ended before the database had everything");
                Ok(())
            }
        }
    }

    async fn work(&mut self, task: &Task) -> Result<(), Trouble> {
        loop {
            let ending = task.shutdown.is_cancelled();
            let seen = self.consumer.newest();
            self.catch_up().await?;
            if ending {
                return Ok(());
            }
            tokio::select! {
                () = self.consumer.wait_beyond(seen) => {}
                () = sleep(BEAT) => {
                    self.save().await?;
                    self.session.ping().await?;
                }
                () = task.shutdown.cancelled() => {}
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), Trouble> {
        let mut saved = Instant::now();
        loop {
            let entries = self.consumer.after(self.taken, self.batch).await?;
            let Some(last) = entries.last() else {
                return Ok(());
            };
            let began = Instant::now();
            let refused = self.session.write(&entries, self.taken).await?;
            self.taken = last.number;
            self.consumer.note(self.taken);
            self.context.stats.polled(&self.name, began.elapsed());
            self.report(&refused);
            // Without a cursor of its own the database cannot tell how far it is.
            if !self.session.counts || saved.elapsed() >= BEAT {
                self.save().await?;
                saved = Instant::now();
            }
        }
    }

    fn report(&mut self, refused: &[(&'static str, String)]) {
        let count = refused.len() as u64;
        self.context.stats.set_aside(&self.name, count);
        for (table, reason) in refused {
            if self.told.insert(table) {
                tracing::warn!(
                    table,
                    reason,
                    "the database refuses a row, and so will it others like it: give its column \
                     another type"
                );
            } else {
                tracing::debug!(table, reason, "row refused");
            }
        }
    }

    async fn save(&mut self) -> Result<(), DatabaseError> {
        if self.taken != self.saved {
            self.consumer.advance(self.taken).await?;
            self.saved = self.taken;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_table_has_every_column() {
        let table = Table {
            name: "t",
            columns: &[("a", "INT"), ("b", "VARCHAR(40)")],
        };
        let sql = table.create();
        assert!(sql.contains("device VARCHAR(48) NOT NULL, a INT NULL, b VARCHAR(40) NULL, extra"));
    }
}
