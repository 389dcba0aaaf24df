//! An account: its session, its cars, and what happens next.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::charging::{ReadChargingData, ReadHeatingSchedule};
use saic_ismart::vehicle::{
    AlarmKind, CachedStatus, LiveStatus, VehicleInfo, VehicleList, VehicleListAnswer,
};
use saic_ismart::{Client, Error, LoginError, Message, MessageGroup};
use tokio::time::Instant;

use super::car::Car;
use super::control::Order;
use super::error::SaicError;
use super::memory::{Files, Memory};
use super::polling::{Action, Activity, Questions};
use super::text::WithText;
use crate::config::Saic;
use crate::control::{Control, Inbox, Request};
use crate::hub::Handling;
use crate::source::Context;
use crate::supervisor::Exit;
use crate::value::Value;

/// New cars are rare.
const LIST_INTERVAL: TimeDelta = TimeDelta::days(1);

/// More messages than come between two looks.
const MESSAGES: u32 = 10;

/// After a failure of the cloud; doubled each time.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(900);

/// What changes all the time is not written down each time.
const SAVE_INTERVAL: TimeDelta = TimeDelta::minutes(15);

/// The session may come back earlier, from another program of this user.
const LOOK: Duration = Duration::from_secs(60);

/// What time it is.
pub(super) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What happens next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The list of cars is read.
    List,
    /// Messages are read.
    Messages,
    /// The car is made to tell when it is started.
    StartMessage(usize),
    /// What the cloud remembers of a car is read.
    Cloud(usize),
    /// A car is asked.
    Car(usize, Questions),
    /// Nothing until then.
    Wait(DateTime<Utc>),
}

/// An account with its cars.
pub(super) struct Account {
    pub(super) client: Client,
    pub(super) cars: Vec<Car>,
    pub(super) inbox: Inbox,
    config: Saic,
    handling: Handling,
    context: Context,
    clock: Clock,
    files: Option<Files>,
    /// Whether what is learnt is written down.
    keeps: bool,
    memory: Memory,
    saved_at: Option<DateTime<Utc>>,
    /// Failures of the cloud in a row, and until when it is left alone.
    failures: u32,
    paused_until: Option<DateTime<Utc>>,
}

impl Account {
    /// Goes on from what `files` remember.
    pub(super) fn new(
        config: Saic,
        context: Context,
        source: &str,
        client: Client,
        clock: Clock,
        files: Option<Files>,
    ) -> Self {
        let memory = files.as_ref().map(Files::load).unwrap_or_default();
        let mut account = Self {
            client,
            cars: Vec::new(),
            inbox: context.controls.inbox(source),
            handling: Handling {
                source: source.to_owned(),
                interval: config.interval,
                keep: config.store,
            },
            config,
            context,
            clock,
            files,
            keeps: true,
            memory,
            saved_at: None,
            failures: 0,
            paused_until: None,
        };
        let list = account.memory.vehicles.as_deref();
        if let Some(Ok(list)) = list.map(VehicleListAnswer::from_json) {
            account.adopt(list.vehicles);
        }
        account
    }

