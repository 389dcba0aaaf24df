//! A car that does not answer. Each question has the cloud try to wake it,
//! which costs its 12 V battery if it is heard. So it is asked no more often
//! than by the original, ever more rarely up to the inactive period; in between
//! the cloud is asked whether the car has said something by itself.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Periods, doubled};

/// How often in a row a car did not answer, and when last. What the cloud fails
/// at in between does not count, and ends nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Silence {
    times: u32,
    last: Option<DateTime<Utc>>,
}

impl Silence {
    /// It did not answer.
    pub(super) fn add(&mut self, now: DateTime<Utc>) {
        self.times = self.times.saturating_add(1);
        self.last = Some(now);
    }

    /// When it did not answer last.
    pub(super) fn last(&self) -> Option<DateTime<Utc>> {
        self.last
    }

    /// A clock that was wrong must not let it sleep for ever.
    pub(super) fn restarted(&mut self, now: DateTime<Utc>) {
        self.last = self.last.map(|last| last.min(now));
    }

    /// Whether it is too early to wake it once more.
    pub(super) fn is_left_asleep(&self, periods: &Periods, now: DateTime<Utc>) -> bool {
        let active = periods.active();
        let wait = doubled(active, self.times).min(periods.inactive().max(active));
        self.last
            .is_some_and(|last| now < last + TimeDelta::seconds(wait.into()))
    }
}
