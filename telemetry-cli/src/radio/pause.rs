use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{RadioError, Target};

/// Devices that are left alone for a while, so that a phone can connect; cheap
/// to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    /// Ends everything, for good.
    closing: CancellationToken,
    targets: Arc<Mutex<HashMap<Target, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    until: Option<Instant>,
    /// Ends links to it and attempts to get one.
    end: CancellationToken,
}

impl Pauses {
    /// With a token that ends everything.
    pub(super) fn new(closing: CancellationToken) -> Self {
        Self {
            closing,
            targets: Arc::default(),
        }
    }

    /// Ends what there is of `target` and lets nobody in for `duration`; zero
    /// ends an earlier pause.
    pub(super) fn pause(&self, target: &Target, duration: Duration) {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = targets
            .entry(target.clone())
            .or_insert_with(|| Entry::new(&self.closing));
        if duration.is_zero() {
            entry.until = None;
            return;
        }
        entry.end.cancel();
        *entry = Entry::new(&self.closing);
        entry.until = Some(Instant::now() + duration);
    }

    /// What ends a link to `target`, unless it is paused.
    pub(super) fn enter(&self, target: &Target) -> Result<CancellationToken, RadioError> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = targets
            .entry(target.clone())
            .or_insert_with(|| Entry::new(&self.closing));
        match entry.until {
            Some(until) if Instant::now() < until => Err(RadioError::Paused(target.clone())),
            _ => Ok(entry.end.clone()),
        }
    }
}

impl Entry {
    fn new(closing: &CancellationToken) -> Self {
        Self {
            until: None,
            end: closing.child_token(),
        }
    }
}
