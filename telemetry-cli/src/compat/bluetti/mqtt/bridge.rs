//! From events to the original's topics, and from its commands to ours.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bluetti_modbus::model::Model;
use bluetti_modbus::register::Value;
use chrono::{DateTime, Utc};
use serde_json::json;
use tokio::time::Instant;

use super::discovery::{Announcement, PREFIX, announcement};
use super::entity::{ENTITIES, Entity, Kind};
use super::{COMMANDS, availability_topic, command_topic, state_topic, status_topic};
use crate::compat::bluetti::tables::shortest;
use crate::config::BluettiTopics;
use crate::event::{Availability, DeviceId, Event, Reading};
use crate::native::{BluettiStation, Native};
use crate::registers::Record;
use crate::sink::mqtt::fleeting::Message;
use crate::sink::mqtt::foreign::{Act, Bridge, Order};
use crate::sink::mqtt::topics::{OFFLINE, ONLINE};

/// How long the broker has to tell what the original left behind.
const LISTEN: Duration = Duration::from_secs(3);

/// A new device is announced once more: Home Assistant may have been busy.
const REPEAT: Duration = Duration::from_secs(30);

/// Home Assistant is not told everything the moment it starts.
const BIRTH: Duration = Duration::from_secs(3);

/// The topics of all stations.
pub(super) struct Stations {
    topics: BluettiTopics,
    stations: BTreeMap<DeviceId, Known>,
    acts: VecDeque<Act>,
    birth: Option<Instant>,
}

/// A station that has told who it is.
struct Known {
    record: Record,
    online: bool,
    announcement: Option<Announcement>,
    stage: Stage,
    /// Topics of the original on which the broker has kept something.
    left_behind: BTreeSet<String>,
    packs_read_at: Option<DateTime<Utc>>,
    /// What was published last, by topic.
    last: BTreeMap<String, String>,
}

/// How far the announcement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The broker is asked what the original left behind.
    Listening(Instant),
    /// Announced, once more then.
    Announced(Instant),
    /// Done.
    Done,
}

impl Stations {
    pub(super) fn new(topics: BluettiTopics) -> Self {
        Self {
            topics,
            stations: BTreeMap::new(),
            acts: VecDeque::new(),
            birth: None,
        }
    }

    fn reading(&mut self, reading: &Reading, now: Instant) {
        let Some(Native::Bluetti(told)) = &reading.native else {
            return;
        };
        let Some(record) = Record::new(told) else {
            return;
        };
        let new = !self.stations.contains_key(&reading.device);
        if new {
            let version = told
                .station()
                .arm_version()
                .map(|version| format!("ARM {version}"));
            let announcement = announcement(&record, version.as_deref(), &self.topics);
            let known = Known {
                record: record.clone(),
                online: true,
                announcement,
                stage: Stage::Done,
                left_behind: BTreeSet::new(),
                packs_read_at: None,
                last: BTreeMap::new(),
            };
            self.stations.insert(reading.device.clone(), known);
        }
        let Some(known) = self.stations.get_mut(&reading.device) else {
            return;
        };
        if new {
            known.announce(&mut self.acts, now);
        }
        if new || !known.online {
            known.online = true;
            known.publish_availability(&mut self.acts);
        }
        let packs = known.packs_read_at != told.packs_read_at;
        known.packs_read_at = told.packs_read_at;
        known.record = record;
        for (topic, payload) in states(&known.record, told, packs) {
            known.last.insert(topic.clone(), payload.clone());
            self.acts
                .push_back(Act::Publish(Message::passing(topic, payload)));
        }
    }
}

impl Bridge for Stations {
    fn status(&self) -> String {
        status_topic(&self.topics.process)
    }

