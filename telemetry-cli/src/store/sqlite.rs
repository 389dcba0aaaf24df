//! The layout in SQLite: writing, reading and forgetting rows.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row, Sqlite, ValueRef};

use super::{
    Cell, EXTRA_COLUMN, KEY_COLUMNS, STORED, chunks, columns, insert_statement, row, value,
};
use crate::database::{Database, DatabaseError};
use crate::event::{Device, DeviceId, DeviceKind, Reading};
use crate::metric;

/// Rows per INSERT statement. The largest stays below SQLite's 32,766
/// placeholders with the widest table.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// Rows looked at for deletion at a time.
const FORGET: i64 = 1000;

/// Inserts `rows`, each with one cell per column, as few statements.
///
/// # Errors
/// Those of the database; what was inserted before is up to the transaction.
pub async fn insert(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Cell>],
) -> Result<(), sqlx::Error> {
    for rows in chunks(rows, &CHUNKS) {
        let sql = insert_statement(table, columns, rows.len());
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in rows.iter().flatten() {
            query = bind(query, cell.clone());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn bind(
    query: Query<'_, Sqlite, SqliteArguments>,
    cell: Cell,
) -> Query<'_, Sqlite, SqliteArguments> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Real(number) => query.bind(number),
        Cell::Integer(number) | Cell::Time(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
    }
}

/// Inserts numbered readings into the tables of their kinds.
///
/// # Errors
/// Those of the database.
pub async fn insert_readings(
    connection: &mut SqliteConnection,
    gateway: &str,
    readings: impl Iterator<Item = (i64, &Reading)> + Clone,
) -> Result<(), sqlx::Error> {
    for kind in STORED {
        let rows: Vec<_> = readings
            .clone()
            .filter(|(_, reading)| reading.kind == kind)
            .map(|(number, reading)| row(gateway, number, reading))
            .collect();
        insert(connection, kind.as_str(), &columns(kind), &rows).await?;
    }
    Ok(())
}

/// Writes a device's description, and that it was seen now.
///
/// # Errors
/// Those of the database.
pub async fn upsert_device(
    connection: &mut SqliteConnection,
    device: &Device,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO device (id, kind, vendor, model, name, serial, address, hardware_version, \
             software_version, first_seen, last_seen) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10) \
         ON CONFLICT (id) DO UPDATE SET kind = ?2, vendor = ?3, model = ?4, name = ?5, \
             serial = ?6, address = ?7, hardware_version = ?8, software_version = ?9, \
             last_seen = ?10",
    )
    .bind(device.id.as_str())
    .bind(device.kind.as_str())
    .bind(&device.vendor)
    .bind(&device.model)
    .bind(&device.name)
    .bind(&device.serial)
    .bind(&device.address)
    .bind(&device.hardware_version)
    .bind(&device.software_version)
    .bind(now.timestamp_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Every device ever seen.
///
/// # Errors
/// Those of the database.
pub async fn devices(connection: &mut SqliteConnection) -> Result<Vec<Device>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM device ORDER BY id")
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().filter_map(device).collect())
}

fn device(row: &SqliteRow) -> Option<Device> {
    let kind = DeviceKind::from_name(row.get("kind"))?;
    Some(Device {
        name: row.get("name"),
        vendor: row.get("vendor"),
        model: row.get("model"),
        serial: row.get("serial"),
        address: row.get("address"),
        hardware_version: row.get("hardware_version"),
        software_version: row.get("software_version"),
        ..Device::unknown(DeviceId::new(&[row.get("id")]), kind)
    })
}

/// Which rows of the history are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// From this kind's table.
    pub kind: DeviceKind,
    /// Of this device only.
    pub device: Option<DeviceId>,
    /// Measured at or after.
    pub from: Option<DateTime<Utc>>,
    /// Measured before.
    pub to: Option<DateTime<Utc>>,
}

/// Calls `take` with each selected row and its journal number, oldest first.
/// `take` says whether it wants more.
///
/// # Errors
/// Those of the database.
pub async fn history(
    database: &Database,
    selection: &Selection,
    mut take: impl FnMut(i64, Reading) -> bool,
) -> Result<(), DatabaseError> {
    let kind = selection.kind;
    let sql = format!(
        "SELECT {} FROM {} WHERE (?1 IS NULL OR device = ?1) \
         AND (?2 IS NULL OR measured_at >= ?2) AND (?3 IS NULL OR measured_at < ?3) \
         ORDER BY gateway, number",
        columns(kind).join(","),
        kind.as_str(),
    );
    let mut connection = database.lock().await;
    let mut rows = sqlx::query(AssertSqlSafe(sql))
        .bind(selection.device.as_ref().map(DeviceId::as_str))
        .bind(selection.from.map(|time| time.timestamp_millis()))
        .bind(selection.to.map(|time| time.timestamp_millis()))
        .fetch(&mut *connection);
    while let Some(row) = rows.try_next().await? {
        if let Some(reading) = reading(kind, &row)?
            && !take(row.get("number"), reading)
        {
            break;
        }
    }
    Ok(())
}

