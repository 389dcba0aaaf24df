//! Cars of CarData: one stream for all of the account, REST for the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bimmer::Error;
use bimmer::cardata::stream::{Ending, StreamEvent};
use bimmer::cardata::{
    BasicData, Client, Overview, RECOMMENDED_KEYS, TelematicData, Telemetry, primary_vins,
};
use bimmer::types::{Brand, Vin};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;

use estimate::Estimates;

use super::device::{device, id};
use super::kept::{CarDataData, Kept};
use super::schedule::{CarState, Next, REST_PER_DAY, next_rest};
use super::tokens::Tokens;
use super::{BmwError, account, notice, settled, values};
use crate::budget;
use crate::config::Bmw;
use crate::event::{DeviceKind, Reading};
use crate::hub::Handling;
use crate::native::{BmwCar, CarDataCar, Native};
use crate::schedule::Budget;
use crate::source::Context;
use crate::supervisor::{Exit, Task};
use crate::value::rfc3339;

/// Cars are bought and sold.
const MAPPING_LASTS: TimeDelta = TimeDelta::days(7);

/// A car that is not listed is forgotten when the stream has not told of it for
/// so long.
const STREAM_ONLY_LASTS: TimeDelta = TimeDelta::days(30);

/// After a call that failed.
const AFTER_FAILURE: TimeDelta = TimeDelta::hours(1);

/// After what a car is could not be found out.
const DESCRIBE_AGAIN: TimeDelta = TimeDelta::days(1);

/// Messages of the stream come in bursts, one for each value.
const BURST: Duration = Duration::from_secs(1);

/// What the stream said is written down this long after it was said.
const WRITE_DOWN: Duration = Duration::from_secs(60);

/// Clocks jump: look again at least so often.
const LOOK: Duration = Duration::from_secs(60);

pub(super) async fn run(config: Bmw, context: Context, task: Task) -> Exit {
    let opened = Account::open(config.clone(), context, &task.name).await;
    let mut account = match opened {
        Ok(account) => account,
        Err(error) => return error.exit(&config),
    };
    let outcome = account.run(&task).await;
    // Whatever ended it.
    let saved = account.save();
    let client = account.client.clone();
    settled(&task, || {
        let client = client.clone();
        Box::pin(async move { client.settle().await })
    })
    .await;
    match outcome.and(saved) {
        Ok(()) => Exit::Stopped,
        Err(error) => {
            let reason = error.to_string();
            account.context.hub.fail(&task.name, &reason, Utc::now());
            error.exit(&config)
        }
    }
}

/// What is known, and with `spend_quota` what the cloud says.
pub(super) async fn once(config: Bmw, context: Context, spend_quota: bool) -> Result<(), BmwError> {
    let mut account = Account::open(config, context, "once").await?;
    if spend_quota {
        account.find_cars().await?;
        for vin in account.asked_vins() {
            account.describe(&vin).await?;
            let data = account
                .client
                .telematic_data(&vin, RECOMMENDED_KEYS)
                .await?;
            account.answered(&vin, &data, Utc::now());
        }
        account.save()?;
    }
    let known = account.cars.keys().cloned().collect::<Vec<_>>();
    let known: Vec<_> = known
        .into_iter()
        .filter(|vin| account.telemetry(vin).is_some())
        .collect();
    if known.is_empty() {
        return Err(BmwError::NothingCached);
    }
    for vin in known {
        account.announce(&vin);
        account.tell(&vin, Utc::now());
    }
    Ok(())
}

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// A question to the cloud on its way; the stream goes on meanwhile.
type Errand = BoxFuture<'static, Answer>;

enum Answer {
    Described(Vin, Result<Box<BasicData>, Error>),
    Told(Vin, Result<TelematicData, Error>),
}

struct Account {
    config: Bmw,
    context: Context,
    client: Client,
    kept: Kept<CarDataData>,
    cars: BTreeMap<Vin, Telemetry>,
    budget: Budget,
    name: String,
    clock: Clock,
    /// Cars of which the stream said something that is not published yet.
    unpublished: BTreeSet<Vin>,
    publish_at: Option<tokio::time::Instant>,
    save_at: Option<tokio::time::Instant>,
    estimates: Estimates,
    estimate_at: Option<tokio::time::Instant>,
}