    fn connected(&mut self, now: Instant) {
        let mut topics = vec![format!("{PREFIX}/status")];
        if !self.topics.read_only {
            topics.push(format!("{COMMANDS}/#"));
        }
        self.acts.push_back(Act::Subscribe(topics));
        for known in self.stations.values_mut() {
            known.announce(&mut self.acts, now);
            known.publish_states(&mut self.acts);
            known.publish_availability(&mut self.acts);
        }
        let online = Message::kept(self.status(), ONLINE.to_owned());
        self.acts.push_back(Act::Publish(online));
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Reading(reading) => self.reading(&reading, now),
            Event::Availability(device, availability) => {
                let online = availability == Availability::Online;
                if let Some(known) = self.stations.get_mut(&device)
                    && known.online != online
                {
                    known.online = online;
                    known.publish_availability(&mut self.acts);
                }
            }
            Event::Device(_) => {}
        }
    }

    fn message(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
        now: Instant,
    ) -> Option<Order> {
        if topic == format!("{PREFIX}/status") {
            if payload == ONLINE.as_bytes() && !retained {
                self.birth = Some(now + BIRTH);
            }
            return None;
        }
        if let Some(known) = self
            .stations
            .values_mut()
            .find(|known| known.has_old(topic))
        {
            known.heard_old(topic, payload);
            return None;
        }
        if retained {
            tracing::warn!(topic, "ignored: a retained command is an old one");
            return None;
        }
        let order = self.order(topic, payload);
        if order.is_none() {
            tracing::warn!(topic, "ignored: no such station, or it cannot be told this");
        }
        order.flatten()
    }

    fn tick(&mut self, now: Instant) {
        for known in self.stations.values_mut() {
            known.tick(&mut self.acts, now);
        }
        if self.birth.take_if(|at| *at <= now).is_some() {
            for known in self.stations.values() {
                known.publish_document(&mut self.acts);
                known.publish_states(&mut self.acts);
                known.publish_availability(&mut self.acts);
            }
        }
    }

    fn next_tick(&self) -> Option<Instant> {
        let stages = self
            .stations
            .values()
            .filter_map(|known| match known.stage {
                Stage::Listening(at) | Stage::Announced(at) => Some(at),
                Stage::Done => None,
            });
        stages.chain(self.birth).min()
    }

    fn next(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    fn farewell(&mut self) {
        for known in self.stations.values_mut() {
            // Whether the next process finds it nobody knows.
            known.online = false;
            known.publish_availability(&mut self.acts);
        }
    }

    fn clear(&mut self) {
        self.acts.clear();
    }
}

impl Stations {
    /// What a command means; `None` if there is nobody to tell, `Some(None)` if
    /// nothing is to be done.
    fn order(&self, topic: &str, payload: &[u8]) -> Option<Option<Order>> {
        for (device, known) in &self.stations {
            let mut entities = ENTITIES.iter();
            let entity = entities.find(|entity| topic == command_topic(&known.record, entity.id));
            let Some(entity) = entity else { continue };
            let control = entity.control.filter(|_| !self.topics.read_only)?;
            known.record.model.field(entity.field)?;
            let payload = std::str::from_utf8(payload).ok()?;
            let on = payload == "ON";
            let value = match kind_of_command(entity) {
                // Anything else is off, as in the original.
                Kind::Switch(_) => if on { "on" } else { "off" }.to_owned(),
                Kind::Button if on => "press".to_owned(),
                Kind::Button => return Some(None),
                _ => payload.to_owned(),
            };
            return Some(Some(Order {
                device: device.to_string(),
                control,
                value,
            }));
        }
        None
    }
}

/// What is told is not always what is shown.
fn kind_of_command(entity: &Entity) -> Kind {
    match entity.kind {
        Kind::State => Kind::Switch(None),
        other => other,
    }
}

impl Known {
    /// Asks what the original left behind, before anything is announced: Home
    /// Assistant has to be told of the change first, or it loses what its user
    /// has renamed.
    fn announce(&mut self, acts: &mut VecDeque<Act>, now: Instant) {
        if let Some(announcement) = &self.announcement {
            self.left_behind.clear();
            acts.push_back(Act::Subscribe(announcement.old_topics.clone()));
            self.stage = Stage::Listening(now + LISTEN);
        }
    }

