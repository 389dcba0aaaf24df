//! Asking a car.

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::{
    BasicStatus, ChargingData, ClimateActivity, ClimateStatus, Profile, VehicleStatus, plausibility,
};

use super::super::charging_interval::Charge;
use super::super::hybrid;
use super::super::refresh::{ChargeState, Failed};
use super::super::text;
use super::super::topics::charging::{
    heating_answer, heating_schedule, is_charging, power_kw, range_km, soc_percent,
};
use super::super::topics::{self, ChargeFacts, Publications};
use super::Car;
use super::reason::{is_elsewhere, left_to_another, reason, whose};

/// What a car said longer ago is no answer to a question of now.
const OLDEST: TimeDelta = TimeDelta::minutes(15);

/// An answer, with the data about charging if they could be read.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: VehicleStatus,
    /// About charging.
    pub charging: Option<ChargingData>,
}

impl Car {
    /// Asks the car, and publishes what it says.
    pub(super) async fn poll(&mut self) {
        let now = self.shared.now();
        let forced = self.refresh.mode().is_single();
        let silent_at = self
            .refresh
            .silent_at()
            .filter(|_| self.refresh.is_probe(now));
        self.refresh.poll_begins(now);
        if let Some(silent_at) = silent_at
            && !self.has_spoken(silent_at).await
        {
            self.save().await;
            return;
        }
        let mut status = self.vehicle.status().await;
        // Somebody waits for this one.
        if forced && status.as_ref().is_err_and(is_elsewhere) && self.client.login().await.is_ok() {
            status = self.vehicle.status().await;
        }
        let now = self.shared.now();
        match status {
            Err(error) => {
                if let Some(pause) = left_to_another(&error) {
                    self.leave_alone(pause);
                }
                self.failed(whose(&error), &reason(&error), now);
            }
            Ok(status) => match unusable(&status, now) {
                Some(why) => self.failed(Failed::Car, why, now),
                None => self.succeeded(status).await,
            },
        }
        self.save().await;
    }

    fn failed(&mut self, whose: Failed, why: &str, now: DateTime<Utc>) {
        self.refresh.poll_failed(whose, now);
        if whose == Failed::Car {
            let mut topics = Publications::default();
            topics.text("refresh/reachability", "unreachable");
            self.say(topics);
        }
        self.tell_failed_poll(why, now);
    }

    /// Whether the cloud has heard of a car since it did not answer. Asking that
    /// wakes no car; none of it is believed but the time.
    async fn has_spoken(&mut self, silent_at: DateTime<Utc>) -> bool {
        let heard = self.vehicle.cached_status().await;
        let now = self.shared.now();
        let why = match heard {
            Ok(cached) if has_spoken(&cached, silent_at, now) => return true,
            Ok(_) => "the car is silent, and not woken so soon again".to_owned(),
            Err(error) => {
                if let Some(pause) = left_to_another(&error) {
                    self.leave_alone(pause);
                }
                reason(&error)
            }
        };
        self.refresh.probe_failed(now);
        self.tell_failed_poll(&why, now);
        false
    }

    fn tell_failed_poll(&mut self, why: &str, now: DateTime<Utc>) {
        tracing::warn!(vin = %self.vehicle.vin().masked(), "the poll failed: {why}");
        let mut topics = Publications::default();
        topics.text("refresh/lastError", text::timestamp(now));
        topics.text("available", "offline");
        topics.text("refresh/freshness", "failed");
        topics.text(
            "refresh/period/error",
            self.refresh.error_period().to_string(),
        );
        self.say(topics);
    }

