//! The hub: takes events from sources, keeps the last known state, and hands
//! everything on.
//!
//! A reading passes, in this order: the plausibility check, the derived
//! values, the last known state, the subscribers, the change filter, the
//! journal. Nothing in it waits, so no sink can hold up a source: a slow
//! subscriber loses events and starts again from [`Hub::snapshot`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

use crate::derive::Derived;
use crate::event::{Availability, Device, DeviceId, Event, Reading};
use crate::filter::{Filter, Keep};
use crate::journal::Journal;

/// Events a slow subscriber may lag behind before it loses some.
const SUBSCRIBER_CAPACITY: usize = 4096;

/// How many intervals a device may miss before it counts as offline.
const MISSED_INTERVALS: u32 = 3;

/// Handle on the hub; cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    devices: Mutex<BTreeMap<DeviceId, Entry>>,
    restored: Mutex<BTreeMap<DeviceId, Reading>>,
    subscribers: broadcast::Sender<Event>,
    journal: Option<Journal>,
    heartbeat: Duration,
    implausible: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    handling: Handling,
    derived: Derived,
    filter: Filter,
}

/// How a source wants its device treated.
#[derive(Clone, Copy, Debug)]
pub struct Handling {
    /// How often the source means to read it: bounds the gap over which
    /// energy is integrated, and says when silence means "offline".
    pub interval: Duration,
    /// Which readings are worth storing.
    pub keep: Keep,
}

/// What is known of a device now.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its description.
    pub device: Arc<Device>,
    /// Whether it can be reached.
    pub availability: Availability,
    /// Its last reading.
    pub reading: Option<Arc<Reading>>,
}

impl Hub {
    /// A hub that stores what `journal` takes, at least every `heartbeat` per
    /// device. `restored` are the last readings of an earlier run: totals go
    /// on from there.
    pub fn new(journal: Option<Journal>, heartbeat: Duration, restored: Vec<Reading>) -> Self {
        let (subscribers, _) = broadcast::channel(SUBSCRIBER_CAPACITY);
        Self {
            inner: Arc::new(Inner {
                devices: Mutex::default(),
                restored: Mutex::new(
                    restored
                        .into_iter()
                        .map(|reading| (reading.device.clone(), reading))
                        .collect(),
                ),
                subscribers,
                journal,
                heartbeat,
                implausible: AtomicU64::new(0),
            }),
        }
    }

    /// Announces a device, or a new description of it. Its availability is
    /// unknown until a reading or a failure, and published then.
    pub fn announce(&self, device: Device, handling: Handling) {
        let device = Arc::new(device);
        let mut devices = self.devices();
        match devices.get_mut(&device.id) {
            Some(entry) => {
                entry.handling = handling;
                if entry.known.device == device {
                    return;
                }
                entry.known.device = device.clone();
            }
            None => {
                let restored = lock(&self.inner.restored).remove(&device.id);
                devices.insert(
                    device.id.clone(),
                    Entry {
                        known: Known {
                            device: device.clone(),
                            availability: Availability::Offline {
                                reason: "not read yet".to_owned(),
                            },
                            reading: None,
                        },
                        handling,
                        derived: Derived::new(restored.as_ref()),
                        filter: Filter::new(handling.keep, self.inner.heartbeat),
                    },
                );
            }
        }
        if let Some(journal) = &self.inner.journal {
            journal.describe(device.clone());
        }
        self.publish(Event::Device(device));
    }

    /// Takes a reading of an announced device.
    pub fn read(&self, mut reading: Reading) {
        let mut devices = self.devices();
        let Some(entry) = devices.get_mut(&reading.device) else {
            tracing::warn!(device = %reading.device, "reading of a device nobody announced");
            return;
        };
        self.drop_implausible(&mut reading);
        entry
            .derived
            .apply(&mut reading, entry.handling.interval * 2);
        self.drop_implausible(&mut reading);

        let reading = Arc::new(reading);
        entry.known.reading = Some(reading.clone());
        let came_back = entry.known.availability != Availability::Online;
        entry.known.availability = Availability::Online;
        // Sent while the lock is held: subscribers see readings in this order.
        self.publish(Event::Reading(reading.clone()));
        if came_back {
            tracing::info!(device = %reading.device, "online");
            self.publish(Event::Availability(
                reading.device.clone(),
                Availability::Online,
            ));
        }
        if let Some(journal) = &self.inner.journal
            && entry.filter.passes(&reading)
        {
            journal.append(reading);
        }
    }

    /// A device could not be read. It stays online until it has missed
    /// three intervals; a device that was never read is offline at once.
    pub fn fail(&self, device: &DeviceId, reason: &str, now: DateTime<Utc>) {
        let mut devices = self.devices();
        let Some(entry) = devices.get_mut(device) else {
            return;
        };
        let patience = entry.handling.interval * MISSED_INTERVALS;
        let fresh = entry.known.reading.as_ref().is_some_and(|reading| {
            (now - reading.fetched_at).to_std().unwrap_or_default() < patience
        });
        let offline = Availability::Offline {
            reason: reason.to_owned(),
        };
        if fresh || entry.known.availability == offline {
            return;
        }
        if entry.known.availability == Availability::Online {
            tracing::warn!(%device, reason, "offline");
        }
        entry.known.availability = offline.clone();
        self.publish(Event::Availability(device.clone(), offline));
    }

    /// Events from now on. A receiver that lags is told so by its channel and
    /// takes [`Hub::snapshot`] instead of what it missed.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.inner.subscribers.subscribe()
    }

    /// All devices as last known.
    pub fn snapshot(&self) -> Vec<Known> {
        self.devices()
            .values()
            .map(|entry| entry.known.clone())
            .collect()
    }

    /// How many values were outside their believable range.
    pub fn implausible(&self) -> u64 {
        self.inner.implausible.load(Ordering::Relaxed)
    }

    fn drop_implausible(&self, reading: &mut Reading) {
        let device = reading.device.clone();
        reading.values.retain_map(|metric, value| {
            let kept = metric.plausible(&value);
            let lost = match &kept {
                Some(kept) => kept.unknown_parts() - value.unknown_parts(),
                None => 1,
            };
            if lost > 0 {
                let total = &self.inner.implausible;
                total.fetch_add(lost as u64, Ordering::Relaxed);
                tracing::debug!(%device, key = metric.key, %value, "implausible");
            }
            kept
        });
    }

    fn publish(&self, event: Event) {
        // Fails only while nobody listens.
        let _ = self.inner.subscribers.send(event);
    }

    fn devices(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Entry>> {
        lock(&self.inner.devices)
    }
}

/// A task that panicked while it held the lock left complete entries behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
