//! What all sources share whose device takes one link at a time: when it is
//! read, pauses for the phone app, commands, and a link that went unnoticed.

use std::error::Error;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::time::{Instant as Deadline, timeout_at};

use super::Context;
use crate::budget;
use crate::control::{Control, Inbox, Request, bluetooth};
use crate::database::DatabaseError;
use crate::event::{Device, Reading};
use crate::exit::{Code, Failure};
use crate::filter::Keep;
use crate::hub::Handling;
use crate::radio::{self, RadioError, Target};
use crate::schedule::{Action, Schedule};
use crate::supervisor::{Exit, Task};
use crate::value::Value;

const DAY: Duration = Duration::from_secs(86_400);

const MINUTE_S: f64 = 60.0;

/// One device and its protocol.
pub(super) trait Peer: Send {
    /// Why it could not be read.
    type Error: Trouble;

    /// Makes a link, unless there is one.
    fn ensure_link(&mut self, base: &Base) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether there is a link, as far as anybody noticed.
    fn has_link(&self) -> bool;

    /// Ends the link, if there is one.
    fn drop_link(&mut self);

    /// Reads it over the link that there is, or over a new one. A link that
    /// fails is dropped.
    fn read(
        &mut self,
        base: &Base,
        scope: Scope,
    ) -> impl Future<Output = Result<Reading, Self::Error>> + Send;

    /// Keeps a link that nobody uses; ends when the link has ended. Cancel
    /// safe.
    fn idle(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Tells it something over the link that it was just read over, and reads
    /// back whether it did it.
    fn tell(
        &mut self,
        base: &Base,
        control: &'static Control,
        value: &Value,
    ) -> impl Future<Output = Result<(), CommandError<Self::Error>>> + Send;
}

/// How much is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All that is due.
    Due,
    /// What takes no time: a command waits.
    Brief,
}

/// Why a device could not be read or told.
pub trait Trouble: Error + From<RadioError> + Send + Sync + 'static {
    /// The exit code of a command that fails with it.
    fn code(&self) -> Code;

    /// What the user can do, if anything but wait.
    fn hint(&self) -> Option<&'static str>;

    /// True if a new link may help at once: the old one was held, and nobody
    /// noticed that it had gone.
    fn link_may_be_stale(&self) -> bool;

    /// What a command fails with that could not read `device`.
    fn failure(&self, device: &str) -> Failure {
        let failure = Failure::new(self.code(), format!("{device}: {self}"));
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// How a source ends with it.
    fn exit(&self, target: &Target) -> Exit {
        let mut text = format!("{target}: {self}");
        if let Some(hint) = self.hint() {
            text = format!("{text}; {hint}");
        }
        match self.code() {
            Code::Login => Exit::LoginNeeded(text),
            _ => Exit::Transient(text),
        }
    }
}

/// Why a command did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<E: Error + 'static> {
    /// The device was not told.
    #[error("not sent: {0}")]
    NotSent(#[source] E),
    /// It was told, or may have been.
    #[error("{0}")]
    Failed(#[source] E),
}

impl<E: Error + 'static> CommandError<E> {
    /// What is behind it.
    pub fn cause(&self) -> &E {
        let (Self::NotSent(cause) | Self::Failed(cause)) = self;
        cause
    }
}

/// What a source knows of its device from the configuration, and works with.
pub(super) struct Base {
    pub(super) target: Target,
    pub(super) context: Context,
    pub(super) plan: Plan,
    handling: Handling,
    pub(super) inbox: Inbox,
}

/// How a device is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) interval: Duration,
    pub(super) keep: Keep,
    pub(super) reads_per_day: Option<u32>,
    pub(super) holds_link: bool,
}