impl Account {
    async fn open(config: Bmw, context: Context, component: &str) -> Result<Self, BmwError> {
        let directory = context.state_dir.as_deref();
        let quota = directory.map(|directory| account::file(&config, directory, "quota.json"));
        let tokens = Tokens::open(&config, directory)?;
        let client = account::cardata(&config, tokens, quota.transpose()?)?;
        Self::with(config, context, component, client, Arc::new(Utc::now)).await
    }

    /// With a client of its own, and a clock that agrees with the client's.
    async fn with(
        config: Bmw,
        context: Context,
        component: &str,
        client: Client,
        clock: Clock,
    ) -> Result<Self, BmwError> {
        let directory = context.state_dir.as_deref();
        let file = directory.map(|directory| account::file(&config, directory, "json"));
        let mut kept: Kept<CarDataData> = Kept::load(file.transpose()?)?;
        for vin in config.vins()? {
            kept.data.cars.entry(vin.to_string()).or_default();
        }
        kept.data.cars.retain(|vin, _| config.wants(vin));
        let cars = kept.data.cars.iter();
        let cars = cars.filter_map(|(vin, car)| Some((Vin::new(vin)?, car.telemetry())));
        let cars = cars.collect();
        let budget = budget::load(&context.database, component, REST_PER_DAY).await?;
        Ok(Self {
            config,
            client,
            kept,
            cars,
            budget,
            name: component.to_owned(),
            context,
            clock,
            unpublished: BTreeSet::new(),
            publish_at: None,
            save_at: None,
            estimates: Estimates::default(),
            estimate_at: None,
        })
    }

    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    fn vins(&self) -> Vec<Vin> {
        self.cars.keys().cloned().collect()
    }

    /// Those that BMW answers questions about.
    fn asked_vins(&self) -> Vec<Vin> {
        let cars = &self.kept.data.cars;
        let asked = |vin: &&Vin| !cars.get(vin.as_str()).is_some_and(|car| car.stream_only);
        self.cars.keys().filter(asked).cloned().collect()
    }

    /// `None` as long as nothing is known.
    fn telemetry(&self, vin: &Vin) -> Option<&Telemetry> {
        let telemetry = self.cars.get(vin)?;
        telemetry.iter().next().map(|_| telemetry)
    }

    async fn run(&mut self, task: &Task) -> Result<(), BmwError> {
        // Without a login nothing is worth a try.
        self.client.token().await?;
        for vin in self.vins() {
            self.announce(&vin);
            if self.telemetry(&vin).is_some() {
                self.tell(&vin, self.now());
            }
        }
        let mut stream = self.client.stream(account::stream_options(&self.config)?)?;
        let mut errand: Option<(Instant, Errand)> = None;
        let mut repeated = tokio::time::Instant::now();
        loop {
            let mut look_in = LOOK;
            if errand.is_none() {
                match self.next_errand(self.now()).await? {
                    Ok(next) => errand = Some((Instant::now(), next)),
                    Err(time) => {
                        let wait = (time - self.now()).to_std().unwrap_or_default();
                        look_in = look_in.min(wait.max(Duration::from_secs(1)));
                    }
                }
            }
            let repeat_at = self.config.repeat.map(|every| repeated + every);
            let publish_at = self.publish_at;
            let (save_at, estimate_at) = (self.save_at, self.estimate_at);
            tokio::select! {
                () = task.shutdown.cancelled() => return Ok(()),
                event = stream.next() => self.streamed(event)?,
                answer = finished(&mut errand) => {
                    let (began, answer) = answer;
                    errand = None;
                    self.take(answer, began).await?;
                }
                () = at(publish_at) => self.publish(),
                () = at(save_at) => self.save()?,
                () = at(estimate_at) => self.estimate(),
                () = at(repeat_at) => {
                    repeated = tokio::time::Instant::now();
                    for vin in self.vins() {
                        self.tell(&vin, self.now());
                    }
                }
                () = tokio::time::sleep(look_in) => {}
            }
        }
    }

