//! The layout in MariaDB: writing and forgetting rows.

use std::collections::VecDeque;

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlDatabaseError};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, MySql};

use super::{Cell, chunks, columns, insert_statement};
use crate::event::{Device, DeviceKind};

pub mod layout;

/// Rows per INSERT statement. The largest stays below MariaDB's 65,535
/// placeholders with the widest table.
const CHUNKS: [usize; 4] = [256, 32, 4, 1];

/// Rows looked at for deletion at a time.
const FORGET: u32 = 1000;

/// A table, and what becomes of a row whose key is there already.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub table: &'static str,
    /// Its columns, in the order of the cells.
    pub columns: Vec<&'static str>,
    /// The assignments of `ON DUPLICATE KEY UPDATE`.
    pub on_duplicate: &'static str,
}

impl Target {
    /// The table of a kind's readings. A row that is there already stays as it
    /// is.
    pub fn readings(kind: DeviceKind) -> Self {
        Self {
            table: kind.as_str(),
            columns: columns(kind),
            on_duplicate: "number = number",
        }
    }

    /// The devices. The newest description counts, from whichever gateway.
    pub fn devices() -> Self {
        Self {
            table: "device",
            columns: vec![
                "id",
                "kind",
                "vendor",
                "model",
                "name",
                "serial",
                "address",
                "hardware_version",
                "software_version",
                "first_seen",
                "last_seen",
            ],
            on_duplicate: "kind = VALUES(kind), vendor = VALUES(vendor), model = VALUES(model), \
                 name = VALUES(name), serial = VALUES(serial), address = VALUES(address), \
                 hardware_version = VALUES(hardware_version), \
                 software_version = VALUES(software_version), \
                 first_seen = LEAST(first_seen, VALUES(first_seen)), \
                 last_seen = GREATEST(last_seen, VALUES(last_seen))",
        }
    }

    /// The readings that were refused.
    pub fn set_aside() -> Self {
        Self {
            table: "set_aside",
            columns: vec![
                "gateway",
                "number",
                "device",
                "kind",
                "reason",
                "reading",
                "set_aside_at",
            ],
            on_duplicate: "number = number",
        }
    }
}

/// The row of `device`, for [`Target::devices`].
pub fn device_row(device: &Device, first_seen: i64, last_seen: i64) -> Vec<Cell> {
    let optional = |text: &Option<String>| text.clone().map_or(Cell::Null, Cell::Text);
    vec![
        Cell::Text(device.id.to_string()),
        Cell::Text(device.kind.as_str().to_owned()),
        Cell::Text(device.vendor.clone()),
        optional(&device.model),
        Cell::Text(device.name.clone()),
        optional(&device.serial),
        optional(&device.address),
        optional(&device.hardware_version),
        optional(&device.software_version),
        Cell::Time(first_seen),
        Cell::Time(last_seen),
    ]
}

/// A row that the server does not take, whatever is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place among the rows.
    pub place: usize,
    /// Why, in the server's words.
    pub reason: String,
}

/// Inserts `rows`, each with one cell per column, as few statements of at most
/// `most_bytes` each. A statement that is refused for its data is divided until
/// the row is found; those rows come back, all others are inserted.
///
/// # Errors
/// Those that are not about the data. What was inserted before is up to the
/// transaction.
pub async fn insert(
    connection: &mut MySqlConnection,
    target: &Target,
    rows: &[Vec<Cell>],
    most_bytes: usize,
) -> Result<Vec<Refused>, sqlx::Error> {
    let mut refused = Vec::new();
    let mut place = 0;
    let mut waiting: VecDeque<_> = chunks(rows, &CHUNKS).collect();
    while let Some(now) = waiting.pop_front() {
        let bytes = bytes(target, now);
        let result = match bytes > most_bytes {
            true => Err(format!(
                "{bytes} bytes, and the server's max_allowed_packet is {most_bytes}"
            )),
            false => match execute(connection, target, now).await {
                Ok(()) => Ok(()),
                Err(error) => Err(about_data(&error).ok_or(error)?),
            },
        };
        match (result, now) {
            (Ok(()), _) => place += now.len(),
            (Err(reason), [_]) => {
                refused.push(Refused { place, reason });
                place += 1;
            }
            (Err(_), _) => {
                let smaller = CHUNKS.iter().position(|size| *size < now.len());
                let sizes = &CHUNKS[smaller.unwrap_or(CHUNKS.len() - 1)..];
                for chunk in chunks(now, sizes).collect::<Vec<_>>().into_iter().rev() {
                    waiting.push_front(chunk);
                }
            }
        }
    }
    Ok(refused)
}

