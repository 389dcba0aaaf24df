use chrono::{DateTime, Utc};

use super::Client;
use crate::charging::{
    ChargeCommand, ChargeControl, ChargeControlAnswer, ChargeSchedule, ChargeSettings,
    ChargeSettingsAnswer, ChargingData, ChargingStatus, CurrentLimit, HeatBattery, HeatingAnswer,
    HeatingScheduleAnswer, ReadChargingData, ReadChargingStatus, ReadHeatingSchedule,
    ScheduleAnswer, SetChargeSchedule, SetCharging, SetHeatingSchedule, TargetSoc,
};
use crate::error::Error;
use crate::profile::Profile;
use crate::vehicle::{
    AlarmKind, AlarmSwitches, CachedStatus, Climate, Command, Control, ControlAnswer, LiveStatus,
    ReadAlarmSwitches, Seats, SetAlarmSwitches, VehicleStatus,
};
use crate::vin::Vin;

/// A car of an account. Cheap to clone.
///
/// Calls marked *wakes the car* cost its 12 V battery; calls to one car follow
/// one another, whoever makes them.
#[derive(Debug, Clone)]
pub struct Vehicle {
    client: Client,
    vin: Vin,
    profile: Profile,
}

impl Vehicle {
    pub(super) fn new(client: Client, vin: Vin) -> Self {
        Self {
            client,
            vin,
            profile: Profile::default(),
        }
    }

    /// With another profile than that of its series.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// What its series is known for.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Its VIN.
    #[must_use]
    pub const fn vin(&self) -> &Vin {
        &self.vin
    }

