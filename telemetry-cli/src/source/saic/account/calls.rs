//! What is asked of the cloud and of the cars.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::charging::{HeatingScheduleAnswer, ReadChargingData, ReadHeatingSchedule};
use saic_ismart::vehicle::{
    AlarmKind, AlarmSwitch, CachedStatus, LiveStatus, VehicleInfo, VehicleList,
};
use saic_ismart::{ChargingData, Client, Error, Message, MessageGroup, VehicleStatus, Vin};
use tokio::time::timeout;

use super::super::car::Car;
use super::super::error::SaicError;
use super::super::polling::{Activity, Questions};
use super::super::text::WithText;
use super::{Account, SAVE_INTERVAL};

/// More messages than come between two looks.
const MESSAGES: u32 = 10;

/// What a car said longer ago is no answer to a question of now.
const OLDEST_ANSWER: TimeDelta = TimeDelta::minutes(15);

/// How long a car may take for its charging data. Its status, which comes
/// first, has woken it up.
const CHARGING_LIMIT: Duration = Duration::from_secs(20);

/// What a call answered, with its JSON text.
type Answer<T> = Result<(T, Option<String>), SaicError>;

/// What a car answered to questions; `None` where it was not asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) status: Option<Answer<VehicleStatus>>,
    pub(super) charging: Option<Answer<ChargingData>>,
    heating: Option<Answer<HeatingScheduleAnswer>>,
}

impl Answers {
    /// How many questions the car was asked.
    pub(super) fn count(&self) -> usize {
        usize::from(self.status.is_some()) + usize::from(self.charging.is_some())
    }

    /// Whether the first of the questions came to the cloud.
    pub(super) fn arrived(&self) -> bool {
        match &self.status {
            Some(Err(SaicError::Cloud(error))) => arrived(error),
            Some(answer) => answer.is_ok(),
            None => false,
        }
    }
}

/// Whether a call that failed so came to the cloud, with a session.
pub(super) fn arrived(error: &Error) -> bool {
    error.may_have_taken_effect() || matches!(error, Error::Rejected { .. })
}

/// Puts `questions` to a car at `now`, as far as it answers. Adds to `sent` as
/// each is put: whoever drops this knows how many were.
pub(super) async fn put(
    client: Client,
    vin: Vin,
    questions: Questions,
    now: DateTime<Utc>,
    sent: &AtomicUsize,
) -> Answers {
    let mut answers = Answers::default();
    if questions.status {
        sent.fetch_add(1, Ordering::Relaxed);
        let answer = client.call(&WithText(LiveStatus(vin.clone()))).await;
        let is_awake = |(status, _): &(VehicleStatus, _)| is_an_answer(status, now);
        let goes_on = answer.as_ref().is_ok_and(is_awake);
        answers.status = Some(answer.map_err(SaicError::from));
        if !goes_on {
            return answers;
        }
    }
    if questions.charging {
        sent.fetch_add(1, Ordering::Relaxed);
        let ask = WithText(ReadChargingData(vin.clone()));
        let answer = match timeout(CHARGING_LIMIT, client.call(&ask)).await {
            Ok(answer) => answer.map_err(SaicError::from),
            Err(_) => Err(SaicError::NoChargingData),
        };
        answers.charging = Some(answer);
    }
    // The cloud knows it by itself, and the rest is worth having without.
    if questions.status && questions.charging {
        let ask = WithText(ReadHeatingSchedule(vin));
        let answer = timeout(CHARGING_LIMIT, client.call(&ask)).await;
        answers.heating = answer.ok().map(|answer| answer.map_err(SaicError::from));
    }
    answers
}

/// Whether a status is what the car says now. In place of a car that is silent
/// the cloud makes one up, or repeats its last words.
fn is_an_answer(status: &VehicleStatus, now: DateTime<Utc>) -> bool {
    !status.basic.is_placeholder() && !is_repeated(status, now)
}

fn is_repeated(status: &VehicleStatus, now: DateTime<Utc>) -> bool {
    status.age(now).is_some_and(|age| age > OLDEST_ANSWER)
}

impl Account {
    pub(in super::super) async fn list(&mut self) -> Result<(), SaicError> {
        let client = self.client.clone();
        let list = async move { client.call(&WithText(VehicleList)).await };
        let Some(list) = self.meanwhile(None, list).await else {
            return Ok(());
        };
        let (vehicles, text) = list?;
        self.memory.listed_at = Some(self.now());
        let component = &self.handling.source;
        match (vehicles.is_empty(), self.cars.is_empty()) {
            // Nobody sells all cars at once: the cloud forgets them now and then.
            (true, false) => {
                tracing::warn!(%component, "the list of cars is empty; the known ones stay");
            }
            (none, _) => {
                if none {
                    tracing::warn!(%component, "the account has no cars: share one with it in the app");
                }
                self.memory.vehicles = text;
                self.adopt(vehicles);
            }
        }
        self.save();
        Ok(())
    }

