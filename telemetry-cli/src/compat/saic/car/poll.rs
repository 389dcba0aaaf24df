//! Asking a car.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::{
    BasicStatus, ChargingData, ClimateActivity, ClimateStatus, Profile, VehicleStatus,
};

use super::super::charging_interval::Charge;
use super::super::command::highest_level;
use super::super::freshness::{Before, Freshness, Outcome, freshness};
use super::super::refresh::{ChargeState, Failed};
use super::super::text;
use super::super::topics::charging::{
    energy_kwh, heating_answer, heating_schedule, is_charging, is_feeding, is_forgotten, power_kw,
    range_km, soc_percent,
};
use super::super::topics::status::HV_ACTIVE;
use super::super::topics::{self, Publications, TripFacts};
use super::super::trip::Seen;
use super::Car;
use super::integrations::Report;
use super::reason::{is_elsewhere, left_to_another, reason, whose};
use crate::sink::mqtt::session::Outgoing;

/// What a car said longer ago is no answer to a question of now.
const OLDEST: TimeDelta = TimeDelta::minutes(15);

/// A car that has just told its status tells the rest soon, or not at all.
const LONGEST_MORE: Duration = Duration::from_secs(20);

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
            return;
        }
        let asked_at = self.shared.now();
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
                self.failed(whose(&error), &reason(&error), Outcome::Failed, now);
            }
            Ok(status) => match unusable(&status, now) {
                Some((why, outcome)) => self.failed(Failed::Car, why, outcome, now),
                None => self.succeeded(status, asked_at).await,
            },
        }
    }

    fn failed(&mut self, whose: Failed, why: &str, outcome: Outcome, now: DateTime<Utc>) {
        self.say_freshness(outcome);
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
                self.say_freshness(Outcome::Failed);
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
        topics.text(
            "refresh/period/error",
            self.refresh.error_period().to_string(),
        );
        self.say(topics);
    }

    async fn succeeded(&mut self, mut status: VehicleStatus, asked_at: DateTime<Utc>) {
        let now = self.shared.now();
        correct(self.profile(), &mut status.basic);
        self.memory.temperatures.check(&mut status.basic, now);
        // What comes next may take long.
        let shown = topics::status(&status, self.refresh.is_charging());
        self.say(shown.without(|one| one.topic == HV_ACTIVE));
        let has_plug = self.vehicle.profile().drive.has_plug();
        let charging = match has_plug {
            true => self.note("charging data", self.vehicle.charging()).await,
            false => None,
        };
        let heating = match has_plug {
            true => {
                self.note("battery heating schedule", self.vehicle.heating_schedule())
                    .await
            }
            false => None,
        };
        let now = self.shared.now();
        let capacity = self.capacity(charging.as_ref());
        self.memory.capacity_kwh = capacity.kwh;
        self.refresh.status(status.basic.is_hv_active(), now);
        self.follow_charge(&status.basic, charging.as_ref(), now);
        let reported_at = status.status_at;
        let freshness = self.say_freshness(Outcome::Answered {
            asked_at,
            reported_at,
        });
        self.refresh.poll_succeeded(now);
        self.remember(&status.basic, charging.as_ref());

        let about_charging = topics::charging(&status.basic, charging.as_ref(), capacity);
        let about_charging = about_charging.without(|one| is_forgotten(one, &self.memory.held));
        self.say(about_charging);
        self.tell_trip(&status, charging.as_ref(), now);
        let mut topics = Publications::default();
        let active = self.refresh.is_charging() || status.basic.is_hv_active();
        topics.flag(HV_ACTIVE, Some(active));
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
        if freshness == Some(Freshness::Live) {
            topics.text("refresh/reachability", "awake");
        }
        topics.text("available", "online");
        self.say(topics);
        self.tell_station(&status.basic, charging.as_ref(), now);
        self.cached = Some(status.clone());
        let report = Report {
            answer: Answer { status, charging },
            capacity_kwh: capacity.kwh,
            at: now,
        };
        self.reports.send_replace(Some(Arc::new(report)));
    }

    fn follow_charge(
        &mut self,
        basic: &BasicStatus,
        data: Option<&ChargingData>,
        now: DateTime<Utc>,
    ) {
        let Some(ChargingData { management, .. }) = data else {
            if self.refresh.no_charge_data(rules_out_charge(basic), now) {
                let mut topics = Publications::default();
                topics.flag("drivetrain/charging", Some(false));
                self.say(topics);
            }
            return;
        };
        let charge = Charge {
            power_kw: power_kw(management),
            capacity_kwh: self.memory.capacity_kwh,
            remaining_s: management.time_to_full_s().unwrap_or(0),
            min_percent: self.shared.options.charge_min_percent,
        };
        let state = ChargeState {
            charging: is_charging(management),
            feeding: is_feeding(management),
            charge,
        };
        self.refresh.charge_data(state, now);
    }

    /// What fails here, or hangs, fails no poll.
    async fn note<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, saic_ismart::Error>>,
    ) -> Option<T> {
        let why = match tokio::time::timeout(LONGEST_MORE, call).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => reason(&error),
            Err(_) => format!("not answered within {} s", LONGEST_MORE.as_secs()),
        };
        tracing::warn!(vin = %self.vehicle.vin().masked(), "no {what}: {why}");
        None
    }

    /// Where what is shown from now on comes from, and when the car said it.
    pub(super) fn say_freshness(&mut self, outcome: Outcome) -> Option<Freshness> {
        let before = self.memory.reported_at.zip(self.refresh.last_success());
        let before = before.map(|(reported_at, answered_at)| Before {
            reported_at,
            answered_at,
        });
        let freshness = freshness(outcome, before)?;
        let mut topics = Publications::default();
        topics.text("refresh/freshness", freshness.to_string());
        if let Outcome::Answered { reported_at, .. } | Outcome::Read { reported_at } = outcome {
            self.memory.reported_at = reported_at;
            let shown = reported_at.unwrap_or_else(|| self.shared.now());
            let shown = text::timestamp(shown.min(self.shared.now()));
            topics.text("refresh/lastUpdate", shown);
        }
        self.say(topics);
        Some(freshness)
    }

    fn tell_trip(
        &mut self,
        status: &VehicleStatus,
        data: Option<&ChargingData>,
        now: DateTime<Utc>,
    ) {
        let basic = &status.basic;
        let profile = self.vehicle.profile();
        let facts = TripFacts {
            has_plug: profile.drive.has_plug(),
            has_fuel: profile.drive.has_fuel(),
            tank_l: profile.tank_l,
        };
        let counted = || data.and_then(|data| data.rvs.odometer_km());
        let capacity = self.capacity(data);
        let seen = Seen {
            at: status.status_at.unwrap_or(now).min(now),
            period: TimeDelta::seconds(self.refresh.periods.active().into()),
            running: basic.is_running(),
            charging: self.refresh.is_charging(),
            odometer_km: basic.odometer_km().or_else(counted),
            energy_kwh: data.and_then(|data| energy_kwh(data, capacity)),
            fuel_percent: basic.fuel_percent.filter(|_| facts.has_fuel),
        };
        if self.memory.trips.seen(seen)
            && let Some(trip) = self.memory.trips.last()
        {
            let topics = topics::last_trip(trip, facts);
            self.say(topics);
        }
    }

    fn remember(&mut self, basic: &BasicStatus, data: Option<&ChargingData>) {
        self.memory.reported.learn(basic);
        self.memory.allowance.seen(basic);
        self.memory.climate_on = basic.climate == Some(ClimateStatus::On);
        self.memory.seats = seats(self.memory.seats, basic, self.vehicle.profile());
        if let Some(data) = data {
            let kwh = data.rvs.capacity_kwh();
            self.memory.reported_kwh = kwh.or(self.memory.reported_kwh);
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
        // Only now: whoever reads it takes each message for a new measurement.
        let tell = |topic: &Option<String>, payload: Option<String>| {
            if let (Some(topic), Some(payload)) = (topic, payload) {
                self.shared.speaker.say(Outgoing::Tell {
                    topic: topic.clone(),
                    payload,
                    retain: true,
                });
            }
        };
        let soc = soc_percent(basic, data);
        tell(&station.soc_topic, soc.map(text::float));
        if station.soc_topic.is_some() && soc.is_some() {
            tell(&station.soc_ts_topic, Some(now.timestamp().to_string()));
        }
        tell(&station.range_topic, range_km(basic, data).map(text::float));
    }
}

