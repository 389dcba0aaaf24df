//! The MariaDB sink against a raw batched insert of the same rows into the same
//! server, through the same driver. Run with
//! `cargo bench -p telemetry-cli --bench mariadb`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use telemetry_cli::config;
use telemetry_cli::database::Database;
use telemetry_cli::event::{DeviceId, DeviceKind, Reading};
use telemetry_cli::hub::Hub;
use telemetry_cli::journal::{Journal, Limits, Writer};
use telemetry_cli::sink::{Context, mariadb};
use telemetry_cli::stats::Stats;
use telemetry_cli::store::mariadb::{Target, insert, layout};
use telemetry_cli::store::row;
use telemetry_cli::supervisor::Task;
use tokio_util::sync::CancellationToken;

#[path = "support/readings.rs"]
mod readings;
#[path = "../tests/support/mariadb.rs"]
#[allow(dead_code)]
pub mod server;

const ROWS: i64 = 50_000;
const GROUP: usize = 512;
const RUNS: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = server::MariaDb::start();
        let directory = tempfile::tempdir().expect("a directory");
        let journal = journal(&directory).await;
        let mut runs: Vec<(f64, f64, f64)> = Vec::new();
        for run in 0..=RUNS {
            let database = server.database().await;
            let config: config::MariaDb = toml::from_str(&database.config).expect("valid");
            let mut root = database.inside().await;
            // Both find the tables there.
            layout::migrate(&mut root).await.expect("tables");
            let sink = rate(sink(&config, &journal, &mut root).await);
            server::execute(&mut root, "TRUNCATE battery").await;
            let raw = rate(raw(&journal, &mut root).await);
            // The first one warms the server up.
            if run > 0 {
                runs.push((sink / raw, raw, sink));
            }
        }
        runs.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (ratio, raw, sink) = runs[RUNS / 2];
        println!(
            "{ROWS} readings of a 16-cell pack, in transactions of {GROUP}, median of {RUNS}:"
        );
        println!("raw batched insert   {raw:>9.0} readings/s");
        println!(
            "sink, from the journal {sink:>7.0} readings/s, {:.0} % of raw",
            ratio * 100.0
        );
    });
}

fn rate(took: Duration) -> f64 {
    ROWS as f64 / took.as_secs_f64()
}

/// A journal that holds everything.
async fn journal(directory: &tempfile::TempDir) -> Journal {
    let file = directory.path().join("telemetry.sqlite");
    let database = Database::open(Some(&file)).await.expect("a database");
    let limits = Limits {
        commit_interval: Duration::ZERO,
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: None,
    };
    let consumers = [mariadb::CONSUMER.to_owned()].into();
    let journal = Journal::open(database.into(), limits, consumers)
        .await
        .expect("a journal");
    let shutdown = CancellationToken::new();
    let writer = tokio::spawn(Writer::new(journal.clone()).run(shutdown.clone()));
    let mut consumer = journal.consumer("bench").await.expect("a consumer");
    let start = Utc::now();
    for number in 0..ROWS {
        let at = start + TimeDelta::milliseconds(number);
        journal.append(Arc::new(readings::reading(number, at)));
        // No more at once than the journal takes.
        if number % 10_000 == 9_999 {
            consumer.wait_beyond(number).await;
        }
    }
    consumer.wait_beyond(ROWS - 1).await;
    shutdown.cancel();
    writer.await.expect("the writer");
    journal
}

/// From the connection to the last row.
async fn sink(config: &config::MariaDb, journal: &Journal, root: &mut MySqlConnection) -> Duration {
    let task = Task {
        name: "mariadb".to_owned(),
        shutdown: CancellationToken::new(),
    };
    let context = Context {
        hub: Hub::new(None, Duration::from_secs(300), vec![]),
        journal: Some(journal.clone()),
        controls: telemetry_cli::control::Controls::default(),
        stats: Stats::default(),
        gateway: DeviceId::new(&["gateway"]),
        gateway_name: "Bench".to_owned(),
    };
    let config = config::MariaDb {
        batch: GROUP as u32,
        ..config.clone()
    };
    let shutdown = task.shutdown.clone();
    let began = Instant::now();
    let sink = tokio::spawn(mariadb::run(config, context, task));
    let done = "SELECT COALESCE(MAX(taken), 0) FROM gateway";
    loop {
        let taken = sqlx::query_scalar::<_, i64>(done)
            .fetch_one(&mut *root)
            .await;
        if taken.is_ok_and(|taken| taken == ROWS) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = began.elapsed();
    shutdown.cancel();
    sink.await.expect("the sink");
    took
}

/// The same rows, made beforehand, in the same groups, into the same table.
async fn raw(journal: &Journal, root: &mut MySqlConnection) -> Duration {
    let consumer = journal.consumer("raw").await.expect("a consumer");
    let entries = consumer.after(0, ROWS as u32).await.expect("entries");
    let readings: Vec<(i64, Reading)> = entries
        .into_iter()
        .map(|entry| (entry.number, entry.reading))
        .collect();
    let rows: Vec<_> = readings
        .iter()
        .map(|(number, reading)| row("raw", *number, reading))
        .collect();
    let target = Target::readings(DeviceKind::Battery);
    let began = Instant::now();
    for rows in rows.chunks(GROUP) {
        let mut transaction = root.begin().await.expect("a transaction");
        let refused = insert(&mut transaction, &target, rows, 1 << 24).await;
        assert!(refused.expect("an insert").is_empty());
        transaction.commit().await.expect("a commit");
    }
    let took = began.elapsed();
    let count: i64 = sqlx::query_scalar(AssertSqlSafe("SELECT COUNT(*) FROM battery"))
        .fetch_one(root)
        .await
        .expect("a count");
    assert_eq!(count, ROWS);
    took
}
