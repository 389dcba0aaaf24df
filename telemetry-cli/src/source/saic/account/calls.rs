//! What is asked of the cloud and of the cars.

use chrono::TimeDelta;
use saic_ismart::charging::{ReadChargingData, ReadHeatingSchedule};
use saic_ismart::vehicle::{
    AlarmKind, AlarmSwitch, CachedStatus, LiveStatus, VehicleInfo, VehicleList,
};
use saic_ismart::{Message, MessageGroup, Vin};

use super::super::car::Car;
use super::super::error::SaicError;
use super::super::polling::{Activity, Questions};
use super::super::text::WithText;
use super::{Account, SAVE_INTERVAL};

/// More messages than come between two looks.
const MESSAGES: u32 = 10;

/// What a car said longer ago is no answer to a question of now.
const OLDEST_ANSWER: TimeDelta = TimeDelta::minutes(15);

impl Account {
    pub(in super::super) async fn list(&mut self) -> Result<(), SaicError> {
        let (vehicles, text) = self.client.call(&WithText(VehicleList)).await?;
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
        let page = self.client.messages(MessageGroup::Alarm, 1, MESSAGES).await;
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
                    tracing::debug!(device = %car.id(), title = ?message.title, "message");
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
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let kind = AlarmKind::VehicleStart;
        let switched = async {
            let switches = car.vehicle.alarm_switches().await?.switches;
            let on =
                |switch: &AlarmSwitch| switch.kind == Some(kind) && switch.reported == Some(true);
            match switches.iter().any(on) {
                true => Ok(()),
                false => car.vehicle.set_alarm_switches(&[(kind, true)]).await,
            }
        };
        let result = switched.await.map_err(SaicError::from);
        match result {
            Err(error) if !error.is_of_car() => return Err(error),
            Err(error) => {
                tracing::info!(device = %car.id(), %error, "no message when it is started")
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
        let answer = self.client.call(&WithText(CachedStatus(vin))).await;
        let Some((status, text)) = self.unless_unanswered("no cached status", answer)? else {
            return Ok(());
        };
        let now = self.now();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let telling = car.remembered(status, text, now);
        if telling {
            tracing::debug!(device = %car.id(), "did something: it is asked");
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
        let result = self.put(index, questions).await;
        let name = self.handling.source.clone();
        let now = self.now();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let cloud = match result {
            Ok(()) => {
                car.plan.satisfied();
                if car.error.take().is_some() {
                    tracing::info!(device = %car.id(), "the car answers again");
                }
                Ok(())
            }
            Err(error) => {
                car.plan.failed();
                match car.error.is_none() {
                    true => tracing::warn!(device = %car.id(), "{error}; its last state stays"),
                    false => tracing::debug!(device = %car.id(), "{error}"),
                }
                match error.is_of_car() {
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

    async fn put(&mut self, index: usize, questions: Questions) -> Result<(), SaicError> {
        if questions.status {
            let Some(vin) = self.count(index) else {
                return Ok(());
            };
            let (status, text) = self.client.call(&WithText(LiveStatus(vin))).await?;
            let now = self.now();
            if status.basic.is_placeholder() {
                return Err(SaicError::Asleep);
            }
            // In place of a car that is silent the cloud repeats its last words.
            let is_repeated = status.age(now).is_some_and(|age| age > OLDEST_ANSWER);
            if let Some(car) = self.cars.get_mut(index)
                && !(is_repeated && car.knows(&status))
            {
                car.told_status(status, text, now);
            }
            if is_repeated {
                return Err(SaicError::Asleep);
            }
        }
        if questions.charging {
            let Some(vin) = self.count(index) else {
                return Ok(());
            };
            let (charging, text) = self.client.call(&WithText(ReadChargingData(vin))).await?;
            let now = self.now();
            if let Some(car) = self.cars.get_mut(index) {
                car.told_charging(charging, text, now);
            }
        }
        if questions.status && questions.charging {
            self.heating_schedule(index).await;
        }
        Ok(())
    }

    /// The cloud knows it by itself, and the rest is worth having without.
    async fn heating_schedule(&mut self, index: usize) {
        let Some(car) = self.cars.get_mut(index) else {
            return;
        };
        let ask = WithText(ReadHeatingSchedule(car.vehicle.vin().clone()));
        match self.client.call(&ask).await {
            Ok((schedule, text)) => {
                car.known.heating_schedule = Some(schedule);
                car.memory.heating = text;
            }
            Err(error) => tracing::debug!(device = %car.id(), %error, "no heating schedule"),
        }
    }

    /// What the cloud does not tell about this account or car is done without:
    /// the next question must not wait for it.
    fn unless_unanswered<T>(
        &self,
        what: &str,
        answer: Result<T, saic_ismart::Error>,
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
    pub(super) fn count(&mut self, index: usize) -> Option<Vin> {
        let now = self.now();
        let car = self.cars.get_mut(index)?;
        car.plan.asked(now);
        let vin = car.vehicle.vin().clone();
        self.save();
        Some(vin)
    }
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
