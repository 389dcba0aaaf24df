//! Rows are what the readings said.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::json;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Row as _};
use telemetry_cli::event::{DeviceId, DeviceKind, Reading};
use telemetry_cli::metric::{self, Form, Metric, Shape, battery};
use telemetry_cli::store::{ColumnType, STORED, column_type};
use telemetry_cli::value::Value;
use tempfile::tempdir;

use crate::gateway::{Gateway, eventually, pack, reading};
use crate::shared;

fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

/// A value of each metric, none like another.
fn value(metric: &Metric, number: i64) -> Value {
    let single = |number: i64| match metric.form {
        Form::Bool => Value::from(number % 2 == 0),
        Form::Integer => Value::from(number * 1_000_003),
        Form::Float => Value::from(number as f64 * -0.125 + 0.1),
        Form::Text => Value::from(format!("Größe {number} 🔋 '\"\\")),
        Form::Time => Value::from(time(1_790_000_000_123 + number)),
        Form::Object => Value::Map([("state".to_owned(), Value::from("full"))].into()),
    };
    match metric.shape {
        Shape::Single => single(number),
        Shape::Numbered => [Some(single(number)), None, Some(single(number + 1))]
            .into_iter()
            .collect(),
        Shape::Named => Value::Map([("front_left".to_owned(), single(number))].into()),
        Shape::Flags => Value::Flags(vec!["short_circuit".to_owned(), "bit_14".to_owned()]),
    }
}

/// What a client of the database sees.
fn column(row: &MySqlRow, metric: &Metric) -> Option<Value> {
    let key = metric.key;
    Some(match column_type(metric) {
        ColumnType::Real => Value::Float(row.get::<Option<f64>, _>(key)?),
        ColumnType::Integer => Value::Integer(row.get::<Option<i64>, _>(key)?),
        ColumnType::Boolean => Value::Bool(row.get::<Option<bool>, _>(key)?),
        ColumnType::Text => Value::Text(row.get::<Option<String>, _>(key)?),
        ColumnType::Time => Value::Time(row.get::<Option<NaiveDateTime>, _>(key)?.and_utc()),
        ColumnType::Json => {
            let json: Option<String> = row.get(key);
            metric
                .from_json(&serde_json::from_str(&json?).unwrap())
                .unwrap()
        }
    })
}

async fn row(root: &mut MySqlConnection, kind: DeviceKind, number: i64) -> MySqlRow {
    let sql = format!("SELECT * FROM {} WHERE number = ?", kind.as_str());
    let row = sqlx::query(AssertSqlSafe(sql)).bind(number).fetch_one(root);
    row.await.unwrap()
}

#[tokio::test]
async fn every_metric_of_every_kind_arrives_as_it_was() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    let mut sent = Vec::new();
    for kind in STORED {
        // Everything known, and nothing known.
        for full in [true, false] {
            let mut reading = Reading::new(
                DeviceId::new(&[kind.as_str(), "one"]),
                kind,
                time(1_790_000_000_001),
            );
            reading.measured_at -= TimeDelta::milliseconds(2);
            if full {
                for (number, metric) in metric::catalogue(kind).iter().enumerate() {
                    let value = value(metric, number as i64).rounded(metric.decimals);
                    reading.values.set(metric, value);
                }
                reading
                    .extra
                    .insert("humidity".to_owned(), json!([40, null, "ü"]));
            }
            gateway.append(reading.clone());
            sent.push(reading);
        }
    }
    eventually(&mut root, "SELECT taken FROM gateway", sent.len() as i64).await;
    for (number, sent) in (1..).zip(&sent) {
        let row = row(&mut root, sent.kind, number).await;
        assert_eq!(row.get::<&str, _>("gateway"), gateway.id());
        assert_eq!(row.get::<&str, _>("device"), sent.device.as_str());
        for (column, time) in [
            ("measured_at", sent.measured_at),
            ("fetched_at", sent.fetched_at),
        ] {
            assert_eq!(row.get::<NaiveDateTime, _>(column).and_utc(), time);
        }
        for metric in metric::catalogue(sent.kind) {
            let found = column(&row, metric);
            assert_eq!(found.as_ref(), sent.values.get(metric), "{}", metric.key);
        }
        let extra: Option<String> = row.get("extra");
        let extra = extra.map_or_else(Default::default, |json| {
            serde_json::from_str(&json).unwrap()
        });
        assert_eq!(sent.extra, extra);
    }
    sink.stop().await;
}

