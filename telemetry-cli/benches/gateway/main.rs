//! The program as it is used, around it an emulated BlueZ, simulated clouds, a
//! real Mosquitto and a real MariaDB, all in other processes: its own part of
//! the time to the first reading, and what it takes after ten minutes with one
//! device of each kind and as `saic-mqtt-gateway`.
//!
//! `cargo bench -p telemetry-cli --bench gateway`; behind `--`, a number is
//! another count of seconds, and a path another build of the program:
//! `-- 600 target/dist/telemetry`.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use computer::Computer;
use mariadb::MariaDb;
use running::Running;

use cars::Cars;
use home::{Home, Hour, Scene};

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

mod cars;
mod home;
mod process;
mod start;

const SECONDS: u64 = 600;

fn main() {
    // Before any client of TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure(
        &Program::of_arguments(),
        Duration::from_secs(seconds()),
    ));
}

async fn measure(program: &Program, time: Duration) {
    let size = fs::metadata(&program.path).expect("the program").len();
    println!("{}: {:.1} MB", program.path.display(), size as f64 / 1e6);
    start::measure(program).await;
    let mariadb = MariaDb::start();
    // At the same time: none of them does much.
    let mut homes = Vec::new();
    for sparing in [false, true] {
        for hour in [Hour::Day, Hour::Night] {
            let scene = Scene { hour, sparing };
            homes.push(Home::start(program, &mariadb, scene).await);
        }
    }
    let one = Cars::start(program, 1).await;
    let two = Cars::start(program, 2).await;
    tokio::time::sleep(time).await;
    for home in homes {
        home.print().await;
    }
    one.print();
    two.print();
}

fn seconds() -> u64 {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok());
    seconds.unwrap_or(SECONDS)
}

/// The build that is measured.
struct Program {
    path: PathBuf,
}

impl Program {
    fn of_arguments() -> Self {
        let given = std::env::args().skip(1).find(|text| text.contains('/'));
        let path = given.unwrap_or_else(|| env!("CARGO_BIN_EXE_telemetry").to_owned());
        Self {
            path: fs::canonicalize(path).expect("the program"),
        }
    }

    /// `run`, in a directory with a configuration.
    fn gateway(&self, computer: &Computer) -> Running {
        let log = fs::File::create(computer.directory.path().join("log")).expect("a file");
        let args = ["run", "-c", "telemetry.toml", "--state-dir", "state"];
        Running::start(computer.program(&self.path, &args).stderr(log))
    }
}
