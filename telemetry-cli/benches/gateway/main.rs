//! The program with three packs over an emulated BlueZ, a real Mosquitto and a
//! real MariaDB: its own part of the time to the first reading, and what it
//! takes after ten minutes. Run with `cargo bench -p telemetry-cli --bench
//! gateway`; a number behind `--` is another count of seconds.

#![cfg(target_os = "linux")]

use std::fs;
use std::time::{Duration, Instant};

use bluez::{Bluez, Bus, Config, Policy};
use computer::Computer;
use mariadb::MariaDb;
use mosquitto::Mosquitto;
use running::Running;
use watcher::Watcher;

#[path = "../../tests/support/bluez/mod.rs"]
pub mod bluez;
#[path = "../../tests/support/computer.rs"]
pub mod computer;
#[path = "../../tests/support/mariadb.rs"]
pub mod mariadb;
#[path = "../../tests/support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../../tests/support/running.rs"]
pub mod running;
#[path = "../../tests/support/watcher.rs"]
pub mod watcher;

const STARTS: usize = 9;
const SECONDS: u64 = 600;

/// Units of processor time in /proc, the same on every Linux.
const TICKS_PER_S: f64 = 100.0;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            starts.push(start().await);
        }
        starts.sort();
        let (own, source) = starts[STARTS / 2];
        println!("start to first reading at a subscriber, one pack, median of {STARTS}:");
        println!("the source's own time   {source:>10.1?}  first call to last byte");
        println!("ours besides            {own:>10.1?}");
        let seconds = std::env::args().find_map(|argument| argument.parse().ok());
        run(Duration::from_secs(seconds.unwrap_or(SECONDS))).await;
    });
}

/// Ours and the source's part of the time to the first reading.
async fn start() -> (Duration, Duration) {
    let mosquitto = Mosquitto::open();
    let computer = Computer::blank();
    computer.configure(&config(&mosquitto, 1));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = packs(&bus, 1);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let began = Instant::now();
    let gateway = gateway(&computer);
    let state = "telemetry/jbd-a4c138000001/state";
    watcher
        .wait_until(state, |watcher| watcher.last.contains_key(state))
        .await;
    let all = began.elapsed();
    let source = bluez.with(|service| {
        let first = service.first_call.expect("it called");
        let last = service.peripheral(1).said_at.expect("it answered");
        last - first
    });
    assert!(gateway.stop().success());
    (all - source, source)
}

/// Memory and processor time with everything on.
async fn run(time: Duration) {
    let mosquitto = Mosquitto::open();
    let mariadb = MariaDb::start();
    let database = mariadb.database().await;
    let computer = Computer::blank();
    let mariadb = format!("[mariadb]\n{}", database.config);
    computer.configure(&format!("{}{mariadb}", config(&mosquitto, 3)));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let _bluez = packs(&bus, 3);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let gateway = gateway(&computer);
    for number in 1..=3 {
        let topic = format!("telemetry/jbd-a4c13800000{number}/availability");
        watcher.wait_for(&topic, "online").await;
    }
    let (before, began) = (ticks(gateway.id()), Instant::now());
    tokio::time::sleep(time).await;
    let cpu = (ticks(gateway.id()) - before) / TICKS_PER_S / began.elapsed().as_secs_f64();
    println!(
        "three packs at their default interval, Mosquitto, MariaDB, after {} s:",
        time.as_secs()
    );
    let (resident, peak) = (memory(gateway.id(), "VmRSS"), memory(gateway.id(), "VmHWM"));
    println!("resident memory         {resident:>10.1} MB, at most {peak:.1} MB");
    println!(
        "of it private           {:>10.1} MB",
        memory(gateway.id(), "RssAnon")
    );
    println!(
        "processor               {:>10.2} % of one core",
        cpu * 100.0
    );
    assert!(gateway.stop().success());
    let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM battery");
    let rows = count.fetch_one(&mut database.inside().await).await;
    println!("rows in MariaDB         {:>10}", rows.expect("a count"));
}

fn config(mosquitto: &Mosquitto, packs: u8) -> String {
    let mut config = format!("[mqtt]\nurl = 'tcp://{}'\n", mosquitto.address());
    for number in 1..=packs {
        config += &format!("[[jbd]]\nname = 'Pack {number}'\n");
    }
    config
}

fn packs(bus: &Bus, count: u8) -> Bluez {
    let bluez = Bluez::start(bus);
    for number in 1..=count {
        bluez.add(Config::pack(&format!("Pack {number}"), number));
    }
    bluez
}

fn gateway(computer: &Computer) -> Running {
    let log = fs::File::create(computer.directory.path().join("log")).expect("a file");
    let args = ["run", "-c", "telemetry.toml", "--state-dir", "state"];
    Running::start(computer.telemetry(&args).stderr(log))
}

/// A line of /proc/PID/status, in megabytes.
fn memory(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    let kilobytes: f64 = number.and_then(|text| text.parse().ok()).expect("a number");
    kilobytes * 1024.0 / 1e6
}

/// Processor time since its start.
fn ticks(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // The name, in parentheses, may contain anything.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let times = rest.split_whitespace().skip(11).take(2);
    times
        .map(|time| time.parse::<f64>().expect("a number"))
        .sum()
}
