//! The journal's tables in SQL.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use super::{Entry, Limits};
use crate::event::{DeviceId, DeviceKind, Reading};
use crate::metric;
use crate::store::Cell;
use crate::store::sqlite::insert;

const COLUMNS: [&str; 6] = [
    "number",
    "device",
    "kind",
    "measured_at",
    "fetched_at",
    "body",
];

/// The newest entry of each device is never deleted: totals go on from it,
/// and numbers from the newest of all.
const LAST_PER_DEVICE: &str = "SELECT max(number) FROM journal GROUP BY device";

/// Entries deleted at a time while the journal is too large.
const TRIM: i64 = 1000;

pub(super) async fn append(
    connection: &mut SqliteConnection,
    readings: impl Iterator<Item = (i64, &Reading)>,
) -> Result<(), sqlx::Error> {
    let rows: Vec<_> = readings
        .map(|(number, reading)| {
            vec![
                Cell::Integer(number),
                Cell::Text(reading.device.to_string()),
                Cell::Text(reading.kind.as_str().to_owned()),
                Cell::Integer(reading.measured_at.timestamp_millis()),
                Cell::Integer(reading.fetched_at.timestamp_millis()),
                Cell::Text(body(reading)),
            ]
        })
        .collect();
    insert(connection, "journal", &COLUMNS, &rows).await
}

fn body(reading: &Reading) -> String {
    let values: serde_json::Map<_, _> = reading
        .values
        .iter()
        .map(|(metric, value)| (metric.key.to_owned(), serde_json::json!(value)))
        .collect();
    serde_json::json!({ "values": values, "extra": reading.extra }).to_string()
}

pub(super) async fn newest(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(number), 0) FROM journal")
        .fetch_one(connection)
        .await
}

pub(super) async fn last_per_device(
    connection: &mut SqliteConnection,
) -> Result<Vec<Reading>, sqlx::Error> {
    let sql = format!("SELECT * FROM journal WHERE number IN ({LAST_PER_DEVICE})");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().filter_map(reading).collect())
}

pub(super) async fn after(
    connection: &mut SqliteConnection,
    number: i64,
    limit: u32,
) -> Result<Vec<Entry>, sqlx::Error> {
    let mut from = number;
    loop {
        let rows = sqlx::query("SELECT * FROM journal WHERE number > ? ORDER BY number LIMIT ?")
            .bind(from)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
        let Some(last) = rows.last() else {
            return Ok(Vec::new());
        };
        from = last.get("number");
        let entries: Vec<_> = rows.iter().filter_map(entry).collect();
        // Whoever sees no entries waits for newer ones; a batch of nothing but
        // what another version wrote must not look like the end.
        if !entries.is_empty() {
            return Ok(entries);
        }
    }
}

fn entry(row: &SqliteRow) -> Option<Entry> {
    Some(Entry {
        number: row.get("number"),
        reading: reading(row)?,
    })
}

fn reading(row: &SqliteRow) -> Option<Reading> {
    let kind = DeviceKind::from_name(row.get("kind"))?;
    let device = DeviceId::new(&[row.get("device")]);
    let fetched_at = DateTime::from_timestamp_millis(row.get("fetched_at"))?;
    let mut reading = Reading::new(device, kind, fetched_at);
    reading.measured_at = DateTime::from_timestamp_millis(row.get("measured_at"))?;
    let body: serde_json::Value = serde_json::from_str(row.get("body")).ok()?;
    for metric in metric::catalogue(kind) {
        if let Some(json) = body["values"].get(metric.key) {
            reading.values.set(metric, metric.from_json(json));
        }
    }
    if let Some(extra) = body["extra"].as_object() {
        reading.extra = extra.clone();
    }
    Some(reading)
}

pub(super) async fn cursor(
    connection: &mut SqliteConnection,
    consumer: &str,
) -> Result<i64, sqlx::Error> {
    let number = sqlx::query_scalar("SELECT number FROM cursor WHERE consumer = ?")
        .bind(consumer)
        .fetch_optional(connection)
        .await?;
    Ok(number.unwrap_or(0))
}

pub(super) async fn set_cursor(
    connection: &mut SqliteConnection,
    consumer: &str,
    number: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cursor (consumer, number) VALUES (?1, ?2) \
         ON CONFLICT (consumer) DO UPDATE SET number = ?2",
    )
    .bind(consumer)
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes what every one of `consumers` has taken, and what is beyond the
/// bounds; how many of the latter somebody still wanted.
pub(super) async fn tidy(
    connection: &mut SqliteConnection,
    consumers: &BTreeSet<String>,
    limits: &Limits,
) -> Result<u64, sqlx::Error> {
    let mut taken = newest(connection).await?;
    for consumer in consumers {
        taken = taken.min(cursor(connection, consumer).await?);
    }
    delete(connection, "number <= ?", taken).await?;
    let aged = cut_by_age(connection, limits).await?;
    Ok(aged + cut_by_size(connection, limits).await?)
}

/// A limit that would take every entry is a wrong clock's.
async fn cut_by_age(
    connection: &mut SqliteConnection,
    limits: &Limits,
) -> Result<u64, sqlx::Error> {
    let limit = (Utc::now() - limits.max_age).timestamp_millis();
    let newest: Option<i64> =
        sqlx::query_scalar("SELECT fetched_at FROM journal ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    if newest.is_none_or(|newest| newest < limit) {
        return Ok(0);
    }
    delete(connection, "fetched_at < ?", limit).await
}

async fn cut_by_size(
    connection: &mut SqliteConnection,
    limits: &Limits,
) -> Result<u64, sqlx::Error> {
    let mut cut = 0;
    let mut excess = bytes(connection, "journal").await? - limits.max_bytes as i64;
    while excess > 0 {
        let oldest = format!(
            "(SELECT number, body FROM journal WHERE number NOT IN ({LAST_PER_DEVICE}) \
             ORDER BY number LIMIT {TRIM})"
        );
        let trimmed = bytes(connection, &oldest).await?;
        if trimmed == 0 {
            break;
        }
        let sql = format!("DELETE FROM journal WHERE number IN (SELECT number FROM {oldest})");
        let done = sqlx::query(AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await?;
        cut += done.rows_affected();
        excess -= trimmed;
    }
    Ok(cut)
}

/// Size of the entries in `entries`, a table or a subquery.
async fn bytes(connection: &mut SqliteConnection, entries: &str) -> Result<i64, sqlx::Error> {
    let sql = format!("SELECT coalesce(sum(octet_length(body)), 0) FROM {entries}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
}

async fn delete(
    connection: &mut SqliteConnection,
    which: &'static str,
    argument: i64,
) -> Result<u64, sqlx::Error> {
    let sql = format!("DELETE FROM journal WHERE {which} AND number NOT IN ({LAST_PER_DEVICE})");
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(argument)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
