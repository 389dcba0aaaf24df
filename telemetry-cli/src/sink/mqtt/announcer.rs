//! When discovery documents are sent.
//!
//! Home Assistant loses entities when two different documents of a new device
//! arrive within a couple of seconds, and heals when the last one is repeated.
//! So: at most one document per device and 5 seconds, and each first one once
//! more after 30 seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::event::{Device, DeviceId, DeviceKind, Reading};
use crate::sink::home_assistant::{Document, Names, Seen, device_document, gateway_document};

/// Between two documents of one device.
const PAUSE: Duration = Duration::from_secs(5);

/// Until the first document is repeated.
const REPEAT: Duration = Duration::from_secs(30);

/// Collects what devices report and says when to announce it.
#[derive(Debug)]
pub(super) struct Announcer {
    names: Names,
    devices: BTreeMap<DeviceId, Entry>,
    /// Those with something to do, now or later.
    waiting: BTreeSet<DeviceId>,
}

#[derive(Debug, Default)]
struct Entry {
    device: Option<Arc<Device>>,
    seen: Seen,
    changed: bool,
    topic: String,
    sent: String,
    last: Option<Instant>,
    repeat: Repeat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Repeat {
    #[default]
    NotYet,
    At(Instant),
    Done,
}

/// What to do with a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    /// Publish this.
    Publish { topic: String, payload: String },
    /// Publish the last one once more.
    Repeat { topic: String },
}

impl Announcer {
    /// Knows the gateway, and no device yet.
    pub(super) fn new(names: Names) -> Self {
        let gateway = Entry {
            changed: true,
            ..Entry::default()
        };
        Self {
            waiting: [names.gateway.clone()].into(),
            devices: [(names.gateway.clone(), gateway)].into(),
            names,
        }
    }

    /// A device appeared, or its description changed.
    pub(super) fn describe(&mut self, device: Arc<Device>) {
        let id = self.slot(&device.id, device.kind);
        let entry = self.devices.entry(id.clone()).or_default();
        entry.device = Some(device);
        entry.changed = true;
        self.waiting.insert(id);
    }

    /// A device reported values.
    pub(super) fn reading(&mut self, reading: &Reading) {
        let id = self.slot(&reading.device, reading.kind);
        let entry = self.devices.entry(id.clone()).or_default();
        if entry.seen.record(&reading.values) {
            entry.changed = true;
            self.waiting.insert(id);
        }
    }

    /// All documents were just sent to the broker.
    pub(super) fn sent_all(&mut self, now: Instant) {
        for (id, entry) in &mut self.devices {
            if entry.sent.is_empty() {
                continue;
            }
            entry.last = Some(now);
            if entry.repeat != Repeat::Done {
                entry.repeat = Repeat::At(now + REPEAT);
                self.waiting.insert(id.clone());
            }
        }
    }

    /// What is to be announced at `now`.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Announcement> {
        let mut due = Vec::new();
        let names = &self.names;
        let devices = &mut self.devices;
        self.waiting.retain(|id| {
            let Some(entry) = devices.get_mut(id) else {
                return false;
            };
            if entry.next().is_some_and(|next| next <= now) || entry.last.is_none() {
                due.extend(entry.announce(names, id, now));
            }
            entry.next().is_some()
        });
        due
    }

    /// When [`Announcer::due`] has something to say next.
    pub(super) fn next(&self) -> Option<Instant> {
        let waiting = self.waiting.iter();
        waiting
            .filter_map(|id| self.devices.get(id))
            .filter_map(Entry::next)
            .min()
    }

    /// True until [`Announcer::due`] was asked about the latest changes.
    pub(super) fn is_new(&self) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|id| {
            let entry = self.devices.get(id);
            entry.is_some_and(|entry| entry.changed && entry.last.is_none())
        })
    }

    /// The gateway is one device, whatever it calls itself.
    fn slot(&self, device: &DeviceId, kind: DeviceKind) -> DeviceId {
        match kind {
            DeviceKind::Gateway => self.names.gateway.clone(),
            DeviceKind::Battery | DeviceKind::PowerStation | DeviceKind::Vehicle => device.clone(),
        }
    }
}

impl Entry {
    fn next(&self) -> Option<Instant> {
        let change = self.last.filter(|_| self.changed).map(|last| last + PAUSE);
        let repeat = match self.repeat {
            Repeat::At(time) => Some(time),
            Repeat::NotYet | Repeat::Done => None,
        };
        change.into_iter().chain(repeat).min()
    }