fn reading(kind: DeviceKind, row: &SqliteRow) -> Result<Option<Reading>, sqlx::Error> {
    let time = |column| DateTime::from_timestamp_millis(row.get(column));
    let (Some(measured_at), Some(fetched_at)) = (time("measured_at"), time("fetched_at")) else {
        return Ok(None);
    };
    let mut reading = Reading::new(DeviceId::new(&[row.get("device")]), kind, fetched_at);
    reading.measured_at = measured_at;
    for (place, metric) in metric::catalogue(kind).iter().enumerate() {
        let cell = cell(row, KEY_COLUMNS.len() + place)?;
        reading.values.set(metric, value(metric, cell));
    }
    if let Some(extra) = row.get::<Option<&str>, _>(EXTRA_COLUMN) {
        reading.extra = serde_json::from_str(extra).unwrap_or_default();
    }
    Ok(Some(reading))
}

fn cell(row: &SqliteRow, place: usize) -> Result<Cell, sqlx::Error> {
    use sqlx::TypeInfo;

    let raw = row.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let kind = raw.type_info();
    Ok(match kind.name() {
        "REAL" => Cell::Real(row.try_get(place)?),
        "INTEGER" => Cell::Integer(row.try_get(place)?),
        _ => Cell::Text(row.try_get(place)?),
    })
}

/// Deletes this gateway's rows that were fetched before `limit`, from the
/// oldest on; how many. A limit that would take every row is a wrong clock's.
///
/// # Errors
/// Those of the database.
pub async fn forget(
    connection: &mut SqliteConnection,
    gateway: &str,
    limit: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let mut forgotten = 0;
    for kind in STORED {
        let table = kind.as_str();
        let newest: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT fetched_at FROM {table} WHERE gateway = ? ORDER BY number DESC LIMIT 1"
        )))
        .bind(gateway)
        .fetch_optional(&mut *connection)
        .await?;
        if newest.is_none_or(|newest| newest < limit.timestamp_millis()) {
            continue;
        }
        let sql = format!(
            "DELETE FROM {table} WHERE gateway = ?1 AND fetched_at < ?2 AND number IN \
             (SELECT number FROM {table} WHERE gateway = ?1 ORDER BY number LIMIT ?3)"
        );
        loop {
            let deleted = sqlx::query(AssertSqlSafe(sql.as_str()))
                .bind(gateway)
                .bind(limit.timestamp_millis())
                .bind(FORGET)
                .execute(&mut *connection)
                .await?
                .rows_affected();
            forgotten += deleted;
            if deleted < FORGET.unsigned_abs() {
                break;
            }
        }
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::metric::{battery, vehicle};
    use crate::store::{ColumnType, column_type};
    use crate::value::Value;

    #[tokio::test]
    async fn tables_have_the_columns_of_the_catalogue() {
        let database = Database::open(None).await.unwrap();
        let mut connection = database.lock().await;
        for kind in STORED {
            let found: Vec<(String, String)> =
                sqlx::query_as("SELECT name, type FROM pragma_table_info(?)")
                    .bind(kind.as_str())
                    .fetch_all(&mut *connection)
                    .await
                    .unwrap();
            let expected = metric::catalogue(kind).iter().map(|metric| {
                let sql = match column_type(metric) {
                    ColumnType::Real => "REAL",
                    ColumnType::Integer | ColumnType::Boolean | ColumnType::Time => "INTEGER",
                    ColumnType::Text | ColumnType::Json => "TEXT",
                };
                (metric.key.to_owned(), sql.to_owned())
            });
            let of_catalogue = &found[KEY_COLUMNS.len()..found.len() - 1];
            assert_eq!(of_catalogue, expected.collect::<Vec<_>>(), "{kind:?}");
            let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, columns(kind));
        }
    }

    #[tokio::test]
    async fn readings_come_back_as_they_went_in() {
        let start = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
        let mut pack = Reading::new(DeviceId::new(&["pack"]), DeviceKind::Battery, start);
        pack.measured_at = start - TimeDelta::seconds(2);
        pack.values.set(&battery::SOC_PERCENT, Value::from(80.5));
        pack.values.set(&battery::CYCLES, Value::from(7_i64));
        pack.values
            .set(&battery::CHARGE_MOSFET_ON, Value::from(true));
        pack.values
            .set(&battery::SOFTWARE_VERSION, Value::from("2.1"));
        pack.values.set(
            &battery::TEMPERATURES_C,
            [Some(18.4), None].into_iter().collect::<Value>(),
        );
        pack.values.set(
            &battery::PROTECTION,
            Value::Flags(vec!["short_circuit".into()]),
        );
        pack.extra.insert("humidity".into(), 40.into());
        let mut car = Reading::new(DeviceId::new(&["car"]), DeviceKind::Vehicle, start);
        car.values
            .set(&vehicle::LAST_ACTIVITY_AT, Value::from(start));
        car.values.set(
            &vehicle::DOORS_OPEN,
            Value::Map([("driver".to_owned(), Value::from(false))].into()),
        );

        let database = Database::open(None).await.unwrap();
        let both = [(1, &pack), (2, &car)];
        insert_readings(
            &mut *database.lock().await,
            database.gateway(),
            both.into_iter(),
        )
        .await
        .unwrap();

        for (number, expected) in both {
            let selection = Selection {
                kind: expected.kind,
                device: Some(expected.device.clone()),
                from: Some(expected.measured_at),
                to: Some(expected.measured_at + TimeDelta::milliseconds(1)),
            };
            let mut found = Vec::new();
            history(&database, &selection, |number, reading| {
                found.push((number, reading));
                true
            })
            .await
            .unwrap();
            assert_eq!(found, [(number, expected.clone())]);
        }
    }
}
