//! When a car is asked. A pure function of what happened and of the time; all
//! of it can be kept on disk, so that a restart wakes no car.
//!
//! The rules are the original's, with three exceptions. While the cloud cannot
//! be reached, it is tried every quarter of an hour at least: only a car that
//! does not answer is asked ever more rarely, up to the inactive period. A
//! charge whose data cannot be read ends after a while. And the periods that
//! are not set have their defaults from the start.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::charging_interval::{self, Charge};

pub use mode::{Mode, Phase};
pub use periods::{Period, Periods};

mod holiday;
mod mode;
mod periods;

/// The first poll comes this long after the start: settings that the broker
/// has retained should be there by then.
pub const START_PAUSE: TimeDelta = TimeDelta::seconds(10);

/// The cloud is tried this often at least.
const LONGEST_OUTAGE_PAUSE: u32 = 900;

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
    failures: u32,
    failed: Failed,
    last_activity: DateTime<Utc>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failed {
    /// The cloud, the network, the session.
    #[default]
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
            failed: Failed::Cloud,
            last_activity: now,
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
        for time in [
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
        let doubled = u64::from(active) << self.failures.saturating_sub(1).min(31);
        let longest = match self.failed {
            Failed::Cloud => LONGEST_OUTAGE_PAUSE
                .max(active)
                .min(self.periods.inactive()),
            Failed::Car => self.periods.inactive(),
        };
        u32::try_from(doubled)
            .unwrap_or(u32::MAX)
            .min(longest.max(1))
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
        if self.last_activity
            > self
                .last_success
                .max(self.last_failure)
                .unwrap_or(DateTime::<Utc>::MIN_UTC)
        {
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

    /// The charging data could not be read. True if that ends a charge.
    pub fn no_charge_data(&mut self, now: DateTime<Utc>) -> bool {
        if self
            .last_charge_data
            .is_some_and(|last| now - last < CHARGE_ASSUMED)
        {
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
        // An activity that was seen in this very poll asks for no other.
        self.last_activity = self.last_activity.min(now);
        self.last_success = Some(now);
        self.last_failure = None;
        self.failures = 0;
    }

    /// A poll has failed.
    pub fn poll_failed(&mut self, whose: Failed, now: DateTime<Utc>) {
        if whose != self.failed && self.failures > 0 {
            self.failures = 0;
        }
        self.failed = whose;
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(now);
        self.hv_active = self.charging || self.feeding || self.from_car;
    }
}

#[cfg(test)]
mod days;
#[cfg(test)]
mod tests;
