//! Ten thousand devices, one reading a minute each, through hub and journal
//! into the history, without sinks: memory, processor time, bytes written, and
//! how late a reading is. Run with `cargo bench -p telemetry-cli --bench fleet`;
//! a number behind `--` is another count of seconds.

#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use telemetry_cli::database::Database;
use telemetry_cli::event::{Device, DeviceId, DeviceKind};
use telemetry_cli::filter::Keep;
use telemetry_cli::hub::{Handling, Hub};
use telemetry_cli::journal::{Journal, Limits, Writer};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use process::Usage;
use readings::reading;

#[path = "gateway/process.rs"]
mod process;
#[path = "support/readings.rs"]
mod readings;

const DEVICES: u32 = 10_000;
const INTERVAL: Duration = Duration::from_secs(60);
const SECONDS: u64 = 300;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let seconds = std::env::args().find_map(|argument| argument.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(SECONDS));
    runtime.block_on(measure(time));
}

async fn measure(time: Duration) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("telemetry.sqlite");
    let database = Arc::new(Database::open(Some(&file)).await.expect("a database"));
    let limits = Limits {
        commit_interval: Duration::from_secs(1),
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: Some(Duration::from_secs(86_400)),
    };
    let journal = Journal::open(database.clone(), limits, [].into());
    let journal = journal.await.expect("a journal");
    let hub = Hub::new(Some(journal.clone()), Duration::from_secs(300), vec![]);
    let shutdown = CancellationToken::new();
    let writer = tokio::spawn(Writer::new(journal.clone()).run(shutdown.clone()));

    let mut devices = JoinSet::new();
    let began = Instant::now();
    for number in 0..DEVICES {
        devices.spawn(live(hub.clone(), number, began, time));
    }
    let usage = Usage::of(std::process::id());
    let late = devices.join_all().await;
    usage.print(&format!("{DEVICES} devices, a reading a minute"));

    let mut late: Vec<_> = late.into_iter().flatten().collect();
    late.sort();
    let place = late.len() * 99 / 100;
    println!("readings                {:>10}", late.len());
    println!("late, 99 of 100 at most {:>10.1?}", late[place]);
    shutdown.cancel();
    writer.await.expect("the writer");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM battery")
        .fetch_one(&mut *database.lock().await)
        .await
        .expect("a count");
    println!("rows                    {rows:>10}");
}

/// A pack that is read once a minute; how late each reading was.
async fn live(hub: Hub, number: u32, began: Instant, time: Duration) -> Vec<Duration> {
    let id = DeviceId::new(&["jbd", &format!("{number:012x}")]);
    hub.announce(
        Device::unknown(id.clone(), DeviceKind::Battery),
        Handling {
            source: id.to_string(),
            interval: INTERVAL,
            keep: Keep::Changes,
        },
    );
    let mut due = began + INTERVAL * number / DEVICES;
    let mut late = Vec::new();
    while due < began + time {
        tokio::time::sleep_until(due.into()).await;
        late.push(due.elapsed());
        let mut reading = reading(late.len() as i64 * 7 + i64::from(number), Utc::now());
        reading.device = id.clone();
        hub.read(reading);
        due += INTERVAL;
    }
    late
}