impl Base {
    pub(super) fn new(target: Target, context: Context, plan: Plan, source: &str) -> Self {
        // While a budget is used up, silence is no outage.
        let rationed = match plan.reads_per_day {
            Some(limit) => DAY / limit.max(1),
            None => Duration::ZERO,
        };
        Self {
            target,
            handling: Handling {
                source: source.to_owned(),
                interval: plan.interval.max(rationed),
                keep: plan.keep,
            },
            inbox: context.controls.inbox(source),
            context,
            plan,
        }
    }

    /// Tells what the device is, and what it can be told.
    pub(super) fn announce(&self, device: &Device) {
        let Context { hub, controls, .. } = &self.context;
        hub.announce(device.clone(), self.handling.clone());
        controls.offer(device, &self.inbox);
    }

    fn is_paused(&self) -> bool {
        self.context.radio.paused_until(&self.target).is_some()
    }

    fn failed<E: Trouble>(&self, error: &E, task: &Task) -> Exit {
        let reason = error.to_string();
        self.inbox.unreachable(&reason);
        self.context.hub.fail(&task.name, &reason, Utc::now());
        error.exit(&self.target)
    }

    async fn schedule(&self, name: &str) -> Result<Schedule, DatabaseError> {
        let budget = match self.plan.reads_per_day {
            Some(limit) => Some(budget::load(&self.context.database, name, limit).await?),
            None => None,
        };
        let seed = name.bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        Ok(Schedule::new(self.plan.interval, budget, seed))
    }

    async fn count_read(&self, schedule: &mut Schedule, name: &str) -> Result<(), Exit> {
        schedule.polled(Utc::now());
        let Some(budget) = schedule.budget() else {
            return Ok(());
        };
        let left = budget.left(Utc::now());
        self.context.stats.quota_left(name, left);
        budget::save(&self.context.database, name, budget)
            .await
            .map_err(|error| Exit::Transient(error.to_string()))
    }
}

/// A source of one device.
pub(super) struct Poller<P> {
    pub(super) peer: P,
    pub(super) base: Base,
}

impl<P: Peer> Poller<P> {
    /// Reads the device until it is told to stop, or cannot go on.
    pub(super) async fn run(self, task: Task) -> Exit {
        tokio::select! {
            exit = self.go_on(&task) => exit,
            () = task.shutdown.cancelled() => Exit::Stopped,
        }
    }

    async fn go_on(mut self, task: &Task) -> Exit {
        let mut schedule = match self.base.schedule(&task.name).await {
            Ok(schedule) => schedule,
            Err(error) => return Exit::Transient(error.to_string()),
        };
        loop {
            if self.sit_out_pause(task).await {
                schedule.hurry();
            }
            if let Action::Wait(time) = schedule.next_action(Utc::now()) {
                let wait = (time - Utc::now()).to_std().unwrap_or_default();
                if self.wait(wait).await
                    && let Err(exit) = self.base.count_read(&mut schedule, &task.name).await
                {
                    return exit;
                }
                continue;
            }
            let began = Instant::now();
            // A device that is not there costs no read.
            match self.peer.ensure_link(&self.base).await {
                Ok(()) => self.base.inbox.reachable(),
                Err(_) if self.base.is_paused() => continue,
                Err(error) => return self.base.failed(&error, task),
            }
            if let Err(exit) = self.base.count_read(&mut schedule, &task.name).await {
                return exit;
            }
            match self.poll(Scope::Due).await {
                Ok(reading) => {
                    let Context { stats, hub, .. } = &self.base.context;
                    stats.polled(&task.name, began.elapsed());
                    hub.read(reading);
                }
                Err(_) if self.base.is_paused() => continue,
                Err(error) => return self.base.failed(&error, task),
            }
            self.release_link();
        }
    }

