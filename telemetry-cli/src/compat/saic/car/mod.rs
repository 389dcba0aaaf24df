//! One car: asks it when that is due, publishes what it says, and tells it what
//! somebody wants. Everything about a car happens in one task, one thing after
//! the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use saic_ismart::{Client, Message, ScheduleMode, Vehicle, VehicleInfo, VehicleStatus};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::announcer::Shown;
use super::capacity::{self, Capacity};
use super::charging_station::{ChargingStation, EnergyMeter, Subject};
use super::client;
use super::drive::drive;
use super::extra::Extras;
use super::messages;
use super::refresh::{Mode, Period, Refresh};
use super::shared::Shared;
use super::text;
use super::topics::{self, Publications};

pub use memory::Memory;
pub use poll::Answer;
pub use state::{forget, remembered};

use done::Done;
use inbox::Inbox;
use integrations::Report;

mod command;
mod done;
mod inbox;
mod integrations;
mod look;
mod memory;
mod poll;
mod reason;
mod state;

/// Something that happens to a car.
#[derive(Clone, Debug)]
pub enum Wish {
    /// A command arrived.
    Command {
        /// Its topic below the car, without `/set`.
        name: String,
        /// What is asked for.
        payload: Vec<u8>,
        /// The broker had kept it.
        retained: bool,
        /// When it arrived.
        at: Instant,
    },
    /// Its wallbox said something.
    Station(Subject, String),
    /// The cloud has a new message about it.
    Message(Box<Message>, DateTime<Utc>),
}

impl Wish {
    /// A command that arrives now.
    pub fn told(name: &str, payload: Vec<u8>, retained: bool) -> Self {
        Self::Command {
            name: name.to_owned(),
            payload,
            retained,
            at: Instant::now(),
        }
    }

