//! Cars of the app's API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bimmer::mybmw::{Client, ClimateActivity, Command, EventStatus, Profile, Vehicle};
use bimmer::types::Vin;
use bimmer::{Error, TokenStore as _};
use chrono::{TimeDelta, Utc};

use super::device::{amperes, device, id, offers};
use super::kept::{Kept, MyBmwData};
use super::schedule::MyBmwSchedule;
use super::tokens::Tokens;
use super::{BmwError, account, settled, values};
use crate::config::Bmw;
use crate::control::{Inbox, Request, vehicle};
use crate::event::{DeviceId, DeviceKind, Reading};
use crate::hub::Handling;
use crate::native::{BmwCar, Native};
use crate::schedule::Action;
use crate::source::Context;
use crate::supervisor::{Exit, Task};
use crate::value::Value;

/// Cars are bought and sold.
const LIST_LASTS: TimeDelta = TimeDelta::days(7);

/// Clocks jump: look again at least so often.
const LOOK: Duration = Duration::from_secs(60);

pub(super) async fn run(config: Bmw, context: Context, task: Task) -> Exit {
    let account = match Account::open(config.clone(), context, &task.name) {
        Ok(account) => account,
        Err(error) => return error.exit(&config),
    };
    let client = account.client.clone();
    let exit = tokio::select! {
        exit = account.run() => exit,
        () = task.shutdown.cancelled() => Exit::Stopped,
    };
    settled(&task, || {
        let client = client.clone();
        Box::pin(async move { client.settle().await })
    })
    .await;
    exit
}

pub(super) async fn once(config: Bmw, context: Context, spend_quota: bool) -> Result<(), BmwError> {
    let mut account = Account::open(config, context, "once")?;
    // The gateway's own pace is no matter of this; only how often it may ask.
    if !spend_quota && account.schedule().next_action(Utc::now()) != Action::Poll {
        return Err(BmwError::NothingCached);
    }
    account.poll().await
}

struct Account {
    config: Bmw,
    context: Context,
    client: Client,
    /// A second door to where the login is kept.
    tokens: Tokens,
    kept: Kept<MyBmwData>,
    cars: BTreeMap<Vin, Vehicle>,
    inbox: Inbox,
    name: String,
    chance: f64,
}

impl Account {
    fn open(config: Bmw, context: Context, name: &str) -> Result<Self, BmwError> {
        config.vins()?;
        let directory = context.state_dir.as_deref();
        let file = directory.map(|directory| account::file(&config, directory, "json"));
        let mut kept: Kept<MyBmwData> = Kept::load(file.transpose()?)?;
        let own = || format!("{:016x}", fastrand::u64(..));
        let installation = kept.data.installation.get_or_insert_with(own).clone();
        let client = account::mybmw(
            &config,
            Tokens::open(&config, directory)?,
            Some(&installation),
        )?;
        Ok(Self {
            tokens: Tokens::open(&config, directory)?,
            inbox: context.controls.inbox(name),
            config,
            client,
            kept,
            cars: BTreeMap::new(),
            context,
            name: name.to_owned(),
            chance: fastrand::f64(),
        })
    }

    fn schedule(&self) -> MyBmwSchedule {
        let known = &self.kept.data;
        MyBmwSchedule {
            active: self.config.interval,
            parked: self.config.parked_interval,
            last: known.polled_at,
            is_active: known.active,
            not_before: known.not_before,
            chance: self.chance,
        }
    }

