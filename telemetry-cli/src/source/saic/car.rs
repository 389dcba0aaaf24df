//! One car of an account: what is known of it, and when it is asked.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use saic_ismart::charging::HeatingScheduleAnswer;
use saic_ismart::{
    ChargeManagement, ChargingData, Client, Message, Profile, Vehicle, VehicleInfo, VehicleStatus,
    plausibility,
};

use super::control::offers;
use super::error::SaicError;
use super::extra::extra;
use super::memory::CarMemory;
use super::polling::{Intervals, Plan, Signs};
use super::schedule;
use super::values::{Heard, values};
use crate::config::Saic;
use crate::event::{Device, DeviceId, DeviceKind, Reading};
use crate::metric::vehicle;
use crate::native::{Native, SaicCar};
use crate::value::Value;

/// A car.
pub(super) struct Car {
    pub(super) vehicle: Vehicle,
    pub(super) plan: Plan,
    pub(super) memory: CarMemory,
    pub(super) known: SaicCar,
    device: Device,
    config: Saic,
    /// Why it did not answer when it was asked last.
    pub(super) error: Option<SaicError>,
    /// That it is asked less often than it should be was said today.
    pub(super) spared: bool,
}

impl Car {
    /// A car of the list, with what is remembered of it. `None` if it has no
    /// VIN: it cannot be asked anything.
    pub(super) fn new(
        client: &Client,
        info: VehicleInfo,
        memory: CarMemory,
        config: &Saic,
    ) -> Option<Self> {
        let vin = info.vin.clone()?;
        let told = config.vehicle(vin.as_str());
        let mut profile = Profile::of(&info);
        if let Some(series) = &told.series {
            profile = profile.with_series(series);
        }
        if let Some(kwh) = told.battery_kwh {
            profile = profile.with_battery_kwh(kwh);
        }
        let names = [&told.label, &info.name, &info.model];
        let name = names.into_iter().find_map(Option::as_deref);
        let device = Device {
            name: name.unwrap_or(vin.as_str()).to_owned(),
            vendor: info.brand.clone().unwrap_or_else(|| "SAIC".to_owned()),
            model: info.model.clone(),
            serial: Some(vin.as_str().to_owned()),
            ..Device::unknown(DeviceId::new(&[vin.as_str()]), DeviceKind::Vehicle)
        };
        let plan = Plan::new(
            Intervals::of(config),
            profile.drive.has_plug(),
            config.live_calls_per_day,
            memory.polling.clone(),
        );
        let known = SaicCar {
            status: remembered(&memory.status, VehicleStatus::from_json),
            cached: remembered(&memory.cached, VehicleStatus::from_json),
            charging: remembered(&memory.charging, ChargingData::from_json),
            heating_schedule: memory
                .heating
                .as_ref()
                .and_then(|text| HeatingScheduleAnswer::from_json(text).ok()),
            message: None,
            profile: profile.clone(),
            info,
        };
        Some(Self {
            vehicle: client.vehicle_by_vin(vin).with_profile(profile),
            plan,
            memory,
            known,
            device,
            config: config.clone(),
            error: None,
            spared: false,
        })
    }

    /// What is to be kept of it.
    pub(super) fn remember(&mut self) -> CarMemory {
        self.memory.polling = self.plan.state().clone();
        self.memory.clone()
    }

    pub(super) fn id(&self) -> &DeviceId {
        &self.device.id
    }

    pub(super) fn name(&self) -> &str {
        &self.device.name
    }

    pub(super) fn vin(&self) -> &str {
        self.vehicle.vin().as_str()
    }

    /// What it is, and what it can be told as far as that is known.
    pub(super) fn device(&self) -> Device {
        Device {
            controls: offers(&self.known, &self.config.allow),
            ..self.device.clone()
        }
    }

    /// Whether `status` tells nothing new.
    pub(super) fn knows(&self, status: &VehicleStatus) -> bool {
        let known = [&self.known.status, &self.known.cached];
        let mut known = known.into_iter().flatten();
        known.any(|known| !status.is_newer_than(known))
    }

    /// What the car itself said.
    pub(super) fn told_status(
        &mut self,
        status: VehicleStatus,
        text: Option<String>,
        now: DateTime<Utc>,
    ) {
        let volts = self.known.profile.aux_battery_voltage_v(&status.basic);
        self.plan.told_status(signs(&status), volts, now);
        if status.basic.is_running() {
            // What is charged from now on is another charge.
            self.memory.charge = None;
        }
        self.memory.status = text.or(self.memory.status.take());
        self.memory.fetched_at = Some(now);
        // What the cloud remembers is older now.
        self.known.cached = None;
        self.memory.cached = None;
        self.known.status = Some(Arc::new(status));
    }

    /// What the car itself said about charging.
    pub(super) fn told_charging(
        &mut self,
        charging: ChargingData,
        text: Option<String>,
        now: DateTime<Utc>,
    ) {
        self.plan.told_charging(
            charging.management.is_charging(),
            plugged_in(&charging),
            now,
        );
        self.memory.charging = text.or(self.memory.charging.take());
        self.memory.fetched_at = Some(now);
        let rvs = &charging.rvs;
        // Not every car says when.
        let started = rvs.started_at.unwrap_or_default();
        if charging.management.is_charging()
            && let Some(kwh) = rvs.energy_kwh()
            && self.memory.charge.is_none_or(|(at, _)| at != started)
        {
            let kwh = kwh * self.known.profile.energy_factor(rvs);
            self.memory.charge = Some((started, kwh));
        }
        self.known.charging = Some(Arc::new(charging));
    }