    pub(super) fn adopt(&mut self, vehicles: Vec<VehicleInfo>) {
        for car in &mut self.cars {
            let memory = car.remember();
            self.memory.cars.insert(car.vin().to_owned(), memory);
        }
        let cars = vehicles.into_iter().filter_map(|info| {
            let vin = info.vin.as_ref()?.as_str();
            let memory = self.memory.cars.get(vin).cloned().unwrap_or_default();
            Car::new(&self.client, info, memory, &self.config)
        });
        self.cars = cars.collect();
        for told in self.config.vehicle.keys() {
            if !self
                .cars
                .iter()
                .any(|car| car.vin().eq_ignore_ascii_case(told))
            {
                tracing::warn!("[saic.vehicle.{told}]: the account has no such car");
            }
        }
    }

    pub(super) async fn messages(&mut self) -> Result<(), SaicError> {
        self.memory.messages_at = Some(self.now());
        let client = self.client.clone();
        let page = async move { client.messages(MessageGroup::Alarm, 1, MESSAGES).await };
        let Some(page) = self.meanwhile(None, page).await else {
            return Ok(());
        };
        let Some(page) = self.unless_unanswered("no messages", page)? else {
            return Ok(());
        };
        let newest = page.messages.first().and_then(id);
        let before = self.memory.newest_message.clone();
        if let Some(before) = before {
            let new = page
                .messages
                .into_iter()
                .take_while(|message| is_newer(message, &before));
            // The oldest first, so that the newest is the one that stays.
            for message in new.collect::<Vec<_>>().into_iter().rev() {
                let vin = message.vin.clone();
                let mut cars = self.cars.iter_mut();
                let about = cars.find(|car| Some(car.vehicle.vin()) == vin.as_ref());
                if let Some(car) = about {
                    tracing::debug!(device = %car.id().masked(), title = ?message.title, "message");
                    car.notified(message);
                }
            }
        }
        let newest = newest.or_else(|| self.memory.newest_message.clone());
        let newest = Some(newest.unwrap_or_else(|| "0".to_owned()));
        if newest != self.memory.newest_message {
            self.memory.newest_message = newest;
            self.save();
        }
        Ok(())
    }

    /// Without this message nothing tells that a car is started.
    pub(super) async fn start_message(&mut self, index: usize) -> Result<(), SaicError> {
        let Some(car) = self.cars.get(index) else {
            return Ok(());
        };
        let kind = AlarmKind::VehicleStart;
        let vehicle = car.vehicle.clone();
        let switched = async move {
            let switches = vehicle.alarm_switches().await?.switches;
            let on =
                |switch: &AlarmSwitch| switch.kind == Some(kind) && switch.reported == Some(true);
            match switches.iter().any(on) {
                true => Ok(()),
                false => vehicle.set_alarm_switches(&[(kind, true)]).await,
            }
        };
        let switched = self.meanwhile(None, switched).await;
        let (Some(switched), Some(car)) = (switched, self.cars.get_mut(index)) else {
            return Ok(());
        };
        match switched.map_err(SaicError::from) {
            Err(error) if !error.is_of_car() => return Err(error),
            Err(error) => {
                tracing::info!(device = %car.id().masked(), %error, "no message when it is started")
            }
            Ok(()) => {}
        }
        car.memory.start_message = true;
        self.save();
        Ok(())
    }

    pub(super) async fn ask_cloud(&mut self, index: usize) -> Result<(), SaicError> {
        let now = self.now();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        car.plan.cloud_asked(now);
        let vin = car.vehicle.vin().clone();
        let client = self.client.clone();
        let answer = async move { client.call(&WithText(CachedStatus(vin))).await };
        let Some(answer) = self.meanwhile(None, answer).await else {
            return Ok(());
        };
        let Some((status, text)) = self.unless_unanswered("no cached status", answer)? else {
            return Ok(());
        };
        let now = self.now();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let telling = car.remembered(status, text, now);
        if telling {
            tracing::debug!(device = %car.id().masked(), "did something: it is asked");
        }
        self.emit(index);
        let stale = self.saved_at.is_none_or(|at| now - at >= SAVE_INTERVAL);
        if telling || stale {
            self.save();
        }
        Ok(())
    }

    /// Asks a car. What came before a failure counts, and what the car does not
    /// answer is its own trouble.
    ///
    /// # Errors
    /// Those of the cloud.
    pub(in super::super) async fn ask(
        &mut self,
        index: usize,
        questions: Questions,
    ) -> Result<(), SaicError> {
        self.tell_if_spared(index);
        self.count(index);
        let Some(vin) = self.cars.get(index).map(|car| car.vehicle.vin().clone()) else {
            return Ok(());
        };
        let sent = AtomicUsize::new(0);
        let put = put(self.client.clone(), vin, questions, self.now(), &sent);
        if let Some(answers) = self.meanwhile(Some(index), put).await {
            return self.answered(index, answers);
        }
        for _ in 1..sent.into_inner() {
            self.count(index);
        }
        if let Some(car) = self.cars.get_mut(index) {
            // Put again as soon as the command is through.
            car.plan.demand();
        }
        Ok(())
    }