/// A series may say in a way of its own that the climate is off.
pub(super) fn correct(profile: &Profile, basic: &mut BasicStatus) {
    let activity = |status| profile.climate_activity(status);
    if basic.climate.map(activity) == Some(ClimateActivity::Off) {
        basic.climate = Some(ClimateStatus::Off);
    }
}

/// The levels of both seats in front. One that is left out stays: the next
/// command for the other one repeats it. And it repeats none that the car has not.
fn seats((left, right): (u8, u8), basic: &BasicStatus, profile: &Profile) -> (u8, u8) {
    let highest = highest_level(profile);
    let level = |said: Option<u8>, known: u8| said.unwrap_or(known).min(highest);
    (
        level(basic.seat_heating_front_left, left),
        level(basic.seat_heating_front_right, right),
    )
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
fn unusable(status: &VehicleStatus, now: DateTime<Utc>) -> Option<(&'static str, Outcome)> {
    if status.basic == BasicStatus::default() {
        return Some(("the answer holds no status", Outcome::Failed));
    }
    // One sensor may be broken: that alone makes no status up.
    if status.basic.is_placeholder() && status.basic.odometer_deci_km.is_none() {
        let why = "the car sleeps deeply: the cloud makes up what it says";
        return Some((why, Outcome::Failed));
    }
    match status.age(now) {
        None => Some(("the answer holds no time", Outcome::Failed)),
        Some(age) if age < -OLDEST => Some((
            "the answer is from the future: check the clock of this computer",
            Outcome::Failed,
        )),
        Some(age) if age > OLDEST => Some((
            "the car did not answer: the cloud repeats an old status",
            Outcome::Repeated,
        )),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_is_left_out_stays_as_it_was() {
        let profile = |feature: &str| {
            let list = format!(
                r#"{{"vinList": [{{"series": "EH32 S", "vehicleModelConfiguration":
                    [{{"itemCode": "HeatedSeat", "itemValue": "{feature}"}}]}}]}}"#
            );
            let list = saic_ismart::vehicle::VehicleListAnswer::from_json(&list).unwrap();
            Profile::of(&list.vehicles[0])
        };
        for (feature, fields, levels) in [
            ("1", "", (1, 2)),
            (
                "1",
                r#""frontLeftSeatHeatLevel": 0, "frontRightSeatHeatLevel": 3"#,
                (0, 3),
            ),
            ("1", r#""frontRightSeatHeatLevel": 0"#, (1, 0)),
            // On is on, whatever number a car has for it.
            (
                "2",
                r#""frontLeftSeatHeatLevel": 3, "frontRightSeatHeatLevel": 2"#,
                (1, 1),
            ),
        ] {
            let json = format!(r#"{{"basicVehicleStatus": {{{fields}}}}}"#);
            let status = VehicleStatus::from_json(&json).unwrap();
            let known = seats((1, 2), &status.basic, &profile(feature));
            assert_eq!(known, levels, "{feature} {fields}");
        }
    }

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
            unusable(&VehicleStatus::from_json(&json).unwrap(), now).map(|(why, _)| why)
        };
        assert_eq!(why(1_795_208_448), None);
        assert_eq!(why(1_795_208_448 - 900), None);
        assert!(why(1_795_208_448 - 901).unwrap().contains("old status"));
        assert!(why(1_795_208_448 + 901).unwrap().contains("clock"));
        assert!(why(0).unwrap().contains("no time"));
        assert!(why(2_147_483_647).is_some());
        let empty = VehicleStatus::from_json(r#"{"statusTime": 1795208448}"#).unwrap();
        assert!(unusable(&empty, now).unwrap().0.contains("no status"));
    }

    #[test]
    fn what_the_cloud_makes_up_is_no_answer() {
        let now = DateTime::from_timestamp(1_795_208_448, 0).unwrap();
        for (basic, made_up) in [
            (r#""interiorTemperature": -40, "lockStatus": 1"#, true),
            (r#""mileage": 0, "fuelRange": 0, "fuelRangeElec": 0"#, true),
            // A sensor that is broken, in a car that is awake.
            (r#""exteriorTemperature": -40, "mileage": 100"#, false),
        ] {
            let json =
                format!(r#"{{"statusTime": 1795208448, "basicVehicleStatus": {{{basic}}}}}"#);
            let why = unusable(&VehicleStatus::from_json(&json).unwrap(), now);
            let said = why.is_some_and(|(why, _)| why.contains("makes up"));
            assert_eq!(said, made_up, "{basic}");
        }
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
