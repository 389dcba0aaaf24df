//! What the gateway counts about its own components.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::lock::lock;

/// Counts since start, by component; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Mutex<BTreeMap<String, Counts>>>);

/// The counts of one component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Successful polls.
    pub polls: u64,
    /// Failed polls, restarts, lost connections.
    pub failures: u64,
    /// How long the last successful poll took.
    pub poll_duration: Option<Duration>,
    /// Requests left before a daily limit.
    pub quota_left: Option<usize>,
}

impl Stats {
    /// A poll succeeded.
    pub fn polled(&self, component: &str, took: Duration) {
        self.change(component, |counts| {
            counts.polls += 1;
            counts.poll_duration = Some(took);
        });
    }

    /// A poll, a connection or a whole component failed.
    pub fn failed(&self, component: &str) {
        self.change(component, |counts| counts.failures += 1);
    }

    /// So many requests are left today.
    pub fn quota_left(&self, component: &str, left: usize) {
        self.change(component, |counts| counts.quota_left = Some(left));
    }

    /// All counts now.
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        self.lock().clone()
    }

    fn change(&self, component: &str, change: impl FnOnce(&mut Counts)) {
        change(self.lock().entry(component.to_owned()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        lock(&self.0)
    }
}