    async fn succeeded(&mut self, mut status: VehicleStatus) {
        correct(self.profile(), &mut status.basic);
        let has_plug = self.vehicle.profile().drive.has_plug();
        let charging = match has_plug {
            true => self.note("charging data", self.vehicle.charging().await),
            false => None,
        };
        let heating = match has_plug {
            true => self.note(
                "battery heating schedule",
                self.vehicle.heating_schedule().await,
            ),
            false => None,
        };
        let now = self.shared.now();
        let capacity = self.capacity(charging.as_ref());
        self.memory.capacity_kwh = capacity.kwh;
        self.refresh.status(status.basic.is_hv_active(), now);
        match &charging {
            Some(data) => {
                let charge = Charge {
                    power_kw: power_kw(&data.management),
                    capacity_kwh: capacity.kwh,
                    remaining_s: data.management.time_to_full_s().unwrap_or(0),
                    min_percent: self.shared.options.charge_min_percent,
                };
                let charging = is_charging(&data.management);
                self.refresh
                    .charge_data(ChargeState { charging, charge }, now);
            }
            None => {
                let ruled_out = rules_out_charge(&status.basic);
                if self.refresh.no_charge_data(ruled_out, now) {
                    let mut topics = Publications::default();
                    topics.flag("drivetrain/charging", Some(false));
                    self.say(topics);
                }
            }
        }
        self.refresh.poll_succeeded(now);
        self.remember(&status.basic, charging.as_ref());

        self.say(topics::status(&status, self.refresh.is_charging()));
        self.say(topics::charging(
            &status.basic,
            charging.as_ref(),
            ChargeFacts { capacity },
        ));
        let mut topics = Publications::default();
        if let Some(answer) = heating {
            self.memory.heating =
                heating_answer(&answer, self.shared.zone(), self.memory.heating.1);
            let (on, start) = self.memory.heating;
            topics.text(
                "drivetrain/batteryHeatingSchedule",
                heating_schedule(on, start),
            );
        }
        topics.text("refresh/lastVehicleState", text::timestamp(now));
        if charging.is_some() {
            topics.text("refresh/lastChargeState", text::timestamp(now));
        }
        topics.text(
            "refresh/period/error",
            self.refresh.error_period().to_string(),
        );
        topics.text("refresh/freshness", "live");
        topics.text("refresh/reachability", "awake");
        topics.text("available", "online");
        self.say(topics);
        self.tell_station(&status.basic, charging.as_ref(), now);
        self.cached = Some(status.clone());
        self.integrate(&Answer { status, charging }, capacity.kwh, now)
            .await;
    }

    /// What failed here fails no poll.
    fn note<T>(&self, what: &str, answer: Result<T, saic_ismart::Error>) -> Option<T> {
        answer
            .inspect_err(|error| {
                tracing::warn!(vin = %self.vehicle.vin().masked(), "no {what}: {}", reason(error));
            })
            .ok()
    }

    fn remember(&mut self, basic: &BasicStatus, data: Option<&ChargingData>) {
        self.memory.reported.learn(basic);
        self.memory.climate_on = basic.climate == Some(ClimateStatus::On);
        let (left, right) = (
            basic.seat_heating_front_left,
            basic.seat_heating_front_right,
        );
        self.memory.seats = (left.unwrap_or(0), right.unwrap_or(0));
        if let Some(data) = data {
            let management = &data.management;
            if let Some(target) = management.target_soc {
                self.memory.target_soc = Some(target.percent());
            }
            let schedule = management
                .schedule()
                .filter(saic_ismart::ChargeSchedule::is_possible);
            if let Some(schedule) = schedule {
                self.set_schedule(schedule);
            }
        }
    }

    pub(super) fn set_schedule(&mut self, schedule: saic_ismart::ChargeSchedule) {
        if self.memory.schedule != Some(schedule) {
            self.memory.schedule = Some(schedule);
            self.checked_at = self.shared.now();
        }
    }

    /// The wallbox shows what it cannot know.
    fn tell_station(&self, basic: &BasicStatus, data: Option<&ChargingData>, now: DateTime<Utc>) {
        let Some(station) = &self.station else { return };
        let hold = |topic: &Option<String>, payload: Option<String>| {
            if let (Some(topic), Some(payload)) = (topic, payload) {
                self.shared.hold(topic.clone(), payload, true);
            }
        };
        let soc = soc_percent(basic, data);
        hold(&station.soc_topic, soc.map(text::float));
        if station.soc_topic.is_some() && soc.is_some() {
            hold(&station.soc_ts_topic, Some(now.timestamp().to_string()));
        }
        hold(&station.range_topic, range_km(basic, data).map(text::float));
    }

    /// Each on its own: what one cannot take does not keep the others from it.
    async fn integrate(&mut self, answer: &Answer, capacity_kwh: Option<f64>, now: DateTime<Utc>) {
        let mut topics = Publications::default();
        if let Some(abrp) = &mut self.abrp
            && let Some(said) = abrp.send(&self.shared, answer, capacity_kwh, now).await
        {
            topics.text("_internal/abrp", said);
        } else if self.abrp.is_none() {
            topics.setting(
                "_internal/abrp",
                "ABRP request skipped because of missing configuration",
            );
        }
        if let Some(osmand) = &mut self.osmand
            && let Some(said) = osmand.send(&self.shared, answer, now).await
        {
            topics.text("_internal/osmand", said);
        }
        self.say(topics);
    }

