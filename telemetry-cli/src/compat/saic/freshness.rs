//! Where the values that are shown come from: from the car itself, or from what
//! the cloud had kept of it.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// What the car said when it was asked last.
    Live,
    /// What the cloud had kept: older than the last question, or read without
    /// asking the car.
    Cached,
    /// What was known before the last question, which nobody answered.
    Failed,
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "live",
            Self::Cached => "cached",
            Self::Failed => "failed",
        })
    }
}

/// What has come of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The car was asked, and there was a usable answer.
    Answered {
        /// When it was asked.
        asked_at: DateTime<Utc>,
        /// When the car said it, by its own clock.
        reported_at: Option<DateTime<Utc>>,
    },
    /// The car was asked, and the cloud repeated an old answer, which is not shown.
    Repeated,
    /// The car was asked in vain.
    Failed,
    /// The cloud's copy was read, without asking the car. It is shown if it is
    /// newer than what is.
    Read {
        /// When the car said it, by its own clock.
        reported_at: Option<DateTime<Utc>>,
    },
}

/// What is shown already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// When the car said it, by its own clock.
    pub reported_at: DateTime<Utc>,
    /// When the car answered last, by ours.
    pub answered_at: DateTime<Utc>,
}

/// The clock of a car may be wrong by this much.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The same time twice is no repetition if the questions were as close.
const RESOLUTION: TimeDelta = TimeDelta::seconds(1);

/// What is shown after it; none if that is as it was.
pub fn freshness(outcome: Outcome, before: Option<Before>) -> Option<Freshness> {
    match outcome {
        Outcome::Failed => Some(Freshness::Failed),
        Outcome::Repeated => Some(Freshness::Cached),
        Outcome::Answered {
            asked_at,
            reported_at,
        } => {
            let old = reported_at.is_none_or(|at| at < asked_at - TOLERANCE);
            let again = before.is_some_and(|before| {
                reported_at.is_none_or(|at| at <= before.reported_at)
                    && asked_at > before.answered_at + RESOLUTION
            });
            Some(match old || again {
                true => Freshness::Cached,
                false => Freshness::Live,
            })
        }
        Outcome::Read { reported_at } => {
            let later = |at: DateTime<Utc>, before: Before| {
                // The copy of an answer may be stamped a little after it.
                at > before.reported_at && at > before.answered_at
            };
            let newer = reported_at.is_some_and(|at| before.is_none_or(|before| later(at, before)));
            newer.then_some(Freshness::Cached)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    /// The car reported at 1000 by its clock, and answered at 1002 by ours.
    #[test]
    fn what_is_shown_is_the_cars_or_the_clouds() {
        use Freshness::{Cached, Failed, Live};
        let before = Some(Before {
            reported_at: at(1000),
            answered_at: at(1002),
        });
        let answered = |asked, reported: i64| Outcome::Answered {
            asked_at: at(asked),
            reported_at: Some(at(reported)),
        };
        let read = |reported: i64| Outcome::Read {
            reported_at: Some(at(reported)),
        };
        let silent = Outcome::Answered {
            asked_at: at(2000),
            reported_at: None,
        };
        for (what, outcome, before, shown) in [
            // Any mode: the car is asked.
            ("the first answer", answered(2000, 2003), None, Some(Live)),
            ("an answer", answered(2000, 2003), before, Some(Live)),
            (
                "its clock is slow",
                answered(2000, 1700),
                before,
                Some(Live),
            ),
            (
                "its clock is fast",
                answered(2000, 2600),
                before,
                Some(Live),
            ),
            (
                "older than asked",
                answered(2000, 1699),
                before,
                Some(Cached),
            ),
            ("the same again", answered(1100, 1000), before, Some(Cached)),
            (
                "older than shown",
                answered(1100, 999),
                before,
                Some(Cached),
            ),
            (
                "asked at once again",
                answered(1003, 1000),
                before,
                Some(Live),
            ),
            ("without a time", silent, before, Some(Cached)),
            ("repeated", Outcome::Repeated, before, Some(Cached)),
            ("failed", Outcome::Failed, before, Some(Failed)),
            ("failed from the start", Outcome::Failed, None, Some(Failed)),
            // Hybrid: the cloud is asked.
            ("a newer copy", read(1003), before, Some(Cached)),
            ("the copy of the answer", read(1002), before, None),
            ("the copy of what is shown", read(1000), before, None),
            ("an older copy", read(999), before, None),
            ("a copy at first", read(999), None, Some(Cached)),
            (
                "a copy without a time",
                Outcome::Read { reported_at: None },
                None,
                None,
            ),
        ] {
            assert_eq!(freshness(outcome, before), shown, "{what}");
        }
        assert_eq!(
            [Live, Cached, Failed].map(|one| one.to_string()),
            ["live", "cached", "failed"]
        );
    }
}