    /// Says that it is paused, if it is, and waits for the end of it.
    async fn sit_out_pause(&mut self, task: &Task) -> bool {
        let radio = self.base.context.radio.clone();
        let target = self.base.target.clone();
        let mut until = radio.paused_until(&target);
        let was_paused = until.is_some();
        while let Some(time) = until {
            self.peer.drop_link();
            let reason = radio::paused(time);
            tracing::info!(device = %target, "{reason}");
            self.base.inbox.unreachable(&reason);
            self.base.context.hub.leave(&task.name, &reason);
            let request = tokio::select! {
                changed = radio.pause_changed(&target, until) => {
                    until = changed;
                    continue;
                }
                request = self.base.inbox.next() => request,
            };
            // It may be the one that ends the pause.
            self.obey(request).await;
            until = radio.paused_until(&target);
        }
        was_paused
    }

    /// Waits for `time`, a pause or a command, which it carries out: true then.
    async fn wait(&mut self, time: Duration) -> bool {
        let Base {
            context,
            target,
            inbox,
            ..
        } = &self.base;
        let request = tokio::select! {
            () = tokio::time::sleep(time) => return false,
            _ = context.radio.pause_changed(target, None) => return false,
            () = self.peer.idle() => return false,
            request = inbox.next() => request,
        };
        self.obey(request).await;
        self.release_link();
        // A pause is no read.
        !self.base.is_paused()
    }

    fn release_link(&mut self) {
        if !self.base.plan.holds_link {
            self.peer.drop_link();
        }
    }

    /// Reads the device; a link that was held and fails is replaced once.
    pub(super) async fn poll(&mut self, scope: Scope) -> Result<Reading, P::Error> {
        let held = self.peer.has_link();
        match self.peer.read(&self.base, scope).await {
            Err(error) if held && error.link_may_be_stale() => {
                tracing::debug!(device = %self.base.target, %error, "connecting again");
                self.peer.read(&self.base, scope).await
            }
            result => result,
        }
    }

    /// Carries out `request` and answers it. What it changed is read and told
    /// first, so that nobody hears of a success and then reads the old state.
    pub(super) async fn obey(&mut self, request: Request) {
        let Request {
            control,
            value,
            expires,
            ..
        } = &request;
        let (key, value, expires) = (control.key, value.clone(), *expires);
        let outcome = match (control, &value) {
            (control, Value::Float(minutes)) if **control == bluetooth::PAUSE => {
                self.pause(*minutes);
                Ok(())
            }
            (control, value) => self
                .tell(control, value, Some(expires))
                .await
                .map_err(|error| match error.cause().hint() {
                    Some(hint) => format!("{error}; {hint}"),
                    None => error.to_string(),
                }),
        };
        let device = &self.base.target;
        match &outcome {
            Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
            Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
        }
        request.answer(outcome);
    }

    fn pause(&mut self, minutes: f64) {
        self.peer.drop_link();
        let Base {
            context, target, ..
        } = &self.base;
        if minutes > 0.0 {
            let duration = Duration::from_secs_f64(minutes * MINUTE_S);
            context.radio.pause(target, duration);
        } else {
            context.radio.resume(target);
        }
    }

    /// Sends a command that can be sent, before it `expires`, and sees to it
    /// that it took effect.
    pub(super) async fn tell(
        &mut self,
        control: &'static Control,
        value: &Value,
        expires: Option<Deadline>,
    ) -> Result<(), CommandError<P::Error>> {
        // A link that answers now is one that takes the command: it must not
        // be sent twice.
        let ready = match expires {
            Some(time) => timeout_at(time, self.refresh()).await.unwrap_or_else(|_| {
                let silent = RadioError::NoAnswer(self.base.target.clone());
                Err(silent.into())
            }),
            None => self.refresh().await,
        };
        ready.map_err(CommandError::NotSent)?;
        let told = self.peer.tell(&self.base, control, value).await;
        // The effect was read back already; this only tells it.
        if let Err(error) = self.refresh().await {
            tracing::debug!(device = %self.base.target, %error, "not read after a command");
        }
        told
    }

    /// Reads the device and tells what it says.
    async fn refresh(&mut self) -> Result<(), P::Error> {
        let reading = self.poll(Scope::Brief).await?;
        self.base.context.hub.read(reading);
        Ok(())
    }
}