    /// The name of the command, if it is a fresh one.
    fn command(&self) -> Option<&str> {
        match self {
            Self::Command {
                name,
                payload,
                retained: false,
                ..
            } if !payload.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Whether the car is to be told something.
    fn is_order(&self) -> bool {
        self.command()
            .is_some_and(|name| !command::is_about_the_gateway(name))
    }
}

/// Wishes that wait.
pub const WAITING: usize = 128;

/// The longest sleep: a clock that is set must not be noticed too late.
const LONGEST_SLEEP: TimeDelta = TimeDelta::seconds(60);

/// A car that has said nothing for so long is likely asleep.
const AWAKE: TimeDelta = TimeDelta::hours(12);

/// A wallbox needs a moment after it has said something.
const STATION_PAUSE: TimeDelta = TimeDelta::seconds(3);

/// What is told a car when the gateway ends has this long for its result.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Home Assistant sets a mode and a temperature at once by two commands.
const TOGETHER: Duration = Duration::from_millis(300);

/// A car of the account.
#[derive(Debug)]
pub struct Car {
    vin: String,
    info: VehicleInfo,
    client: Client,
    vehicle: Vehicle,
    shared: Shared,
    refresh: Refresh,
    memory: Memory,
    station: Option<ChargingStation>,
    /// When the wallbox has settled.
    settles_at: Option<DateTime<Utc>>,
    plugged_in: Option<bool>,
    meter: EnergyMeter,
    cached: Option<VehicleStatus>,
    next_look: DateTime<Utc>,
    /// Checks of the charging schedule are due after this.
    checked_at: DateTime<Utc>,
    /// The last commands.
    done: Done,
    /// How often it was told something.
    orders: u64,
    /// A poll is under way.
    asking: bool,
    /// It was asked, and that is not on the disk yet.
    asked: bool,
    /// What others are told.
    reports: watch::Sender<Option<Arc<Report>>>,
    /// Whether its mode has it asked at all.
    is_asked: Arc<AtomicBool>,
    /// The account is left to another device until then.
    quiet_until: DateTime<Utc>,
    /// What its document depends on.
    shown: watch::Sender<Shown>,
}

impl Car {
    /// A car that goes on where it was before a restart. None without a VIN.
    pub fn new(client: &Client, info: &VehicleInfo, shared: &Shared) -> Option<Self> {
        let vehicle = client.vehicle(info)?;
        let mut profile = vehicle.profile().clone();
        profile.drive = drive(info, &profile);
        let vehicle = vehicle.with_profile(profile);
        let vin = vehicle.vin().as_str().to_owned();
        let now = shared.now();
        let (refresh, memory) = state::load(shared, &vin, now);
        let options = &shared.options;
        let shown = Shown {
            extras: Extras::of(info, vehicle.profile(), memory.reported),
            charging: refresh.is_charging(),
        };
        Some(Self {
            shown: watch::Sender::new(shown),
            info: info.clone(),
            client: client.clone(),
            station: options.stations.get(&vin).cloned(),
            done: Done::default(),
            orders: 0,
            asking: false,
            asked: false,
            reports: watch::Sender::new(None),
            is_asked: Arc::new(AtomicBool::new(refresh.mode() != Mode::Off)),
            vehicle,
            vin,
            shared: shared.clone(),
            refresh,
            memory,
            settles_at: None,
            plugged_in: None,
            meter: EnergyMeter::default(),
            cached: None,
            quiet_until: now,
            next_look: now,
            checked_at: now,
        })
    }

    /// It is not asked for a while, unless somebody wants something: that logs in,
    /// and then there is nobody any more who would be disturbed.
    pub fn leave_alone(&mut self, pause: Duration) {
        self.quiet_until = self.shared.now() + TimeDelta::from_std(pause).unwrap_or_default();
    }

    fn is_left_alone(&self, now: DateTime<Utc>) -> bool {
        now < self.quiet_until
            && !self.refresh.mode().is_single()
            && !client::pause(&self.shared).is_zero()
    }

    /// What its series is known for.
    pub fn profile(&self) -> &saic_ismart::Profile {
        self.vehicle.profile()
    }

    /// What its document depends on, as it changes.
    pub fn shown(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    /// Whether its mode has it asked at all, as that changes.
    pub fn is_asked(&self) -> Arc<AtomicBool> {
        self.is_asked.clone()
    }

    /// What it can be told beyond the original's commands.
    fn extras(&self) -> Extras {
        Extras::of(&self.info, self.vehicle.profile(), self.memory.reported)
    }

    /// Its document follows.
    fn show(&self) {
        let is_asked = self.refresh.mode() != Mode::Off;
        self.is_asked.store(is_asked, Ordering::Relaxed);
        let shown = Shown {
            extras: self.extras(),
            charging: self.refresh.is_charging(),
        };
        self.shown
            .send_if_modified(|before| std::mem::replace(before, shown) != shown);
    }

    /// Lives until `shutdown`.
    pub async fn run(mut self, wishes: mpsc::Receiver<Wish>, shutdown: CancellationToken) {
        let told = integrations::run(
            self.shared.clone(),
            self.vin.clone(),
            self.reports.subscribe(),
        );
        let told = shutdown.clone().run_until_cancelled_owned(told);
        let told = tokio::spawn(told);
        let mut inbox = Inbox::new(wishes);
        self.begin();
        loop {
            self.show();
            self.say_refresh();
            let now = self.shared.now();
            let due = self.next_deed(now);
            let due = self.settles_at.map_or(due, |settles| due.min(settles));
            let wait = (due - now).clamp(TimeDelta::zero(), LONGEST_SLEEP);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                // Before the poll: settings that wait change when that is due.
                wish = inbox.next() => {
                    let mut taken = std::pin::pin!(self.take(wish, &mut inbox));
                    tokio::select! {
                        biased;
                        () = &mut taken => continue,
                        () = shutdown.cancelled() => {}
                    }
                    // Somebody waits for the result.
                    let _ = tokio::time::timeout(LAST_WORDS, taken).await;
                    break;
                }
                () = tokio::time::sleep(wait.to_std().unwrap_or_default()) => {
                    tokio::select! {
                        biased;
                        // The car may answer all the same: nobody hears it.
                        () = shutdown.cancelled() => break,
                        // Somebody waits for it; the poll comes after it.
                        () = inbox.order() => {}
                        () = self.do_what_is_due() => {}
                    }
                    if std::mem::take(&mut self.asking) {
                        // Half a poll is none.
                        self.refresh.set_mode(Mode::Force);
                    }
                    if std::mem::take(&mut self.asked) {
                        self.save().await;
                    }
                }
            }
        }
        if std::mem::take(&mut self.asking) {
            // The next start makes the poll that this end has cut off.
            self.refresh.set_mode(Mode::Force);
        }
        self.save().await;
        // It has ended, or does now.
        let _ = told.await;
    }

    /// What is known without asking the car.
    fn begin(&mut self) {
        for (topic, payload) in self.memory.held.clone() {
            self.shared
                .hold(self.shared.names.vehicle(&self.vin, &topic), payload, false);
        }
        self.say(topics::info(&self.info));
        let mut topics = Publications::default();
        topics.setting(
            "climate/remoteTemperature",
            self.memory.temperature_c.to_string(),
        );
        self.say(topics);
    }

    fn next_deed(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let look = self.looks().then_some(self.next_look);
        let look = look.map(|due| self.unless_left_alone(due, now));
        let due = [self.next_poll(now), look].into_iter().flatten().min();
        due.unwrap_or(now + LONGEST_SLEEP)
    }

    /// When the car is asked next, as things stand.
    fn next_poll(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let polls = [self.refresh.next_poll(now), self.next_check()];
        let due = polls.into_iter().flatten().min()?;
        Some(self.unless_left_alone(due, now))
    }

    fn unless_left_alone(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.is_left_alone(now) {
            true => due.max(self.quiet_until),
            false => due,
        }
    }

    async fn do_what_is_due(&mut self) {
        let now = self.shared.now();
        if self.settles_at.is_some_and(|settles| settles <= now) {
            self.settles_at = None;
            self.station_settled(now);
        }
        if self.is_left_alone(now) {
            return;
        }
        if self.next_check().is_some_and(|check| check <= now) {
            self.checked_at = now;
            self.refresh.set_mode(Mode::Force);
        }
        if self.looks() && self.next_look <= now {
            self.look().await;
        }
        if self.refresh.next_poll(now).is_some_and(|due| due <= now) {
            self.asked = true;
            // A look at the cloud that is cut off is due once more by itself.
            self.asking = !self.refresh.is_probe(now);
            self.poll().await;
            self.asking = false;
        }
    }

    /// Whether it is looked at what the cloud knows.
    fn looks(&self) -> bool {
        self.shared.options.hybrid && self.refresh.mode() != Mode::Off
    }

    /// A while after a scheduled charge should have begun.
    fn next_check(&self) -> Option<DateTime<Utc>> {
        let schedule = self
            .memory
            .schedule
            .filter(|schedule| schedule.mode != ScheduleMode::Off && !self.refresh.is_holiday())?;
        let grace = TimeDelta::seconds(self.refresh.periods.grace().into());
        let start = self
            .shared
            .zone()
            .next(schedule.start, self.checked_at - grace)?;
        Some(start + grace)
    }

    async fn take(&mut self, wish: Wish, inbox: &mut Inbox) {
        match wish {
            Wish::Command {
                name,
                payload,
                retained,
                at,
            } => {
                if let Some(answer) = self.done.answer(&name, &payload, at) {
                    return self.answer(&name, answer);
                }
                if !retained && command::starts_climate(&name, &payload) {
                    self.take_temperature(inbox).await;
                }
                let answer = self.command(&name, &payload, retained).await;
                if let Some(answer) = answer.filter(|_| !retained) {
                    self.done.add(&name, &payload, at, answer);
                }
            }
            Wish::Station(subject, payload) => self.station(subject, &payload),
            Wish::Message(message, at) => {
                self.say(topics::message(&message, at));
                self.tell_message(&message);
                if message.is_vehicle_start() {
                    self.memory.trips.started(at);
                    self.memory.allowance.renew();
                }
                let now = self.shared.now();
                let at = messages::certain_time(&message, at, now);
                self.refresh.was_active(at, now);
                // The message itself counts as seen by now.
                self.save().await;
            }
        }
    }

    /// A car takes few commands: the temperature that comes with the climate's
    /// start is that of the start.
    async fn take_temperature(&mut self, inbox: &mut Inbox) {
        let (name, not_after) = ("climate/remoteTemperature", "climate/remoteClimateState");
        let found = inbox.command(name, not_after, TOGETHER).await;
        if let Some(Wish::Command { payload, .. }) = found {
            // What does not run is not started anew.
            let runs = std::mem::take(&mut self.memory.climate_on);
            self.command(name, &payload, false).await;
            self.memory.climate_on = runs;
        }
    }

    fn station(&mut self, subject: Subject, payload: &str) {
        match subject {
            Subject::ChargeState => {
                let payload = payload.trim().to_owned();
                if self.memory.station_said.as_ref() == Some(&payload) {
                    return;
                }
                self.memory.station_said = Some(payload);
                self.settles_at = Some(self.shared.now() + STATION_PAUSE);
            }
            Subject::Connected => {
                let value = self
                    .station
                    .as_ref()
                    .and_then(|station| station.charger_connected_value.as_ref());
                let plugged_in = value.map(|value| *value == payload);
                if self.plugged_in != plugged_in {
                    self.meter.start_over();
                }
                self.plugged_in = plugged_in;
            }
            Subject::ImportedEnergy => {
                let percent = self.shared.options.charge_min_percent;
                let due = self
                    .meter
                    .imported(payload, percent, self.memory.capacity_kwh);
                let wanted = self.plugged_in != Some(false) && !self.refresh.is_holiday();
                if due && wanted {
                    self.refresh.set_mode(Mode::Force);
                }
            }
        }
    }

    /// Its wallbox has changed its mind: the car is asked. What it says is shown
    /// before only if that is that it charges.
    fn station_settled(&mut self, now: DateTime<Utc>) {
        let said = self.memory.station_said.as_ref();
        let value = self.station.as_ref().map(|station| &station.charging_value);
        if said.is_none() || said != value {
            return self.refresh.activity(now);
        }
        self.refresh.station_changed(now);
        let mut topics = Publications::default();
        topics.flag("drivetrain/charging", Some(true));
        topics.flag("drivetrain/hvBatteryActive", Some(true));
        self.say(topics);
    }

    fn tell_message(&self, message: &Message) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let event = serde_json::json!({
            "event_type": "vehicle_message",
            "title": text(&message.title),
            "content": text(&message.content),
            "message_type": text(&message.kind),
            "sender": text(&message.sender),
            "vin": self.vin,
        });
        self.shared
            .tell(self.topic("events/vehicle_message"), event.to_string());
    }

    fn topic(&self, name: &str) -> String {
        self.shared.names.vehicle(&self.vin, name)
    }

    /// Publishes, and remembers it for the next start.
    fn say(&mut self, publications: Publications) {
        for publication in publications.0 {
            let topic = self.topic(&publication.topic);
            self.memory
                .held
                .insert(publication.topic, publication.text.clone());
            self.shared
                .hold(topic, publication.text, publication.always);
        }
    }

    fn say_refresh(&mut self) {
        let now = self.shared.now();
        let refresh = &self.refresh;
        let mut topics = Publications::default();
        topics.setting("refresh/mode", refresh.mode().to_string());
        for period in Period::ALL {
            topics.setting(
                &format!("refresh/period/{}", period.name()),
                refresh.periods.get(period).to_string(),
            );
        }
        topics.setting(
            "refresh/period/charging",
            refresh.charging_period().to_string(),
        );
        topics.setting(
            "refresh/lastActivity",
            text::timestamp(refresh.last_activity()),
        );
        topics.setting("refresh/pollingPhase", refresh.phase(now).to_string());
        topics.setting("refresh/holiday", text::boolean(refresh.is_holiday()));
        let next = match self.next_poll(now) {
            Some(due) => text::timestamp(due.trunc_subsecs(0)),
            None => topics::UNKNOWN.to_owned(),
        };
        topics.setting("refresh/nextUpdate", next);
        let used_up = self.memory.allowance.is_used_up();
        topics.setting("commands/usedUp", text::boolean(used_up));
        let was_awake = self
            .memory
            .held
            .get("refresh/reachability")
            .is_some_and(|said| said == "awake");
        let silent = refresh
            .last_success()
            .is_some_and(|last| now - last >= AWAKE);
        if was_awake && silent {
            topics.text("refresh/reachability", "likely_asleep");
        }
        self.say(topics);
    }

    /// What the battery holds, as the user, the series and the cloud have it.
    fn capacity(&self, data: Option<&saic_ismart::ChargingData>) -> Capacity {
        let mapped = self.shared.options.battery_kwh.get(&self.vin).copied();
        let set = self.memory.capacity_override.or(mapped);
        let profile = self.vehicle.profile();
        let real = capacity::real_kwh(&self.info, profile, set);
        let mut capacity = capacity::capacity(real, profile, data.map(|data| &data.rvs));
        capacity.kwh = capacity.kwh.or(self.memory.reported_kwh);
        capacity
    }

    async fn save(&self) {
        state::save(&self.shared, &self.vin, &self.refresh, &self.memory).await;
    }
}

/// The topics that a car holds, in the order of their names.
pub type Held = BTreeMap<String, String>;