    fn announce(&mut self, names: &Names, id: &DeviceId, now: Instant) -> Option<Announcement> {
        let may_change = self.last.is_none_or(|last| now >= last + PAUSE);
        if self.changed && may_change {
            self.changed = false;
            let document = self.document(names, id)?;
            let payload = document.payload();
            if payload != self.sent {
                self.topic = document.topic;
                self.sent.clone_from(&payload);
                self.last = Some(now);
                if self.repeat == Repeat::NotYet {
                    self.repeat = Repeat::At(now + REPEAT);
                }
                return Some(Announcement::Publish {
                    topic: self.topic.clone(),
                    payload,
                });
            }
        }
        match self.repeat {
            Repeat::At(time) if time <= now => {
                self.repeat = Repeat::Done;
                Some(Announcement::Repeat {
                    topic: self.topic.clone(),
                })
            }
            _ => None,
        }
    }

    fn document(&self, names: &Names, id: &DeviceId) -> Option<Document> {
        if *id == names.gateway {
            let known = self.device.as_ref();
            return Some(gateway_document(
                names,
                known.map(|device| (&**device, &self.seen)),
            ));
        }
        device_document(names, self.device.as_ref()?, &self.seen)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::metric::battery;
    use crate::sink::mqtt::topics::Topics;
    use crate::value::Value;

    fn announcer(now: Instant) -> Announcer {
        let mut announcer = Announcer::new(Names {
            prefix: "ha".into(),
            topics: Topics::new("t").unwrap(),
            gateway: DeviceId::new(&["home"]),
            gateway_name: "Home".into(),
        });
        assert!(announcer.is_new());
        let [Announcement::Publish { topic, .. }] = &announcer.due(now)[..] else {
            panic!("the gateway is announced without being asked");
        };
        assert_eq!(topic, "ha/device/home/config");
        announcer
    }

    fn pack() -> Arc<Device> {
        Arc::new(Device {
            name: "Pack".into(),
            vendor: "JBD".into(),
            ..Device::unknown(DeviceId::new(&["pack"]), DeviceKind::Battery)
        })
    }

    fn reading(cells: usize) -> Reading {
        let mut reading = Reading::new(pack().id.clone(), DeviceKind::Battery, Utc::now());
        let cells: Value = (0..cells).map(|_| Some(3.3)).collect();
        reading.values.set(&battery::CELL_VOLTAGES_V, cells);
        reading
    }

    fn components(due: &[Announcement]) -> usize {
        match due {
            [Announcement::Publish { payload, .. }] => payload.matches("Cell").count(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn changes_in_a_row_become_one_document() {
        let start = Instant::now();
        let mut announcer = announcer(start);
        announcer.describe(pack());
        assert_eq!(announcer.due(start), [], "nothing reported yet");
        announcer.reading(&reading(1));
        assert_eq!(components(&announcer.due(start)), 1);
        announcer.reading(&reading(2));
        announcer.reading(&reading(4));
        assert_eq!(announcer.due(start), []);
        assert_eq!(announcer.next(), Some(start + PAUSE));
        assert_eq!(components(&announcer.due(start + PAUSE)), 4);
        announcer.reading(&reading(3));
        assert_eq!(announcer.due(start + 2 * PAUSE), [], "sets only grow");
    }

    #[test]
    fn the_first_document_is_repeated_once() {
        let start = Instant::now();
        let mut announcer = announcer(start);
        announcer.describe(pack());
        announcer.reading(&reading(4));
        announcer.due(start);
        let topics: Vec<_> = announcer
            .due(start + REPEAT)
            .into_iter()
            .map(|announcement| match announcement {
                Announcement::Repeat { topic } => topic,
                Announcement::Publish { .. } => panic!("nothing changed"),
            })
            .collect();
        assert_eq!(topics, ["ha/device/home/config", "ha/device/pack/config"]);
        assert_eq!(announcer.next(), None);
        announcer.sent_all(start + 2 * REPEAT);
        assert_eq!(announcer.next(), None);
    }

    #[test]
    fn a_reconnect_counts_as_a_document() {
        let start = Instant::now();
        let mut announcer = announcer(start);
        announcer.describe(pack());
        announcer.reading(&reading(1));
        announcer.due(start);
        announcer.sent_all(start + 10 * PAUSE);
        announcer.reading(&reading(2));
        assert_eq!(announcer.due(start + 10 * PAUSE), []);
        assert_eq!(components(&announcer.due(start + 11 * PAUSE)), 2);
    }
}
