//! A gateway that is a journal and this sink.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::mysql::MySqlConnection;
use telemetry_cli::database::Database;
use telemetry_cli::event::{Device, DeviceId, DeviceKind, Reading};
use telemetry_cli::hub::Hub;
use telemetry_cli::journal::{Journal, Limits, Writer};
use telemetry_cli::metric::battery;
use telemetry_cli::sink::{Context, mariadb};
use telemetry_cli::stats::Stats;
use telemetry_cli::supervisor::{Backoff, Component, Exit, Supervisor, Task};
use telemetry_cli::value::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::server::DEADLINE;

/// Its state directory lasts longer than a run.
pub(crate) struct Gateway {
    pub(crate) journal: Journal,
    pub(crate) stats: Stats,
    database: Arc<Database>,
    writing: CancellationToken,
    writer: JoinHandle<()>,
}

impl Gateway {
    /// Opens what is in `directory`.
    pub(crate) async fn open(directory: &TempDir) -> Self {
        let file = directory.path().join("telemetry.sqlite");
        let database = Arc::new(Database::open(Some(&file)).await.unwrap());
        let limits = Limits {
            commit_interval: Duration::from_millis(2),
            max_age: Duration::from_secs(86_400 * 365),
            max_bytes: 1 << 30,
            history: None,
        };
        let consumers = [mariadb::CONSUMER.to_owned()].into();
        let journal = Journal::open(database.clone(), limits, consumers)
            .await
            .unwrap();
        let writing = CancellationToken::new();
        let writer = tokio::spawn(Writer::new(journal.clone()).run(writing.clone()));
        Self {
            journal,
            database,
            stats: Stats::default(),
            writing,
            writer,
        }
    }

    pub(crate) fn id(&self) -> &str {
        self.journal.gateway()
    }

    pub(crate) fn append(&self, reading: Reading) {
        self.journal.append(Arc::new(reading));
    }

    /// Appends readings whose state of charge counts from `from` on, and waits
    /// until they are in the journal.
    pub(crate) async fn count(&self, device: &str, from: i64, to: i64) {
        let mut end = self.journal.consumer("end").await.unwrap();
        let before = end.newest();
        for number in from..to {
            self.append(reading(device, number));
        }
        end.wait_beyond(before + to - from - 1).await;
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            hub: Hub::new(None, Duration::from_secs(300), vec![]),
            journal: Some(self.journal.clone()),
            controls: telemetry_cli::control::Controls::default(),
            stats: self.stats.clone(),
            gateway: DeviceId::new(&["gateway-home"]),
            gateway_name: "Home".to_owned(),
        }
    }

    /// Starts the sink as the gateway does, but more patient.
    pub(crate) fn start(&self, config: &str) -> Running {
        let config: telemetry_cli::config::MariaDb = toml::from_str(config).expect("valid");
        let shutdown = CancellationToken::new();
        let mut supervisor = Supervisor::new(shutdown.clone(), self.stats.clone());
        let component = Component {
            name: "mariadb".to_owned(),
            backoff: Backoff {
                first: Duration::from_millis(20),
                most: Duration::from_millis(200),
            },
            credentials: vec![],
        };
        let context = self.context();
        supervisor.supervise(component, move |task| {
            mariadb::run(config.clone(), context.clone(), task)
        });
        Running {
            sink: tokio::spawn(async move { drop(supervisor.join().await) }),
            shutdown,
        }
    }

    /// Runs the sink once; how it ends by itself.
    pub(crate) async fn run_once(&self, config: &str) -> Exit {
        let config = toml::from_str(config).expect("valid");
        let task = Task {
            name: "mariadb".to_owned(),
            shutdown: CancellationToken::new(),
        };
        let end = mariadb::run(config, self.context(), task);
        tokio::time::timeout(DEADLINE, end).await.expect("it ends")
    }

    /// Why it cannot run.
    pub(crate) async fn trouble(&self, config: &str) -> String {
        match self.run_once(config).await {
            Exit::Transient(why) | Exit::LoginNeeded(why) | Exit::Fatal(why) => why,
            Exit::Stopped => panic!("it stopped"),
        }
    }

    /// Ends in good order, but for the sink.
    pub(crate) async fn close(self) {
        self.writing.cancel();
        self.writer.await.unwrap();
        self.database.checkpoint().await;
    }
}

/// A sink that runs.
pub(crate) struct Running {
    sink: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Running {
    /// Ends it as a gateway does.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let end = tokio::time::timeout(DEADLINE, self.sink).await;
        end.expect("it ends").expect("no panic");
    }

    /// Ends it wherever it is, as a kill does.
    pub(crate) async fn kill(self) {
        self.sink.abort();
        let _ = self.sink.await;
    }
}

pub(crate) fn reading(device: &str, number: i64) -> Reading {
    let time = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
    let mut reading = Reading::new(DeviceId::new(&[device]), DeviceKind::Battery, time);
    reading.values.set(&battery::CYCLES, Value::from(number));
    reading
}

pub(crate) fn pack(id: &str, name: &str) -> Arc<Device> {
    Arc::new(Device {
        name: name.to_owned(),
        vendor: "JBD".to_owned(),
        ..Device::unknown(DeviceId::new(&[id]), DeviceKind::Battery)
    })
}

/// Asks until the answer is `expected`.
pub(crate) async fn eventually(root: &mut MySqlConnection, sql: &str, expected: i64) {
    let end = Instant::now() + DEADLINE;
    let mut pause = Duration::from_millis(20);
    loop {
        let found = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *root)
            .await;
        if found.as_ref().is_ok_and(|found: &i64| *found == expected) {
            return;
        }
        assert!(Instant::now() < end, "{sql}: {found:?}, not {expected}");
        tokio::time::sleep(pause).await;
        // What the server says of its locks is refreshed for who asks seldom.
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Asserts that a gateway's rows are those that [`Gateway::count`] made from 0
/// on: each once, none missing, the number of its entry in it.
pub(crate) async fn assert_counted(root: &mut MySqlConnection, gateway: &str, count: i64) {
    let all: Vec<_> = (0..count).collect();
    assert_rows(root, gateway, &all).await;
}

/// Asserts that a gateway's rows are these.
pub(crate) async fn assert_rows(root: &mut MySqlConnection, gateway: &str, cycles: &[i64]) {
    let rows = rows(root, gateway).await;
    for (place, cycles) in cycles.iter().enumerate() {
        assert_eq!(rows.get(place), Some(&(cycles + 1, *cycles)), "row {place}");
    }
    assert_eq!(rows.len(), cycles.len(), "last: {:?}", rows.last());
}

/// The numbers of a gateway's rows with the cycles in them, in their order.
pub(crate) async fn rows(root: &mut MySqlConnection, gateway: &str) -> Vec<(i64, i64)> {
    sqlx::query_as("SELECT number, cycles FROM battery WHERE gateway = ? ORDER BY number")
        .bind(gateway)
        .fetch_all(root)
        .await
        .unwrap()
}