    /// What to ask now, or when to look again.
    async fn next_errand(
        &mut self,
        now: DateTime<Utc>,
    ) -> Result<Result<Errand, DateTime<Utc>>, BmwError> {
        let known = &self.kept.data;
        let blocked = known.not_before.filter(|time| *time > now);
        if blocked.is_none() && self.must_find_cars(now) {
            // Rare, and nothing can be done without.
            if let Err(error) = self.find_cars().await {
                self.failed(error, now)?;
            }
            return Ok(Err(now));
        }
        let vins = self.asked_vins();
        let states: Vec<_> = vins.iter().map(|vin| self.state(vin, now)).collect();
        let next = next_rest(&states, &self.budget, self.kept.data.not_before, now);
        let client = self.client.clone();
        Ok(match next {
            Next::Wait(time) => Err(time),
            Next::Describe(index) => {
                let Some(vin) = vins.get(index).cloned() else {
                    return Ok(Err(now));
                };
                Ok(Box::pin(async move {
                    let answer = client.basic_data(&vin).await;
                    Answer::Described(vin, answer.map(Box::new))
                }))
            }
            Next::Ask(index) => {
                let Some(vin) = vins.get(index).cloned() else {
                    return Ok(Err(now));
                };
                // Written down before it is spent.
                self.budget.spend(now);
                budget::save(&self.context.database, &self.name, &self.budget).await?;
                Ok(Box::pin(async move {
                    let answer = client.telematic_data(&vin, RECOMMENDED_KEYS).await;
                    Answer::Told(vin, answer)
                }))
            }
        })
    }

    fn state(&self, vin: &Vin, now: DateTime<Utc>) -> CarState {
        let car = self.kept.data.cars.get(vin.as_str());
        let since = now - DESCRIBE_AGAIN;
        car.map_or_else(CarState::default, |car| CarState {
            described: car.basics.is_some() || car.not_described_at.is_some_and(|at| at > since),
            asked_at: car.asked_at,
            streamed_at: car.streamed_at,
        })
    }

    fn must_find_cars(&self, now: DateTime<Utc>) -> bool {
        let mapped_at = self.kept.data.mapped_at;
        let fresh = mapped_at.is_some_and(|at| now - at < MAPPING_LASTS && at <= now);
        self.config.vin.is_empty() && !fresh
    }

