//! What goes wrong.

use std::time::Duration;

/// How calls of one method go wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    method: &'static str,
    outcome: Outcome,
    /// Calls that it still concerns.
    count: usize,
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// Refused with an error name and a message.
    Error(String, String),
    /// Never answered.
    Silence,
    /// Answered, but later.
    Late(Duration),
}

impl Fault {
    /// The next call of `method` fails with `name` and `message`.
    pub fn error(method: &'static str, name: &str, message: &str) -> Self {
        Self::new(method, Outcome::Error(name.to_owned(), message.to_owned()))
    }

    /// The next call of `method` is never answered.
    pub fn silence(method: &'static str) -> Self {
        Self::new(method, Outcome::Silence)
    }

    /// The next call of `method` waits before it is looked at.
    pub fn late(method: &'static str, delay: Duration) -> Self {
        Self::new(method, Outcome::Late(delay))
    }

    fn new(method: &'static str, outcome: Outcome) -> Self {
        Self {
            method,
            outcome,
            count: 1,
        }
    }

    /// For so many calls.
    pub fn times(mut self, count: usize) -> Self {
        self.count = count;
        self
    }
}

/// What becomes of this call, if any fault concerns it.
pub(super) fn strike(faults: &mut Vec<Fault>, method: &str) -> Option<Outcome> {
    let fault = faults.iter_mut().find(|fault| fault.method == method)?;
    fault.count -= 1;
    let outcome = fault.outcome.clone();
    faults.retain(|fault| fault.count > 0);
    Some(outcome)
}
