//! Waiting for a car: the cloud wakes it up and is asked again with the event id
//! that it gave, until the car has answered or the time is up. No clock, no
//! network: time comes in as milliseconds.

use std::time::Duration;

use crate::answer::Verdict;

/// The event id of a call that has none yet.
pub(crate) const NO_EVENT: &str = "0";

/// How long and how often to ask for the answer of a car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollTiming {
    /// Pause before the second request.
    pub first: Duration,
    /// Each pause is longer than the one before by this factor.
    pub factor: f64,
    /// No pause is longer.
    pub longest: Duration,
    /// The call is given up after this time. A sleeping car needs half a minute.
    pub budget: Duration,
}

impl Default for PollTiming {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            factor: 1.3,
            longest: Duration::from_secs(8),
            budget: Duration::from_secs(60),
        }
    }
}

#[cfg(feature = "india")]
impl PollTiming {
    /// So many requests at an even pace.
    pub(crate) const fn even(pause_ms: u64, requests: u64) -> Self {
        let pause = Duration::from_millis(pause_ms);
        Self {
            first: pause,
            factor: 1.0,
            longest: pause,
            budget: Duration::from_millis(pause_ms * requests),
        }
    }
}

/// The timing of reads and that of commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PollTimings {
    pub(crate) read: PollTiming,
    pub(crate) command: PollTiming,
}

impl PollTimings {
    pub(crate) const fn same(timing: PollTiming) -> Self {
        Self {
            read: timing,
            command: timing,
        }
    }

    pub(crate) const fn of(&self, is_command: bool) -> PollTiming {
        if is_command { self.command } else { self.read }
    }
}

/// One call to a car that is under way.
#[derive(Debug, Clone)]
pub(crate) struct EventPoll {
    timing: PollTiming,
    event_id: String,
    attempts: u32,
    pause: Duration,
    deadline: Duration,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// The answer is here: JSON text of its data, if any.
    Done(Option<String>),
    /// Ask again after this pause.
    Again(Duration),
    /// It ends with this verdict.
    Failed(Verdict),
    /// The time is up and the car has not answered.
    Unreachable { message: String },
}

impl EventPoll {
    pub(crate) fn new(timing: PollTiming, now: Duration) -> Self {
        Self {
            timing,
            event_id: NO_EVENT.to_owned(),
            attempts: 0,
            pause: timing.first,
            deadline: now.saturating_add(timing.budget),
        }
    }

    /// What the next request carries as event id.
    pub(crate) fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Requests answered or failed so far.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// An answer came, with its header `event-id`.
    pub(crate) fn answered(
        &mut self,
        verdict: Verdict,
        event_id: Option<&str>,
        now: Duration,
    ) -> Next {
        self.attempts += 1;
        let message = match &verdict {
            Verdict::Done(Some(_)) => String::new(),
            // Fatal whatever else the answer says.
            Verdict::SessionLost { .. } | Verdict::Rejected { .. } | Verdict::Refused { .. } => {
                return Next::Failed(verdict);
            }
            Verdict::Done(None) => "no answer yet".to_owned(),
            Verdict::Pending { message } | Verdict::Unavailable { message, .. } => message.clone(),
        };
        if let Verdict::Done(data @ Some(_)) = verdict {
            return Next::Done(data);
        }
        if let Some(id) = event_id.filter(|id| !id.is_empty() && *id != NO_EVENT) {
            id.clone_into(&mut self.event_id);
            return self
                .again(now)
                .map_or(Next::Unreachable { message }, Next::Again);
        }
        match verdict {
            // Success without data and without an event: the call has no result.
            Verdict::Done(None) => Next::Done(None),
            Verdict::Pending { .. } if self.event_id == NO_EVENT => Next::Unreachable { message },
            Verdict::Pending { .. } => self
                .again(now)
                .map_or(Next::Unreachable { message }, Next::Again),
            other if self.event_id == NO_EVENT => Next::Failed(other),
            other => self.again(now).map_or(Next::Failed(other), Next::Again),
        }
    }

    /// No answer came, or none that can be read. Asking again for a known
    /// event repeats nothing; `None` if there is no event or no time left.
    pub(crate) fn disturbed(&mut self, now: Duration) -> Option<Duration> {
        self.attempts += 1;
        if self.event_id == NO_EVENT {
            return None;
        }
        self.again(now)
    }

    fn again(&mut self, now: Duration) -> Option<Duration> {
        let pause = self.pause;
        let longest = self.timing.longest.max(self.timing.first);
        // Whatever the factor is: one that is no number makes the longest pause.
        let next = Duration::try_from_secs_f64(pause.as_secs_f64() * self.timing.factor);
        self.pause = next.unwrap_or(longest).clamp(self.timing.first, longest);
        (now.saturating_add(pause) < self.deadline).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn pending() -> Verdict {
        Verdict::Pending {
            message: "later".to_owned(),
        }
    }

    #[test]
    fn backs_off_until_the_budget_ends() {
        let mut poll = EventPoll::new(PollTiming::default(), seconds(100));
        let mut now = seconds(100);
        let mut pauses = Vec::new();
        let mut next = poll.answered(Verdict::Done(None), Some("111"), now);
        while let Next::Again(pause) = next {
            assert_eq!(poll.event_id(), "111");
            pauses.push(pause);
            now += pause;
            next = poll.answered(pending(), None, now);
        }
        assert_eq!(
            next,
            Next::Unreachable {
                message: "later".to_owned()
            }
        );
        assert_eq!(pauses[0], seconds(2));
        assert!(pauses.is_sorted() && pauses.iter().all(|pause| *pause <= seconds(8)));
        assert!(now < seconds(160) && now > seconds(150), "{now:?}");
        assert!((10..14).contains(&poll.attempts()), "{}", poll.attempts());
    }

    #[test]
    fn nothing_is_sent_twice_without_an_event() {
        let mut poll = EventPoll::new(PollTiming::default(), seconds(0));
        assert_eq!(poll.disturbed(seconds(1)), None);
        let next = poll.answered(pending(), None, seconds(1));
        assert!(matches!(next, Next::Unreachable { .. }));
        assert_eq!(poll.event_id(), NO_EVENT);
    }

    #[test]
    fn odd_factors_end_too() {
        for factor in [f64::NAN, -1.0, 0.0, 1e9] {
            let timing = PollTiming {
                factor,
                ..PollTiming::default()
            };
            let mut poll = EventPoll::new(timing, seconds(0));
            let next = poll.answered(Verdict::Done(None), Some("1"), seconds(0));
            assert_eq!(next, Next::Again(seconds(2)));
        }
    }
}