    /// State of the car. *Wakes the car.* Endpoint `/vehicle/status`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn status(&self) -> Result<VehicleStatus, Error> {
        self.client.call(&LiveStatus(self.vin.clone())).await
    }

    /// What the car reported last, without waking it. Fewer fields, and
    /// garbage now and then: see [`crate::plausibility`]. Endpoint
    /// `/vehicle/status/cache`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn cached_status(&self) -> Result<VehicleStatus, Error> {
        self.client.call(&CachedStatus(self.vin.clone())).await
    }

    /// All about charging. *Wakes the car.* Best asked after
    /// [`status`](Self::status). Endpoint `/vehicle/charging/mgmtData`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] for a car without a plug. See [`Error`].
    pub async fn charging(&self) -> Result<ChargingData, Error> {
        self.check_plug()?;
        self.client.call(&ReadChargingData(self.vin.clone())).await
    }

    /// The older answer about charging. *Wakes the car.* Endpoint
    /// `/vehicle/charging/status`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] for a car without a plug. See [`Error`].
    pub async fn charging_status(&self) -> Result<ChargingStatus, Error> {
        self.check_plug()?;
        self.client
            .call(&ReadChargingStatus(self.vin.clone()))
            .await
    }

    /// Locks, windows, climate, lights and whatever else [`Command`] knows. *Wakes
    /// the car.* Endpoint `/vehicle/control`.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] if the state of the car does not allow it. Never
    /// sent twice. See [`Error`].
    pub async fn control(&self, command: Command) -> Result<ControlAnswer, Error> {
        if let Command::Seats(seats) = &command {
            self.profile.check_seat_level(seats)?;
        }
        let control = Control {
            vin: self.vin.clone(),
            command,
        };
        self.client.call(&control).await
    }

    /// Locks the doors. *Wakes the car.*
    ///
    /// # Errors
    ///
    /// As [`control`](Self::control).
    pub async fn lock(&self) -> Result<ControlAnswer, Error> {
        self.control(Command::Lock).await
    }

    /// Unlocks the doors. *Wakes the car.*
    ///
    /// # Errors
    ///
    /// As [`control`](Self::control).
    pub async fn unlock(&self) -> Result<ControlAnswer, Error> {
        self.control(Command::Unlock).await
    }

    /// Climate on at a temperature. *Wakes the car.*
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] outside the range of the series, else as
    /// [`control`](Self::control).
    pub async fn start_climate(&self, temperature_c: u8) -> Result<ControlAnswer, Error> {
        let climate = self.profile.climate_start(temperature_c)?;
        self.control(Command::Climate(climate)).await
    }

    /// Climate off. *Wakes the car.*
    ///
    /// # Errors
    ///
    /// As [`control`](Self::control).
    pub async fn stop_climate(&self) -> Result<ControlAnswer, Error> {
        self.control(Command::Climate(Climate::Stop)).await
    }

    /// Both heated seats in front, levels 0 to 3, or 0 and 1. *Wakes the car.*
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the car does not know the level, else as
    /// [`control`](Self::control).
    pub async fn heat_seats(&self, left: u8, right: u8) -> Result<ControlAnswer, Error> {
        self.control(Command::Seats(Seats::Front { left, right }))
            .await
    }

    /// Starts or stops charging or V2X, locks or unlocks the cable. *Wakes the
    /// car.* Endpoint `/vehicle/charging/control`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] for a car without a plug. Never sent twice. See
    /// [`Error`].
    pub async fn control_charging(
        &self,
        command: ChargeCommand,
    ) -> Result<ChargeControlAnswer, Error> {
        self.check_plug()?;
        let control = ChargeControl {
            vin: self.vin.clone(),
            command,
        };
        self.client.call(&control).await
    }

    /// The present charging settings. *Wakes the car.* Endpoint
    /// `/vehicle/charging/setting`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn charge_settings(&self) -> Result<ChargeSettingsAnswer, Error> {
        self.set_charging(ChargeSettings::default()).await
    }

    /// Where charging stops. *Wakes the car.* Endpoint
    /// `/vehicle/charging/setting`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the car cannot. Never sent twice. See [`Error`].
    pub async fn set_target_soc(&self, target: TargetSoc) -> Result<ChargeSettingsAnswer, Error> {
        self.set_charging(ChargeSettings {
            target_soc: Some(target),
            ..ChargeSettings::default()
        })
        .await
    }

    /// Limit of the AC current; cars want the present target along with it.
    /// *Wakes the car.* Endpoint `/vehicle/charging/setting`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the car cannot. Never sent twice. See [`Error`].
    pub async fn set_current_limit(
        &self,
        limit: CurrentLimit,
        present_target: Option<TargetSoc>,
    ) -> Result<ChargeSettingsAnswer, Error> {
        self.set_charging(ChargeSettings {
            target_soc: present_target,
            current_limit: Some(limit),
            v2x_target_soc: None,
        })
        .await
    }

    /// Changes charging settings. *Wakes the car.* Endpoint
    /// `/vehicle/charging/setting`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if the car cannot. Never sent twice. See [`Error`].
    pub async fn set_charging(
        &self,
        settings: ChargeSettings,
    ) -> Result<ChargeSettingsAnswer, Error> {
        self.check_plug()?;
        let cannot = |what: &str| Err(Error::InvalidValue(format!("this car has no {what}")));
        if settings.current_limit.is_some() && !self.profile.has_current_limit {
            return cannot("current limit that can be set");
        }
        let only_target = settings.target_soc.is_some() && settings.current_limit.is_none();
        if only_target && !self.profile.has_target_soc {
            return cannot("target state of charge that can be set");
        }
        let set = SetCharging {
            vin: self.vin.clone(),
            settings,
        };
        self.client.call(&set).await
    }

    /// When the car shall charge, by the clock in the car. *Wakes the car.*
    /// Endpoint `/vehicle/charging/reservation`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] if there is no such time. Never sent twice. See [`Error`].
    pub async fn set_charge_schedule(
        &self,
        schedule: ChargeSchedule,
    ) -> Result<ScheduleAnswer, Error> {
        self.check_plug()?;
        if !schedule.is_possible() {
            let message =
                "a charging schedule needs hours below 24 and minutes below 60".to_owned();
            return Err(Error::InvalidValue(message));
        }
        let set = SetChargeSchedule {
            vin: self.vin.clone(),
            schedule,
        };
        self.client.call(&set).await
    }

    /// Heats the battery now, or ends that. *Wakes the car.* Endpoint
    /// `/vehicle/charging/ptcHeat`.
    ///
    /// # Errors
    ///
    /// Never sent twice. See [`Error`].
    pub async fn heat_battery(&self, on: bool) -> Result<HeatingAnswer, Error> {
        self.check_plug()?;
        let heat = HeatBattery {
            vin: self.vin.clone(),
            on,
        };
        self.client.call(&heat).await
    }

    /// When the battery is heated. Endpoint `/charging/batteryHeating`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn heating_schedule(&self) -> Result<HeatingScheduleAnswer, Error> {
        self.client
            .call(&ReadHeatingSchedule(self.vin.clone()))
            .await
    }

    /// Heats the battery every day at this time of day, given by its
    /// [next occurrence](crate::charging::next_occurrence); `None` ends that.
    /// Endpoint `/charging/batteryHeating`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn set_heating_schedule(&self, start_at: Option<DateTime<Utc>>) -> Result<(), Error> {
        let set = SetHeatingSchedule {
            vin: self.vin.clone(),
            start_at,
        };
        self.client.call(&set).await
    }

    /// What the car sends messages about. Endpoint `/vehicle/alarmSwitch`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn alarm_switches(&self) -> Result<AlarmSwitches, Error> {
        self.client.call(&ReadAlarmSwitches(self.vin.clone())).await
    }

    /// Chooses what the car sends messages about. Endpoint `/vehicle/alarmSwitch`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn set_alarm_switches(&self, switches: &[(AlarmKind, bool)]) -> Result<(), Error> {
        let set = SetAlarmSwitches {
            vin: self.vin.clone(),
            switches: switches.to_vec(),
        };
        self.client.call(&set).await
    }

    fn check_plug(&self) -> Result<(), Error> {
        if self.profile.drive.has_plug() {
            return Ok(());
        }
        let message = "this car cannot be charged: it has no plug".to_owned();
        Err(Error::InvalidValue(message))
    }
}
