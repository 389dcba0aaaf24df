//! What the gateway counts about its own components.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::lock::lock;

/// Counts since start, by component; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Mutex<BTreeMap<String, Counts>>>);

/// The counts of one component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Successful polls.
    pub polls: u64,
    /// Failed polls, restarts, lost connections.
    pub failures: u64,
    /// How long the last successful poll took.
    pub poll_duration: Option<Duration>,
    /// Requests left before a daily limit.
    pub quota_left: Option<usize>,
    /// Readings that a database refused for themselves.
    pub set_aside: u64,
    /// What keeps it from working now, in plain words.
    pub trouble: Option<String>,
    /// What failed last, and when.
    pub last_error: Option<(DateTime<Utc>, String)>,
}

impl Counts {
    /// How it is, in plain words.
    pub fn health(&self) -> String {
        match (&self.trouble, self.set_aside) {
            (Some(trouble), _) => trouble.clone(),
            (None, 0) => "ok".to_owned(),
            (None, 1) => "ok, 1 reading set aside".to_owned(),
            (None, count) => format!("ok, {count} readings set aside"),
        }
    }
}

impl Stats {
    /// A poll, or a batch that was written, succeeded.
    pub fn polled(&self, component: &str, took: Duration) {
        self.change(component, |counts| {
            counts.polls += 1;
            counts.poll_duration = Some(took);
            counts.trouble = None;
        });
    }

    /// It works, or works again.
    pub fn well(&self, component: &str) {
        self.change(component, |counts| counts.trouble = None);
    }

    /// A poll, a connection or a whole component failed. `reason` is the
    /// failure, `state` what is done about it, such as "trying again".
    pub fn failed(&self, component: &str, state: &str, reason: &str) {
        self.change(component, |counts| {
            counts.failures += 1;
            counts.trouble = Some(format!("{state}: {reason}"));
            counts.last_error = Some((Utc::now(), reason.to_owned()));
        });
    }

    /// So many readings were refused for themselves.
    pub fn set_aside(&self, component: &str, readings: u64) {
        self.change(component, |counts| counts.set_aside += readings);
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