    fn tick(&mut self, acts: &mut VecDeque<Act>, now: Instant) {
        match self.stage {
            Stage::Listening(at) if at <= now => {
                let message = |topic: &String, payload: &str, retain| {
                    let mut message = Message::kept(topic.clone(), payload.to_owned());
                    message.retain = retain;
                    Act::Publish(message)
                };
                for topic in &self.left_behind {
                    acts.push_back(message(topic, r#"{"migrate_discovery": true}"#, false));
                }
                self.publish_document(acts);
                for topic in &self.left_behind {
                    acts.push_back(message(topic, "", true));
                }
                // Home Assistant subscribes to the states only now.
                self.publish_states(acts);
                self.stage = Stage::Announced(now + REPEAT);
            }
            Stage::Announced(at) if at <= now => {
                self.publish_document(acts);
                self.publish_states(acts);
                self.stage = Stage::Done;
            }
            _ => {}
        }
    }

    fn has_old(&self, topic: &str) -> bool {
        let announcement = self.announcement.as_ref();
        announcement.is_some_and(|of| of.old_topics.iter().any(|old| old == topic))
    }

    fn heard_old(&mut self, topic: &str, payload: &[u8]) {
        let ours = payload.is_empty() || payload.starts_with(b"{\"migrate_discovery\"");
        if ours {
            return;
        }
        match self.stage {
            Stage::Listening(_) => {
                self.left_behind.insert(topic.to_owned());
            }
            _ => tracing::warn!(
                topic,
                "somebody else announces this station: is the original still running?"
            ),
        }
    }

    fn publish_document(&self, acts: &mut VecDeque<Act>) {
        if let Some(Announcement { topic, payload, .. }) = &self.announcement {
            let document = Message::kept(topic.clone(), payload.clone());
            acts.push_back(Act::Publish(document));
        }
    }

    fn publish_states(&self, acts: &mut VecDeque<Act>) {
        for (topic, payload) in &self.last {
            let state = Message::passing(topic.clone(), payload.clone());
            acts.push_back(Act::Publish(state));
        }
    }

    fn publish_availability(&self, acts: &mut VecDeque<Act>) {
        let payload = if self.online { ONLINE } else { OFFLINE };
        let availability = Message::kept(availability_topic(&self.record), payload.to_owned());
        acts.push_back(Act::Publish(availability));
    }
}

/// What is published of a reading.
fn states(record: &Record, told: &BluettiStation, packs: bool) -> Vec<(String, String)> {
    let mut states = Vec::new();
    for entity in &ENTITIES {
        if let Some(value) = value(record.model, entity.field, &record.registers) {
            states.push((state_topic(record, entity.id), text(&value)));
        }
    }
    for (number, pack) in told.packs.iter().filter(|_| packs) {
        let value = |name| value(record.model, name, pack);
        let mut details = Vec::new();
        let mut add = |key: &str, json: Option<serde_json::Value>| {
            if let Some(json) = json {
                details.push(format!("\"{key}\":{json}"));
            }
        };
        add(
            "status",
            value("pack_status").map(|status| json!(text(&status))),
        );
        let percent = value("pack_battery_percent");
        add("percent", percent.map(|percent| json!(percent)));
        let volts = value("pack_voltage").and_then(|volts| volts.to_f64());
        add("voltage", volts.map(|volts| json!(volts)));
        add("voltages", value("cell_voltages").map(|cells| json!(cells)));
        let topic = state_topic(record, &format!("pack_details{number}"));
        states.push((topic, format!("{{{}}}", details.join(","))));
    }
    states
}

/// The value of a field, or of the one that stands in for it.
fn value(
    model: Model,
    name: &str,
    registers: &bluetti_modbus::register::Registers,
) -> Option<Value> {
    let called = || model.fields().filter(|field| field.is_called(name));
    let own = called().filter(|field| !field.is_fallback());
    let others = called().filter(|field| field.is_fallback());
    own.chain(others).find_map(|field| field.decode(registers))
}

/// As the original writes it.
fn text(value: &Value) -> String {
    match value {
        Value::Switch(true) => "ON".to_owned(),
        Value::Switch(false) => "OFF".to_owned(),
        Value::Number(number) => shortest(*number),
        other => other.to_string(),
    }
}
