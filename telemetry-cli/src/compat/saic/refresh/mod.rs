//! When a car is asked. A pure function of what happened and of the time; all
//! of it can be kept on disk, so that a restart wakes no car.
//!
//! The rules are the original's, with these exceptions. After failures it is
//! tried every quarter of an hour at least. A car that does not answer is not
//! woken so often, see `probe`. A charge whose data cannot be read ends after
//! a while. The periods that are not set have their defaults from the start.
//! And what happened before a poll began asks for no other one.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::charging_interval::{self, Charge};

pub use mode::{Mode, Phase};
pub use periods::{Period, Periods};
use probe::Silence;

mod holiday;
mod mode;
mod periods;
mod probe;

/// The first poll comes this long after the start: settings that the broker
/// has retained should be there by then.
pub const START_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// After failures it is tried this often at least, s.
const LONGEST_ERROR_PERIOD: u32 = 900;

/// So much clocks may differ, and times of events be rounded.
const CLOCKS: TimeDelta = TimeDelta::seconds(5);

/// Charging is assumed this long without data about it.
const CHARGE_ASSUMED: TimeDelta = TimeDelta::minutes(30);

/// Below this power, in kW, something was charged.
const CHARGING_KW: f64 = -1.0;

/// What is known of a car as far as polling goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refresh {
    mode: Mode,
    /// Comes back after a single poll.
    previous: Mode,
    /// The periods that were set.
    pub periods: Periods,
    charging_period: u32,
    /// In a row, whoever is to blame.
    failures: u32,
    #[serde(default)]
    silence: Silence,
    last_activity: DateTime<Utc>,
    /// It has not been asked since something happened.
    #[serde(default)]
    wake: bool,
    /// Begin of the poll under way, or of the last one.
    #[serde(default)]
    began: Option<DateTime<Utc>>,
    /// Begin of the last poll that succeeded.
    #[serde(default)]
    answered_from: Option<DateTime<Utc>>,
    last_success: Option<DateTime<Utc>>,
    /// Since the last success.
    last_failure: Option<DateTime<Utc>>,
    last_shutdown: DateTime<Utc>,
    last_charge_data: Option<DateTime<Utc>>,
    /// Anything draws from the traction battery, charging included.
    hv_active: bool,
    /// The same without charging.
    from_car: bool,
    charging: bool,
    /// It feeds something: a house, a tool, another car.
    feeding: bool,
    had_power: bool,
    /// It is asked rarely.
    holiday: bool,
    #[serde(skip)]
    ready_at: Option<DateTime<Utc>>,
}

/// Who is to blame for a failed poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The cloud, the network, the session.
    Cloud,
    /// The car: it sleeps or has no signal.
    Car,
}

/// What the charging data say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChargeState {
    /// It charges.
    pub charging: bool,
    /// It feeds something from its battery (V2X), which takes as long.
    pub feeding: bool,
    /// How.
    pub charge: Charge,
}

/// What a saved one does not have: nothing is known, and nothing has just happened.
impl Default for Refresh {
    fn default() -> Self {
        Self::new(DateTime::UNIX_EPOCH)
    }
}

