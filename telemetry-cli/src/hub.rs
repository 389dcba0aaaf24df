//! The hub: takes events from sources, keeps the last known state, and hands
//! everything on.
//!
//! A reading passes, in this order: the plausibility check, the derived
//! values, the last known state, the subscribers, the change filter, the
//! journal. Nothing in it waits, so no sink can hold up a source: a slow
//! subscriber loses events and starts again from the last known state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::derive::Derived;
use crate::event::{Availability, Device, DeviceId, Event, Reading};
use crate::filter::{Filter, Keep, Worth};
use crate::journal::Journal;
use crate::lock::lock;

/// Events a slow subscriber may lag behind before it loses some.
const SUBSCRIBER_CAPACITY: usize = 4096;

/// How often silence is noticed.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// How many intervals a device may miss before it counts as offline.
const MISSED_INTERVALS: u32 = 3;

/// With short intervals, one slow answer after a lost link is no outage.
const PATIENCE: Duration = Duration::from_secs(30);

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
    missed: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    handling: Handling,
    derived: Derived,
    filter: Filter,
    /// What its source said last, if it failed since the last reading.
    trouble: Option<String>,
    /// When the device itself was heard last.
    heard_at: Option<DateTime<Utc>>,
}

/// How a source wants its device treated.
#[derive(Clone, Debug)]
pub struct Handling {
    /// Name of the component that reads it.
    pub source: String,
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
                missed: AtomicU64::new(0),
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
                            availability: Availability::not_read(),
                            reading: None,
                        },
                        derived: Derived::new(restored.as_ref()),
                        filter: Filter::new(handling.keep, self.inner.heartbeat),
                        trouble: None,
                        heard_at: None,
                        handling,
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
    pub fn read(&self, reading: Reading) {
        self.take(reading, true);
    }

    /// Takes a reading that was computed while the device is silent: it is not
    /// heard, and counts as reachable no longer than without it.
    pub fn estimate(&self, reading: Reading) {
        self.take(reading, false);
    }

    fn take(&self, mut reading: Reading, is_heard: bool) {
        let mut devices = self.devices();
        let Some(entry) = devices.get_mut(&reading.device) else {
            tracing::warn!(device = %reading.device.masked(), "reading of a device nobody announced");
            return;
        };
        self.drop_implausible(&mut reading);
        entry
            .derived
            .apply(&mut reading, entry.handling.interval * 2);
        self.drop_implausible(&mut reading);

        let reading = Arc::new(reading);
        entry.known.reading = Some(reading.clone());
        let came_back = is_heard && entry.known.availability != Availability::Online;
        if is_heard {
            entry.trouble = None;
            entry.heard_at = Some(reading.fetched_at);
            entry.known.availability = Availability::Online;
        }
        // Sent while the lock is held: subscribers see readings in this order.
        self.publish(Event::Reading(reading.clone()));
        if came_back {
            tracing::info!(device = %reading.device.masked(), "online");
            self.publish(Event::Availability(
                reading.device.clone(),
                Availability::Online,
            ));
        }
        if let Some(journal) = &self.inner.journal {
            match entry.filter.judge(&reading) {
                Worth::News => journal.append(reading),
                Worth::Heartbeat => journal.append_in_company(reading),
                Worth::Nothing => {}
            }
        }
    }

    /// The component `source` could not read its devices. Each stays online
    /// until it has missed three intervals, and says this `reason` then.
    pub fn fail(&self, source: &str, reason: &str, now: DateTime<Utc>) {
        for entry in self.devices().values_mut() {
            if entry.handling.source == source {
                entry.trouble = Some(reason.to_owned());
                self.judge(entry, now);
            }
        }
    }

    /// The component `source` leaves its devices alone, on purpose and for
    /// this `reason`: offline at once.
    pub fn leave(&self, source: &str, reason: &str) {
        for entry in self.devices().values_mut() {
            if entry.handling.source == source {
                entry.trouble = Some(reason.to_owned());
                self.take_offline(entry, reason.to_owned());
            }
        }
    }

    /// Watches for devices that fell silent, whatever became of their source.
    pub async fn watch(&self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(WATCH_INTERVAL);
        loop {
            tokio::select! {
                _ = tick.tick() => self.judge_all(Utc::now()),
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn judge_all(&self, now: DateTime<Utc>) {
        for entry in self.devices().values_mut() {
            if entry.known.availability == Availability::Online {
                self.judge(entry, now);
            }
        }
    }

    /// Offline, if the last reading is too old or there was none.
    fn judge(&self, entry: &mut Entry, now: DateTime<Utc>) {
        let patience = (entry.handling.interval * MISSED_INTERVALS).max(PATIENCE);
        let age = match entry.heard_at {
            // A clock that was set back makes no reading old.
            Some(heard_at) => (now - heard_at).to_std().unwrap_or_default(),
            None => Duration::MAX,
        };
        if age < patience {
            return;
        }
        let reason = match &entry.trouble {
            Some(reason) => reason.clone(),
            None => format!("no reading for {} s", age.as_secs()),
        };
        if entry.known.availability == Availability::Online {
            tracing::warn!(device = %entry.known.device.id.masked(), "offline: {reason}");
        }
        self.take_offline(entry, reason);
    }

    fn take_offline(&self, entry: &mut Entry, reason: String) {
        let offline = Availability::Offline { reason };
        if entry.known.availability == offline {
            return;
        }
        let device = entry.known.device.id.clone();
        entry.known.availability = offline.clone();
        self.publish(Event::Availability(device, offline));
    }

    /// Everything known now as events, and then events as they come.
    pub fn follow(&self) -> Follower {
        // Events are published under this lock, so none is missed between the
        // two, and none comes twice.
        let devices = self.devices();
        Follower {
            live: self.inner.subscribers.subscribe(),
            known: known_events(&devices, &lock(&self.inner.restored)),
            hub: self.clone(),
        }
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

    /// How many events slow followers missed.
    pub fn missed(&self) -> u64 {
        self.inner.missed.load(Ordering::Relaxed)
    }

    fn drop_implausible(&self, reading: &mut Reading) {
        let device = reading.device.clone();
        reading.values.retain_map(|metric, value| {
            let kept = metric.plausible(&value);
            let lost = match &kept {
                Some(kept) => kept.unknown_parts().saturating_sub(value.unknown_parts()),
                None => 1,
            };
            if lost > 0 {
                let total = &self.inner.implausible;
                total.fetch_add(lost as u64, Ordering::Relaxed);
                tracing::debug!(device = %device.masked(), key = metric.key, %value, "implausible");
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

/// Devices of an earlier run that did not answer yet are offline: whatever
/// that run said of them last may have been "online".
fn known_events(
    devices: &BTreeMap<DeviceId, Entry>,
    restored: &BTreeMap<DeviceId, Reading>,
) -> VecDeque<Event> {
    let mut events: VecDeque<_> = restored
        .keys()
        .map(|id| Event::Availability(id.clone(), Availability::not_read()))
        .collect();
    for Entry { known, .. } in devices.values() {
        let id = known.device.id.clone();
        events.push_back(Event::Device(known.device.clone()));
        if let Some(reading) = &known.reading {
            events.push_back(Event::Reading(reading.clone()));
        }
        events.push_back(Event::Availability(id, known.availability.clone()));
    }
    events
}

/// A subscriber's view of the hub: it may be as slow as it likes, and misses
/// nothing but readings that newer ones replaced.
#[derive(Debug)]
pub struct Follower {
    known: VecDeque<Event>,
    live: broadcast::Receiver<Event>,
    hub: Hub,
}

impl Follower {
    /// The next event. Cancel safe. Never ends while the hub lives.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.known.pop_front() {
                return event;
            }
            match self.live.recv().await {
                Ok(event) => return event,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    let total = &self.hub.inner.missed;
                    total.fetch_add(missed, Ordering::Relaxed);
                    tracing::debug!(
                        missed,
                        "a sink is slow and starts from the last known state"
                    );
                    *self = self.hub.follow();
                }
                // Not while `hub` holds a sender.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        // The runtime would say "not yet" after a while of good answers, to
        // let others run; here that would read as the end.
        tokio::task::unconstrained(self.next()).now_or_never()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::DeviceKind;
    use crate::metric::battery;
    use crate::value::Value;

    fn handling() -> Handling {
        Handling {
            source: "jbd pack".to_owned(),
            interval: Duration::from_secs(30),
            keep: Keep::Changes,
        }
    }

    fn hub() -> Hub {
        Hub::new(None, Duration::from_secs(300), vec![])
    }

    fn id() -> DeviceId {
        DeviceId::new(&["pack"])
    }

    fn device() -> Device {
        Device::unknown(id(), DeviceKind::Battery)
    }

    fn reading(seconds: i64, soc: f64) -> Reading {
        let at = DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds);
        let mut reading = Reading::new(id(), DeviceKind::Battery, at);
        reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
        reading
    }

    fn soc(event: &Event) -> Option<f64> {
        match event {
            Event::Reading(reading) => reading.values.number(&battery::SOC_PERCENT),
            Event::Device(_) | Event::Availability(..) => None,
        }
    }

    #[tokio::test]
    async fn a_follower_starts_with_what_is_known() {
        let hub = hub();
        hub.announce(device(), handling());
        hub.read(reading(0, 80.0));
        let mut follower = hub.follow();
        hub.read(reading(30, 79.0));
        assert!(matches!(follower.next().await, Event::Device(_)));
        assert_eq!(soc(&follower.next().await), Some(80.0));
        let Event::Availability(_, availability) = follower.next().await else {
            panic!("availability comes third");
        };
        assert_eq!(availability, Availability::Online);
        assert_eq!(soc(&follower.next().await), Some(79.0));
    }

    #[tokio::test]
    async fn a_slow_follower_ends_up_with_the_last_state() {
        let hub = hub();
        hub.announce(device(), handling());
        let mut follower = hub.follow();
        let count = SUBSCRIBER_CAPACITY as i64 * 2;
        for number in 0..count {
            hub.read(reading(number, (number % 100) as f64));
        }
        hub.read(reading(count, 42.0));
        while soc(&follower.next().await) != Some(42.0) {}
        assert!(hub.missed() > 0);
    }

    fn offline(reason: &str) -> Availability {
        Availability::Offline {
            reason: reason.to_owned(),
        }
    }

    #[tokio::test]
    async fn a_device_is_offline_after_three_missed_intervals() {
        let hub = hub();
        hub.announce(device(), handling());
        let start = reading(0, 80.0);
        let after = |seconds| start.fetched_at + chrono::TimeDelta::seconds(seconds);
        let availability = || hub.snapshot().remove(0).availability;
        hub.read(start.clone());
        hub.fail("jbd pack", "no answer", after(60));
        hub.fail("jbd other", "no password", after(600));
        assert_eq!(availability(), Availability::Online);
        hub.leave("jbd other", "paused until later");
        assert_eq!(availability(), Availability::Online);
        hub.leave("jbd pack", "paused until later");
        assert_eq!(availability(), offline("paused until later"));
        hub.fail("jbd pack", "no answer", after(90));
        assert_eq!(availability(), offline("no answer"));
        hub.read(reading(120, 79.0));
        assert_eq!(availability(), Availability::Online);
    }

    /// A source may hang, or wait for its user.
    #[tokio::test]
    async fn silence_is_noticed_without_its_source() {
        let hub = hub();
        hub.announce(device(), handling());
        let start = reading(0, 80.0);
        let after = |seconds| start.fetched_at + chrono::TimeDelta::seconds(seconds);
        hub.read(start.clone());
        hub.judge_all(after(89));
        let availability = || hub.snapshot().remove(0).availability;
        assert_eq!(availability(), Availability::Online);
        hub.judge_all(after(95));
        assert_eq!(availability(), offline("no reading for 95 s"));
    }

    #[tokio::test]
    async fn an_estimate_keeps_no_silent_device_online() {
        let hub = hub();
        hub.announce(device(), handling());
        let known = || hub.snapshot().remove(0);
        hub.estimate(reading(0, 80.0));
        assert_eq!(known().availability, Availability::not_read());
        let start = reading(30, 80.0);
        hub.read(start.clone());
        hub.estimate(reading(120, 81.0));
        let after = |seconds| start.fetched_at + chrono::TimeDelta::seconds(seconds);
        hub.judge_all(after(95));
        assert_eq!(known().availability, offline("no reading for 95 s"));
        hub.estimate(reading(130, 82.0));
        assert_eq!(known().availability, offline("no reading for 95 s"));
        let soc = known()
            .reading
            .unwrap()
            .values
            .number(&battery::SOC_PERCENT);
        assert_eq!(soc, Some(82.0));
    }

    #[tokio::test]
    async fn implausible_values_are_dropped_and_counted() {
        let hub = hub();
        hub.announce(device(), handling());
        let mut strange = reading(0, 180.0);
        let probes: Value = [Some(20.0), Some(-273.1), None].into_iter().collect();
        strange.values.set(&battery::TEMPERATURES_C, probes);
        hub.read(strange);
        let known = hub.snapshot().remove(0).reading.unwrap();
        assert_eq!(known.values.get(&battery::SOC_PERCENT), None);
        let expected: Value = [Some(20.0), None, None].into_iter().collect();
        assert_eq!(known.values.get(&battery::TEMPERATURES_C), Some(&expected));
        assert_eq!(hub.implausible(), 2);
    }

    #[tokio::test]
    async fn a_device_of_an_earlier_run_is_offline_until_it_answers() {
        let hub = Hub::new(None, Duration::from_secs(300), vec![reading(0, 80.0)]);
        let Event::Availability(device, availability) = hub.follow().next().await else {
            panic!("availability comes first");
        };
        assert_eq!((device, availability), (id(), Availability::not_read()));
        hub.announce(self::device(), handling());
        hub.read(reading(60, 80.0));
        let mut follower = hub.follow();
        assert!(matches!(follower.next().await, Event::Device(_)));
    }

    #[tokio::test]
    async fn totals_go_on_from_an_earlier_run() {
        let mut last = reading(0, 80.0);
        last.values.set(&battery::ENERGY_OUT_KWH, Value::from(12.5));
        let hub = Hub::new(None, Duration::from_secs(300), vec![last]);
        hub.announce(device(), handling());
        hub.read(reading(60, 80.0));
        let known = hub.snapshot().remove(0).reading.unwrap();
        assert_eq!(known.values.number(&battery::ENERGY_OUT_KWH), Some(12.5));
    }
}
