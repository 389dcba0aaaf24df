//! The tables of another program in place of ours.
//!
//! The journal's entries are written in their order, one transaction for a batch
//! of them. The number of the last one stands in a small table of our own beside
//! those of the original and changes in the same transaction: whatever is killed
//! when, each row arrives exactly once. Where we may not make that table, or the
//! original's tables know no transactions (MyISAM), the journal's own cursor
//! counts: no row is lost then, but the last ones may come twice after a kill.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::{Instant, sleep, timeout};

use super::failure::{Class, Failure};
use super::settings::Settings;
use crate::config;
use crate::database::DatabaseError;
use crate::event::Reading;
use crate::journal::{Consumer, Entry};
use crate::sink::Context;
use crate::store::Cell;
use crate::store::mariadb::{about_data, bind, number};
use crate::supervisor::{Exit, Task};

/// Under this name the journal remembers what it may delete.
pub const CONSUMER: &str = "originals";

/// The column that our tables have for everything else.
const EXTRA: &str = "extra";

/// What marks a table as ours: its comment.
const COMMENT: &str = "made by telemetry, version 1";

/// Who has written up to which entry.
const TAKEN: &str = "telemetry_taken";

/// Until the server has let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// Until a transaction is through.
const ANSWER: Duration = Duration::from_secs(120);

/// Attempts at a transaction that others were in the way of.
const ATTEMPTS: u32 = 8;

/// How often an idle connection is tried.
const BEAT: Duration = Duration::from_secs(60);

/// How long the end may take.
const DRAIN: Duration = Duration::from_secs(5);

/// Times are those of the server, as in rows of the original; everything else is
/// as it is set to.
const SESSION: &str = "SET SESSION time_zone = @@GLOBAL.time_zone, wait_timeout = 28800, \
     innodb_lock_wait_timeout = 20, autocommit = 1";

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
        opened = Session::open(&settings, originals, journal.gateway()) => opened,
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

/// One of the four tables, as it is.
struct Found {
    /// We made it.
    is_ours: bool,
    /// What a row is inserted with, in this order.
    columns: Vec<String>,
    /// Where the time goes, if there is one place.
    time: Option<String>,
}

struct Session {
    connection: MySqlConnection,
    settings: Settings,
    originals: Originals,
    gateway: String,
    tables: BTreeMap<usize, Found>,
    /// The number of the last entry stands in the database.
    counts: bool,
}

