//! An account: its session, its cars, and what happens next.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use saic_ismart::vehicle::VehicleListAnswer;
use saic_ismart::{Client, Error, LoginError};
use tokio::time::Instant;

use super::car::Car;
use super::error::SaicError;
use super::memory::{Files, Memory};
use super::polling::{Action, Questions};
use crate::config::Saic;
use crate::control::{Inbox, Request};
use crate::event::DeviceId;
use crate::hub::Handling;
use crate::source::Context;
use crate::supervisor::Exit;

use commands::Errand;

mod calls;
mod commands;

/// New cars are rare.
const LIST_INTERVAL: TimeDelta = TimeDelta::days(1);

/// Somebody is about to share the first one.
const NO_CARS_INTERVAL: TimeDelta = TimeDelta::minutes(15);

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
    /// Commands on their way, one to each car at most, and whose cars these are.
    errands: FuturesUnordered<Errand>,
    busy: Vec<DeviceId>,
    /// Commands to cars that are busy.
    waiting: VecDeque<Request>,
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
            errands: FuturesUnordered::new(),
            busy: Vec::new(),
            waiting: VecDeque::new(),
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
        loop {
            if let Err(exit) = self.advance().await {
                return exit;
            }
        }
    }

    async fn advance(&mut self) -> Result<(), Exit> {
        let now = self.now();
        let began = Instant::now();
        match self.next(now) {
            Step::Wait(until) => {
                let wait = (until - now).to_std().unwrap_or_default();
                self.wait(wait.min(LOOK)).await;
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

    /// Nothing is to be done for so long, unless something happens with a command.
    async fn wait(&mut self, wait: Duration) {
        let inbox = self.inbox.clone();
        tokio::select! {
            biased;
            request = inbox.next() => self.receive(request),
            Some(told) = self.errands.next() => self.told(told),
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// Waits for `call`, and serves commands meanwhile. `None` if the call was
    /// to the car at `index` and gave way to a command: the car has one turn.
    async fn meanwhile<T>(
        &mut self,
        index: Option<usize>,
        call: impl Future<Output = T>,
    ) -> Option<T> {
        let mut call = pin!(call);
        let inbox = self.inbox.clone();
        loop {
            tokio::select! {
                biased;
                request = inbox.next() => {
                    self.receive(request);
                    let asked = index.and_then(|index| self.cars.get(index));
                    if asked.is_some_and(|car| self.busy.contains(car.id())) {
                        return None;
                    }
                }
                Some(told) = self.errands.next() => self.told(told),
                answer = &mut call => return Some(answer),
            }
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
        let list = match self.cars.is_empty() {
            true => due(self.memory.listed_at, NO_CARS_INTERVAL),
            false => due(self.memory.listed_at, LIST_INTERVAL),
        };
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
                // It is told something, and asked after that.
                _ if self.busy.contains(car.id()) => {}
                Action::Cloud => return Step::Cloud(index),
                Action::Car(questions) => question = question.or(Some((index, questions))),
                Action::Wait(time) => until = until.min(time),
            }
        }
        if let Some((index, questions)) = question {
            return Step::Car(index, questions);
        }
        let unseen = |car: &Car| !car.memory.start_message && !self.busy.contains(car.id());
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