    /// Looks at what the cloud knows, which wakes no car. If something has
    /// happened, the car itself is asked.
    pub(super) async fn look(&mut self) {
        let now = self.shared.now();
        let interval = TimeDelta::from_std(self.shared.options.messages_interval);
        self.next_look = now + interval.unwrap_or(TimeDelta::seconds(60));
        let cached = match self.vehicle.cached_status().await {
            Ok(cached) => cached,
            Err(error) => {
                tracing::debug!("no cached status: {}", reason(&error));
                return;
            }
        };
        if !plausibility::doubts(&cached, self.cached.as_ref(), now).is_empty() {
            return;
        }
        if self
            .cached
            .as_ref()
            .is_some_and(|known| hybrid::has_happened(known, &cached))
        {
            self.refresh.activity(now);
        }
        self.cached = Some(cached);
    }
}

/// A series may say in a way of its own that the climate is off.
fn correct(profile: &Profile, basic: &mut BasicStatus) {
    let activity = |status| profile.climate_activity(status);
    if basic.climate.map(activity) == Some(ClimateActivity::Off) {
        basic.climate = Some(ClimateStatus::Off);
    }
}

/// Whether the car has reported to the cloud since then.
fn has_spoken(cached: &VehicleStatus, since: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    cached
        .status_at
        .is_some_and(|at| at > since && at <= now + OLDEST)
}

/// Whether a car says that it does not charge, without data about charging: it
/// says so itself, or drives.
fn rules_out_charge(basic: &BasicStatus) -> bool {
    basic.charging == Some(false) || !basic.is_parked()
}

/// Why a status says nothing about now.
fn unusable(status: &VehicleStatus, now: DateTime<Utc>) -> Option<&'static str> {
    if status.basic == BasicStatus::default() {
        return Some("the answer holds no status");
    }
    match status.age(now) {
        None => Some("the answer holds no time"),
        Some(age) if age.abs() > OLDEST => {
            Some("the car did not answer: the cloud repeats an old status")
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_mg3_that_ignored_a_command_is_off() {
        for (series, active) in [("ZP22", false), ("EH32 S", true)] {
            let json = r#"{"basicVehicleStatus": {"remoteClimateStatus": 3}}"#;
            let mut status = VehicleStatus::from_json(json).unwrap();
            correct(&Profile::default().with_series(series), &mut status.basic);
            assert_eq!(status.basic.is_hv_active(), active, "{series}");
        }
    }

    #[test]
    fn only_a_fresh_status_counts() {
        let now = DateTime::from_timestamp(1_795_208_448, 0).unwrap();
        let why = |at: i64| {
            let json = format!(r#"{{"statusTime": {at}, "basicVehicleStatus": {{"mileage": 1}}}}"#);
            unusable(&VehicleStatus::from_json(&json).unwrap(), now)
        };
        assert_eq!(why(1_795_208_448), None);
        assert_eq!(why(1_795_208_448 - 900), None);
        assert!(why(1_795_208_448 - 901).unwrap().contains("old status"));
        assert!(why(1_795_208_448 + 901).is_some());
        assert!(why(0).unwrap().contains("no time"));
        assert!(why(2_147_483_647).is_some());
        let empty = VehicleStatus::from_json(r#"{"statusTime": 1795208448}"#).unwrap();
        assert!(unusable(&empty, now).unwrap().contains("no status"));
    }

    #[test]
    fn only_a_report_since_it_was_silent_is_a_sign_of_life() {
        let now = DateTime::from_timestamp(1_795_208_448, 0).unwrap();
        let since = now - TimeDelta::hours(1);
        for (at, spoken) in [
            (1_795_208_448 - 3600, false),
            (1_795_208_448 - 3599, true),
            (1_795_208_448, true),
            // A clock that is wrong says nothing.
            (1_795_208_448 + 901, false),
            (2_147_483_647, false),
            (0, false),
        ] {
            let status = VehicleStatus::from_json(&format!(r#"{{"statusTime": {at}}}"#)).unwrap();
            assert_eq!(has_spoken(&status, since, now), spoken, "{at}");
        }
    }

    #[test]
    fn a_car_that_says_so_or_drives_does_not_charge() {
        for (basic, ruled_out) in [
            (r#""extendedData2": 0"#, true),
            (r#""extendedData2": 1"#, false),
            ("", false),
            (r#""engineStatus": 1, "handBrake": 1"#, false),
            (r#""engineStatus": 1, "handBrake": 0"#, true),
            (r#""engineStatus": 0, "handBrake": 0"#, false),
        ] {
            let json = format!(r#"{{"statusTime": 1, "basicVehicleStatus": {{{basic}}}}}"#);
            let status = VehicleStatus::from_json(&json).unwrap();
            assert_eq!(rules_out_charge(&status.basic), ruled_out, "{basic}");
        }
    }
}
