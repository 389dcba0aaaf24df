//! When a car is asked itself: a pure function of what is known and of the time.
//!
//! Asking a car wakes it up, and its 12 V battery pays for that. What the cloud
//! knows by itself costs nothing: messages, and the report that the car left
//! there last. These two are read all the time, and the car is asked when they
//! tell that it does something, while it does, and once a day otherwise.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::schedule::Budget;
use spread::{Need, reserve, stretched};

mod spread;

/// A report that is hardly younger than the car's last answer is its echo.
const ECHO: TimeDelta = TimeDelta::seconds(60);

/// After a question that failed; doubled each time.
const FIRST_RETRY: TimeDelta = TimeDelta::minutes(5);

/// So many questions in a row that failed, and the car is left alone until it
/// gives a sign of life, or a day has passed.
const PATIENCE: u32 = 3;

/// Charging calls tell little that changes while the car drives.
const CHARGING_WHILE_DRIVING: TimeDelta = TimeDelta::minutes(5);

/// Charging data that could not be read are tried again so often at least.
const LONGEST_CHARGING_RETRY: TimeDelta = TimeDelta::hours(1);

/// However few questions are left.
const LONGEST_CHARGING_PAUSE: TimeDelta = TimeDelta::hours(2);

/// What only the status tells changes slowly while the car charges.
const STATUS_WHILE_CHARGING: TimeDelta = TimeDelta::minutes(30);

/// Reports that cannot be true, in a row, that make it worth asking the car.
const DOUBTS: u32 = 3;

/// Below this voltage the car is woken up for nothing but what it does itself.
const WEAK_AUX_BATTERY_V: f64 = 11.9;

/// How often is asked for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// What the cloud knows by itself.
    pub cloud: Duration,
    /// A car that drives.
    pub driving: Duration,
    /// A car that charges, or is heated or cooled.
    pub charging: Duration,
    /// A car that does nothing.
    pub parked: Duration,
}

/// What a car does, as far as it decides how often it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Nothing.
    #[default]
    Parked,
    /// It is switched on.
    Driving,
    /// It charges.
    Charging,
    /// It is heated or cooled from afar.
    Climate,
}

/// What of a report of the cloud tells that the car does something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// When the car reported.
    pub at: Option<DateTime<Utc>>,
    /// It charges.
    pub charging: Option<bool>,
    /// It is switched on.
    pub running: Option<bool>,
    /// It is heated or cooled.
    pub climate: Option<bool>,
    /// Distance in 0.1 km.
    pub odometer_deci_km: Option<u32>,
    /// State of charge in percent.
    pub soc_percent: Option<u8>,
    /// Locked.
    pub locked: Option<bool>,
}

/// What to ask the car for; the status comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Questions {
    /// Its status.
    pub status: bool,
    /// Its charging data.
    pub charging: bool,
}

/// What to do about a car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask the cloud what it remembers.
    Cloud,
    /// Ask the car.
    Car(Questions),
    /// Nothing until then.
    Wait(DateTime<Utc>),
}

/// The questions to one car.
#[derive(Clone, Debug)]
pub struct Plan {
    intervals: Intervals,
    has_plug: bool,
    budget: Budget,
    state: State,
}

/// What is remembered between two runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    activity: Activity,
    /// Something happened that only the car can explain.
    curious: bool,
    cloud_at: Option<DateTime<Utc>>,
    status_at: Option<DateTime<Utc>>,
    charging_at: Option<DateTime<Utc>>,
    /// The charging data could not be read so many times in a row, at last then.
    charging_failures: u32,
    charging_failed_at: Option<DateTime<Utc>>,
    /// A cable was in when it was asked last.
    plugged_in: bool,
    /// When a question was put.
    asked_at: Option<DateTime<Utc>>,
    /// It began something else: everything is asked once more.
    settling: bool,
    failures: u32,
    doubts: u32,
    aux_battery_v: Option<f64>,
    signs: Signs,
    /// Every question of the last 24 hours, Unix time.
    asked: Vec<i64>,
}

