//! How long to wait before the next attempt.

use std::time::Duration;

const FIRST_S: f64 = 1.0;
const LONGEST_S: f64 = 60.0;

/// Doubles from one second to one minute.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    attempts: i32,
}

impl Backoff {
    /// The next pause; `jitter` from 0 to 1 moves it by up to a quarter, so
    /// that many clients of one broker do not come back at the same time.
    pub(super) fn next(&mut self, jitter: f64) -> Duration {
        let pause = (FIRST_S * 2f64.powi(self.attempts)).min(LONGEST_S);
        self.attempts = (self.attempts + 1).min(16);
        Duration::from_secs_f64(pause * (0.75 + jitter / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..8).map(|_| backoff.next(0.5).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.next(0.0).as_secs(), 45);
        assert_eq!(backoff.next(1.0).as_secs(), 75);
    }
}