async fn execute(
    connection: &mut MySqlConnection,
    target: &Target,
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    let insert = insert_statement(target.table, &target.columns, rows.len());
    let sql = format!("{insert} ON DUPLICATE KEY UPDATE {}", target.on_duplicate);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for cell in rows.iter().flatten() {
        query = bind(query, cell);
    }
    query.execute(connection).await.map(drop)
}

/// Binds a cell as the server takes it.
pub fn bind<'q>(
    query: Query<'q, MySql, MySqlArguments>,
    cell: &'q Cell,
) -> Query<'q, MySql, MySqlArguments> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        // MariaDB knows neither infinity nor "not a number".
        Cell::Real(number) => query.bind(number.is_finite().then_some(*number)),
        Cell::Integer(number) => query.bind(*number),
        Cell::Time(millis) => match DateTime::from_timestamp_millis(*millis) {
            Some(time) if (1..=9999).contains(&time.year()) => query.bind(time.naive_utc()),
            // As a time it would be stored as another one; as text it is
            // refused.
            Some(time) => query.bind(time.to_string()),
            None => query.bind(millis.to_string()),
        },
        Cell::Text(text) => query.bind(text.as_str()),
    }
}

/// Bytes of the larger one of the two packets that insert `rows`: the text of
/// the statement, and the cells.
fn bytes(target: &Target, rows: &[Vec<Cell>]) -> usize {
    const HEAD: usize = 100;
    let names: usize = target.columns.iter().map(|name| name.len() + 1).sum();
    let placeholders = rows.len() * (2 * target.columns.len() + 3);
    let text = HEAD + names + placeholders + target.on_duplicate.len();
    let cells: usize = rows.iter().flatten().map(size).sum();
    text.max(HEAD + cells)
}

/// Bytes of a cell on the wire, at most.
fn size(cell: &Cell) -> usize {
    // Length or value, the type of the placeholder, and a bit that it is there.
    const FIXED: usize = 9 + 2 + 1;
    match cell {
        Cell::Null => 3,
        Cell::Real(_) | Cell::Integer(_) => FIXED,
        Cell::Time(_) => FIXED + 3,
        Cell::Text(text) => FIXED + text.len(),
    }
}

/// The server's number of an error.
pub fn number(error: &sqlx::Error) -> Option<u16> {
    server_error(error).map(MySqlDatabaseError::number)
}

/// What the server said, if it said anything.
pub fn server_error(error: &sqlx::Error) -> Option<&MySqlDatabaseError> {
    error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()
}

/// What is wrong with the data, if the error is about them: the same row will
/// be refused again.
pub fn about_data(error: &sqlx::Error) -> Option<String> {
    if let sqlx::Error::Encode(error) = error {
        return Some(error.to_string());
    }
    let error = server_error(error)?;
    // Data exceptions, violated constraints, and what a trigger objects to.
    let class = error.code().is_some_and(|state| {
        ["22", "23", "45"]
            .iter()
            .any(|class| state.starts_with(class))
    });
    let known = OTHER_DATA_ERRORS.contains(&error.number());
    (class || known).then(|| error.message().to_owned())
}

/// Truncated, too long for a row, wrong for its column; depending on the
/// version these come without a class of their own.
const OTHER_DATA_ERRORS: [u16; 4] = [1118, 1265, 1366, 4025];

/// Deletes this gateway's rows of a kind that were fetched before `limit`, from
/// the oldest on, a bounded number of them; how many. A limit that would take
/// every row is a wrong clock's.
///
/// # Errors
/// Those of the server.
pub async fn forget(
    connection: &mut MySqlConnection,
    kind: DeviceKind,
    gateway: &str,
    limit: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let table = kind.as_str();
    let limit = limit.naive_utc();
    let newest: Option<NaiveDateTime> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT fetched_at FROM {table} WHERE gateway = ? ORDER BY number DESC LIMIT 1"
    )))
    .bind(gateway)
    .fetch_optional(&mut *connection)
    .await?;
    if newest.is_none_or(|newest| newest < limit) {
        return Ok(0);
    }
    // The head of the table alone: a search for old rows would read all of it
    // each time.
    let head: Vec<(i64, NaiveDateTime)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT number, fetched_at FROM {table} WHERE gateway = ? ORDER BY number LIMIT {FORGET}"
    )))
    .bind(gateway)
    .fetch_all(&mut *connection)
    .await?;
    let Some((last, _)) = head.iter().rfind(|(_, fetched_at)| *fetched_at < limit) else {
        return Ok(0);
    };
    let deleted = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM {table} WHERE gateway = ? AND number <= ? AND fetched_at < ?"
    )))
    .bind(gateway)
    .bind(last)
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::STORED;

    #[test]
    fn the_largest_statement_has_few_enough_placeholders() {
        for kind in STORED {
            assert!(columns(kind).len() * CHUNKS[0] <= usize::from(u16::MAX));
        }
    }
}
