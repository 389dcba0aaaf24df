//! The account: its cars come and go, and their messages are looked at.

use std::time::Duration;

use saic_ismart::message::ChangeMessages;
use saic_ismart::vehicle::AlarmKind;
use saic_ismart::{Client, Error, LoginError, MessageGroup, VehicleInfo};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::announcer::{self, Announcer};
use super::car::{self, Car, WAITING, Wish};
use super::client;
use super::complaint::Complaint;
use super::garage;
use super::gateway::{Cars, Handle};
use super::messages::Seen;
use super::missing::Missing;
use super::shared::Shared;
use super::text;
use crate::sink::mqtt::session::Outgoing;
use crate::zone::Zone;

/// Messages a page, and pages at most.
const PAGE: u32 = 20;
const PAGES: u32 = 10;

/// What cars shall send messages about.
const ALARMS: [(AlarmKind, bool); 3] = [
    (AlarmKind::Fault, true),
    (AlarmKind::Geofence, true),
    (AlarmKind::VehicleStart, true),
];

/// Where the messages that were seen are kept.
const SEEN: &str = "messages.json";

/// After a login that was refused. A lock ends the next day, a password may be
/// set right in the app; five attempts a day would lock the account.
const AFTER_REFUSAL: Duration = Duration::from_secs(8 * 3600);

/// A car that is missing in a list is looked for again: not so soon that one
/// fault of the cloud takes it away.
const IN_DOUBT: Duration = Duration::from_secs(3600);

/// The account with its cars.
#[derive(Debug)]
pub struct Account {
    shared: Shared,
    client: Client,
    cars: Cars,
    seen: Seen,
    missing: Missing,
    /// Its time zone, as the cloud names it.
    zone: Option<String>,
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    /// About messages that cannot be read.
    complaint: Complaint,
    /// The cloud has refused a login: the next list begins with another one.
    refused: bool,
    /// How many times the task of a car has ended by a bug.
    crashes: u32,
}

/// A task that crashes at each poll must not wake its car all day.
fn after_crash(crashes: u32) -> Duration {
    let minutes = match crashes {
        0 => 0,
        1 => 1,
        2 => 5,
        3 => 15,
        _ => 60,
    };
    Duration::from_secs(60 * minutes)
}

impl Account {
    /// An account whose cars are not known yet.
    pub fn new(shared: Shared, client: Client, cars: Cars, shutdown: CancellationToken) -> Self {
        Self {
            seen: shared.load(SEEN).unwrap_or_default(),
            shared,
            client,
            cars,
            missing: Missing::default(),
            zone: None,
            tasks: JoinSet::new(),
            shutdown,
            complaint: Complaint::default(),
            refused: false,
            crashes: 0,
        }
    }

