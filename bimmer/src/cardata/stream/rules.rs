use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Least time between two connects.
const BETWEEN_CONNECTS: TimeDelta = TimeDelta::seconds(10);
/// A refusal so soon after a session is that session, still alive at the broker.
const STILL_ALIVE: TimeDelta = TimeDelta::seconds(10);
/// A session this long forgives what was before.
const HEALTHY: TimeDelta = TimeDelta::seconds(60);
/// Refusals in a row, each after a fresh token, before a long pause.
const REFUSALS: u32 = 3;
/// Sessions that the broker ended early, in a row, before somebody else is suspected.
const EVICTIONS: u32 = 3;
/// Failures in a row before the longest pause.
const FAILURES: u32 = 10;

/// How a connection ended, or why there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The broker refused the credentials (CONNACK 4 or 5).
    Refused,
    /// The broker refused the topic (SUBACK failure).
    TopicRefused,
    /// The broker or the network closed the connection.
    Closed,
    /// The broker could not be reached.
    Unreachable,
    /// The name of the broker could not be resolved: no network here.
    Offline,
    /// We closed it, because the token is about to end.
    TokenEnding,
}

/// What the user should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// Another program reads the stream of this account.
    SecondClient,
    /// The broker does not accept tokens of this login: log in again, with
    /// CarData Stream switched on in the portal.
    NotAllowed,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// Connect again after this time.
    pub wait: Duration,
    /// With another token, even if the present one should be valid.
    pub renew_token: bool,
    /// What to tell, once.
    pub notice: Option<Notice>,
}

/// When to connect again, and with which token. Silence is no reason: a parked
/// car sends nothing for days.
#[derive(Debug, Clone, Default)]
pub struct SessionRules {
    connecting_at: Option<DateTime<Utc>>,
    connected_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    failures: u32,
    refusals: u32,
    evictions: u32,
    still_alive: u32,
    told: Option<Notice>,
}

impl SessionRules {
    /// No session yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A connection is being made.
    pub fn connecting(&mut self, now: DateTime<Utc>) {
        self.connecting_at = Some(now);
        self.connected_at = None;
    }

    /// The broker accepted the credentials and the topic.
    pub fn subscribed(&mut self, now: DateTime<Utc>) {
        self.connected_at = Some(now);
        self.refusals = 0;
        self.still_alive = 0;
    }

    /// There is no connection any more. Plans the next.
    pub fn ended(&mut self, ending: Ending, now: DateTime<Utc>) -> Plan {
        let lived = self.connected_at.take().map(|since| now - since);
        let since_last = self.ended_at.replace(now).map(|last| now - last);
        if lived.is_some_and(|lived| lived >= HEALTHY) {
            self.failures = 0;
            self.evictions = 0;
            self.told = None;
        }
        let plan = match ending {
            Ending::TokenEnding => plan(2, true),
            Ending::Offline => plan(15, false),
            Ending::Refused => self.refused(since_last),
            Ending::TopicRefused => self.not_accepted(),
            Ending::Closed if lived.is_some() => self.closed(lived),
            Ending::Closed | Ending::Unreachable => self.failed(),
        };
        self.spaced(plan, now)
    }

    fn refused(&mut self, since_last: Option<TimeDelta>) -> Plan {
        let just_before = since_last.is_some_and(|passed| passed < STILL_ALIVE);
        if just_before && self.still_alive < 2 {
            self.still_alive += 1;
            return plan(if self.still_alive == 1 { 3 } else { 10 }, false);
        }
        self.not_accepted()
    }

