//! When BMW is asked: pure functions of state and time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::schedule::{Action, Budget};

/// Calls for telemetry within 24 hours, of the 50 that BMW allows for
/// everything.
pub const REST_PER_DAY: u32 = 24;

/// Between two of them, whichever car they are about.
const SPACING: TimeDelta = TimeDelta::hours(1);

/// A car that the stream tells of needs no question, for this time.
const STREAM_IS_FRESH: TimeDelta = TimeDelta::minutes(5);

/// But some values come by REST alone.
const LONGEST_WITHOUT_REST: TimeDelta = TimeDelta::hours(6);

/// Share of the interval by which a poll is delayed at most.
const JITTER: f64 = 0.05;

/// When a MyBMW account is asked.
#[derive(Clone, Debug)]
pub struct MyBmwSchedule {
    /// While a car does something.
    pub active: Duration,
    /// While none does.
    pub parked: Duration,
    /// When it was asked last, by this run or an earlier one.
    pub last: Option<DateTime<Utc>>,
    /// Whether a car did something then.
    pub is_active: bool,
    /// The quota is used up until then.
    pub not_before: Option<DateTime<Utc>>,
    /// From 0 to 1: spreads the polls of many gateways.
    pub chance: f64,
}

impl MyBmwSchedule {
    /// What to do at `now`.
    pub fn next_action(&self, now: DateTime<Utc>) -> Action {
        let interval = match self.is_active {
            true => self.active,
            false => self.parked,
        };
        let delay = interval.mul_f64(JITTER * self.chance.clamp(0.0, 1.0));
        let due = match self.last {
            // A clock that was set back must not stop the polls.
            Some(last) if last <= now => last + interval + delay,
            _ => now,
        };
        match self.not_before.map_or(due, |time| due.max(time)) {
            time if time <= now => Action::Poll,
            time => Action::Wait(time),
        }
    }
}

/// One car, as the schedule of CarData sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CarState {
    /// It is known what it is.
    pub described: bool,
    /// When REST was asked about it last.
    pub asked_at: Option<DateTime<Utc>>,
    /// When the stream said something about it last.
    pub streamed_at: Option<DateTime<Utc>>,
}

/// What to ask CarData next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// What this car is.
    Describe(usize),
    /// How this car is.
    Ask(usize),
    /// Nothing; look again then.
    Wait(DateTime<Utc>),
}

/// What to ask at `now` about `cars`, given the calls made so far.
pub fn next_rest(
    cars: &[CarState],
    budget: &Budget,
    not_before: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Next {
    // Clocks jump: what lies in the future is no reason to wait for years.
    let past = |time: Option<DateTime<Utc>>| time.filter(|time| *time <= now);
    let blocked = not_before.filter(|time| *time > now && *time - now <= TimeDelta::days(1));
    if let Some(time) = blocked {
        return Next::Wait(time);
    }
    if let Some(index) = cars.iter().position(|car| !car.described) {
        return Next::Describe(index);
    }
    let free_at = budget.free_at(now);
    if free_at > now {
        return Next::Wait(free_at);
    }
    // A car that was never asked about does not wait for its turn.
    if let Some(index) = cars.iter().position(|car| past(car.asked_at).is_none()) {
        return Next::Ask(index);
    }
    let spaced = budget.spent().filter(|at| *at <= now).max();
    let spaced = spaced.map_or(now, |last| last + SPACING);
    if spaced > now {
        return Next::Wait(spaced);
    }
    let quiet_at = |car: &CarState| {
        let fresh_until = past(car.streamed_at).map(|at| at + STREAM_IS_FRESH);
        let at_last = past(car.asked_at).map(|at| at + LONGEST_WITHOUT_REST);
        match (fresh_until, at_last) {
            (Some(fresh_until), Some(at_last)) => fresh_until.min(at_last),
            _ => now,
        }
    };
    let order = |index: &usize| cars.get(*index).and_then(|car| car.asked_at);
    let due =
        (0..cars.len()).filter(|index| cars.get(*index).is_some_and(|car| quiet_at(car) <= now));
    if let Some(index) = due.min_by_key(order) {
        return Next::Ask(index);
    }
    let soonest = cars.iter().map(quiet_at).min();
    Next::Wait(
        soonest
            .unwrap_or(now + SPACING)
            .max(now + TimeDelta::seconds(1)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_323_200, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    fn asked(minutes: i64) -> CarState {
        CarState {
            described: true,
            asked_at: Some(at(minutes)),
            streamed_at: None,
        }
    }

    #[test]
    fn a_parked_car_is_asked_rarely_and_no_restart_changes_that() {
        let mut schedule = MyBmwSchedule {
            active: Duration::from_secs(300),
            parked: Duration::from_secs(1800),
            last: None,
            is_active: false,
            not_before: None,
            chance: 0.0,
        };
        assert_eq!(schedule.next_action(at(0)), Action::Poll);
        schedule.last = Some(at(0));
        assert_eq!(schedule.next_action(at(10)), Action::Wait(at(30)));
        schedule.is_active = true;
        assert_eq!(schedule.next_action(at(4)), Action::Wait(at(5)));
        assert_eq!(schedule.next_action(at(5)), Action::Poll);
        schedule.not_before = Some(at(90));
        assert_eq!(schedule.next_action(at(31)), Action::Wait(at(90)));
        schedule.last = Some(at(1_000_000));
        assert_eq!(schedule.next_action(at(91)), Action::Poll);
    }

    #[test]
    fn cars_take_turns_an_hour_apart() {
        let budget = Budget::new(REST_PER_DAY, vec![at(-120), at(-60)]);
        let cars = [asked(-60), asked(-120)];
        assert_eq!(next_rest(&cars, &budget, None, at(-1)), Next::Wait(at(0)));
        assert_eq!(next_rest(&cars, &budget, None, at(0)), Next::Ask(1));
        assert_eq!(
            next_rest(&cars, &budget, Some(at(300)), at(0)),
            Next::Wait(at(300))
        );
    }

    #[test]
    fn new_cars_come_first_and_the_stream_saves_calls() {
        let budget = Budget::new(REST_PER_DAY, vec![at(-61)]);
        let new = CarState::default();
        assert_eq!(
            next_rest(&[asked(-61), new], &budget, None, at(0)),
            Next::Describe(1)
        );
        let described = CarState {
            described: true,
            ..new
        };
        assert_eq!(
            next_rest(&[asked(-61), described], &budget, None, at(0)),
            Next::Ask(1)
        );
        let streamed = |asked_at: i64, streamed_at: i64| CarState {
            streamed_at: Some(at(streamed_at)),
            ..asked(asked_at)
        };
        let next = |car| next_rest(&[car], &budget, None, at(0));
        assert_eq!(next(streamed(-61, -2)), Next::Wait(at(3)));
        assert_eq!(next(streamed(-61, -5)), Next::Ask(0));
        assert_eq!(next(streamed(-361, -2)), Next::Ask(0));
        let none: [CarState; 0] = [];
        assert!(matches!(
            next_rest(&none, &budget, None, at(0)),
            Next::Wait(_)
        ));
    }

    #[test]
    fn no_more_than_the_budget() {
        let spent = (0..24).map(|call| at(-call)).collect();
        let budget = Budget::new(REST_PER_DAY, spent);
        let car = CarState {
            described: true,
            ..CarState::default()
        };
        assert_eq!(
            next_rest(&[car], &budget, None, at(0)),
            Next::Wait(at(-23 + 24 * 60))
        );
    }
}
