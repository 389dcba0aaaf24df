//! When to poll: pure functions of state and time.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Share of the interval by which each poll is delayed at most, by chance, so
/// that many devices of one interval drift apart.
const JITTER: f64 = 0.05;

const DAY: TimeDelta = TimeDelta::days(1);

/// What a source does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Poll now.
    Poll,
    /// Ask again then.
    Wait(DateTime<Utc>),
}

/// The polls of one device.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: Duration,
    budget: Option<Budget>,
    random: fastrand::Rng,
    last: Option<DateTime<Utc>>,
    delay: Duration,
}

impl Schedule {
    /// A poll every `interval`, the first one at once; with a budget one
    /// interval after the last poll of an earlier run, so that restarts cost
    /// nothing. `seed`, different for each device, spreads the polls.
    pub fn new(interval: Duration, budget: Option<Budget>, seed: u64) -> Self {
        Self {
            interval,
            last: budget.as_ref().and_then(|budget| budget.spent().last()),
            budget,
            random: fastrand::Rng::with_seed(seed),
            delay: Duration::ZERO,
        }
    }

    /// What to do at `now`.
    pub fn next_action(&self, now: DateTime<Utc>) -> Action {
        let due = match self.last {
            // A clock that was set back must not stop the polls.
            Some(last) if last <= now => last + self.interval + self.delay,
            _ => now,
        };
        let allowed = self
            .budget
            .as_ref()
            .map_or(now, |budget| budget.free_at(now));
        match due.max(allowed) {
            time if time <= now => Action::Poll,
            time => Action::Wait(time),
        }
    }

    /// A poll began at `now`.
    pub fn polled(&mut self, now: DateTime<Utc>) {
        self.last = Some(now);
        self.delay = self.interval.mul_f64(self.random.f64() * JITTER);
        if let Some(budget) = &mut self.budget {
            budget.spend(now);
        }
    }

    /// Makes the next poll due at once, as far as the budget goes: the device
    /// was out of reach for a while.
    pub fn hurry(&mut self) {
        self.last = None;
    }

    /// The budget, to be stored or reported.
    pub fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }
}

/// At most so many requests within 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    limit: usize,
    spent: VecDeque<DateTime<Utc>>,
}

impl Budget {
    /// `limit` requests a day, of which those in `spent` were made already, by
    /// this run or an earlier one.
    pub fn new(limit: u32, mut spent: Vec<DateTime<Utc>>) -> Self {
        spent.sort_unstable();
        let limit = limit as usize;
        let older = spent.len().saturating_sub(limit);
        Self {
            limit,
            spent: spent.split_off(older).into(),
        }
    }

    /// When each request of the last 24 hours was made.
    pub fn spent(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.spent.iter().copied()
    }

    /// Requests left at `now`.
    pub fn left(&self, now: DateTime<Utc>) -> usize {
        let used = self.spent.iter().filter(|at| **at > now - DAY).count();
        self.limit.saturating_sub(used)
    }

    /// At most so many in 24 hours.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// When the next request is allowed.
    pub fn free_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.free_beyond(0, now)
    }

    /// When a request is allowed that must leave `reserve` others.
    pub fn free_beyond(&self, reserve: usize, now: DateTime<Utc>) -> DateTime<Utc> {
        let usable = self.limit.saturating_sub(reserve);
        let mut used = self.spent.iter().filter(|at| **at > now - DAY);
        // So many have to be a day old before there is room for one more.
        match (self.limit - self.left(now)).checked_sub(usable) {
            None => now,
            Some(excess) => used.nth(excess).map_or(now + DAY, |at| *at + DAY),
        }
    }

    /// A request is made at `now`.
    pub fn spend(&mut self, now: DateTime<Utc>) {
        self.spent.push_back(now);
        while self.spent.len() > self.limit {
            self.spent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// The times of all polls until `end`, asking each second.
    fn polls(schedule: &mut Schedule, end: i64) -> Vec<i64> {
        (0..end)
            .filter(|second| {
                let poll = schedule.next_action(at(*second)) == Action::Poll;
                if poll {
                    schedule.polled(at(*second));
                }
                poll
            })
            .collect()
    }

    #[test]
    fn polls_come_at_once_and_then_by_interval() {
        let mut schedule = Schedule::new(Duration::from_secs(30), None, 1);
        let polls = polls(&mut schedule, 3600);
        assert_eq!(polls[0], 0);
        assert!(
            polls
                .windows(2)
                .all(|pair| (30..=32).contains(&(pair[1] - pair[0])))
        );
        assert!((112..=120).contains(&polls.len()), "{}", polls.len());
    }

    #[test]
    fn a_hurried_poll_comes_at_once_but_not_beyond_the_budget() {
        let mut schedule = Schedule::new(Duration::from_secs(60), Some(Budget::new(2, vec![])), 1);
        schedule.polled(at(0));
        schedule.hurry();
        assert_eq!(schedule.next_action(at(1)), Action::Poll);
        schedule.polled(at(1));
        schedule.hurry();
        assert_eq!(schedule.next_action(at(2)), Action::Wait(at(0) + DAY));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_polls() {
        let mut schedule = Schedule::new(Duration::from_secs(30), None, 1);
        schedule.polled(at(100_000));
        assert_eq!(schedule.next_action(at(0)), Action::Poll);
    }

    #[test]
    fn a_day_has_no_more_requests_than_its_budget_restarts_included() {
        let interval = Duration::from_secs(60);
        let mut schedule = Schedule::new(interval, Some(Budget::new(50, vec![])), 1);
        let first = polls(&mut schedule, 7200);
        assert_eq!(first.len(), 50);

        let spent = schedule.budget().unwrap().spent().collect();
        let restarted = Schedule::new(interval, Some(Budget::new(50, spent)), 1);
        assert_eq!(
            restarted.next_action(at(7200)),
            Action::Wait(at(first[0]) + DAY)
        );
        assert_eq!(restarted.budget().unwrap().left(at(7200)), 0);
        assert_eq!(restarted.budget().unwrap().left(at(first[0]) + DAY), 1);
    }

    #[test]
    fn a_reserve_is_left_to_others() {
        let budget = Budget::new(4, vec![at(0), at(10), at(20)]);
        assert_eq!(budget.free_at(at(30)), at(30));
        assert_eq!(budget.free_beyond(1, at(30)), at(0) + DAY);
        assert_eq!(budget.free_beyond(2, at(30)), at(10) + DAY);
        assert_eq!(budget.free_beyond(4, at(30)), at(30) + DAY);
        assert_eq!(budget.free_beyond(1, at(0) + DAY), at(0) + DAY);
    }

    #[test]
    fn a_budget_of_zero_never_allows() {
        let schedule = Schedule::new(Duration::from_secs(60), Some(Budget::new(0, vec![])), 1);
        assert_eq!(schedule.next_action(at(0)), Action::Wait(at(0) + DAY));
    }
}
