//! One connection to the server: the tables as they are there, and the
//! transactions that run on it.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tokio::time::{sleep, timeout};

use super::super::failure::{Class, Failure};
use super::super::settings::Settings;
use super::{COMMENT, EXTRA, Originals, Row};
use crate::journal::Entry;
use crate::store::Cell;
use crate::store::mariadb::{about_data, bind, number, server_error};

/// Who has written up to which entry.
const TAKEN: &str = "telemetry_taken";

/// Until the server has let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// Until a transaction is through.
const ANSWER: Duration = Duration::from_secs(120);

/// Attempts at a transaction that others were in the way of.
const ATTEMPTS: u32 = 8;

/// Times are those of the server, as in rows of the original; everything else is
/// as it is set to.
const SESSION: &str = "SET SESSION time_zone = @@GLOBAL.time_zone, wait_timeout = 28800, \
     innodb_lock_wait_timeout = 20, autocommit = 1";

/// One of the four tables, as it is.
struct Found {
    /// We made it.
    is_ours: bool,
    /// What a row is inserted with, in this order.
    columns: Vec<String>,
    /// Where the time goes, if there is one place.
    time: Option<String>,
}

pub(super) struct Session {
    connection: MySqlConnection,
    settings: Settings,
    originals: Originals,
    gateway: String,
    tables: BTreeMap<usize, Found>,
    /// The number of the last entry stands in the database.
    pub(super) counts: bool,
}

impl Session {
    /// Connects and makes what is missing; the number of the last entry that is
    /// there, if the database counts. Where it begins to count, that is `taken`:
    /// up to there the rows were written without.
    pub(super) async fn open(
        settings: &Settings,
        originals: Originals,
        gateway: &str,
        taken: i64,
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
        match timeout(ANSWER, session.prepare(taken)).await {
            Ok(result) => Ok((session, result?)),
            Err(_) => Err(Failure::no_answer()),
        }
    }

    async fn prepare(&mut self, taken: i64) -> Result<Option<i64>, Failure> {
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
        self.count(taken).await
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

    /// The number of our last entry here; `taken` if it was not counted before.
    async fn count(&mut self, taken: i64) -> Result<Option<i64>, Failure> {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {TAKEN} (gateway VARCHAR(64) NOT NULL PRIMARY KEY, \
             number BIGINT NOT NULL) ENGINE=InnoDB COMMENT='{COMMENT}'"
        );
        let row = format!("INSERT IGNORE INTO {TAKEN} (gateway, number) VALUES (?, ?)");
        let ask = format!("SELECT number FROM {TAKEN} WHERE gateway = ?");
        let counted = async {
            sqlx::raw_sql(AssertSqlSafe(create))
                .execute(&mut self.connection)
                .await?;
            sqlx::query(AssertSqlSafe(row))
                .bind(&self.gateway)
                .bind(taken)
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
    pub(super) async fn write(
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
                    Err(error) => match about_row(&error) {
                        Some(reason) => refused.push((table.name, reason)),
                        None => return Err(fail(error)),
                    },
                }
            }
        }
        connection.commit().await.map_err(fail)?;
        Ok(refused)
    }

    pub(super) async fn ping(&mut self) -> Result<(), Failure> {
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

/// A column of somebody else's table wants a value, and the row has none. In a
/// table of our own that would be wrong with the table.
const NO_DEFAULT: u16 = 1364;

/// What is wrong with the row, if the error is about it.
fn about_row(error: &sqlx::Error) -> Option<String> {
    let missing = server_error(error).filter(|error| error.number() == NO_DEFAULT);
    about_data(error).or_else(|| missing.map(|error| error.message().to_owned()))
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
}
