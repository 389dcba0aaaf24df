//! The Bluetooth adapter of this computer, for all who want a link.
//!
//! Scans and connections take turns: one scan serves everybody who looks for a
//! device, one device is connected at a time. Switching the adapter off and on
//! and restarting the Bluetooth service or the system bus heal by themselves:
//! each attempt begins at the part that is missing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use btleplug::api::Peripheral as _;

use adapter::{Base, Place};
use failure::{Failure, Remedy};
use pairing::Pairing;
use scan::{Searches, Sighting};

use super::link::FarEnd;
use super::pause::Pauses;
use super::{GattLayout, Link, RadioError, Seen, Target};

pub use settings::Settings;

mod adapter;
#[cfg(target_os = "linux")]
mod agent;
mod device;
mod failure;
mod noise;
#[cfg_attr(not(target_os = "linux"), path = "pairing_elsewhere.rs")]
mod pairing;
mod scan;
mod settings;

/// Attempts to connect before the caller is told.
const ATTEMPTS: u32 = 4;

/// The adapter; cheap to clone.
#[derive(Clone, Debug)]
pub struct System(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: Settings,
    place: tokio::sync::Mutex<Place>,
    /// Whoever holds it uses the radio for a scan or a connection. First come,
    /// first served.
    gate: tokio::sync::Mutex<()>,
    /// How many wait for it or have it to connect.
    wanted: AtomicUsize,
    searches: Mutex<Searches>,
    closing: CancellationToken,
    pauses: Pauses,
    pairing: Arc<Pairing>,
    tasks: TaskTracker,
}

impl System {
    /// The radio; nothing happens before the first use.
    pub fn new(settings: Settings) -> Self {
        noise::lower();
        let closing = CancellationToken::new();
        Self(Arc::new(Shared {
            settings,
            place: tokio::sync::Mutex::default(),
            gate: tokio::sync::Mutex::default(),
            wanted: AtomicUsize::new(0),
            searches: Mutex::default(),
            pauses: Pauses::new(closing.clone()),
            closing,
            pairing: Arc::default(),
            tasks: TaskTracker::new(),
        }))
    }

    pub(super) async fn connect(
        &self,
        target: &Target,
        layouts: &[GattLayout],
    ) -> Result<Link, RadioError> {
        if self.0.closing.is_cancelled() {
            return Err(RadioError::Closed);
        }
        // In a task of its own, because a caller that goes away must not leave
        // a connection behind: the stack goes on with it if it is not told.
        let end = self.0.pauses.enter(target)?;
        let cancel = end.child_token();
        let _cancel_on_drop = cancel.clone().drop_guard();
        let attempt = Attempt {
            radio: self.0.clone(),
            target: target.clone(),
            layouts: layouts.to_vec(),
            end,
            cancel,
        };
        let attempt = self.0.tasks.spawn(attempt.run());
        match attempt.await {
            Ok(Err(RadioError::Closed)) => Err(match self.0.pauses.enter(target) {
                Err(paused) if !self.0.closing.is_cancelled() => paused,
                _ => RadioError::Closed,
            }),
            Ok(result) => result,
            Err(error) => Err(RadioError::Other(error.to_string())),
        }
    }

    pub(super) async fn scan(&self, duration: Duration) -> Result<Vec<Seen>, RadioError> {
        if self.0.closing.is_cancelled() {
            return Err(RadioError::Closed);
        }
        let sightings = self.0.look_around(duration);
        let sightings = sightings.await.map_err(Failure::alone)?;
        let limit = self.0.settings.call_limit;
        let held = match self.0.base().await {
            Ok(base) => base.all_held(limit).await,
            Err(failure) => return Err(failure.alone()),
        };
        // One that was connected to in between is both; the latter counts.
        let seen: BTreeMap<_, _> = sightings
            .into_iter()
            .chain(held)
            .map(|Sighting { seen, .. }| (seen.address.clone(), seen))
            .collect();
        Ok(seen.into_values().collect())
    }

    pub(super) async fn ready(&self) -> Result<(), RadioError> {
        self.0.base().await.map(drop).map_err(Failure::alone)
    }

    pub(super) fn pauses(&self) -> &Pauses {
        &self.0.pauses
    }

    pub(super) async fn close(&self) {
        self.0.closing.cancel();
        self.0.tasks.close();
        let limit = self.0.settings.disconnect_limit + Duration::from_secs(1);
        if timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("some Bluetooth devices did not disconnect in time");
        }
        self.0.pairing.close(self.0.settings.call_limit).await;
    }
}

