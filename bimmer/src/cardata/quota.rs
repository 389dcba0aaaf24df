use std::time::Duration;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// REST calls per account and day, for all vehicles and endpoints together.
pub const DAILY_CALLS: u32 = 50;

/// Longest and shortest pause that the server is trusted to ask for.
const PAUSE_S: (i64, i64) = (60, 24 * 3600);
/// Hours of pause after the first, second, … refusal in a row.
const BACK_OFF_H: [i64; 6] = [1, 2, 4, 8, 16, 24];
/// So many good calls in a row end the series of refusals.
const GOOD_CALLS: u32 = 10;

/// The allowance of REST calls: what was used, and what the server said.
///
/// Whether BMW counts from midnight UTC or over the last 24 hours is disputed.
/// This counts the last 24 hours, which is never less than either.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    calls: Vec<DateTime<Utc>>,
    blocked_until: Option<DateTime<Utc>>,
    refusals: u32,
    good: u32,
}

impl Budget {
    /// Calls left at this time, 0 while the server's refusal holds.
    #[must_use]
    pub fn remaining(&self, now: DateTime<Utc>) -> u32 {
        if self.blocked_for(now).is_some() {
            return 0;
        }
        let used = self.calls.iter().filter(|call| counts(**call, now)).count();
        DAILY_CALLS.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// Calls made in the last 24 hours.
    #[must_use]
    pub fn used(&self, now: DateTime<Utc>) -> usize {
        self.calls.iter().filter(|call| counts(**call, now)).count()
    }

    /// Counts one call that is about to be made. It counts whatever comes of it.
    ///
    /// # Errors
    ///
    /// How long to wait if there is none left.
    pub fn take(&mut self, now: DateTime<Utc>) -> Result<(), Duration> {
        if let Some(wait) = self.blocked_for(now) {
            return Err(wait);
        }
        self.calls.retain(|call| counts(*call, now));
        if self.remaining(now) == 0 {
            let oldest = self.calls.iter().min().copied().unwrap_or(now);
            let free_at = oldest + TimeDelta::days(1);
            return Err((free_at - now).to_std().unwrap_or(Duration::from_secs(60)));
        }
        self.calls.push(now);
        Ok(())
    }

    /// The call that was counted at this time did not leave: it counts no more.
    pub fn give_back(&mut self, counted_at: DateTime<Utc>) {
        if let Some(place) = self.calls.iter().rposition(|call| *call == counted_at) {
            self.calls.remove(place);
        }
    }

    /// The server answered a call normally.
    pub fn succeeded(&mut self) {
        self.good = self.good.saturating_add(1);
        if self.good >= GOOD_CALLS {
            self.refusals = 0;
        }
    }

    /// The server says that the quota is used up; `retry_after` is its header,
    /// seconds or an HTTP date. Tells for how long no call is made.
    pub fn refused(&mut self, retry_after: Option<&str>, now: DateTime<Utc>) -> Duration {
        let hour = BACK_OFF_H.get(self.refusals as usize).unwrap_or(&24);
        self.refusals = self.refusals.saturating_add(1);
        self.good = 0;
        let until_midnight = now
            .date_naive()
            .checked_add_days(Days::new(1))
            .map_or(PAUSE_S.1, |day| {
                (day.and_time(NaiveTime::MIN).and_utc() - now).num_seconds()
            });
        let seconds = match retry_after.and_then(|text| asked_for(text, now)) {
            Some(asked) => asked.clamp(PAUSE_S.0, PAUSE_S.1),
            None => (hour * 3600).min(until_midnight).max(PAUSE_S.0),
        };
        self.blocked_until = Some(now + TimeDelta::seconds(seconds));
        Duration::from_secs(seconds.unsigned_abs())
    }

    /// How long the server's refusal still holds.
    #[must_use]
    pub fn blocked_for(&self, now: DateTime<Utc>) -> Option<Duration> {
        let wait = (self.blocked_until? - now).to_std().ok()?;
        // A clock that was set back must not block for years.
        (!wait.is_zero() && wait <= Duration::from_secs(24 * 3600)).then_some(wait)
    }
}

/// Whether a call made then is still part of the allowance. Calls of a future
/// that a wrong clock has made count as well, for a day.
fn counts(call: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (now - call).abs() < TimeDelta::days(1)
}

fn asked_for(text: &str, now: DateTime<Utc>) -> Option<i64> {
    let seconds = text.trim().parse().ok().or_else(|| {
        let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
        Some((date.to_utc() - now).num_seconds())
    })?;
    (seconds > 0).then_some(seconds)
}
