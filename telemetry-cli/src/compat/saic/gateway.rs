//! The gateway as a whole: the broker on one side, the account with its cars
//! on the other. It drives the cloud's client itself, with the original's rules:
//! these decide on each call to a car by what the topics were told, which the
//! normal gateway knows nothing of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use saic_ismart::VehicleInfo;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::account::Account;
use super::car::Wish;
use super::charging_station::Subject;
use super::client;
use super::command;
use super::console;
use super::garage;
use super::options::Options;
use super::shared::Shared;
use crate::exit::{Code, Failure};
use crate::lock::lock;
use crate::sink::mqtt::session::{Heard, Kind, Outgoing, Session, Speaker};
use crate::supervisor::{Exit, Task};

/// How long Home Assistant is left alone after it has started: every gateway in
/// the house has something to tell it.
const BIRTH_SPREAD: std::time::Duration = std::time::Duration::from_secs(5);

/// From its documents to the states: it subscribes to them in between.
const BIRTH_STATES: std::time::Duration = std::time::Duration::from_secs(1);

/// The cars that live, and how to reach them.
#[derive(Clone, Debug, Default)]
pub struct Cars(Arc<Mutex<BTreeMap<String, Handle>>>);

/// A car that lives.
#[derive(Clone, Debug)]
pub struct Handle {
    /// As the cloud has described it.
    pub info: VehicleInfo,
    /// Takes what happens to it.
    pub wishes: mpsc::Sender<Wish>,
    /// Ends it.
    pub stop: CancellationToken,
    /// Whether its mode has it asked at all.
    pub is_asked: Arc<AtomicBool>,
}

impl Cars {
    /// Adds a car.
    pub fn insert(&self, vin: String, handle: Handle) {
        lock(&self.0).insert(vin, handle);
    }

    /// Whether it lives.
    pub fn contains(&self, vin: &str) -> bool {
        lock(&self.0).contains_key(vin)
    }

    /// Whether it lives, and the cloud describes it otherwise now.
    pub fn has_changed(&self, vin: &str, info: &VehicleInfo) -> bool {
        let cars = lock(&self.0);
        cars.get(vin)
            .is_some_and(|car| garage::has_changed(&car.info, info))
    }

    /// The VINs.
    pub fn vins(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }

    /// As the cloud has described them, each at its best.
    pub fn described(&self) -> Vec<VehicleInfo> {
        let cars = lock(&self.0);
        cars.values().map(|car| car.info.clone()).collect()
    }

    /// Whether there is one whose mode has it asked at all.
    pub fn is_any_asked(&self) -> bool {
        let cars = lock(&self.0);
        cars.values()
            .any(|car| car.is_asked.load(Ordering::Relaxed))
    }

    /// Takes a car out.
    pub fn remove(&self, vin: &str) -> Option<Handle> {
        lock(&self.0).remove(vin)
    }

    /// Takes out those whose task has ended; true if there were any.
    pub fn remove_dead(&self) -> bool {
        let mut cars = lock(&self.0);
        let before = cars.len();
        cars.retain(|_, car| {
            let is_alive = !car.wishes.is_closed();
            if !is_alive {
                car.stop.cancel();
            }
            is_alive
        });
        cars.len() < before
    }

    /// The same, and nothing is too much: waits until the car takes it.
    pub async fn wish_surely(&self, vin: &str, wish: Wish) {
        let handle = lock(&self.0).get(vin).cloned();
        if let Some(handle) = handle {
            // A car that has gone needs nothing.
            let _ = handle.wishes.send(wish).await;
        }
    }

    /// Something happens to a car; false if there is none, or too much happens.
    pub fn wish(&self, vin: &str, wish: Wish) -> bool {
        let handle = lock(&self.0).get(vin).cloned();
        handle.is_some_and(|handle| handle.wishes.try_send(wish).is_ok())
    }
}

