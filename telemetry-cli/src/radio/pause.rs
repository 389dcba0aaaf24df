use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{RadioError, Target};

/// Nobody needs a phone for longer, and times far beyond it overflow.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

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
    until: watch::Sender<Option<Until>>,
    /// Ends links to it and attempts to get one.
    end: CancellationToken,
}

/// The end of a pause by both clocks: one that can be waited for, and one that
/// people read.
#[derive(Clone, Copy, Debug)]
struct Until {
    instant: Instant,
    time: DateTime<Utc>,
}

impl Pauses {
    /// With a token that ends everything.
    pub(super) fn new(closing: CancellationToken) -> Self {
        Self {
            closing,
            targets: Arc::default(),
        }
    }

    /// Ends what there is of `target` and lets nobody in for `duration`; until
    /// when that is. Replaces an earlier pause.
    pub(super) fn pause(&self, target: &Target, duration: Duration) -> DateTime<Utc> {
        let duration = duration.min(LONGEST);
        let until = Until {
            instant: Instant::now() + duration,
            time: Utc::now() + duration,
        };
        let mut targets = self.targets();
        let entry = self.entry(&mut targets, target);
        entry.end.cancel();
        entry.end = self.closing.child_token();
        entry.until.send_replace(Some(until));
        until.time
    }

    /// Ends a pause, if there is one.
    pub(super) fn resume(&self, target: &Target) {
        let mut targets = self.targets();
        self.entry(&mut targets, target).until.send_replace(None);
    }

    /// Until when `target` is paused.
    pub(super) fn until(&self, target: &Target) -> Option<DateTime<Utc>> {
        let mut targets = self.targets();
        let until = *self.entry(&mut targets, target).until.borrow();
        Some(until?.running()?.time)
    }

    /// Waits until the pause of `target` does not end at `known`, but at
    /// another time, or is over.
    pub(super) async fn changed(
        &self,
        target: &Target,
        known: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let mut until = {
            let mut targets = self.targets();
            self.entry(&mut targets, target).until.subscribe()
        };
        loop {
            let now = until.borrow_and_update().and_then(Until::running);
            let time = now.map(|until| until.time);
            if time != known {
                return time;
            }
            let over = async {
                match now {
                    Some(until) => sleep_until(until.instant).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // It lives as long as the radio.
                _ = until.changed() => {}
                () = over => {}
            }
        }
    }

    /// What ends a link to `target`, unless it is paused.
    pub(super) fn enter(&self, target: &Target) -> Result<CancellationToken, RadioError> {
        let mut targets = self.targets();
        let entry = self.entry(&mut targets, target);
        let until = *entry.until.borrow();
        match until.and_then(Until::running) {
            Some(until) => Err(RadioError::Paused {
                target: target.clone(),
                until: until.time,
            }),
            None => Ok(entry.end.clone()),
        }
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<Target, Entry>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn entry<'a>(&self, targets: &'a mut HashMap<Target, Entry>, target: &Target) -> &'a mut Entry {
        targets.entry(target.clone()).or_insert_with(|| Entry {
            until: watch::Sender::new(None),
            end: self.closing.child_token(),
        })
    }
}

impl Until {
    /// Itself, before its time has come.
    fn running(self) -> Option<Self> {
        (Instant::now() < self.instant).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target::Name("pack".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_by_itself_and_tells_when() {
        let pauses = Pauses::default();
        let end = pauses.enter(&target()).unwrap();
        assert_eq!(pauses.until(&target()), None);
        let until = pauses.pause(&target(), Duration::from_secs(60));
        assert!(end.is_cancelled());
        assert_eq!(pauses.until(&target()), Some(until));
        let error = pauses.enter(&target()).unwrap_err();
        let target = target();
        assert_eq!(
            error,
            RadioError::Paused {
                target: target.clone(),
                until
            }
        );

        let began = Instant::now();
        assert_eq!(pauses.changed(&target, None).await, Some(until));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(pauses.changed(&target, Some(until)).await, None);
        assert_eq!(began.elapsed(), Duration::from_secs(60));
        assert!(!pauses.enter(&target).unwrap().is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_learns_of_a_longer_one_and_of_the_end() {
        let pauses = Pauses::default();
        let first = pauses.pause(&target(), Duration::from_secs(60));
        let waiting = tokio::spawn({
            let pauses = pauses.clone();
            async move {
                let second = pauses.changed(&target(), Some(first)).await;
                (second, pauses.changed(&target(), second).await)
            }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let second = pauses.pause(&target(), Duration::MAX);
        tokio::time::sleep(Duration::from_secs(1)).await;
        pauses.resume(&target());
        assert_eq!(waiting.await.unwrap(), (Some(second), None));
        assert!(pauses.enter(&target()).is_ok());
    }
}