    fn not_accepted(&mut self) -> Plan {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            let notice = self.tell(Notice::NotAllowed);
            return Plan {
                notice,
                ..plan(3600, true)
            };
        }
        plan(10, true)
    }

    fn closed(&mut self, lived: Option<TimeDelta>) -> Plan {
        if lived.is_some_and(|lived| lived >= HEALTHY) {
            return plan(5, false);
        }
        self.evictions += 1;
        let mut next = self.failed();
        if self.evictions >= EVICTIONS {
            next.notice = self.tell(Notice::SecondClient);
        }
        next
    }

    fn failed(&mut self) -> Plan {
        self.failures = self.failures.saturating_add(1);
        let seconds = match self.failures {
            FAILURES.. => 600,
            failures => (5u64 << (failures - 1).min(6)).min(300),
        };
        plan(seconds, false)
    }

    fn tell(&mut self, notice: Notice) -> Option<Notice> {
        let news = self.told != Some(notice);
        self.told = Some(notice);
        news.then_some(notice)
    }

    /// Keeps connects apart, but for the quick retry that waits for our own
    /// old session.
    fn spaced(&self, mut plan: Plan, now: DateTime<Utc>) -> Plan {
        let next = self.connecting_at.map(|at| at + BETWEEN_CONNECTS - now);
        let least = next.and_then(|wait| wait.to_std().ok()).unwrap_or_default();
        if self.still_alive == 0 {
            plan.wait = plan.wait.max(least);
        }
        plan
    }
}

const fn plan(seconds: u64, renew_token: bool) -> Plan {
    Plan {
        wait: Duration::from_secs(seconds),
        renew_token,
        notice: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_359_200 + seconds, 0).unwrap()
    }

    fn attempt(rules: &mut SessionRules, start: i64, lived: Option<i64>, end: Ending) -> Plan {
        rules.connecting(at(start));
        if let Some(lived) = lived {
            rules.subscribed(at(start));
            return rules.ended(end, at(start + lived));
        }
        rules.ended(end, at(start))
    }

    #[test]
    fn a_refused_token_is_renewed_although_it_should_be_valid() {
        let mut rules = SessionRules::new();
        let first = attempt(&mut rules, 0, None, Ending::Refused);
        assert!(first.renew_token && first.wait.as_secs() == 10);
        assert!(attempt(&mut rules, 20, None, Ending::Refused).renew_token);
        let third = attempt(&mut rules, 40, None, Ending::Refused);
        assert_eq!(
            (third.wait.as_secs(), third.notice),
            (3600, Some(Notice::NotAllowed))
        );
        assert_eq!(
            attempt(&mut rules, 4000, None, Ending::Refused).notice,
            None
        );
    }

    #[test]
    fn a_refusal_just_after_a_session_is_that_session() {
        let mut rules = SessionRules::new();
        attempt(&mut rules, 0, Some(500), Ending::Closed);
        let first = attempt(&mut rules, 505, None, Ending::Refused);
        assert_eq!((first.wait.as_secs(), first.renew_token), (3, false));
        let second = attempt(&mut rules, 508, None, Ending::Refused);
        assert_eq!((second.wait.as_secs(), second.renew_token), (10, false));
        assert!(attempt(&mut rules, 518, None, Ending::Refused).renew_token);
    }

    #[test]
    fn two_programs_throw_each_other_out() {
        let mut rules = SessionRules::new();
        let notices: Vec<_> = (0..5)
            .map(|round| attempt(&mut rules, round * 700, Some(5), Ending::Closed).notice)
            .collect();
        assert_eq!(
            notices.iter().flatten().collect::<Vec<_>>(),
            [&Notice::SecondClient]
        );
        assert_eq!(notices[2], Some(Notice::SecondClient));
    }

    #[test]
    fn failures_slow_down_and_a_long_session_forgives() {
        let mut rules = SessionRules::new();
        let mut start = 0;
        let mut waits = Vec::new();
        for _ in 0..11 {
            let plan = attempt(&mut rules, start, None, Ending::Unreachable);
            waits.push(plan.wait.as_secs());
            start += 1000;
        }
        assert_eq!(waits, [10, 10, 20, 40, 80, 160, 300, 300, 300, 600, 600]);
        assert_eq!(
            attempt(&mut rules, start, Some(90), Ending::Closed)
                .wait
                .as_secs(),
            5
        );
        let offline = attempt(&mut rules, start + 200, None, Ending::Offline);
        assert_eq!(offline.wait.as_secs(), 15);
        assert_eq!(
            attempt(&mut rules, start + 300, None, Ending::Unreachable)
                .wait
                .as_secs(),
            10
        );
    }

    #[test]
    fn a_new_token_is_a_new_session() {
        let mut rules = SessionRules::new();
        let plan = attempt(&mut rules, 0, Some(3300), Ending::TokenEnding);
        assert_eq!((plan.wait.as_secs(), plan.renew_token), (2, true));
    }
}
