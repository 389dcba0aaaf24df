//! One car: asks it when that is due, publishes what it says, and tells it what
//! somebody wants. Everything about a car happens in one task, one thing after
//! the other.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::{Client, Message, ScheduleMode, Vehicle, VehicleInfo, VehicleStatus};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::abrp::Abrp;
use super::announcer::Shown;
use super::capacity::{self, Capacity};
use super::charging_station::{ChargingStation, EnergyMeter, Subject};
use super::client;
use super::drive::drive;
use super::extra::Extras;
use super::messages;
use super::osmand::Osmand;
use super::refresh::{Mode, Period, Refresh};
use super::shared::Shared;
use super::text;
use super::topics::{self, Publications};

pub use memory::Memory;
pub use poll::Answer;
pub use state::{forget, remembered};

mod command;
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
    },
    /// Its wallbox said something.
    Station(Subject, String),
    /// The cloud has a new message about it.
    Message(Box<Message>, DateTime<Utc>),
}

/// Wishes that wait.
pub const WAITING: usize = 128;

/// The longest sleep: a clock that is set must not be noticed too late.
const LONGEST_SLEEP: TimeDelta = TimeDelta::seconds(60);

/// A car that has said nothing for so long is likely asleep.
const AWAKE: TimeDelta = TimeDelta::hours(12);

/// A wallbox needs a moment after it has said something.
const STATION_PAUSE: std::time::Duration = std::time::Duration::from_secs(3);

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
    station_said: Option<String>,
    plugged_in: Option<bool>,
    meter: EnergyMeter,
    cached: Option<VehicleStatus>,
    next_look: DateTime<Utc>,
    /// Checks of the charging schedule are due after this.
    checked_at: DateTime<Utc>,
    abrp: Option<Abrp>,
    osmand: Option<Osmand>,
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
            abrp: Abrp::new(&options.abrp, &vin),
            osmand: options
                .osmand
                .as_ref()
                .map(|osmand| Osmand::new(osmand, &vin)),
            vehicle,
            vin,
            shared: shared.clone(),
            refresh,
            memory,
            station_said: None,
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
    pub fn leave_alone(&mut self, pause: std::time::Duration) {
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

    /// What it can be told beyond the original's commands.
    fn extras(&self) -> Extras {
        Extras::of(&self.info, self.vehicle.profile(), self.memory.reported)
    }

    /// Its document follows.
    fn show(&self) {
        let shown = Shown {
            extras: self.extras(),
            charging: self.refresh.is_charging(),
        };
        self.shown
            .send_if_modified(|before| std::mem::replace(before, shown) != shown);
    }

    /// Lives until `shutdown`.
    pub async fn run(mut self, mut wishes: mpsc::Receiver<Wish>, shutdown: CancellationToken) {
        self.begin();
        loop {
            self.show();
            self.say_refresh();
            let now = self.shared.now();
            let due = self.next_deed(now);
            let wait = (due - now).clamp(TimeDelta::zero(), LONGEST_SLEEP);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                // Before the poll: settings that wait change when that is due.
                Some(wish) = wishes.recv() => {
                    tokio::select! {
                        biased;
                        () = shutdown.cancelled() => break,
                        () = self.take(wish) => {}
                    }
                }
                () = tokio::time::sleep(wait.to_std().unwrap_or_default()) => {
                    tokio::select! {
                        biased;
                        // The car may answer all the same: nobody hears it.
                        () = shutdown.cancelled() => break,
                        () = self.do_what_is_due() => {}
                    }
                }
            }
        }
        self.save().await;
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
        let look = self.shared.options.hybrid.then_some(self.next_look);
        let deeds = [self.refresh.next_poll(now), look, self.next_check()];
        let due = deeds
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + LONGEST_SLEEP);
        match self.is_left_alone(now) {
            true => due.max(self.quiet_until),
            false => due,
        }
    }

    async fn do_what_is_due(&mut self) {
        let now = self.shared.now();
        if self.is_left_alone(now) {
            return;
        }
        if self.next_check().is_some_and(|check| check <= now) {
            self.checked_at = now;
            self.refresh.set_mode(Mode::Force);
        }
        if self.shared.options.hybrid && self.next_look <= now {
            self.look().await;
        }
        if self.refresh.next_poll(now).is_some_and(|due| due <= now) {
            self.poll().await;
        }
    }

    /// A while after a scheduled charge should have begun.
    fn next_check(&self) -> Option<DateTime<Utc>> {
        let schedule = self
            .memory
            .schedule
            .filter(|schedule| schedule.mode != ScheduleMode::Off)?;
        let grace = TimeDelta::seconds(self.refresh.periods.grace().into());
        let start = self
            .shared
            .zone()
            .next(schedule.start, self.checked_at - grace)?;
        Some(start + grace)
    }

    async fn take(&mut self, wish: Wish) {
        match wish {
            Wish::Command {
                name,
                payload,
                retained,
            } => self.command(&name, &payload, retained).await,
            Wish::Station(subject, payload) => self.station(subject, payload).await,
            Wish::Message(message, at) => {
                self.say(topics::message(&message, at));
                self.tell_message(&message);
                let now = self.shared.now();
                let at = messages::certain_time(&message, at, now);
                self.refresh.was_active(at, now);
            }
        }
    }

    async fn station(&mut self, subject: Subject, payload: String) {
        match subject {
            Subject::ChargeState => {
                if self.station_said.replace(payload.clone()) == Some(payload) {
                    return;
                }
                tokio::time::sleep(STATION_PAUSE).await;
                self.refresh.station_changed(self.shared.now());
                let mut topics = Publications::default();
                topics.flag("drivetrain/charging", Some(true));
                topics.flag("drivetrain/hvBatteryActive", Some(true));
                self.say(topics);
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
                    .imported(&payload, percent, self.memory.capacity_kwh);
                if due && self.plugged_in != Some(false) {
                    self.refresh.set_mode(Mode::Force);
                }
            }
        }
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
        capacity::capacity(real, profile, data.map(|data| &data.rvs))
    }

    async fn save(&self) {
        state::save(&self.shared, &self.vin, &self.refresh, &self.memory).await;
    }
}

/// The topics that a car holds, in the order of their names.
pub type Held = BTreeMap<String, String>;
