//! The journal's tables in SQL.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use super::{Entry, Limits};
use crate::database::insert;
use crate::event::{DeviceId, DeviceKind, Reading};
use crate::metric;
use crate::store::Cell;

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
    let rows = sqlx::query("SELECT * FROM journal WHERE number > ? ORDER BY number LIMIT ?")
        .bind(number)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| {
            Some(Entry {
                number: row.get("number"),
                reading: reading(row)?,
            })
        })
        .collect())
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

pub(super) async fn backlog(
    connection: &mut SqliteConnection,
    consumer: &str,
) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM journal WHERE number > \
         coalesce((SELECT number FROM cursor WHERE consumer = ?), 0)",
    )
    .bind(consumer)
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
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

    let oldest = Utc::now() - limits.max_age;
    let mut dropped = delete(connection, "fetched_at < ?", oldest.timestamp_millis()).await?;
    while bytes(connection).await? > limits.max_bytes {
        let trimmed = delete_oldest(connection, TRIM).await?;
        if trimmed == 0 {
            break;
        }
        dropped += trimmed;
    }
    Ok(dropped)
}

async fn delete_oldest(connection: &mut SqliteConnection, count: i64) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "DELETE FROM journal WHERE number IN (SELECT number FROM journal \
         WHERE number NOT IN ({LAST_PER_DEVICE}) ORDER BY number LIMIT ?)"
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(count)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

async fn bytes(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let bytes: i64 = sqlx::query_scalar("SELECT coalesce(sum(length(body)), 0) FROM journal")
        .fetch_one(connection)
        .await?;
    Ok(bytes.unsigned_abs())
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