impl Session {
    /// Connects and makes what is missing; the number of the last entry that is
    /// there, if the database counts.
    async fn open(
        settings: &Settings,
        originals: Originals,
        gateway: &str,
    ) -> Result<(Self, Option<i64>), Failure> {
        let options = settings.reveal().map_err(Failure::login)?;
        let fail = |error: sqlx::Error| Failure::new(&error, settings);
        let connecting = async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(SESSION).execute(&mut connection).await?;
            Ok(connection)
        };
        let connection = match timeout(CONNECT, connecting).await {
            Ok(result) => result.map_err(fail)?,
            Err(_) => return Err(Failure::no_answer()),
        };
        let mut session = Self {
            connection,
            settings: settings.clone(),
            originals,
            gateway: gateway.to_owned(),
            tables: BTreeMap::new(),
            counts: true,
        };
        match timeout(ANSWER, session.prepare()).await {
            Ok(result) => Ok((session, result?)),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    async fn prepare(&mut self) -> Result<Option<i64>, Failure> {
        let mut transactions = true;
        for (place, table) in self.originals.tables.iter().enumerate() {
            let mut about = self.about(table.name).await?;
            if about.is_none() {
                let create = table.create();
                self.execute(&create).await?;
                about = self.about(table.name).await?;
            }
            let Some((comment, engine)) = about else {
                return Err(Failure::later(format!("the table {} vanished", table.name)));
            };
            transactions &= engine.eq_ignore_ascii_case("innodb");
            let found = self.look(table.name, comment == COMMENT).await?;
            self.tables.insert(place, found);
        }
        if !transactions {
            tracing::warn!(
                "a table of the original knows no transactions: after a kill its last rows may \
                 come twice; `ALTER TABLE … ENGINE=InnoDB` helps"
            );
        }
        self.count().await
    }

    /// Comment and engine of a table, if it is there.
    async fn about(&mut self, table: &str) -> Result<Option<(String, String)>, Failure> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(TABLE_COMMENT, '') AS CHAR), CAST(COALESCE(ENGINE, '') AS CHAR) \
             FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
        )
        .bind(table)
        .fetch_optional(&mut self.connection)
        .await;
        let row = row.map_err(|error| self.failure(&error))?;
        let read = |row: sqlx::mysql::MySqlRow| Ok((row.try_get(0)?, row.try_get(1)?));
        row.map(read)
            .transpose()
            .map_err(|error: sqlx::Error| self.failure(&error))
    }

    /// The columns that are written: those of the original that are there, and
    /// the one for everything else.
    async fn look(&mut self, table: &str, is_ours: bool) -> Result<Found, Failure> {
        let rows = sqlx::query(
            "SELECT CAST(COLUMN_NAME AS CHAR), CAST(DATA_TYPE AS CHAR), \
                    CAST(COALESCE(COLUMN_DEFAULT, '') AS CHAR) \
             FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
        )
        .bind(table)
        .fetch_all(&mut self.connection)
        .await;
        let rows = rows.map_err(|error| self.failure(&error))?;
        let mut columns = Vec::new();
        let mut times = Vec::new();
        for row in rows {
            let read = || -> Result<[String; 3], sqlx::Error> {
                Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?])
            };
            let [name, kind, default] = read().map_err(|error| self.failure(&error))?;
            let kind = kind.to_ascii_lowercase();
            let moment = ["timestamp", "datetime"].contains(&kind.as_str());
            if moment
                && default
                    .to_ascii_lowercase()
                    .starts_with("current_timestamp")
            {
                times.push(name);
            } else {
                columns.push(name);
            }
        }
        Ok(Found {
            is_ours,
            columns,
            // Of several nobody knows which one is meant.
            time: if times.len() == 1 { times.pop() } else { None },
        })
    }

    /// The number of our last entry here.
    async fn count(&mut self) -> Result<Option<i64>, Failure> {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {TAKEN} (gateway VARCHAR(64) NOT NULL PRIMARY KEY, \
             number BIGINT NOT NULL) ENGINE=InnoDB COMMENT='{COMMENT}'"
        );
        let row = format!("INSERT IGNORE INTO {TAKEN} (gateway, number) VALUES (?, 0)");
        let ask = format!("SELECT number FROM {TAKEN} WHERE gateway = ?");
        let counted = async {
            sqlx::raw_sql(AssertSqlSafe(create))
                .execute(&mut self.connection)
                .await?;
            sqlx::query(AssertSqlSafe(row))
                .bind(&self.gateway)
                .execute(&mut self.connection)
                .await?;
            sqlx::query_scalar(AssertSqlSafe(ask))
                .bind(&self.gateway)
                .fetch_one(&mut self.connection)
                .await
        };
        match counted.await {
            Ok(taken) => Ok(Some(taken)),
            Err(error) if number(&error).is_some_and(|number| FORBIDDEN.contains(&number)) => {
                tracing::warn!(
                    "the user may not create the table {TAKEN}: after a kill the last rows may \
                     come twice; `GRANT CREATE, SELECT, INSERT, UPDATE` on the database helps"
                );
                self.counts = false;
                Ok(None)
            }
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Writes the rows of `entries` in one transaction with the number of the
    /// last one. Comes back with what was refused, by table.
    async fn write(
        &mut self,
        entries: &[Entry],
        before: i64,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut attempt = 1;
        loop {
            let result = timeout(ANSWER, self.transaction(entries, before)).await;
            match result.unwrap_or_else(|_| Err(Failure::no_answer())) {
                Err(failure) if failure.class == Class::Again && attempt < ATTEMPTS => {
                    sleep(Duration::from_millis(fastrand::u64(5..50) << attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn transaction(
        &mut self,
        entries: &[Entry],
        before: i64,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let settings = &self.settings;
        let fail = |error: sqlx::Error| Failure::new(&error, settings);
        let mut connection = self.connection.begin().await.map_err(fail)?;
        if self.counts {
            let last = entries.last().map_or(before, |entry| entry.number);
            let sql = format!("UPDATE {TAKEN} SET number = ? WHERE gateway = ? AND number = ?");
            let moved = sqlx::query(AssertSqlSafe(sql))
                .bind(last)
                .bind(&self.gateway)
                .bind(before)
                .execute(&mut *connection)
                .await
                .map_err(fail)?;
            if moved.rows_affected() == 0 {
                return Err(Failure::later(format!(
                    "somebody else writes as gateway {}; is a copy of its state directory in use?",
                    self.gateway
                )));
            }
        }
        let mut refused = Vec::new();
        for entry in entries {
            let at = entry.reading.measured_at.timestamp_millis();
            for row in (self.originals.rows)(&entry.reading) {
                let table = self.originals.tables.get(row.table);
                let (Some(found), Some(table)) = (self.tables.get(&row.table), table) else {
                    continue;
                };
                let Some((sql, cells)) = statement(table.name, found, at, &row) else {
                    continue;
                };
                let mut insert = sqlx::query(AssertSqlSafe(sql));
                for cell in &cells {
                    insert = bind(insert, cell);
                }
                match insert.execute(&mut *connection).await {
                    Ok(_) => {}
                    Err(error) => match about_data(&error) {
                        Some(reason) => refused.push((table.name, reason)),
                        None => return Err(fail(error)),
                    },
                }
            }
        }
        connection.commit().await.map_err(fail)?;
        Ok(refused)
    }

    async fn ping(&mut self) -> Result<(), Failure> {
        match timeout(ANSWER, self.connection.ping()).await {
            Ok(result) => result.map_err(|error| self.failure(&error)),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    async fn execute(&mut self, sql: &str) -> Result<(), Failure> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut self.connection)
            .await;
        done.map(drop).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &sqlx::Error) -> Failure {
        Failure::new(error, &self.settings)
    }
}

/// The user may not do this here: to a table, to its columns, to the database.
const FORBIDDEN: [u16; 3] = [1142, 1143, 1044];

/// What inserts a row, and its cells; nothing if the table has no column for any
/// of its values.
fn statement(table: &str, found: &Found, at: i64, row: &Row) -> Option<(String, Vec<Cell>)> {
    let mut names = Vec::new();
    let mut places = Vec::new();
    let mut cells = Vec::new();
    let mut known = false;
    let values = match found.is_ours {
        true => &row.ours,
        false => &row.originals,
    };
    for name in &found.columns {
        let cell = match name.as_str() {
            "device" => Some(Cell::Text(row.device.clone())),
            EXTRA if found.is_ours => row.extra.clone().map(Cell::Text),
            name => {
                let mut values = values.iter();
                let value = values.find(|(column, _)| column.eq_ignore_ascii_case(name));
                value.map(|(_, cell)| cell.clone())
            }
        };
        let Some(cell) = cell else { continue };
        known |= name != "device";
        names.push(quoted(name));
        places.push("?");
        cells.push(cell);
    }
    if let Some(time) = &found.time {
        names.push(quoted(time));
        places.push("FROM_UNIXTIME(? / 1000)");
        cells.push(Cell::Integer(at));
    }
    let (names, places) = (names.join(", "), places.join(", "));
    known.then(|| {
        (
            format!("INSERT INTO {table} ({names}) VALUES ({places})"),
            cells,
        )
    })
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_columns_that_are_there_are_written() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let row = Row {
            table: 0,
            device: "AC300-1".to_owned(),
            ours: vec![("mode", text("STANDARD")), ("gone", text("x"))],
            originals: vec![("mode", text("UpsMode.STANDARD"))],
            extra: Some("{}".to_owned()),
        };
        let found = |is_ours, columns: &[&str], time: Option<&str>| Found {
            is_ours,
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            time: time.map(str::to_owned),
        };
        let columns = ["id", "device", "mode", "extra"];
        assert_eq!(
            statement("t", &found(false, &columns, Some("at")), 5, &row),
            Some((
                "INSERT INTO t (`device`, `mode`, `at`) VALUES (?, ?, FROM_UNIXTIME(? / 1000))"
                    .to_owned(),
                vec![text("AC300-1"), text("UpsMode.STANDARD"), Cell::Integer(5)]
            ))
        );
        assert_eq!(
            statement("t", &found(true, &columns, None), 5, &row),
            Some((
                "INSERT INTO t (`device`, `mode`, `extra`) VALUES (?, ?, ?)".to_owned(),
                vec![text("AC300-1"), text("STANDARD"), text("{}")]
            ))
        );
        assert_eq!(
            statement("t", &found(false, &["id", "device"], None), 5, &row),
            None
        );
    }

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
