//! What goes on failing is told once, and then once a day.

use std::time::Duration;

use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(86_400);

/// When it was told last.
#[derive(Debug, Default)]
pub struct Complaint(Option<Instant>);

impl Complaint {
    /// It has failed: true if it is to be told now.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = self.0.is_none_or(|told| now - told >= DAY);
        if due {
            self.0 = Some(now);
        }
        due
    }

    /// It works.
    pub fn settle(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_day_and_anew_after_a_success() {
        let mut complaint = Complaint::default();
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        assert!(complaint.is_due(start));
        assert!(!complaint.is_due(start + minute));
        assert!(complaint.is_due(start + DAY));
        assert!(!complaint.is_due(start + DAY + minute));
        complaint.settle();
        assert!(complaint.is_due(start + DAY + 2 * minute));
    }
}