    /// What a command answered about charging.
    pub(super) fn told_management(&mut self, management: ChargeManagement, now: DateTime<Utc>) {
        let Some(charging) = &self.known.charging else {
            return;
        };
        let mut charging = ChargingData::clone(charging);
        charging.management = management;
        self.told_charging(charging, None, now);
    }

    /// What the cloud remembers. True if the car has done something since.
    pub(super) fn remembered(
        &mut self,
        cached: VehicleStatus,
        text: Option<String>,
        now: DateTime<Utc>,
    ) -> bool {
        let known = self.known.cached.as_ref().or(self.known.status.as_ref());
        let doubts = plausibility::doubts(&cached, known.map(AsRef::as_ref), now);
        if doubts == [plausibility::Doubt::Older] {
            return false;
        }
        if let Some(doubt) = doubts.first() {
            tracing::debug!(device = %self.device.id.masked(), "what the cloud remembers cannot be: {doubt}");
            self.plan.doubted();
            return false;
        }
        let telling = self.plan.reported(signs(&cached));
        let newer = match known {
            Some(known) => cached.is_newer_than(known),
            None => true,
        };
        if newer {
            self.memory.cached = text;
            self.memory.fetched_at = Some(now);
            self.known.cached = Some(Arc::new(cached));
        }
        telling
    }

    /// A message about it. True if it is new and tells that the car did something.
    pub(super) fn notified(&mut self, message: Message) {
        match message.is_vehicle_start() {
            true => self.plan.started(),
            false => self.plan.give_sign(),
        }
        self.known.message = Some(message);
    }

    /// Everything that is known of it; nothing if it never said anything.
    pub(super) fn reading(&self, now: DateTime<Utc>) -> Option<Reading> {
        let known = &self.known;
        if known.status.is_none() && known.cached.is_none() && known.charging.is_none() {
            return None;
        }
        let mut reading = Reading::new(self.device.id.clone(), DeviceKind::Vehicle, now);
        let fetched_at = self.memory.fetched_at.unwrap_or(now);
        let times = [&known.cached, &known.status].map(|of| of.as_ref()?.status_at);
        let measured = times.into_iter().flatten().max();
        reading.measured_at = match known.charging {
            // That has no time of its own.
            Some(_) if self.plan.charging_is_newest() => fetched_at,
            _ => measured.unwrap_or(fetched_at).min(now),
        };
        let heard = Heard {
            charging_at: self.plan.charging_at().unwrap_or(now),
            charging_is_newest: self.plan.charging_is_newest(),
        };
        reading.values = values(known, heard);
        reading.values.set(
            &vehicle::ENERGY_CHARGED_KWH,
            self.charged().map(Value::from),
        );
        reading.extra = extra(known);
        let charging = known.charging.as_ref();
        let heating = known.heating_schedule.as_ref();
        for (name, plan) in [
            (
                schedule::CHARGING,
                charging.and_then(|of| schedule::charging_plan(&of.management)),
            ),
            (
                schedule::HEATING,
                heating.and_then(|of| schedule::heating_plan(of, self.config.zone()?)),
            ),
        ] {
            if let Some(plan) = plan {
                reading.extra.insert(name.to_owned(), plan.into());
            }
        }
        if let Some(error) = &self.error {
            let trouble = error.to_string();
            reading.extra.insert("trouble".to_owned(), trouble.into());
        }
        reading.native = Some(Native::Saic(Arc::new(known.clone())));
        Some(reading)
    }

    /// Since the charge under way, or the last one, began; kWh.
    fn charged(&self) -> Option<f64> {
        let rvs = &self.known.charging.as_ref()?.rvs;
        let (started, kwh) = self.memory.charge?;
        let now = match rvs.ended_at {
            None => rvs.energy_kwh()?,
            // What was driven since must not count.
            Some(_) => rvs.energy_after_last_charge_kwh().or(rvs.energy_kwh())?,
        };
        let now = now * self.known.profile.energy_factor(rvs);
        (rvs.started_at.unwrap_or_default() == started).then(|| (now - kwh).max(0.0))
    }
}

/// Whether a cable is in.
fn plugged_in(charging: &ChargingData) -> bool {
    let plugged = charging.management.plugged_in();
    plugged.or(charging.rvs.cable_connected) == Some(true)
}

impl Intervals {
    fn of(config: &Saic) -> Self {
        Self {
            cloud: config.interval,
            driving: config.driving_interval,
            charging: config.charging_interval,
            parked: config.parked_interval,
        }
    }
}

fn remembered<T, E>(
    text: &Option<String>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Arc<T>> {
    read(text.as_ref()?).ok().map(Arc::new)
}

/// What of a status decides when the car is asked again.
fn signs(status: &VehicleStatus) -> Signs {
    let basic = &status.basic;
    Signs {
        at: status.status_at,
        charging: basic.charging,
        running: basic.engine_status.map(|_| basic.is_running()),
        climate: match (basic.climate, basic.rear_window_heating) {
            (None, None) => None,
            (climate, heating) => {
                Some(climate.is_some_and(|climate| climate.code() > 0) || heating == Some(true))
            }
        },
        odometer_deci_km: basic.odometer_deci_km,
        soc_percent: basic.soc_percent,
        locked: basic.locked,
    }
}