    /// Lives until its shutdown; its cars end with it.
    pub async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        let version = self.shared.options.version.clone();
        let interval = self.shared.options.account_interval.as_secs().to_string();
        self.hold("gatewayVersion", version);
        self.hold("refreshInterval", interval);
        if let Some(announcer) = Announcer::account(&self.shared) {
            self.tasks.spawn(announcer.run(shutdown.clone()));
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.live() => {}
        }
        while self.tasks.join_next().await.is_some() {}
    }

    async fn live(&mut self) {
        let options = self.shared.options.clone();
        let pause = client::pause(&self.shared);
        if !pause.is_zero() {
            tracing::info!(?pause, "another device has the account, it is left to that");
        }
        self.start_known(pause);
        let mut next_list = Instant::now() + pause;
        let mut next_messages = next_list;
        loop {
            if next_list <= Instant::now() {
                let pause = match self.list().await {
                    Ok(0) => {
                        tracing::warn!("the account has no cars");
                        options.messages_interval
                    }
                    Ok(_) if self.missing.is_in_doubt() => options.account_interval.min(IN_DOUBT),
                    Ok(_) => options.account_interval,
                    Err(error) => self.failed(&error).await,
                };
                next_list = Instant::now() + pause;
            }
            if next_messages <= Instant::now() {
                if self
                    .messages()
                    .await
                    .is_err_and(|error| error.needs_login())
                    && !self.refused
                {
                    next_list = Instant::now();
                }
                next_messages = Instant::now() + options.messages_interval;
            }
            tokio::time::sleep_until(next_list.min(next_messages)).await;
            if self.has_crashed() {
                next_list = Instant::now() + after_crash(self.crashes);
                self.crashes = self.crashes.saturating_add(1);
            }
        }
    }

    /// Cars that were there before a restart live at once: their commands count
    /// also while the account is left to another device.
    fn start_known(&mut self, pause: Duration) {
        let garage::Known { cars: known, zone } = garage::load(&self.shared);
        if let Some(zone) = zone {
            self.learn_zone(zone);
        }
        if !known.is_empty() {
            self.listen();
        }
        for info in &known {
            if let Some(vin) = &info.vin {
                self.start(vin.as_str(), info, pause);
            }
        }
    }

    /// Before cars say anything: whoever has heard of one can command it.
    fn listen(&self) {
        for filter in self.shared.names.commands() {
            self.shared.speaker.say(Outgoing::Listen(filter));
        }
    }

    /// When the next attempt makes sense.
    async fn failed(&mut self, error: &Error) -> Duration {
        let elsewhere = matches!(error, Error::Login(LoginError::LoggedInElsewhere { .. }));
        if matches!(error, Error::Login(_)) && !elsewhere {
            self.hold("lastLoginError", text::timestamp(self.shared.now()));
        }
        self.refused = error.needs_login();
        if !self.refused {
            tracing::warn!("no list of cars: {error}; trying again");
            let interval = self.shared.options.messages_interval;
            return error.retry_after().unwrap_or(interval).max(interval);
        }
        tracing::error!(
            "{error}; correct it and restart, the next attempt is in {} hours: more would lock \
             the account",
            AFTER_REFUSAL.as_secs() / 3600
        );
        client::end_pause(&self.shared).await;
        AFTER_REFUSAL
    }

    /// Looks which cars there are; how many.
    async fn list(&mut self) -> Result<usize, Error> {
        if self.refused {
            self.client.login().await?;
            self.refused = false;
        }
        let list = self.client.vehicles().await?;
        self.ask_zone().await;
        self.hold("lastRefresh", text::timestamp(self.shared.now()));
        let known = self.cars.vins();
        let first = known.is_empty();
        if list.is_empty() && !first {
            // Nobody sells all cars at once: the cloud forgets them now and then.
            tracing::warn!("the list of cars is empty, the known ones stay");
            return Ok(known.len());
        }
        if first && list.iter().any(|info| info.vin.is_some()) {
            // Before the cars say anything: whoever hears them may answer at once.
            self.listen();
        }
        let mut there = Vec::new();
        let mut is_late = false;
        for info in &list {
            let Some(vin) = info.vin.as_ref().map(|vin| vin.as_str().to_owned()) else {
                continue;
            };
            if self.cars.has_changed(&vin, info) {
                tracing::info!("the cloud describes a car anew");
                self.stop(&vin).await;
            }
            if !self.cars.contains(&vin) {
                self.start(&vin, info, Duration::ZERO);
                is_late |= !first;
            }
            there.push(vin);
        }
        if is_late {
            // The broker says once more what it keeps for it.
            self.listen();
        }
        for info in &list {
            self.register_alarms(info).await;
        }
        if !there.is_empty() {
            self.forget_others(&there).await;
        }
        // A car that is missing once is there again at the next start.
        if !there.is_empty() && !self.missing.is_in_doubt() {
            let cars = self.cars.described();
            garage::save(&self.shared, &cars, self.zone.as_deref()).await;
        }
        Ok(there.len())
    }

    /// Cars that have left, perhaps while no gateway was there to see it.
    async fn forget_others(&mut self, there: &[String]) {
        let known = self.cars.vins().into_iter();
        let known = known.chain(car::remembered(&self.shared));
        for vin in self.missing.look(known, there) {
            self.remove(&vin).await;
            car::forget(&self.shared, &vin).await;
        }
        if self.missing.is_in_doubt() {
            tracing::info!("a car is missing in the list: it is looked for again");
        }
    }

    async fn ask_zone(&mut self) {
        match self.client.timezone().await {
            Ok(Some(name)) => self.learn_zone(name),
            Ok(None) => self.hold("userTimezone", "unknown".to_owned()),
            Err(error) => tracing::warn!("no time zone of the account: {error}"),
        }
    }

    fn learn_zone(&mut self, name: String) {
        if let Some(zone) = Zone::parse(&name) {
            self.shared.set_zone(zone);
        }
        self.hold("userTimezone", name.clone());
        self.zone = Some(name);
    }

    /// A car lives, and is left alone for `pause` unless somebody wants something.
    fn start(&mut self, vin: &str, info: &VehicleInfo, pause: Duration) {
        let Some(mut car) = Car::new(&self.client, info, &self.shared) else {
            return;
        };
        car.leave_alone(pause);
        tracing::info!(
            car = info.model.as_deref().unwrap_or_default(),
            "a car of the account"
        );
        let (wishes, receiver) = mpsc::channel(WAITING);
        let stop = self.shutdown.child_token();
        let handle = Handle {
            info: info.clone(),
            wishes,
            stop: stop.clone(),
            is_asked: car.is_asked(),
        };
        self.cars.insert(vin.to_owned(), handle);
        if let Some(announcer) = Announcer::car(&self.shared, info, &car) {
            self.tasks.spawn(announcer.run(stop.clone()));
        }
        self.tasks.spawn(car.run(receiver, stop));
    }

    /// True if the task of a car has ended by a bug: its car is to be started again.
    fn has_crashed(&mut self) -> bool {
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a bug: a task of this gateway ended; a car is started again");
            }
        }
        self.cars.remove_dead()
    }

    /// Ends the task of a car, and waits until it has saved its state; false if
    /// there is none.
    async fn stop(&self, vin: &str) -> bool {
        let Some(car) = self.cars.remove(vin) else {
            return false;
        };
        car.stop.cancel();
        car.wishes.closed().await;
        true
    }

    async fn remove(&self, vin: &str) {
        if self.stop(vin).await {
            tracing::info!("a car has left the account");
        }
        let topics = self.shared.names.vehicle(vin, "");
        self.shared.speaker.say(Outgoing::Release(topics));
        self.shared.hold(
            self.shared.names.vehicle(vin, "available"),
            "offline".to_owned(),
            true,
        );
        announcer::forget(&self.shared, vin);
    }

    /// Messages about the start of a car save calls to it.
    async fn register_alarms(&self, info: &VehicleInfo) {
        let Some(vehicle) = self.client.vehicle(info) else {
            return;
        };
        if let Err(error) = vehicle.set_alarm_switches(&ALARMS).await {
            tracing::warn!("the car will not tell when it is started: {error}");
        }
    }

    async fn messages(&mut self) -> Result<(), Error> {
        // Whoever switches polling off leaves the account to the phone.
        if !self.cars.is_any_asked() {
            return Ok(());
        }
        let mut changes = Vec::new();
        let read = self.read_messages(&mut changes).await;
        // Not before: what is deleted would move the next page.
        for change in changes {
            if let Err(error) = self.client.change_messages(&change).await {
                tracing::debug!("a message stays as it is: {error}");
            }
        }
        match &read {
            Ok(()) => self.complaint.settle(),
            // A login that fails is told where the list of cars is read.
            Err(error)
                if !matches!(error, Error::Login(_)) && self.complaint.is_due(Instant::now()) =>
            {
                tracing::warn!(
                    "no messages, so that a car that is started is noticed late: {error}"
                );
            }
            Err(error) => tracing::debug!("no messages: {error}"),
        }
        read
    }

    /// Reads until a page holds what was seen before. What the cloud is to be
    /// told about them is added to `changes`.
    async fn read_messages(&mut self, changes: &mut Vec<ChangeMessages>) -> Result<(), Error> {
        let mut all = Vec::new();
        for page in 1..=PAGES {
            let list = self
                .client
                .messages(MessageGroup::Alarm, page, PAGE)
                .await?;
            let list = list.messages;
            let last = list.len() < PAGE as usize || self.seen.reaches(&list);
            all.extend(list);
            if last {
                break;
            }
        }
        let outcome = self.seen.take(all, self.shared.zone(), self.shared.now());
        let something = !outcome.changes.is_empty() || !outcome.news.is_empty();
        for (vin, message, at) in outcome.news {
            let wish = Wish::Message(Box::new(message), at);
            self.cars.wish_surely(&vin, wish).await;
        }
        changes.extend(outcome.changes);
        if something {
            self.shared.save(SEEN, &self.seen).await;
        }
        Ok(())
    }

    fn hold(&self, name: &str, payload: String) {
        self.shared
            .hold(self.shared.names.account(name), payload, true);
    }
}