/// Runs until `shutdown`. What outlives the process is in `directory`.
///
/// # Errors
/// What keeps it from working: the configuration, or a broker that refuses us.
pub async fn run(
    options: Options,
    directory: Option<PathBuf>,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    let (speaker, outgoing) = Speaker::new();
    let shared = Shared::new(options, speaker, directory)
        .map_err(|why| Failure::new(Code::Internal, why))?;
    let client = client::build(&shared)?;
    let cars = Cars::default();
    let broker_shutdown = CancellationToken::new();
    let mut routed = None;
    let mut broker = match &shared.options.mqtt {
        Some(mqtt) => {
            let (session, heard) = Session::new(mqtt, shared.names.lwt(), outgoing)
                .map_err(|why| Failure::new(Code::Configuration, why))?;
            routed = Some(tokio::spawn(route(heard, shared.clone(), cars.clone())));
            let task = Task {
                name: "mqtt".to_owned(),
                shutdown: broker_shutdown.clone(),
            };
            tokio::spawn(session.run(task))
        }
        None => {
            let prefix = shared.names.prefix().to_owned();
            tokio::spawn(console::run(outgoing, prefix, broker_shutdown.clone()))
        }
    };
    // It ends when the session does.
    let crash = async {
        match routed {
            Some(routed) => match routed.await {
                Ok(()) => std::future::pending().await,
                Err(error) => bug(&error),
            },
            None => std::future::pending().await,
        }
    };
    if let Some(prefix) = &shared.options.home_assistant {
        shared
            .speaker
            .say(Outgoing::Listen(format!("{prefix}/status")));
    }
    for station in shared.options.stations.values() {
        for (topic, _) in station.subscriptions() {
            shared.speaker.say(Outgoing::Listen(topic.to_owned()));
        }
    }
    let account_shutdown = shutdown.child_token();
    let account = Account::new(shared, client, cars, account_shutdown.clone());
    let mut account = tokio::spawn(account.run());
    tokio::select! {
        ended = &mut broker => {
            account_shutdown.cancel();
            let _ = account.await;
            end(ended)
        }
        ended = &mut account => {
            broker_shutdown.cancel();
            let _ = broker.await;
            ended.map_err(|error| bug(&error))
        }
        // Without it, no command arrives: whoever restarts us is to know.
        crash = crash => {
            account_shutdown.cancel();
            let _ = account.await;
            broker_shutdown.cancel();
            let _ = broker.await;
            Err(crash)
        }
    }
}

/// What the end of the broker's task means.
fn end(ended: Result<Exit, JoinError>) -> Result<(), Failure> {
    match ended.map_err(|error| bug(&error))? {
        Exit::Stopped => Ok(()),
        Exit::LoginNeeded(why) | Exit::Fatal(why) | Exit::Transient(why) => {
            let hint = "correct `--mqtt-uri`, `--mqtt-user` and `--mqtt-password`";
            Err(Failure::new(Code::Backend, why).hint(hint))
        }
    }
}

fn bug(error: &JoinError) -> Failure {
    Failure::new(Code::Internal, format!("a bug: {error}"))
}

/// Brings what is heard to where it belongs.
async fn route(mut heard: mpsc::Receiver<Heard>, shared: Shared, cars: Cars) {
    let vehicles = shared.names.vehicles();
    let birth = shared
        .options
        .home_assistant
        .as_ref()
        .map(|prefix| format!("{prefix}/status"));
    while let Some(Heard {
        topic,
        payload,
        retained,
    }) = heard.recv().await
    {
        if birth.as_ref() == Some(&topic) {
            if payload == b"online" && !retained {
                tokio::spawn(tell_home_assistant(shared.speaker.clone()));
            }
            continue;
        }
        if let Some((vin, name)) = command::topic(&topic, &vehicles) {
            // What we clear comes back to us. It interrupts no poll.
            if payload.is_empty() {
                continue;
            }
            if !cars.wish(vin, Wish::told(name, payload, retained)) {
                let why = match cars.contains(vin) {
                    true => "too many commands at once: send it again later",
                    false => "there is no such car in the account",
                };
                tracing::warn!(command = name, "{why}");
                if !retained {
                    let result = shared.names.vehicle(vin, &format!("{name}/result"));
                    shared.tell(result, format!("Failed: {why}"));
                }
            }
            continue;
        }
        let mut matched = false;
        for (vin, subject) in stations(&shared.options, &topic) {
            matched = true;
            let payload = String::from_utf8_lossy(&payload).into_owned();
            cars.wish(vin, Wish::Station(subject, payload));
        }
        if !matched && retained && !payload.is_empty() {
            shared.left.heard(&topic);
        }
    }
}

fn stations<'o>(options: &'o Options, topic: &str) -> Vec<(&'o str, Subject)> {
    let of_station =
        |(vin, station): (&'o String, &'o super::charging_station::ChargingStation)| {
            let about = station.subscriptions().find(|(one, _)| *one == topic)?;
            Some((vin.as_str(), about.1))
        };
    options.stations.iter().filter_map(of_station).collect()
}

async fn tell_home_assistant(speaker: Speaker) {
    tokio::time::sleep(BIRTH_SPREAD.mul_f64(fastrand::f64())).await;
    speaker.say(Outgoing::Repeat(Kind::Document));
    tokio::time::sleep(BIRTH_STATES).await;
    speaker.say(Outgoing::Repeat(Kind::Value));
}