    /// Writes nothing down: that is another process's business now.
    #[must_use]
    pub(super) fn for_guest(mut self) -> Self {
        self.keeps = false;
        self
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// Does one thing after the other until the user has to do something.
    pub(super) async fn run(&mut self) -> Exit {
        let inbox = self.inbox.clone();
        loop {
            let request = tokio::select! {
                // Whoever waits for a command comes first; a question that is
                // dropped is put again.
                biased;
                request = inbox.next() => request,
                end = self.advance() => match end {
                    Ok(()) => continue,
                    Err(exit) => return exit,
                },
            };
            self.serve(request).await;
        }
    }

    async fn advance(&mut self) -> Result<(), Exit> {
        let now = self.now();
        let began = Instant::now();
        match self.next(now) {
            Step::Wait(until) => {
                let wait = (until - now).to_std().unwrap_or_default();
                tokio::time::sleep(wait.min(LOOK)).await;
                Ok(())
            }
            step => match self.perform(step).await {
                Ok(()) => {
                    let name = &self.handling.source;
                    self.context.stats.polled(name, began.elapsed());
                    if self.failures > 0 {
                        tracing::info!(component = %name, "the cloud answers again");
                    }
                    self.failures = 0;
                    Ok(())
                }
                Err(error) => self.failed(&error),
            },
        }
    }

    /// What to do at `now`.
    pub(super) fn next(&mut self, now: DateTime<Utc>) -> Step {
        if let Some(until) = self.left_alone(now) {
            return Step::Wait(until);
        }
        let due = |last: Option<DateTime<Utc>>, interval| match last {
            Some(last) if last <= now => last + interval,
            _ => now,
        };
        let list = due(self.memory.listed_at, LIST_INTERVAL);
        if list <= now || self.memory.vehicles.is_none() {
            return Step::List;
        }
        let interval = TimeDelta::from_std(self.config.interval).unwrap_or(LIST_INTERVAL);
        let messages = due(self.memory.messages_at, interval);
        if messages <= now {
            return Step::Messages;
        }
        let mut until = list.min(messages);
        let mut question = None;
        for (index, car) in self.cars.iter().enumerate() {
            match car.plan.next_action(now) {
                Action::Cloud => return Step::Cloud(index),
                Action::Car(questions) => question = question.or(Some((index, questions))),
                Action::Wait(time) => until = until.min(time),
            }
        }
        if let Some((index, questions)) = question {
            return Step::Car(index, questions);
        }
        let unseen = |car: &Car| !car.memory.start_message;
        match self.cars.iter().position(unseen) {
            Some(index) if self.config.start_messages => Step::StartMessage(index),
            _ => Step::Wait(until),
        }
    }

    /// Until when the cloud, or the account, is left alone.
    fn left_alone(&mut self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let elsewhere = self.elsewhere(now);
        let paused = self.paused_until.filter(|until| *until > now);
        elsewhere.max(paused)
    }

    /// Until when the account is left to another device. Not if there is a
    /// session again: the user has taken it back.
    pub(super) fn elsewhere(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = self.memory.elsewhere_until.filter(|until| *until > now)?;
        let token = self.files.as_ref().map(Files::token);
        (!token.is_some_and(|token| token.exists())).then_some(until)
    }

    /// Does one thing. What a car does not answer is its own trouble.
    pub(super) async fn perform(&mut self, step: Step) -> Result<(), SaicError> {
        match step {
            Step::List => self.list().await,
            Step::Messages => self.messages().await,
            Step::StartMessage(index) => self.start_message(index).await,
            Step::Cloud(index) => self.ask_cloud(index).await,
            Step::Car(index, questions) => self.ask(index, questions).await,
            Step::Wait(_) => Ok(()),
        }
    }

    pub(super) async fn list(&mut self) -> Result<(), SaicError> {
        let (vehicles, text) = self.client.call(&WithText(VehicleList)).await?;
        if vehicles.is_empty() {
            let component = &self.handling.source;
            tracing::warn!(%component, "the account has no cars: share one with it in the app");
        }
        self.memory.vehicles = text;
        self.memory.listed_at = Some(self.now());
        self.adopt(vehicles);
        self.save();
        Ok(())
    }

    fn adopt(&mut self, vehicles: Vec<VehicleInfo>) {
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

    async fn messages(&mut self) -> Result<(), SaicError> {
        self.memory.messages_at = Some(self.now());
        let page = self
            .client
            .messages(MessageGroup::Alarm, 1, MESSAGES)
            .await?;
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
    async fn start_message(&mut self, index: usize) -> Result<(), SaicError> {
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        let kind = AlarmKind::VehicleStart;
        let switched = async {
            let switches = car.vehicle.alarm_switches().await?.switches;
            let on = |switch: &saic_ismart::vehicle::AlarmSwitch| {
                switch.kind == Some(kind) && switch.reported == Some(true)
            };
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

    async fn ask_cloud(&mut self, index: usize) -> Result<(), SaicError> {
        let now = self.now();
        let Some(car) = self.cars.get_mut(index) else {
            return Ok(());
        };
        car.plan.cloud_asked(now);
        let vin = car.vehicle.vin().clone();
        let (status, text) = self.client.call(&WithText(CachedStatus(vin))).await?;
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
    pub(super) async fn ask(
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
            if let Some(car) = self.cars.get_mut(index) {
                car.told_status(status, text, now);
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

    /// Writes down that a car is asked, before it is.
    fn count(&mut self, index: usize) -> Option<saic_ismart::Vin> {
        let now = self.now();
        let car = self.cars.get_mut(index)?;
        car.plan.asked(now);
        let vin = car.vehicle.vin().clone();
        self.save();
        Some(vin)
    }

    /// Tells the hub what is known of a car.
    pub(super) fn emit(&self, index: usize) {
        let Some(car) = self.cars.get(index) else {
            return;
        };
        let device = car.device();
        let Context { hub, controls, .. } = &self.context;
        hub.announce(device.clone(), self.handling.clone());
        controls.offer(&device, &self.inbox);
        if let Some(reading) = car.reading(self.now()) {
            hub.read(reading);
        }
    }

    /// What a failure of the cloud means for what comes next.
    fn failed(&mut self, error: &SaicError) -> Result<(), Exit> {
        let now = self.now();
        let name = self.handling.source.clone();
        let reason = error.to_string();
        self.context.hub.fail(&name, &reason, now);
        match error.exit(&self.config.user) {
            Exit::Transient(_) => {}
            exit => return Err(exit),
        }
        self.failures += 1;
        let doubled = FIRST_RETRY.saturating_mul(1 << (self.failures - 1).min(10));
        let wait = error.retry_after().unwrap_or(doubled.min(LONGEST_RETRY));
        self.paused_until = Some(now + TimeDelta::from_std(wait).unwrap_or(LIST_INTERVAL));
        let state = match self.note_elsewhere(error) {
            true => "leaving the account to the other device",
            false => "trying again",
        };
        self.context.stats.failed(&name, state, &reason);
        if self.failures == 1 {
            let seconds = wait.as_secs();
            tracing::warn!(component = %name, "{reason}; {state}, next attempt in {seconds} s");
        } else {
            tracing::debug!(component = %name, "{reason}; {state}");
        }
        Ok(())
    }

    /// Remembers that another device has the account, if that is the trouble:
    /// a restart must not log it out.
    pub(super) fn note_elsewhere(&mut self, error: &SaicError) -> bool {
        let SaicError::Cloud(Error::Login(LoginError::LoggedInElsewhere { retry_after })) = error
        else {
            return false;
        };
        let wait = retry_after.unwrap_or(self.config.relogin_delay);
        let wait = TimeDelta::from_std(wait).unwrap_or(LIST_INTERVAL);
        self.memory.elsewhere_until = Some(self.now() + wait);
        self.paused_until = None;
        self.save();
        true
    }

    /// Carries out a command and answers it.
    async fn serve(&mut self, request: Request) {
        let (control, value) = (request.control, request.value.clone());
        let mut cars = self.cars.iter();
        let outcome = match cars.position(|car| *car.id() == request.device) {
            None => Err("the account has this car no more".to_owned()),
            Some(_) if Instant::now() > request.expires => {
                Err("not sent: it came too late".to_owned())
            }
            Some(index) => {
                self.tell(index, control, &value)
                    .await
                    .map_err(|error| match error.hint() {
                        Some(hint) => format!("{error}; {hint}"),
                        None => error.to_string(),
                    })
            }
        };
        let (device, key) = (&request.device, control.key);
        match &outcome {
            Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
            Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
        }
        request.answer(outcome);
    }

    /// Tells a car something, once, and reads what came of it.
    pub(super) async fn tell(
        &mut self,
        index: usize,
        control: &'static Control,
        value: &Value,
    ) -> Result<(), SaicError> {
        let Some(car) = self.cars.get(index) else {
            return Ok(());
        };
        let order = Order::of(control, value, &car.known)?;
        let vehicle = car.vehicle.clone();
        if order != Order::Refresh {
            self.count(index);
        }
        let told = order.carry_out(&vehicle).await;
        let now = self.now();
        // A command takes the account back from whoever had it.
        if !matches!(told, Err(Error::Login(_))) {
            self.memory.elsewhere_until = None;
        }
        let mut questions = Questions {
            status: order.is_about_status(),
            charging: order.is_about_charging() && vehicle.profile().drive.has_plug(),
        };
        let result = match told {
            Ok(said) => {
                if let Some(car) = self.cars.get_mut(index) {
                    car.plan.give_sign();
                    if let Some(status) = said.status {
                        car.told_status(status, None, now);
                        questions.status = false;
                    }
                    if let Some(management) = said.management {
                        car.told_management(management, now);
                    }
                }
                Ok(())
            }
            Err(error) if error.may_have_taken_effect() => Err(SaicError::Unsure(error)),
            Err(error) => return Err(error.into()),
        };
        if questions.status || questions.charging {
            let asked = self.ask(index, questions).await;
            if order == Order::Refresh {
                asked?;
                if let Some(error) = self.cars.get_mut(index).and_then(|car| car.error.take()) {
                    return Err(error);
                }
            }
        } else {
            if let Some(car) = self.cars.get_mut(index) {
                car.plan.satisfied();
            }
            self.emit(index);
            self.save();
        }
        result
    }

    /// The account is ours again, whoever had it.
    pub(super) fn regained(&mut self) {
        self.memory.elsewhere_until = None;
        self.save();
    }

    /// Writes down what is known.
    pub(super) fn save(&mut self) {
        self.saved_at = Some(self.now());
        for car in &mut self.cars {
            let memory = car.remember();
            self.memory.cars.insert(car.vin().to_owned(), memory);
        }
        if let Some(files) = self.files.as_ref().filter(|_| self.keeps) {
            files.save(&self.memory);
        }
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