    /// Which cars the account has, if the configuration does not say.
    async fn find_cars(&mut self) -> Result<(), BmwError> {
        if !self.must_find_cars(self.now()) {
            return Ok(());
        }
        let mappings = self.client.mappings().await?;
        let ours = primary_vins(&mappings);
        for mapping in mappings.iter().filter(|mapping| !mapping.is_primary()) {
            tracing::warn!(
                car = %mapping.vin.masked(),
                "BMW gives the data of this car to its main user (PRIMARY) alone; this account \
                 is another one"
            );
        }
        for vin in &ours {
            self.adopt(vin);
            if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
                car.stream_only = false;
            }
        }
        // Without those that were sold. Others are never listed: the stream alone
        // tells of them.
        let now = self.now();
        let tells = |at: DateTime<Utc>| now - at < STREAM_ONLY_LASTS;
        let known = &mut self.kept.data.cars;
        known.retain(|vin, car| {
            let is_told_of = car.stream_only && car.streamed_at.is_some_and(tells);
            is_told_of || ours.iter().any(|own| own.as_str() == vin)
        });
        self.cars.retain(|vin, _| known.contains_key(vin.as_str()));
        self.kept.data.mapped_at = Some(now);
        self.save()
    }

    fn adopt(&mut self, vin: &Vin) {
        self.kept.data.cars.entry(vin.to_string()).or_default();
        if !self.cars.contains_key(vin) {
            self.cars.insert(vin.clone(), Telemetry::new());
            self.announce(vin);
        }
    }

    /// For `once`, which does one thing after the other.
    async fn describe(&mut self, vin: &Vin) -> Result<(), BmwError> {
        if !self.state(vin, self.now()).described {
            let basics = self.client.basic_data(vin).await?;
            self.described(vin, basics);
        }
        Ok(())
    }

    fn described(&mut self, vin: &Vin, basics: BasicData) {
        if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
            car.basics = Some(basics);
        }
        self.estimates.forget(vin);
        self.announce(vin);
    }

    fn answered(&mut self, vin: &Vin, data: &TelematicData, now: DateTime<Utc>) {
        if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
            car.asked_at = Some(now);
        }
        if let Some(telemetry) = self.cars.get_mut(vin) {
            telemetry.apply_rest(data, now);
        }
        self.observe(vin, now);
    }

    async fn take(&mut self, answer: Answer, began: Instant) -> Result<(), BmwError> {
        let now = self.now();
        let outcome = match answer {
            Answer::Described(vin, Ok(basics)) => {
                self.described(&vin, *basics);
                Ok(())
            }
            // A car that has no such document is none the less a car.
            Answer::Described(vin, Err(Error::Refused { .. })) => {
                self.described(&vin, BasicData::default());
                Ok(())
            }
            Answer::Told(vin, Ok(data)) => {
                self.answered(&vin, &data, now);
                self.tell(&vin, now);
                self.context.stats.polled(&self.name, began.elapsed());
                Ok(())
            }
            // Others have their turn before it is asked about this one again.
            Answer::Told(vin, Err(error)) => {
                if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
                    car.asked_at = Some(now);
                }
                match error {
                    Error::Refused { .. } => {
                        tracing::warn!(car = %vin.masked(), %error, "a car was not read");
                        Ok(())
                    }
                    error => Err(error),
                }
            }
            // How it is does not depend on what it is.
            Answer::Described(vin, Err(error)) => {
                if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
                    car.not_described_at = Some(now);
                }
                Err(error)
            }
        };
        if let Err(error) = outcome {
            self.failed(error.into(), now)?;
        } else {
            self.kept.data.not_before = None;
        }
        let left = self.client.remaining_calls().await?;
        self.context.stats.quota_left(&self.name, left as usize);
        self.save()
    }

    /// A call failed: the next comes later, unless the user has to do something.
    fn failed(&mut self, error: BmwError, now: DateTime<Utc>) -> Result<(), BmwError> {
        let cloud = match &error {
            BmwError::Cloud(cloud) if !cloud.needs_login() => cloud,
            _ => return Err(error),
        };
        let reason = error.to_string();
        let wait = cloud
            .retry_after()
            .and_then(|wait| TimeDelta::from_std(wait).ok());
        let wait = wait.unwrap_or(AFTER_FAILURE);
        self.kept.data.not_before = now.checked_add_signed(wait);
        tracing::warn!(
            component = %self.name,
            "{reason}; the stream goes on, the next call comes in {} min",
            wait.num_minutes()
        );
        self.context.stats.failed(&self.name, "waiting", &reason);
        self.context.hub.fail(&self.name, &reason, now);
        // A restart must not ask sooner.
        self.save()
    }

    fn streamed(&mut self, event: Result<StreamEvent, Error>) -> Result<(), BmwError> {
        match event? {
            StreamEvent::Connected => {
                tracing::info!(component = %self.name, "the stream is connected");
                self.context.stats.well(&self.name);
            }
            StreamEvent::Message { message, .. } => {
                let now = self.now();
                if self.config.vin.is_empty() && !self.cars.contains_key(&message.vin) {
                    self.adopt(&message.vin);
                    // It is not among those that BMW has listed.
                    let listed = self.kept.data.mapped_at.is_some();
                    if let Some(car) = self.kept.data.cars.get_mut(message.vin.as_str()) {
                        car.stream_only = listed;
                    }
                }
                let Some(telemetry) = self.cars.get_mut(&message.vin) else {
                    return Ok(());
                };
                if telemetry.apply_stream(&message, now) > 0 {
                    if let Some(car) = self.kept.data.cars.get_mut(message.vin.as_str()) {
                        car.streamed_at = Some(now);
                    }
                    self.observe(&message.vin, now);
                    let now = tokio::time::Instant::now();
                    self.unpublished.insert(message.vin);
                    self.publish_at.get_or_insert(now + BURST);
                    self.save_at.get_or_insert(now + WRITE_DOWN);
                }
            }
            StreamEvent::Unreadable(count) => {
                tracing::debug!(component = %self.name, count, "a message that cannot be read");
            }
            StreamEvent::Disconnected { ending, retry_in } => {
                tracing::debug!(component = %self.name, ?ending, ?retry_in, "no stream");
                if ending != Ending::TokenEnding {
                    let reason = "the stream of CarData was closed";
                    self.context
                        .stats
                        .failed(&self.name, "connecting again", reason);
                }
            }
            StreamEvent::Notice(told) => {
                let words = notice::words(told);
                tracing::warn!(component = %self.name, "{words}");
                self.context
                    .stats
                    .failed(&self.name, "needs attention", words);
            }
            _ => {}
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.publish_at = None;
        let now = self.now();
        for vin in std::mem::take(&mut self.unpublished) {
            self.tell(&vin, now);
        }
    }

    fn save(&mut self) -> Result<(), BmwError> {
        self.save_at = None;
        for (vin, telemetry) in &self.cars {
            if let Some(car) = self.kept.data.cars.get_mut(vin.as_str()) {
                car.keep(telemetry);
            }
        }
        Ok(self.kept.save()?)
    }

    fn brand_and_name(&self, vin: &Vin) -> (Brand, String) {
        let car = self.kept.data.cars.get(vin.as_str());
        let basics = car.and_then(|car| car.basics.as_ref());
        let basics = basics.cloned().unwrap_or_default();
        (basics.brand_of(vin), basics.name_of(vin))
    }

    fn announce(&self, vin: &Vin) {
        let (brand, name) = self.brand_and_name(vin);
        // Each car has its turn; twice that, for calls that fail.
        let turns = u32::try_from(self.asked_vins().len().max(1)).unwrap_or(1) * 2;
        let handling = Handling {
            source: self.name.clone(),
            interval: Duration::from_secs(3600) * turns,
            keep: self.config.store,
        };
        self.context
            .hub
            .announce(device(vin, &brand, &name), handling);
    }

    fn tell(&self, vin: &Vin, now: DateTime<Utc>) {
        if let Some(reading) = self.reading(vin, now) {
            self.context.hub.read(reading);
        }
    }

    /// `None` as long as nothing is known.
    fn reading(&self, vin: &Vin, now: DateTime<Utc>) -> Option<Reading> {
        let telemetry = self.telemetry(vin)?;
        let overview = Overview::of(telemetry, now);
        let mut reading = Reading::new(id(vin), DeviceKind::Vehicle, now);
        let measured = overview.last_update.or_else(|| telemetry.newest());
        reading.measured_at = measured.unwrap_or(reading.fetched_at).min(now);
        (reading.values, reading.extra) = values::cardata(&overview, now);
        self.estimates.put(vin, &mut reading.extra, now);
        let (brand, name) = self.brand_and_name(vin);
        reading.native = Some(Native::Bmw(Arc::new(BmwCar::CarData(Box::new(
            CarDataCar {
                vin: vin.clone(),
                brand,
                name,
                overview,
                raw: self.config.raw.then(|| raw(telemetry)),
            },
        )))));
        Some(reading)
    }
}

/// Each descriptor as JSON: value, unit, time.
fn raw(telemetry: &Telemetry) -> BTreeMap<String, String> {
    let descriptor = |(key, entry): (&str, &bimmer::cardata::Entry)| {
        let json = serde_json::json!({
            "value": entry.value,
            "unit": entry.unit,
            "timestamp": entry.timestamp.map(rfc3339),
            "source": entry.source,
        });
        (key.to_owned(), json.to_string())
    };
    telemetry.iter().map(descriptor).collect()
}

async fn finished(errand: &mut Option<(Instant, Errand)>) -> (Instant, Answer) {
    match errand {
        Some((began, errand)) => {
            let began = *began;
            (began, errand.await)
        }
        None => std::future::pending().await,
    }
}

async fn at(time: Option<tokio::time::Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

mod estimate;

#[cfg(test)]
mod day;