#[tokio::test]
async fn what_is_no_number_is_unknown() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    let mut odd = reading("pack", 1);
    odd.values.set(&battery::SOC_PERCENT, Value::from(f64::NAN));
    odd.values
        .set(&battery::POWER_W, Value::from(f64::INFINITY));
    odd.values
        .set(&battery::CURRENT_A, Value::from(f64::MIN_POSITIVE));
    gateway.append(odd);
    eventually(
        &mut root,
        "SELECT COUNT(*) FROM battery WHERE soc_percent IS NULL AND power_w IS NULL",
        1,
    )
    .await;
    sink.stop().await;
    assert_eq!(gateway.stats.counts()["mariadb"].set_aside, 0);
}

#[tokio::test]
async fn devices_are_described_and_seen() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    gateway.journal.describe(pack("pack", "Garage"));
    let sink = gateway.start(&database.config);
    let mut first = reading("pack", 0);
    first.fetched_at = time(1_790_000_000_001);
    let mut later = reading("pack", 1);
    later.fetched_at = time(1_790_000_000_001 + 70_000);
    gateway.append(first);
    gateway.append(later);
    gateway.append(reading("stranger", 2));
    eventually(&mut root, "SELECT taken FROM gateway", 3).await;
    sink.stop().await;

    // Another description, noticed by the next run at the latest.
    gateway.journal.describe(pack("pack", "House"));
    gateway.count("pack", 3, 4).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 4).await;
    sink.stop().await;
    let devices: Vec<(String, String, String, NaiveDateTime)> =
        sqlx::query_as("SELECT id, name, vendor, first_seen FROM device ORDER BY id")
            .fetch_all(&mut root)
            .await
            .unwrap();
    assert_eq!(devices[0].0, "pack");
    assert_eq!(
        (devices[0].1.as_str(), devices[0].2.as_str()),
        ("House", "JBD")
    );
    assert_eq!(devices[0].3.and_utc(), time(1_790_000_000_001));
    assert_eq!(
        (devices[1].0.as_str(), devices[1].1.as_str()),
        ("stranger", "stranger")
    );
    let seen: NaiveDateTime = sqlx::query_scalar("SELECT last_seen FROM device WHERE id = 'pack'")
        .fetch_one(&mut root)
        .await
        .unwrap();
    assert!(seen.and_utc() > Utc::now() - TimeDelta::seconds(300));
}

#[tokio::test]
async fn old_rows_go_if_asked_to() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    for number in 0..2500 {
        let mut reading = reading("pack", number);
        if number < 2300 {
            reading.fetched_at -= TimeDelta::days(3);
        }
        gateway.append(reading);
    }
    let sink = gateway.start(&database.with("batch = 700"));
    eventually(&mut root, "SELECT taken FROM gateway", 2500).await;
    sink.stop().await;
    // Deleting is the first thing that it does.
    let sink = gateway.start(&database.with("history = '2d'"));
    eventually(&mut root, "SELECT COUNT(*) FROM battery", 200).await;
    eventually(&mut root, "SELECT MIN(number) FROM battery", 2301).await;
    sink.stop().await;
    // A clock that runs years ahead would take everything.
    let sink = gateway.start(&database.with("history = '1ms'"));
    gateway.count("pack", 2500, 2501).await;
    eventually(&mut root, "SELECT taken FROM gateway", 2501).await;
    sink.stop().await;
    eventually(&mut root, "SELECT COUNT(*) FROM battery", 201).await;
}