impl Plan {
    /// Goes on from `state`; at most `limit` questions in 24 hours.
    pub fn new(intervals: Intervals, has_plug: bool, limit: u32, state: State) -> Self {
        let asked = state.asked.iter();
        let asked = asked.filter_map(|at| DateTime::from_timestamp(*at, 0));
        Self {
            intervals,
            has_plug,
            budget: Budget::new(limit, asked.collect()),
            state,
        }
    }

    /// To be stored.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Questions left today.
    pub fn left(&self, now: DateTime<Utc>) -> usize {
        self.budget.left(now)
    }

    /// Whether the last that was heard of the car was about charging.
    pub fn charging_is_newest(&self) -> bool {
        let State {
            charging_at,
            status_at,
            signs,
            ..
        } = &self.state;
        charging_at >= status_at && *charging_at >= signs.at
    }

    /// When the car last told about charging.
    pub fn charging_at(&self) -> Option<DateTime<Utc>> {
        self.state.charging_at
    }

    /// The user wants to know now.
    pub fn demand(&mut self) {
        self.give_sign();
        self.state.asked_at = None;
        self.state.charging_failures = 0;
    }

    /// By which factor the car is asked less often than it would be, because
    /// few questions are left today.
    pub fn is_spared(&self, now: DateTime<Utc>) -> Option<i64> {
        let (need, pace) = self.pace()?;
        let pause = self.pause(need, pace, now);
        let factor = pause.num_seconds() / pace.num_seconds().max(1);
        (pause > pace).then_some(factor.max(2))
    }

    /// What the car does.
    pub fn activity(&self) -> Activity {
        self.state.activity
    }

    /// What to do at `now`.
    pub fn next_action(&self, now: DateTime<Utc>) -> Action {
        let cloud = due(self.state.cloud_at, delta(self.intervals.cloud), now);
        if cloud <= now {
            return Action::Cloud;
        }
        let car = self.car_due(now);
        if car <= now {
            return Action::Car(self.questions(now));
        }
        Action::Wait(cloud.min(car))
    }

