//! The journal against a raw batched insert of the same rows into the same
//! kind of file. Run with `cargo bench -p telemetry-cli --bench journal`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use telemetry_cli::database::{Database, begin, finish};
use telemetry_cli::event::{DeviceKind, Reading};
use telemetry_cli::journal::{Consumer, Journal, Limits, Writer};
use telemetry_cli::metric;
use telemetry_cli::store::sqlite::insert;
use telemetry_cli::store::{Cell, EXTRA_COLUMN, KEY_COLUMNS, row};
use tokio_util::sync::CancellationToken;

use readings::reading;

#[path = "support/readings.rs"]
mod readings;

const ROWS: usize = 50_000;
const WAVE: usize = 10_000;
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
        let readings: Vec<_> = (0..ROWS as i64)
            .map(|n| Arc::new(reading(n, Utc::now() + TimeDelta::milliseconds(n))))
            .collect();
        let mut ratios: Vec<(f64, f64, f64)> = Vec::new();
        for _ in 0..RUNS {
            let raw = ROWS as f64 / raw(&readings).await.as_secs_f64();
            let (took, _) = journal(&readings, WAVE).await;
            let journal = ROWS as f64 / took.as_secs_f64();
            ratios.push((journal / raw, raw, journal));
        }
        ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (ratio, raw, batched) = ratios[RUNS / 2];
        println!("{ROWS} readings of a 16-cell pack, journal and history, median of {RUNS}:");
        println!("raw batched insert   {raw:>9.0} readings/s");
        println!(
            "journal              {batched:>9.0} readings/s, {:.0} % of raw",
            ratio * 100.0
        );
        let (took, bytes) = journal(&readings[..SINGLE], 1).await;
        println!(
            "one commit each      {:>9.0} readings/s, {} bytes written per reading",
            SINGLE as f64 / took.as_secs_f64(),
            bytes / SINGLE as u64
        );
    });
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
        begin(&mut connection).await.expect("a transaction");
        let mut result = Ok(());
        for (table, columns, rows) in [
            ("journal", &journal_columns[..], entries),
            ("battery", &columns[..], rows),
        ] {
            result = result.and(insert(&mut connection, table, columns, rows).await);
        }
        finish(&mut connection, result).await.expect("a commit");
    }
    began.elapsed()
}

/// A journal that commits at once, its writer, and somebody who waits.
async fn open(directory: &Path) -> (Journal, Writer, Consumer) {
    let limits = Limits {
        commit_interval: Duration::ZERO,
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: Some(Duration::from_secs(86_400)),
    };
    let consumers = ["bench".to_owned()].into();
    let journal = Journal::open(database(directory).await, limits, consumers)
        .await
        .expect("a journal");
    let writer = Writer::new(journal.clone());
    let consumer = journal.consumer("bench").await.expect("a consumer");
    (journal, writer, consumer)
}

/// Waits for a commit once per `wave` readings; how long that took, and how
/// many bytes the process wrote.
async fn journal(readings: &[Arc<Reading>], wave: usize) -> (Duration, u64) {
    let directory = tempfile::tempdir().expect("a directory");
    let (journal, writer, mut consumer) = open(directory.path()).await;
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(writer.run(shutdown.clone()));
    let before = bytes_written();
    let began = Instant::now();
    let mut sent = 0;
    for wave in readings.chunks(wave) {
        for reading in wave {
            journal.append(reading.clone());
        }
        sent += wave.len() as i64;
        consumer.wait_beyond(sent - 1).await;
    }
    let took = began.elapsed();
    let bytes = bytes_written() - before;
    shutdown.cancel();
    task.await.expect("the writer");
    (took, bytes)
}

/// By this process, since its start; 0 where the system does not tell.
fn bytes_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines()
        .find_map(|line| line.strip_prefix("wchar: ")?.parse().ok())
        .unwrap_or(0)
}
