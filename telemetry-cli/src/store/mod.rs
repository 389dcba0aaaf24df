//! The SQL layout, the same for every database: one wide table per kind of
//! device, one column per catalogue row, parts as JSON, one row per reading.

use crate::event::{DeviceKind, Reading};
use crate::metric::{self, Form, Metric, Shape};
use crate::value::Value;

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
    /// 64-bit integer; booleans as 0 and 1.
    Integer,
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
        (Shape::Single, Form::Integer | Form::Bool) => ColumnType::Integer,
        (Shape::Single, Form::Text) => ColumnType::Text,
        (Shape::Single, Form::Time) => ColumnType::Time,
    }
}

/// One field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown.
    Null,
    /// Float.
    Real(f64),
    /// Integer, boolean, or milliseconds since 1970 in UTC.
    Integer(i64),
    /// Text, JSON included.
    Text(String),
}

/// The row of `reading`, in column order. Times are milliseconds since 1970.
pub fn row(gateway: &str, number: i64, reading: &Reading) -> Vec<Cell> {
    let mut row = vec![
        Cell::Text(gateway.to_owned()),
        Cell::Integer(number),
        Cell::Text(reading.device.to_string()),
        Cell::Integer(reading.measured_at.timestamp_millis()),
        Cell::Integer(reading.fetched_at.timestamp_millis()),
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
        Value::Time(value) => Cell::Integer(value.timestamp_millis()),
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
        (ColumnType::Integer, Cell::Integer(number)) if metric.form == Form::Bool => {
            Some(Value::Bool(number != 0))
        }
        (ColumnType::Integer, Cell::Integer(number)) => Some(Value::Integer(number)),
        (ColumnType::Text, Cell::Text(text)) => Some(Value::Text(text)),
        (ColumnType::Time, Cell::Integer(millis)) => {
            chrono::DateTime::from_timestamp_millis(millis).map(Value::Time)
        }
        (ColumnType::Json, Cell::Text(json)) => {
            metric.from_json(&serde_json::from_str(&json).ok()?)
        }
        _ => None,
    }
}