impl Shared {
    /// The adapter, ready to be used.
    async fn base(&self) -> Result<Arc<Base>, Failure> {
        self.place.lock().await.base(&self.settings).await
    }

    /// Waits for the radio.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        let gate = self.closing.run_until_cancelled(self.gate.lock());
        gate.await.ok_or(Failure::Cancelled)
    }

    /// True if somebody waits for the radio to connect.
    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) > 0
    }

    /// Finds out which device is meant, with a scan only if need be.
    async fn find(self: &Arc<Self>, base: &Base, target: &Target) -> Result<Sighting, Failure> {
        if let Some(found) = base.found(target) {
            return Ok(found);
        }
        let sighting = match base.held(target, self.settings.call_limit).await {
            Some(_) if !self.settings.adopt => return Err(Failure::Held),
            Some(held) => {
                tracing::info!(device = %target, "taking over its connection");
                held
            }
            None => self.look_for(target).await?,
        };
        base.remember(target, &sighting);
        Ok(sighting)
    }
}

/// One call of [`System::connect`].
struct Attempt {
    radio: Arc<Shared>,
    target: Target,
    layouts: Vec<GattLayout>,
    /// Ends the link that comes of it.
    end: CancellationToken,
    /// Ends the attempt.
    cancel: CancellationToken,
}

impl Attempt {
    async fn run(self) -> Result<Link, RadioError> {
        let mut count = 1;
        loop {
            let failure = match self.connect().await {
                Ok(link) => return Ok(link),
                Err(failure) => failure,
            };
            tracing::debug!(device = %self.target, ?failure, count, "no connection");
            if failure.remedy() == Remedy::GiveUp || count == ATTEMPTS {
                return Err(failure.about(&self.target));
            }
            let delay = self.radio.settings.retry_delay * count;
            let pause = tokio::time::sleep(delay);
            if self.cancel.run_until_cancelled(pause).await.is_none() {
                return Err(RadioError::Closed);
            }
            count += 1;
        }
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let base = self.unless_cancelled(self.radio.base()).await?;
        let linked = self.connect_through(&base).await;
        if let Err(failure) = &linked {
            // Whatever a retry of the same may help against, the device was there.
            if failure.remedy() != Remedy::Retry {
                base.forget(&self.target);
            }
            if *failure == Failure::Exhausted {
                self.radio.place.lock().await.leave(&base);
            }
        }
        linked
    }

    async fn connect_through(&self, base: &Base) -> Result<Link, Failure> {
        let settings = &self.radio.settings;
        let find = self.radio.find(base, &self.target);
        let found = self.unless_cancelled(find).await?;
        let device = base.device(&found.peripheral);
        let mut slot = self.unless_cancelled(device.slot(settings)).await?;

        let pairer = match settings.pin(&self.target) {
            Some(pin) => {
                let id = found.peripheral.id().to_string();
                let pairing = &self.radio.pairing;
                let pairer = pairing.pairer(&id, pin, settings);
                Some(self.unless_cancelled(async { Ok(pairer.await) }).await?)
            }
            None => None,
        };
        let seen = found.seen;
        let (mut link, far_end) = Link::new(seen.address, seen.name, seen.rssi_dbm);
        let FarEnd { orders, chunks } = far_end;
        let turn = self.unless_cancelled(self.turn()).await?;
        let open = device.open(&mut slot, &self.layouts, &chunks, pairer.as_ref(), settings);
        let opened = self.unless_cancelled(open).await;
        drop(turn);
        match opened {
            Ok(open) => {
                link.gatt = device.gatt(&open);
                let (target, end) = (self.target.clone(), self.end.clone());
                let carry = device.carry(slot, open, orders, target, end, settings.clone());
                self.radio.tasks.spawn(carry);
                Ok(link)
            }
            Err(failure) => {
                // Otherwise the stack goes on with it, and connects later.
                device.disconnect(settings).await;
                Err(failure)
            }
        }
    }

    async fn turn(&self) -> Result<Turn<'_>, Failure> {
        let wanted = Wanted::new(&self.radio.wanted);
        let gate = self.radio.turn().await?;
        Ok(Turn {
            _gate: gate,
            _wanted: wanted,
        })
    }

    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let done = self.cancel.run_until_cancelled(work).await;
        done.unwrap_or(Err(Failure::Cancelled))
    }
}

/// The radio is this connection's.
struct Turn<'a> {
    _gate: MutexGuard<'a, ()>,
    _wanted: Wanted<'a>,
}

/// Counts one who wants the radio, for as long as it lives.
struct Wanted<'a>(&'a AtomicUsize);

impl<'a> Wanted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