impl Refresh {
    /// A car that nothing is known of. It counts as just shut down.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            mode: Mode::Periodic,
            previous: Mode::Periodic,
            periods: Periods::default(),
            charging_period: 0,
            failures: 0,
            silence: Silence::default(),
            last_activity: now,
            wake: true,
            began: None,
            answered_from: None,
            last_success: None,
            last_failure: None,
            last_shutdown: now,
            last_charge_data: None,
            hv_active: true,
            from_car: true,
            charging: false,
            feeding: false,
            had_power: false,
            holiday: false,
            ready_at: Some(now + START_PAUSE),
        }
    }

    /// The same after a restart: goes on where it was.
    pub fn restarted(&mut self, now: DateTime<Utc>) {
        self.ready_at = Some(now + START_PAUSE);
        // A clock that was wrong then must not stop the polls now.
        for time in [&mut self.last_activity, &mut self.last_shutdown] {
            *time = (*time).min(now);
        }
        self.silence.restarted(now);
        for time in [
            &mut self.began,
            &mut self.answered_from,
            &mut self.last_success,
            &mut self.last_failure,
            &mut self.last_charge_data,
        ] {
            *time = time.map(|time| time.min(now));
        }
    }

    /// How polls are decided on.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Seconds between polls while it charges; 0 for none.
    pub fn charging_period(&self) -> u32 {
        self.charging_period
    }

    /// Seconds that a failure is waited out; the active period after a success.
    pub fn error_period(&self) -> u32 {
        let active = self.periods.active();
        doubled(active, self.failures).min(LONGEST_ERROR_PERIOD.max(active))
    }

    /// Whether the poll that is due shall wake no car: none has answered, and
    /// nothing has happened since.
    pub fn is_probe(&self, now: DateTime<Utc>) -> bool {
        let waits = self.rule(now).map(|(phase, _)| phase) == Some(Phase::ErrorRecovery);
        waits && self.silence.is_left_asleep(&self.periods, now)
    }

    /// When a car failed to answer the last time, since it answered.
    pub fn silent_at(&self) -> Option<DateTime<Utc>> {
        self.silence.last()
    }

    /// When the car or somebody was active last.
    pub fn last_activity(&self) -> DateTime<Utc> {
        self.last_activity
    }

    /// When the car answered last.
    pub fn last_success(&self) -> Option<DateTime<Utc>> {
        self.last_success
    }

    /// Whether anything draws from the traction battery.
    pub fn is_hv_active(&self) -> bool {
        self.hv_active
    }

    /// Whether it is taken for charging.
    pub fn is_charging(&self) -> bool {
        self.charging
    }

    /// When the next poll is due, as things stand at `now`; never in mode off.
    pub fn next_poll(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let due = self.rule(now)?.1;
        Some(self.ready_at.map_or(due, |ready| due.max(ready)))
    }

    /// Which rule decides on the next poll.
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        self.rule(now).map_or(Phase::Off, |(phase, _)| phase)
    }

    /// Without a holiday.
    fn usual(&self, now: DateTime<Utc>) -> Option<(Phase, DateTime<Utc>)> {
        let after = |time: DateTime<Utc>, seconds: u32| time + TimeDelta::seconds(seconds.into());
        match self.mode {
            Mode::Off => return None,
            Mode::Force => return Some((Phase::Force, now)),
            Mode::ChargingDetection => return Some((Phase::ChargingDetection, now)),
            Mode::Periodic => {}
        }
        if self.wake {
            return Some((Phase::Active, now));
        }
        if let Some(failure) = self.last_failure {
            return Some((Phase::ErrorRecovery, after(failure, self.error_period())));
        }
        let Some(success) = self.last_success else {
            return Some((Phase::Active, now));
        };
        if (self.charging || self.feeding) && self.charging_period > 0 {
            return Some((Phase::Charging, after(success, self.charging_period)));
        }
        if self.hv_active {
            return Some((Phase::Active, after(success, self.periods.active())));
        }
        let grace_ends = after(self.last_shutdown, self.periods.grace());
        let next = after(success, self.periods.after_shutdown());
        if now < grace_ends && next < grace_ends {
            return Some((Phase::AfterShutdown, next));
        }
        Some((Phase::Inactive, after(success, self.periods.inactive())))
    }

    /// Sets the mode. The same single poll twice is one.
    pub fn set_mode(&mut self, mode: Mode) {
        if mode.is_single() {
            if !self.mode.is_single() {
                self.previous = self.mode;
            }
        } else {
            self.previous = mode;
        }
        self.mode = mode;
    }

    /// Sets a period.
    pub fn set_period(&mut self, period: Period, seconds: u32) {
        self.periods.set(period, seconds);
        if self.charging_period > 0 {
            self.charging_period =
                charging_interval::clamped(f64::from(self.charging_period), &self.periods);
        }
    }

    /// The car or somebody is active.
    pub fn activity(&mut self, now: DateTime<Utc>) {
        self.last_activity = now;
        self.wake = true;
    }

    /// It is heard at `now` that the car was active at a time, if that is
    /// certain. Where a poll has begun since then and succeeded, its answer
    /// tells of it.
    pub fn was_active(&mut self, at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        match (at, self.answered_from) {
            (Some(at), Some(answered)) if at + CLOCKS <= answered => {
                self.last_activity = self.last_activity.max(at);
            }
            _ => self.activity(now),
        }
    }

    /// Somebody says whether something draws from the traction battery.
    pub fn set_hv_active(&mut self, active: bool, now: DateTime<Utc>) {
        self.hv_active = active;
        if active {
            self.activity(now);
        }
    }

    /// A wallbox says that something about the charge has changed.
    pub fn station_changed(&mut self, now: DateTime<Utc>) {
        self.charging = true;
        self.last_charge_data = Some(now);
        self.set_hv_active(true, now);
    }

    /// A poll begins.
    pub fn poll_begins(&mut self, now: DateTime<Utc>) {
        self.wake = false;
        self.began = Some(now);
        if self.mode == Mode::ChargingDetection {
            self.last_shutdown = now;
        }
        if self.mode.is_single() {
            self.mode = self.previous;
        }
    }

    /// The car says whether something but charging draws from the traction battery.
    pub fn status(&mut self, from_car: bool, now: DateTime<Utc>) {
        if self.from_car && !from_car {
            self.last_shutdown = now;
        }
        self.from_car = from_car;
    }

    /// The charging data were read.
    pub fn charge_data(&mut self, state: ChargeState, now: DateTime<Utc>) {
        self.last_charge_data = Some(now);
        let charge = match state.feeding {
            true => state.charge.backwards(),
            false => state.charge,
        };
        if state.charging || state.feeding {
            self.had_power |= charge.power_kw.is_some_and(|power| power < CHARGING_KW);
            if let Some(seconds) = charging_interval::interval_s(charge) {
                self.charging_period = charging_interval::clamped(seconds, &self.periods);
            }
        } else {
            // It may go on in another phase, or start again.
            if (self.charging || self.feeding) && self.had_power {
                self.last_shutdown = now;
            }
            self.had_power = false;
            self.charging_period = 0;
        }
        self.charging = state.charging;
        self.feeding = state.feeding;
    }

    /// The charging data could not be read, and the rest of the car's answer
    /// may rule a charge out. True if that ends one.
    pub fn no_charge_data(&mut self, ruled_out: bool, now: DateTime<Utc>) -> bool {
        let assumed = |last| now - last < CHARGE_ASSUMED;
        if !ruled_out && self.last_charge_data.is_some_and(assumed) {
            return false;
        }
        self.charging_period = 0;
        self.had_power = false;
        self.feeding = false;
        std::mem::take(&mut self.charging)
    }

    /// A poll has succeeded.
    pub fn poll_succeeded(&mut self, now: DateTime<Utc>) {
        self.hv_active = self.charging || self.feeding || self.from_car;
        if self.hv_active {
            self.last_activity = now;
        }
        self.last_activity = self.last_activity.min(now);
        self.answered_from = self.began;
        self.last_success = Some(now);
        self.last_failure = None;
        self.failures = 0;
        self.silence = Silence::default();
    }

    /// A poll has failed.
    pub fn poll_failed(&mut self, whose: Failed, now: DateTime<Utc>) {
        if whose == Failed::Car {
            self.silence.add(now);
        }
        self.probe_failed(now);
    }

    /// The cloud has heard nothing of a silent car.
    pub fn probe_failed(&mut self, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(now);
        self.hv_active = self.charging || self.feeding || self.from_car;
    }
}

/// A period that is twice as long after each failure.
fn doubled(period: u32, failures: u32) -> u32 {
    let doubled = u64::from(period) << failures.saturating_sub(1).min(31);
    u32::try_from(doubled).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod days;
#[cfg(test)]
mod tests;
