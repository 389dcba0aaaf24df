//! How often a service of others is told something.

use chrono::{DateTime, TimeDelta, Utc};

/// Two messages are at least this far apart.
const CLOSEST: TimeDelta = TimeDelta::seconds(5);

/// No failure is waited out longer.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// The pace towards one service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    failures: u32,
    not_before: Option<DateTime<Utc>>,
}

impl Pace {
    /// Whether something may be sent.
    pub fn allows(&self, now: DateTime<Utc>) -> bool {
        // A clock that was set back must not stop everything.
        self.not_before
            .is_none_or(|time| time <= now || time > now + LONGEST)
    }

    /// Something was sent, and taken or not.
    pub fn sent(&mut self, taken: bool, now: DateTime<Utc>) {
        self.failures = if taken {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let wait = CLOSEST * (1 << self.failures.min(10));
        self.not_before = Some(now + wait.min(LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_slow_it_down() {
        let at = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut pace = Pace::default();
        assert!(pace.allows(at(0)));
        pace.sent(true, at(0));
        assert!(!pace.allows(at(4)) && pace.allows(at(5)));
        for (now, wait) in [
            (10, 10),
            (20, 20),
            (40, 40),
            (80, 80),
            (160, 160),
            (320, 320),
            (640, 640),
            (1280, 900),
            (2180, 900),
        ] {
            pace.sent(false, at(now));
            assert!(
                !pace.allows(at(now + wait - 1)) && pace.allows(at(now + wait)),
                "{now}"
            );
        }
        assert!(pace.allows(at(-10_000)));
        pace.sent(true, at(5000));
        assert!(pace.allows(at(5005)));
    }
}