    /// When the car is to be asked.
    fn car_due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let state = &self.state;
        let look = || {
            let parked = due(state.asked_at, delta(self.intervals.parked), now);
            parked.max(self.budget.free_at(now))
        };
        if state.failures > 0 {
            if state.failures >= PATIENCE && !state.curious {
                return look();
            }
            let doubled = FIRST_RETRY * (1 << state.failures.min(8).saturating_sub(1));
            let again = due(state.asked_at, doubled, now);
            return again.max(self.budget.free_at(now)).min(look());
        }
        let Some((need, pace)) = self.pace().filter(|_| state.asked_at.is_some()) else {
            return look();
        };
        let next = due(state.asked_at, self.pause(need, pace, now), now);
        let reserve = reserve(self.budget.limit());
        next.max(self.budget.free_beyond(reserve, now)).min(look())
    }

    /// How often it is asked for what it does; `None` if it does nothing.
    fn pace(&self) -> Option<(Need, TimeDelta)> {
        let state = &self.state;
        let driving = delta(self.intervals.driving);
        let charging = delta(self.intervals.charging);
        let (need, pace) = match state.activity {
            Activity::Driving => (Need::Journey, driving),
            Activity::Charging => (Need::Other, charging),
            Activity::Climate => (Need::Journey, charging),
            Activity::Parked if self.is_weak() => return None,
            Activity::Parked if state.curious => (Need::Other, driving),
            Activity::Parked => return None,
        };
        Some(match state.curious {
            true => (Need::Other, pace.min(driving)),
            false => (need, pace),
        })
    }

    /// The pace, stretched as the questions of the day are used up.
    fn pause(&self, need: Need, pace: TimeDelta, now: DateTime<Utc>) -> TimeDelta {
        stretched(pace, need, self.budget.left(now), self.budget.limit())
    }

    /// The 12 V battery is low, and waking the car would make it lower.
    fn is_weak(&self) -> bool {
        let volts = self.state.aux_battery_v;
        volts.is_some_and(|volts| volts <= WEAK_AUX_BATTERY_V)
    }

    fn questions(&self, now: DateTime<Utc>) -> Questions {
        let state = &self.state;
        let is_due = |last, interval| due(last, interval, now) <= now;
        let doubled = FIRST_RETRY * (1 << state.charging_failures.min(8).saturating_sub(1));
        let again = doubled.min(LONGEST_CHARGING_RETRY);
        let charging = match state.charging_failures {
            0 => self.has_plug,
            _ => self.has_plug && is_due(state.charging_failed_at, again),
        };
        let all = Questions {
            status: true,
            charging,
        };
        if state.curious || state.failures > 0 {
            return all;
        }
        match state.activity {
            Activity::Driving => Questions {
                status: true,
                charging: charging && is_due(state.charging_at, self.charging_while_driving(now)),
            },
            // Without charging data the status is all that tells how it goes on.
            Activity::Charging if self.has_plug && state.charging_failures == 0 => Questions {
                status: is_due(state.status_at, STATUS_WHILE_CHARGING),
                charging: true,
            },
            _ => all,
        }
    }

    /// Stretched with the questions for the status.
    fn charging_while_driving(&self, now: DateTime<Utc>) -> TimeDelta {
        let pause = stretched(
            CHARGING_WHILE_DRIVING,
            Need::Journey,
            self.budget.left(now),
            self.budget.limit(),
        );
        pause.min(LONGEST_CHARGING_PAUSE)
    }

    /// The cloud is asked at `now`.
    pub fn cloud_asked(&mut self, now: DateTime<Utc>) {
        self.state.cloud_at = Some(now);
    }

    /// What the cloud remembers shows this. True if the car did something that
    /// only itself can explain.
    pub fn reported(&mut self, signs: Signs) -> bool {
        let state = &mut self.state;
        state.doubts = 0;
        if signs.at <= state.signs.at {
            return false;
        }
        let telling = match state.activity {
            // That the cable was pulled shows nowhere in the report.
            Activity::Parked => {
                let heard_at = state.status_at.max(state.charging_at);
                let spoke = signs.at > heard_at.map(|at| at + ECHO);
                signs.differ(&state.signs) || (state.plugged_in && spoke)
            }
            // What changes meanwhile is read anyway.
            Activity::Driving => signs.running == Some(false),
            Activity::Charging => signs.charging == Some(false) || signs.running == Some(true),
            Activity::Climate => {
                signs.climate == Some(false)
                    || signs.running == Some(true)
                    || signs.charging == Some(true)
            }
        };
        state.signs = state.signs.updated(signs);
        if telling {
            if state.signs.running == Some(true) || state.signs.charging == Some(true) {
                self.is_fed();
            }
            self.give_sign();
        }
        telling
    }

    /// A message tells that it was started.
    pub fn started(&mut self) {
        self.is_fed();
        self.give_sign();
    }

    /// The 12 V battery is being charged, whatever it was before.
    fn is_fed(&mut self) {
        self.state.aux_battery_v = None;
    }

    /// What the cloud remembers cannot be true.
    pub fn doubted(&mut self) {
        self.state.doubts += 1;
        if self.state.doubts == DOUBTS {
            self.give_sign();
        }
    }

    /// Something else tells that the car did something: a message, a command,
    /// the wish of the user.
    pub fn give_sign(&mut self) {
        self.state.curious = true;
        self.state.failures = 0;
    }

    /// One question is put to the car at `now`.
    pub fn asked(&mut self, now: DateTime<Utc>) {
        self.state.asked_at = Some(now);
        self.budget.spend(now);
        self.state.asked = self.budget.spent().map(|at| at.timestamp()).collect();
    }

    /// The car told its status.
    pub fn told_status(&mut self, signs: Signs, aux_battery_v: Option<f64>, now: DateTime<Utc>) {
        let state = &mut self.state;
        state.status_at = Some(now);
        state.aux_battery_v = aux_battery_v.or(state.aux_battery_v);
        let was_charging = state.activity == Activity::Charging;
        let activity = if signs.running == Some(true) {
            Activity::Driving
        } else if signs.charging.unwrap_or(was_charging) {
            Activity::Charging
        } else if signs.climate == Some(true) {
            Activity::Climate
        } else {
            Activity::Parked
        };
        state.signs = state.signs.updated(signs);
        self.does(activity);
    }

    /// The car told whether it charges.
    pub fn told_charging(&mut self, charging: bool, plugged_in: bool, now: DateTime<Utc>) {
        let state = &mut self.state;
        state.plugged_in = plugged_in;
        state.charging_at = Some(now);
        state.charging_failures = 0;
        state.signs.charging = Some(charging);
        let activity = match (state.activity, charging) {
            (Activity::Driving, _) => Activity::Driving,
            (_, true) => Activity::Charging,
            (Activity::Charging, false) => Activity::Parked,
            (other, false) => other,
        };
        self.does(activity);
        // That was all that there is to know about it.
        self.state.settling &= activity != Activity::Charging;
    }

    /// The car did not tell about charging, or not in time.
    pub fn charging_failed(&mut self, now: DateTime<Utc>) {
        let state = &mut self.state;
        state.charging_failures = state.charging_failures.saturating_add(1);
        state.charging_failed_at = Some(now);
    }

    fn does(&mut self, activity: Activity) {
        let before = std::mem::replace(&mut self.state.activity, activity);
        self.state.settling |= before != activity;
    }

    /// All questions were answered.
    pub fn satisfied(&mut self) {
        self.state.curious = std::mem::take(&mut self.state.settling);
        self.state.failures = 0;
    }

    /// The car did not answer.
    pub fn failed(&mut self) {
        self.state.failures = self.state.failures.saturating_add(1);
        if self.state.failures >= PATIENCE {
            self.state.curious = false;
            self.state.activity = Activity::Parked;
        }
    }
}