    async fn run(mut self) -> Exit {
        for profile in self.kept.data.profiles() {
            self.announce(&profile, None);
        }
        loop {
            let wait = match self.schedule().next_action(Utc::now()) {
                Action::Poll => Duration::ZERO,
                Action::Wait(time) => (time - Utc::now()).to_std().unwrap_or_default(),
            };
            if !wait.is_zero() {
                tokio::select! {
                    () = tokio::time::sleep(wait.min(LOOK)) => {}
                    request = self.inbox.next() => self.obey(request).await,
                }
                continue;
            }
            let began = Instant::now();
            match self.poll().await {
                Ok(()) => {
                    self.context.stats.polled(&self.name, began.elapsed());
                    self.inbox.reachable();
                }
                Err(error) => {
                    let reason = error.to_string();
                    self.inbox.unreachable(&reason);
                    self.context.hub.fail(&self.name, &reason, Utc::now());
                    let BmwError::Cloud(Error::Quota { retry_after, .. }) = &error else {
                        return error.exit(&self.config);
                    };
                    self.context.stats.failed(&self.name, "waiting", &reason);
                    tracing::warn!(component = %self.name, "{reason}; nothing is asked until then");
                    let wait = TimeDelta::from_std(*retry_after).unwrap_or(LIST_LASTS);
                    self.kept.data.not_before = Utc::now().checked_add_signed(wait);
                    if let Err(error) = self.kept.save() {
                        return BmwError::from(error).exit(&self.config);
                    }
                }
            }
        }
    }

