//! The last commands: a double click is one. A car takes few of them until it is
//! driven.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The same command so soon after is the same one.
const SOON: Duration = Duration::from_secs(1);

/// So many are remembered.
const MOST: usize = 16;

/// The last commands, the newest last.
#[derive(Debug, Default)]
pub(super) struct Done(VecDeque<One>);

#[derive(Debug)]
struct One {
    name: String,
    payload: Vec<u8>,
    at: Instant,
    answer: String,
}

impl Done {
    /// What was answered, if a command that arrived `at` that time repeats the
    /// last one of its name.
    pub(super) fn answer(&self, name: &str, payload: &[u8], at: Instant) -> Option<&str> {
        let last = self.0.iter().rev().find(|one| one.name == name)?;
        let repeats = last.payload == payload && at.saturating_duration_since(last.at) < SOON;
        repeats.then_some(&last.answer)
    }

    /// Adds one. When it arrived counts, not how long it took.
    pub(super) fn add(&mut self, name: &str, payload: &[u8], at: Instant, answer: String) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(One {
            name: name.to_owned(),
            payload: payload.to_owned(),
            at,
            answer,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_click_is_one_command() {
        let mut done = Done::default();
        let now = Instant::now();
        let after = |ms| now + Duration::from_millis(ms);
        done.add("doors/locked", b"True", now, "Success".to_owned());
        let said = |done: &Done, payload: &[u8], ms| {
            done.answer("doors/locked", payload, after(ms))
                .map(str::to_owned)
        };
        assert_eq!(said(&done, b"True", 999).as_deref(), Some("Success"));
        assert_eq!(said(&done, b"True", 1000), None);
        assert_eq!(said(&done, b"False", 1), None);
        assert_eq!(done.answer("doors/boot", b"True", now), None);
        // Locked, unlocked and locked again is no repetition.
        done.add("doors/locked", b"False", after(100), "Success".to_owned());
        assert_eq!(said(&done, b"True", 200), None);
        for _ in 0..100 {
            done.add("any", b"x", now, String::new());
        }
        assert_eq!(done.0.len(), MOST);
    }
}