impl Signs {
    /// Whether the car did something between `before` and this. What one of
    /// them does not tell makes no difference.
    fn differ(&self, before: &Self) -> bool {
        fn changed<T: PartialEq>(now: &Option<T>, before: &Option<T>) -> bool {
            now.is_some() && now != before
        }
        changed(&self.charging, &before.charging)
            || changed(&self.running, &before.running)
            || changed(&self.climate, &before.climate)
            || changed(&self.odometer_deci_km, &before.odometer_deci_km)
            || changed(&self.locked, &before.locked)
            || match (self.soc_percent, before.soc_percent) {
                // A percent is lost by standing around.
                (Some(now), Some(before)) => now.abs_diff(before) > 1,
                (now, before) => changed(&now, &before),
            }
    }

    fn updated(&self, by: Self) -> Self {
        Self {
            at: by.at.max(self.at),
            charging: by.charging.or(self.charging),
            running: by.running.or(self.running),
            climate: by.climate.or(self.climate),
            odometer_deci_km: by.odometer_deci_km.or(self.odometer_deci_km),
            soc_percent: by.soc_percent.or(self.soc_percent),
            locked: by.locked.or(self.locked),
        }
    }
}

/// `interval` after `last`; at once if there was none, or if the clock was set back.
fn due(last: Option<DateTime<Utc>>, interval: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    match last {
        Some(last) if last <= now => last.checked_add_signed(interval).unwrap_or(now),
        _ => now,
    }
}

fn delta(interval: Duration) -> TimeDelta {
    TimeDelta::from_std(interval).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;
