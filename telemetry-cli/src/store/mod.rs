//! The SQL layout, the same for every database: one wide table per kind of
//! device, one column per catalogue row, parts as JSON, one row per reading.

use crate::event::{DeviceKind, Reading};
use crate::metric::{self, Form, Metric, Shape};
use crate::value::Value;

pub mod mariadb;
pub mod sqlite;

/// Kinds that have a table; the gateway's own metrics are not stored.
pub const STORED: [DeviceKind; 3] = [
    DeviceKind::Battery,
    DeviceKind::PowerStation,
    DeviceKind::Vehicle,
];

/// Columns that stand in front of the catalogue's in every table.
pub const KEY_COLUMNS: [&str; 5] = ["gateway", "number", "device", "measured_at", "fetched_at"];

/// Column behind them for what the catalogue has no row for, as JSON.
pub const EXTRA_COLUMN: &str = "extra";

/// Type of a column, apart from dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// 64-bit float.
    Real,
    /// 64-bit integer.
    Integer,
    /// 0 or 1.
    Boolean,
    /// Short text.
    Text,
    /// A moment.
    Time,
    /// JSON text.
    Json,
}

/// Type of the column of `metric`.
pub fn column_type(metric: &Metric) -> ColumnType {
    match (metric.shape, metric.form) {
        (Shape::Numbered | Shape::Named | Shape::Flags, _) | (_, Form::Object) => ColumnType::Json,
        (Shape::Single, Form::Float) => ColumnType::Real,
        (Shape::Single, Form::Integer) => ColumnType::Integer,
        (Shape::Single, Form::Bool) => ColumnType::Boolean,
        (Shape::Single, Form::Text) => ColumnType::Text,
        (Shape::Single, Form::Time) => ColumnType::Time,
    }
}

/// The columns of a kind's table, in their order.
pub fn columns(kind: DeviceKind) -> Vec<&'static str> {
    KEY_COLUMNS
        .into_iter()
        .chain(metric::catalogue(kind).iter().map(|metric| metric.key))
        .chain([EXTRA_COLUMN])
        .collect()
}

/// `INSERT` of so many rows, with a placeholder for each cell.
pub fn insert_statement(table: &str, columns: &[&str], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    format!(
        "INSERT INTO {table} ({}) VALUES {}",
        columns.join(","),
        vec![row; rows].join(",")
    )
}

/// Splits `rows` into groups of the lengths in `sizes`, largest first, the last
/// of which has to be 1. Few fixed lengths, because each is a prepared
/// statement of its own.
pub fn chunks<'r, T>(rows: &'r [T], sizes: &'r [usize]) -> impl Iterator<Item = &'r [T]> {
    let (mut rows, mut sizes) = (rows, sizes);
    std::iter::from_fn(move || {
        while let Some((size, smaller)) = sizes.split_first() {
            if let Some((chunk, rest)) = rows.split_at_checked(*size)
                && !chunk.is_empty()
            {
                rows = rest;
                return Some(chunk);
            }
            sizes = smaller;
        }
        None
    })
}

/// One field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown.
    Null,
    /// Float.
    Real(f64),
    /// Integer or boolean.
    Integer(i64),
    /// Milliseconds since 1970 in UTC.
    Time(i64),
    /// Text, JSON included.
    Text(String),
}

/// The row of `reading`, in column order.
pub fn row(gateway: &str, number: i64, reading: &Reading) -> Vec<Cell> {
    let mut row = vec![
        Cell::Text(gateway.to_owned()),
        Cell::Integer(number),
        Cell::Text(reading.device.to_string()),
        Cell::Time(reading.measured_at.timestamp_millis()),
        Cell::Time(reading.fetched_at.timestamp_millis()),
    ];
    for metric in metric::catalogue(reading.kind) {
        row.push(reading.values.get(metric).map_or(Cell::Null, cell));
    }
    row.push(if reading.extra.is_empty() {
        Cell::Null
    } else {
        Cell::Text(serde_json::Value::Object(reading.extra.clone()).to_string())
    });
    row
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Unknown => Cell::Null,
        Value::Bool(value) => Cell::Integer((*value).into()),
        Value::Integer(value) => Cell::Integer(*value),
        Value::Float(value) => Cell::Real(*value),
        Value::Text(value) => Cell::Text(value.clone()),
        Value::Time(value) => Cell::Time(value.timestamp_millis()),
        Value::List(_) | Value::Map(_) | Value::Flags(_) => {
            Cell::Text(serde_json::json!(value).to_string())
        }
    }
}

/// The value of `metric` in `cell`; `None` for null and for what another
/// version of the catalogue wrote there.
pub fn value(metric: &Metric, cell: Cell) -> Option<Value> {
    match (column_type(metric), cell) {
        (ColumnType::Real, Cell::Real(number)) => Some(Value::Float(number)),
        (ColumnType::Boolean, Cell::Integer(number)) => Some(Value::Bool(number != 0)),
        (ColumnType::Integer, Cell::Integer(number)) => Some(Value::Integer(number)),
        (ColumnType::Text, Cell::Text(text)) => Some(Value::Text(text)),
        // SQLite knows no times.
        (ColumnType::Time, Cell::Time(millis) | Cell::Integer(millis)) => {
            chrono::DateTime::from_timestamp_millis(millis).map(Value::Time)
        }
        (ColumnType::Json, Cell::Text(json)) => {
            metric.from_json(&serde_json::from_str(&json).ok()?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_hold_every_row_once_in_order() {
        let rows: Vec<usize> = (0..203).collect();
        for length in [0, 1, 7, 8, 64, 65, 203] {
            let chunks: Vec<_> = chunks(&rows[..length], &[64, 8, 1]).collect();
            assert!(chunks.iter().all(|chunk| [64, 8, 1].contains(&chunk.len())));
            assert!(chunks.is_sorted_by_key(|chunk| std::cmp::Reverse(chunk.len())));
            assert_eq!(chunks.concat(), rows[..length]);
        }
    }
}