    /// Asks for all cars, and tells what they say.
    async fn poll(&mut self) -> Result<(), BmwError> {
        // Before it happens: a restart in the middle costs nothing more.
        self.kept.data.polled_at = Some(Utc::now());
        self.kept.data.not_before = None;
        self.kept.save()?;
        let profiles = self.profiles().await?;
        let mut active = false;
        let mut trouble = None;
        for (vin, outcome) in self.client.vehicles(&profiles).await? {
            match outcome {
                Ok(car) => {
                    active |= is_active(&car, self.cars.get(&vin));
                    self.tell(car);
                }
                Err(error) => {
                    tracing::warn!(car = %vin.masked(), %error, "a car was not read");
                    trouble = Some(error);
                }
            }
        }
        self.kept.data.active = active;
        self.kept.save()?;
        self.keep_login().await?;
        match trouble {
            Some(error) if self.cars.is_empty() => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn profiles(&mut self) -> Result<Vec<Profile>, BmwError> {
        let now = Utc::now();
        let known = &mut self.kept.data;
        let fresh = known
            .listed_at
            .is_some_and(|at| now - at < LIST_LASTS && at <= now);
        if !fresh {
            known.list(&self.client.profiles().await?, now);
            self.kept.save()?;
        }
        let mut profiles = self.kept.data.profiles();
        for vin in self.config.vins()? {
            if !profiles.iter().any(|profile| profile.vin == vin) {
                // The list may be of the time before it was bought.
                self.kept.data.listed_at = None;
                self.kept.save()?;
                return Err(BmwError::NoSuchCar(vin.masked()));
            }
        }
        profiles.retain(|profile| self.config.wants(profile.vin.as_str()));
        Ok(profiles)
    }

    /// The original wrote its login after each fetch; whoever took it away in
    /// between finds it there again. Another one is newer than ours: of a login,
    /// or of the program that is about to take over.
    async fn keep_login(&self) -> Result<(), BmwError> {
        let own = self.client.token().await?;
        if self.tokens.load().await?.is_none() {
            self.tokens.save(&own).await?;
        }
        Ok(())
    }

    fn announce(&self, profile: &Profile, car: Option<&Vehicle>) {
        let model = profile.model.as_deref();
        let model = model.unwrap_or_else(|| profile.vin.as_str());
        let mut device = device(&profile.vin, &profile.brand(), model);
        device.software_version = profile.software();
        if let Some(car) = car {
            device.controls = offers(car, &self.config.allow);
        }
        let handling = Handling {
            source: self.name.clone(),
            interval: self.config.interval.max(self.config.parked_interval),
            keep: self.config.store,
        };
        self.context.hub.announce(device.clone(), handling);
        self.context.controls.offer(&device, &self.inbox);
    }

    fn tell(&mut self, car: Vehicle) {
        self.announce(&car.profile, Some(&car));
        let vin = car.profile.vin.clone();
        let mut reading = Reading::new(id(&vin), DeviceKind::Vehicle, car.fetched_at);
        if let Some(at) = car.state.reported_at.or_else(|| car.timestamp()) {
            reading.measured_at = at.min(car.fetched_at);
        }
        (reading.values, reading.extra) = values::mybmw(&car);
        reading.native = Some(Native::Bmw(Arc::new(BmwCar::MyBmw(Box::new(car.clone())))));
        self.cars.insert(vin, car);
        self.context.hub.read(reading);
    }

    async fn obey(&mut self, request: Request) {
        let outcome = self.carry_out(&request).await;
        let (key, value) = (request.control.key, request.value.clone());
        let device = request.device.masked();
        match &outcome {
            Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
            Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
        }
        request.answer(outcome);
    }

    async fn carry_out(&mut self, request: &Request) -> Result<(), String> {
        let config = self.config.clone();
        let said = |error: BmwError| error.told(&config);
        let command = command(request).ok_or("this car has no such control")?;
        let mut car = self.car(&request.device).await.map_err(said)?;
        if request.expires <= tokio::time::Instant::now() {
            return Err("not sent: it took too long until the car could be asked".to_owned());
        }
        let result = self.client.command(&mut car, &command).await;
        let result = result.map_err(|error| said(error.into()))?;
        self.tell(car);
        // What was changed shows for a while.
        self.kept.data.active = true;
        match result.status {
            EventStatus::Ignored => Err("not sent: there is nothing to do".to_owned()),
            _ => Ok(()),
        }
    }

    /// The car as it was read last, or is read now.
    async fn car(&mut self, device: &DeviceId) -> Result<Vehicle, BmwError> {
        let known = self
            .cars
            .values()
            .find(|car| id(&car.profile.vin) == *device);
        if let Some(car) = known {
            return Ok(car.clone());
        }
        let profiles = self.profiles().await?;
        let profile = profiles.iter().find(|profile| id(&profile.vin) == *device);
        let profile = profile.ok_or_else(|| BmwError::NoSuchCar(device.to_string()))?;
        Ok(self.client.vehicle(profile).await?)
    }
}

/// Whether it does something, or has since it was read before.
fn is_active(car: &Vehicle, before: Option<&Vehicle>) -> bool {
    let charging = car.charging_status() == Some(bimmer::mybmw::ChargingStatus::Charging);
    let climate = car.state.climate.as_ref().is_some_and(|climate| {
        matches!(
            climate.activity,
            Some(
                ClimateActivity::Cooling | ClimateActivity::Heating | ClimateActivity::Ventilation
            )
        )
    });
    let moved = before.is_some_and(|before| {
        let place = |car: &Vehicle| car.state.location.as_ref()?.position;
        before.state.odometer_km != car.state.odometer_km || place(before) != place(car)
    });
    charging || climate || moved
}

/// What the request is called at BMW.
fn command(request: &Request) -> Option<Command> {
    let control = request.control;
    Some(match &request.value {
        Value::Text(word) if *control == vehicle::FIND_CAR => match word.as_str() {
            "lights" => Command::LightFlash,
            "horn" => Command::HornBlow,
            _ => return None,
        },
        Value::Bool(true) if *control == vehicle::LOCK_DOORS => Command::DoorLock,
        Value::Bool(true) if *control == vehicle::LOCKED => Command::DoorLock,
        Value::Bool(false) if *control == vehicle::LOCKED => Command::DoorUnlock,
        Value::Bool(true) if *control == vehicle::CLIMATE => Command::ClimateStart,
        Value::Bool(false) if *control == vehicle::CLIMATE => Command::ClimateStop,
        Value::Bool(true) if *control == vehicle::START_CHARGING => Command::ChargeStart,
        Value::Bool(true) if *control == vehicle::STOP_CHARGING => Command::ChargeStop,
        Value::Float(percent) if *control == vehicle::TARGET_SOC => Command::ChargingSettings {
            target_soc_percent: Some(percent.round() as u8),
            ac_limit_a: None,
        },
        Value::Text(limit) if *control == vehicle::CURRENT_LIMIT => Command::ChargingSettings {
            target_soc_percent: None,
            ac_limit_a: Some(amperes(limit)?),
        },
        _ => return None,
    })
}
