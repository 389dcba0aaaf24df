//! From events to the topics that the broker is meant to hold. Knows no
//! network and no clock: time comes in.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::announcer::{Announcement, Announcer};
use super::retained::{Class, Message, Retained};
use super::topics::{OFFLINE, ONLINE, Topics};
use super::unified;
use crate::event::{Availability, DeviceId, Event, Reading};
use crate::native::Native;
use crate::sink::home_assistant::Names;

/// How often old values are looked for.
const TICK: Duration = Duration::from_secs(60);

/// Within this time after Home Assistant has started, it is told everything:
/// not at once, because every gateway in the house does the same.
const BIRTH_SPREAD: Duration = Duration::from_secs(5);

/// From its documents to the states: it subscribes to them in between.
const BIRTH_STATES: Duration = Duration::from_secs(1);

/// What is published, for whom.
#[derive(Debug)]
pub(super) struct Publisher {
    topics: Topics,
    per_metric: bool,
    retained: Retained,
    announcer: Option<Announcer>,
    /// Topics of parts that have a value.
    parts: HashMap<DeviceId, BTreeSet<String>>,
    devices: BTreeSet<DeviceId>,
    birth: Option<Birth>,
    next_tick: Instant,
}

/// Home Assistant has started and is waiting.
#[derive(Clone, Copy, Debug)]
enum Birth {
    Documents(Instant),
    States(Instant),
}

impl Publisher {
    /// Publishes below `topics`; with `names` also for Home Assistant.
    pub(super) fn new(
        topics: Topics,
        per_metric: bool,
        names: Option<Names>,
        now: Instant,
    ) -> Self {
        let mut retained = Retained::default();
        retained.set(Class::Status, topics.status(), ONLINE.to_owned());
        Self {
            topics,
            per_metric,
            retained,
            announcer: names.map(Announcer::new),
            parts: HashMap::new(),
            devices: BTreeSet::new(),
            birth: None,
            next_tick: now + TICK,
        }
    }

    /// Takes one event.
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Device(device) => {
                self.devices.insert(device.id.clone());
                if let Some(announcer) = &mut self.announcer {
                    announcer.describe(device);
                }
            }
            Event::Reading(reading) => {
                if let Some(announcer) = &mut self.announcer {
                    announcer.reading(&reading);
                }
                self.reading(&reading);
            }
            Event::Availability(device, availability) => {
                let payload = match availability {
                    Availability::Online => ONLINE,
                    Availability::Offline { .. } => OFFLINE,
                };
                let topic = self.topics.availability(&device);
                self.retained
                    .set(Class::Availability, topic, payload.to_owned());
            }
        }
    }

    fn reading(&mut self, reading: &Reading) {
        let topic = self.topics.state(&reading.device);
        self.retained
            .set(Class::Value, topic, unified::state(reading));
        let raw = reading.native.as_ref().and_then(Native::raw);
        for (key, payload) in raw.into_iter().flatten() {
            if let Some(topic) = self.topics.raw(&reading.device, key) {
                self.retained.set(Class::Value, topic, payload.clone());
            }
        }
        if !self.per_metric {
            return;
        }
        let mut parts = BTreeSet::new();
        for plain in unified::plain(&self.topics, reading) {
            if plain.part {
                parts.insert(plain.topic.clone());
            }
            self.retained.set(Class::Value, plain.topic, plain.payload);
        }
        let gone = self.parts.insert(reading.device.clone(), parts.clone());
        for topic in gone.unwrap_or_default().difference(&parts) {
            self.retained
                .set(Class::Value, topic.clone(), String::new());
        }
    }

    /// The broker took us as a new client: it gets everything.
    pub(super) fn connected(&mut self, now: Instant) {
        self.announce(now);
        if let Some(announcer) = &mut self.announcer {
            announcer.sent_all(now);
        }
        self.birth = None;
        self.retained.start_over();
    }

    /// Sends the state of `device` again, unchanged.
    pub(super) fn repeat(&mut self, device: &str) {
        if let Some(device) = self.devices.get(device) {
            let topic = self.topics.state(device);
            self.retained.send(&topic);
        }
    }

    /// Home Assistant has started; `spread` from 0 to 1 says how long to wait.
    pub(super) fn birth(&mut self, now: Instant, spread: f64) {
        if self.announcer.is_some() && self.birth.is_none() {
            self.birth = Some(Birth::Documents(now + BIRTH_SPREAD.mul_f64(spread)));
        }
    }

    /// Does what is due at `now`.
    pub(super) fn tick(&mut self, now: Instant) {
        self.announce(now);
        match self.birth {
            Some(Birth::Documents(time)) if time <= now => {
                self.retained.send_all(&[Class::Document]);
                if let Some(announcer) = &mut self.announcer {
                    announcer.sent_all(now);
                }
                self.birth = Some(Birth::States(now + BIRTH_STATES));
            }
            Some(Birth::States(time)) if time <= now => {
                self.retained
                    .send_all(&[Class::Value, Class::Availability, Class::Status]);
                self.birth = None;
            }
            _ => {}
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            self.retained.refresh(now);
        }
    }

    /// When [`Publisher::tick`] is due next.
    pub(super) fn next_tick(&self) -> Instant {
        let birth = self.birth.map(|birth| match birth {
            Birth::Documents(time) | Birth::States(time) => time,
        });
        let announcer = self.announcer.as_ref().and_then(Announcer::next);
        birth
            .into_iter()
            .chain(announcer)
            .fold(self.next_tick, Instant::min)
    }

    fn announce(&mut self, now: Instant) {
        let Some(announcer) = &mut self.announcer else {
            return;
        };
        for announcement in announcer.due(now) {
            match announcement {
                Announcement::Publish { topic, payload } => {
                    self.retained.set(Class::Document, topic, payload);
                }
                Announcement::Repeat { topic } => self.retained.send(&topic),
            }
        }
    }

    /// The next message to send.
    pub(super) fn next(&mut self, now: Instant) -> Option<Message> {
        if self.announcer.as_ref().is_some_and(Announcer::is_new) {
            self.announce(now);
        }
        self.retained.next(now)
    }

    /// How many topics wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.retained.waiting()
    }

    /// The end: nothing can be said about any device from now on.
    pub(super) fn goodbye(&mut self) {
        for device in std::mem::take(&mut self.devices) {
            let topic = self.topics.availability(&device);
            self.retained
                .set(Class::Availability, topic, OFFLINE.to_owned());
        }
        let status = self.topics.status();
        self.retained.set(Class::Status, status, OFFLINE.to_owned());
    }
}
