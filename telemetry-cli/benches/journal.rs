//! The journal against a raw batched insert of the same rows into the same
//! kind of file. Run with `cargo bench -p telemetry-cli --bench journal`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use sqlx::Connection;
use telemetry_cli::database::{Database, insert};
use telemetry_cli::event::{DeviceId, DeviceKind, Reading};
use telemetry_cli::journal::{Journal, Limits};
use telemetry_cli::metric::{self, battery};
use telemetry_cli::store::{Cell, EXTRA_COLUMN, KEY_COLUMNS, row};
use telemetry_cli::value::Value;
use tokio_util::sync::CancellationToken;

const ROWS: usize = 50_000;
const SINGLE: usize = 5_000;
const GROUP: usize = 1024;
const RUNS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let readings: Vec<_> = (0..ROWS as i64).map(|n| Arc::new(reading(n))).collect();
        let mut ratios: Vec<(f64, f64, f64)> = Vec::new();
        for _ in 0..RUNS {
            let raw = ROWS as f64 / raw(&readings).await.as_secs_f64();
            let journal = ROWS as f64 / journal(&readings, Duration::ZERO).await.as_secs_f64();
            ratios.push((journal / raw, raw, journal));
        }
        ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (ratio, raw, journal) = ratios[RUNS / 2];
        println!("{ROWS} readings of a 16-cell pack, journal and history, median of {RUNS}:");
        println!("raw batched insert   {raw:>9.0} rows/s (two rows per reading)");
        println!(
            "journal              {journal:>9.0} readings/s, {:.0} % of raw",
            ratio * 100.0
        );
        let single = single(&readings[..SINGLE]).await;
        println!(
            "one commit each      {:>9.0} readings/s",
            SINGLE as f64 / single.as_secs_f64()
        );
    });
}

fn reading(number: i64) -> Reading {
    let at = Utc::now() + TimeDelta::milliseconds(number);
    let mut reading = Reading::new(
        DeviceId::new(&["jbd-a4c138000001"]),
        DeviceKind::Battery,
        at,
    );
    let wobble = (number % 97) as f64 / 100.0;
    let values = &mut reading.values;
    values.set(&battery::SOC_PERCENT, Value::from(70.0 + wobble));
    values.set(&battery::PACK_VOLTAGE_V, Value::from(52.8 + wobble));
    values.set(&battery::CURRENT_A, Value::from(-12.0 + wobble));
    values.set(&battery::POWER_W, Value::from(-633.6));
    values.set(&battery::REMAINING_CAPACITY_AH, Value::from(70.0 + wobble));
    values.set(&battery::NOMINAL_CAPACITY_AH, Value::from(100.0));
    values.set(&battery::CYCLES, Value::from(12_i64));
    let cells: Value = (0..16)
        .map(|cell| Some(3.3 + f64::from(cell) / 1000.0))
        .collect();
    values.set(&battery::CELL_VOLTAGES_V, cells);
    let probes: Value = [Some(21.0), Some(21.5), None].into_iter().collect();
    values.set(&battery::TEMPERATURES_C, probes);
    values.set(&battery::CHARGE_MOSFET_ON, Value::from(true));
    values.set(&battery::DISCHARGE_MOSFET_ON, Value::from(true));
    values.set(&battery::PROTECTION, Value::Flags(vec![]));
    values.set(&battery::SOFTWARE_VERSION, Value::from("2.1"));
    reading
}

async fn database(directory: &Path) -> Arc<Database> {
    let file = directory.join("telemetry.sqlite");
    Arc::new(Database::open(Some(&file)).await.expect("a database"))
}

/// The same rows, made beforehand, in the same groups.
async fn raw(readings: &[Arc<Reading>]) -> Duration {
    let directory = tempfile::tempdir().expect("a directory");
    let database = database(directory.path()).await;
    let keys = metric::catalogue(DeviceKind::Battery)
        .iter()
        .map(|metric| metric.key);
    let columns: Vec<_> = KEY_COLUMNS
        .into_iter()
        .chain(keys)
        .chain([EXTRA_COLUMN])
        .collect();
    let rows: Vec<_> = (1..)
        .zip(readings)
        .map(|(number, reading)| row(database.gateway(), number, reading))
        .collect();
    let journal_columns = [
        "number",
        "device",
        "kind",
        "measured_at",
        "fetched_at",
        "body",
    ];
    let body = "x".repeat(500);
    let entries: Vec<_> = rows
        .iter()
        .map(|row| {
            let kind = Cell::Text("battery".to_owned());
            let body = Cell::Text(body.clone());
            vec![
                row[1].clone(),
                row[2].clone(),
                kind,
                row[3].clone(),
                row[4].clone(),
                body,
            ]
        })
        .collect();

    let began = Instant::now();
    let mut connection = database.lock().await;
    for (rows, entries) in rows.chunks(GROUP).zip(entries.chunks(GROUP)) {
        let mut transaction = connection.begin().await.expect("a transaction");
        for (table, columns, rows) in [
            ("journal", &journal_columns[..], entries),
            ("battery", &columns[..], rows),
        ] {
            insert(&mut transaction, table, columns, rows)
                .await
                .expect("an insert");
        }
        transaction.commit().await.expect("a commit");
    }
    began.elapsed()
}

async fn journal(readings: &[Arc<Reading>], commit_interval: Duration) -> Duration {
    let directory = tempfile::tempdir().expect("a directory");
    let (journal, writer) =
        Journal::open(database(directory.path()).await, limits(commit_interval))
            .await
            .expect("a journal");
    let mut consumer = journal.consumer("bench").await.expect("a consumer");
    let shutdown = CancellationToken::new();
    let began = Instant::now();
    let task = tokio::spawn(writer.run(shutdown.clone()));
    let mut sent = 0;
    for wave in readings.chunks(10_000) {
        for reading in wave {
            journal.append(reading.clone());
        }
        sent += wave.len() as i64;
        consumer.wait_beyond(sent - 1).await;
    }
    let took = began.elapsed();
    shutdown.cancel();
    task.await.expect("the writer");
    took
}

/// Each reading waits for its own commit.
async fn single(readings: &[Arc<Reading>]) -> Duration {
    let directory = tempfile::tempdir().expect("a directory");
    let (journal, writer) = Journal::open(database(directory.path()).await, limits(Duration::ZERO))
        .await
        .expect("a journal");
    let mut consumer = journal.consumer("bench").await.expect("a consumer");
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(writer.run(shutdown.clone()));
    let began = Instant::now();
    for (number, reading) in (0..).zip(readings) {
        journal.append(reading.clone());
        consumer.wait_beyond(number).await;
    }
    let took = began.elapsed();
    shutdown.cancel();
    task.await.expect("the writer");
    took
}

fn limits(commit_interval: Duration) -> Limits {
    Limits {
        commit_interval,
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: Some(Duration::from_secs(86_400)),
    }
}