    /// What a car answered, and what it did not. The first of its answers is
    /// counted already.
    ///
    /// # Errors
    /// Those of the cloud.
    pub(super) fn answered(&mut self, index: usize, answers: Answers) -> Result<(), SaicError> {
        for _ in 1..answers.count() {
            self.count(index);
        }
        let now = self.now();
        let name = self.handling.source.clone();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let is_of_charging = answers.status.is_none();
        let cloud = match learn(car, answers, now) {
            Ok(()) => {
                car.plan.satisfied();
                if car.error.take().is_some() {
                    tracing::info!(device = %car.id().masked(), "the car answers again");
                }
                Ok(())
            }
            Err(error) => {
                car.plan.failed();
                match car.error.is_none() {
                    true => {
                        tracing::warn!(device = %car.id().masked(), "{error}; its last state stays")
                    }
                    false => tracing::debug!(device = %car.id().masked(), "{error}"),
                }
                match error.is_of_car() || (is_of_charging && !error.is_of_session()) {
                    true => {
                        car.error = Some(error);
                        Ok(())
                    }
                    false => Err(error),
                }
            }
        };
        self.context.stats.quota_left(&name, car.plan.left(now));
        // While it drives the next question writes it down.
        let soon = car.plan.activity() == Activity::Driving && car.error.is_none();
        self.emit(index);
        if !soon {
            self.save();
        }
        cloud
    }

    /// Says once a day that a car is asked less often than it should be.
    fn tell_if_spared(&mut self, index: usize) {
        let now = self.now();
        let limit = self.config.live_calls_per_day;
        let Some(car) = self.cars.get_mut(index) else {
            return;
        };
        let spared = car.plan.is_spared(now);
        let left = car.plan.left(now);
        if spared.is_some() && !car.spared {
            tracing::info!(
                device = %car.id().masked(),
                "{left} of the {limit} questions of a day are left (`live_calls_per_day`): it is \
                 asked ever less often, so that they last"
            );
        }
        // Those of yesterday come back one by one.
        car.spared = spared.is_some() || (car.spared && left * 2 < limit as usize);
    }

    /// What the cloud does not tell about this account or car is done without:
    /// the next question must not wait for it.
    fn unless_unanswered<T>(
        &self,
        what: &str,
        answer: Result<T, Error>,
    ) -> Result<Option<T>, SaicError> {
        match answer.map_err(SaicError::from) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_of_question() => {
                tracing::debug!(component = %self.handling.source, "{what}: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down that a car is asked, before it is.
    pub(super) fn count(&mut self, index: usize) {
        let now = self.now();
        if let Some(car) = self.cars.get_mut(index) {
            car.plan.asked(now);
            self.save();
        }
    }
}

/// Takes what a car answered.
///
/// # Errors
/// Why the questions have no answer. Charging data that are missing beside a
/// status are no failure: what they said last stays.
fn learn(car: &mut Car, answers: Answers, now: DateTime<Utc>) -> Result<(), SaicError> {
    let has_status = answers.status.is_some();
    if let Some(answer) = answers.status {
        let (status, text) = answer?;
        let is_answer = is_an_answer(&status, now);
        // Words that are repeated may be news.
        if !status.basic.is_placeholder() && (is_answer || !car.knows(&status)) {
            car.told_status(status, text, now);
        }
        if !is_answer {
            return Err(SaicError::Asleep);
        }
    }
    match answers.charging {
        Some(Ok((charging, text))) => car.told_charging(charging, text, now),
        Some(Err(error)) => {
            car.plan.charging_failed(now);
            if !has_status || error.is_of_session() {
                return Err(error);
            }
            tracing::info!(device = %car.id().masked(), "no charging data: {error}; the last ones stay");
        }
        None => {}
    }
    match answers.heating {
        Some(Ok((schedule, text))) => {
            car.known.heating_schedule = Some(schedule);
            car.memory.heating = text;
        }
        Some(Err(error)) => {
            tracing::debug!(device = %car.id().masked(), %error, "no heating schedule")
        }
        None => {}
    }
    Ok(())
}

fn id(message: &Message) -> Option<String> {
    message.id.as_ref().map(ToString::to_string)
}

/// Ids count upwards; those that are no numbers end where the known one is.
fn is_newer(message: &Message, known: &str) -> bool {
    let Some(id) = id(message) else {
        return false;
    };
    match (id.parse::<u64>(), known.parse::<u64>()) {
        (Ok(id), Ok(known)) => id > known,
        _ => id != known,
    }
}
