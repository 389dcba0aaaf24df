//! The drop-in command `saic-mqtt-gateway` as a user runs it: the program
//! against a simulated cloud over HTTP and a real Mosquitto.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::request::Parts;
use saic_ismart::simulator::{Activity, CloudConfig, Phase};
use telemetry_cli::cloud::saic::Saic;
use telemetry_cli::cloud::{Answer, Cloud, Server};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use running::Running;
use watcher::Watcher;

mod allowance;
mod bursts;
mod charging_call;
mod cloud_session;
mod days;
mod discovery;
mod garage;
mod holiday;
mod mailbox;
mod message_list;
mod others;
mod packaging;
mod plausible;
mod refusals;
mod restart;
mod table;
mod transports;
mod trips;
mod values;
mod wishes;

#[path = "../support/certificate.rs"]
pub mod certificate;
#[path = "../support/mosquitto.rs"]
pub mod mosquitto;
#[path = "../support/running.rs"]
pub mod running;
#[path = "../support/watcher.rs"]
pub mod watcher;

const VIN: &str = "LSJDEMO0000000001";
const CAR: &str = "saic/demo@example.com/vehicles/LSJDEMO0000000001";
const LWT: &str = "saic/_internal/lwt";

/// A cloud that counts what it is asked.
struct Counting {
    saic: Saic,
    requests: u64,
}

impl Cloud for Counting {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        self.requests += 1;
        self.saic.answer(head, body)
    }
}

/// A simulated cloud that listens.
struct Simulated {
    cloud: Arc<Mutex<Counting>>,
    address: SocketAddr,
    shutdown: CancellationToken,
}

impl Simulated {
    /// A cloud whose only car does one thing all the time.
    async fn doing(activity: Activity) -> Self {
        let mut config = CloudConfig::default();
        config.cars[0].plan = vec![Phase {
            activity,
            minutes: 1e6,
        }];
        Self::with(config).await
    }

    /// Any cloud.
    async fn with(config: CloudConfig) -> Self {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
        let server = server.expect("a free port");
        let address = server.local_addr();
        let cloud = Arc::new(Mutex::new(Counting {
            saic: Saic::new(config, 7),
            requests: 0,
        }));
        let shutdown = CancellationToken::new();
        tokio::spawn(server.run(cloud.clone(), shutdown.clone()));
        Self {
            cloud,
            address,
            shutdown,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counting> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another cloud takes its place: nobody is logged in.
    fn replace(&self, saic: Saic) {
        self.lock().saic = saic;
    }

    /// Requests of any kind.
    fn requests(&self) -> u64 {
        self.lock().requests
    }

    fn logins(&self) -> u64 {
        self.lock().saic.0.logins()
    }

    /// How often the car was asked or told something.
    fn live_calls(&self) -> u64 {
        self.lock().saic.0.live_calls()
    }

    /// The phone takes the account.
    fn log_in_elsewhere(&self) {
        self.lock().saic.0.log_in_elsewhere();
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// The program, with a state directory that outlives it.
struct Program {
    directory: TempDir,
    uri: String,
    broker: String,
}

impl Program {
    fn new(cloud: &Simulated, broker: &str) -> Self {
        Self {
            directory: tempfile::tempdir().expect("temporary directory"),
            uri: format!("http://{}/api.app/v1/", cloud.address),
            broker: broker.to_owned(),
        }
    }

    /// Starts it with more flags.
    fn start(&self, flags: &[&str]) -> Running {
        Running::start(&mut self.command(flags))
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
        command
            .args(["saic-mqtt-gateway", "-m", &self.broker, "-s", &self.uri])
            .arg("--state-dir")
            .arg(self.directory.path())
            .args(flags)
            .env_clear()
            .env("SAIC_USER", "demo@example.com")
            .env("SAIC_PASSWORD", "demo-password")
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }
}

fn car(topic: &str) -> String {
    format!("{CAR}/{topic}")
}

/// Publishes a command, and waits for its result.
async fn tell(watcher: &mut Watcher, command: &str, payload: &str) -> String {
    let result = car(&format!("{command}/result"));
    watcher.last.remove(&result);
    watcher
        .publish(&car(&format!("{command}/set")), payload, false)
        .await;
    let what = format!("a result of {command}");
    watcher
        .wait_until(&what, |watcher| watcher.last.contains_key(&result))
        .await;
    watcher.last[&result].clone()
}
