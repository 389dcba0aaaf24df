//! What the broker is meant to hold: the truth of this sink. The connection
//! only has to catch up with it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::MAX_MESSAGE;

/// Unchanged values are sent again after this time at the latest: evcc takes
/// a value that is an hour old for lost.
const REFRESH: Duration = Duration::from_secs(25 * 60);

/// What a topic is for, in the order in which a new connection gets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A discovery document: it has to be there before the states it names.
    Document,
    /// Values of a device.
    Value,
    /// Whether a device can be reached: after its values.
    Availability,
    /// Whether the gateway is there: the last word.
    Status,
}

/// A message to be sent, retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: Arc<str>,
    pub(super) payload: String,
}

/// Latest payload per topic, and which of them have to be sent, in the order
/// of their changes. A topic that changes again while it waits is sent once.
#[derive(Debug, Default)]
pub(super) struct Retained {
    topics: HashMap<Arc<str>, Entry>,
    queue: VecDeque<Arc<str>>,
    too_large: HashSet<Arc<str>>,
}

#[derive(Debug)]
struct Entry {
    class: Class,
    payload: String,
    queued: bool,
    sent: Option<Instant>,
}

impl Retained {
    /// Sets the payload of a topic. It is sent if it is new or has changed;
    /// an empty one makes the broker forget the topic.
    pub(super) fn set(&mut self, class: Class, topic: String, payload: String) {
        if let Some(entry) = self.topics.get(topic.as_str())
            && entry.payload == payload
        {
            return;
        }
        let topic: Arc<str> = topic.into();
        if topic.len() + payload.len() > MAX_MESSAGE {
            if self.too_large.insert(topic.clone()) {
                let bytes = payload.len();
                tracing::warn!(%topic, bytes, "not published: over the limit of 1 MiB");
            }
            return;
        }
        self.topics
            .entry(topic.clone())
            .and_modify(|entry| entry.payload.clone_from(&payload))
            .or_insert(Entry {
                class,
                payload,
                queued: false,
                sent: None,
            });
        self.send(&topic);
    }

    /// Sends a topic again as it is.
    pub(super) fn send(&mut self, topic: &str) {
        if let Some((topic, entry)) = self.topics.get_key_value(topic)
            && !entry.queued
        {
            let topic = topic.clone();
            self.queue.push_back(topic.clone());
            if let Some(entry) = self.topics.get_mut(&topic) {
                entry.queued = true;
            }
        }
    }

    /// Sends every topic of `classes` again, by class.
    pub(super) fn send_all(&mut self, classes: &[Class]) {
        let mut topics: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, entry)| classes.contains(&entry.class))
            .map(|(topic, entry)| (entry.class, topic.clone()))
            .collect();
        topics.sort();
        for (_, topic) in topics {
            self.send(&topic);
        }
    }

    /// A new connection, to a broker that may have lost everything: all
    /// topics are sent, by class.
    pub(super) fn start_over(&mut self) {
        self.queue.clear();
        for entry in self.topics.values_mut() {
            entry.queued = false;
        }
        self.send_all(&[
            Class::Document,
            Class::Value,
            Class::Availability,
            Class::Status,
        ]);
    }

    /// Sends again what was last sent long ago.
    pub(super) fn refresh(&mut self, now: Instant) {
        let old: Vec<_> = self
            .topics
            .iter()
            .filter(|(_, entry)| matches!(entry.class, Class::Value | Class::Availability))
            .filter(|(_, entry)| !entry.payload.is_empty())
            .filter(|(_, entry)| entry.sent.is_some_and(|sent| now >= sent + REFRESH))
            .map(|(topic, _)| topic.clone())
            .collect();
        for topic in old {
            self.send(&topic);
        }
    }

    /// Leaves the topics that begin like this as they are.
    pub(super) fn release(&mut self, beginning: &str) {
        self.topics.retain(|topic, _| !topic.starts_with(beginning));
        self.queue.retain(|topic| !topic.starts_with(beginning));
    }

    /// The next message to send.
    pub(super) fn next(&mut self, now: Instant) -> Option<Message> {
        let topic = self.queue.pop_front()?;
        let entry = self.topics.get_mut(&topic)?;
        entry.queued = false;
        entry.sent = Some(now);
        Some(Message {
            payload: entry.payload.clone(),
            topic,
        })
    }

    /// How many topics wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(retained: &mut Retained, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| retained.next(now))
            .map(|message| format!("{}={}", message.topic, message.payload))
            .collect()
    }

    fn set(retained: &mut Retained, class: Class, topic: &str, payload: &str) {
        retained.set(class, topic.to_owned(), payload.to_owned());
    }

    #[test]
    fn only_changes_are_sent_and_each_topic_once() {
        let now = Instant::now();
        let mut retained = Retained::default();
        set(&mut retained, Class::Value, "a", "1");
        set(&mut retained, Class::Value, "b", "1");
        set(&mut retained, Class::Value, "a", "2");
        assert_eq!(sent(&mut retained, now), ["a=2", "b=1"]);
        set(&mut retained, Class::Value, "a", "2");
        assert_eq!(retained.waiting(), 0);
        set(&mut retained, Class::Value, "a", "");
        assert_eq!(sent(&mut retained, now), ["a="]);
    }

    #[test]
    fn a_new_connection_gets_everything_status_last() {
        let now = Instant::now();
        let mut retained = Retained::default();
        set(&mut retained, Class::Status, "a/status", "online");
        set(
            &mut retained,
            Class::Availability,
            "a/d/availability",
            "online",
        );
        set(&mut retained, Class::Value, "a/d/state", "{}");
        sent(&mut retained, now);
        set(&mut retained, Class::Document, "z/config", "{}");
        retained.start_over();
        assert_eq!(
            sent(&mut retained, now),
            [
                "z/config={}",
                "a/d/state={}",
                "a/d/availability=online",
                "a/status=online"
            ]
        );
    }

    #[test]
    fn unchanged_values_are_sent_within_half_an_hour() {
        let start = Instant::now();
        let mut retained = Retained::default();
        set(&mut retained, Class::Document, "config", "{}");
        set(&mut retained, Class::Value, "value", "1");
        set(&mut retained, Class::Value, "cleared", "");
        sent(&mut retained, start);
        retained.refresh(start + REFRESH / 2);
        assert_eq!(retained.waiting(), 0);
        retained.refresh(start + Duration::from_secs(29 * 60));
        assert_eq!(sent(&mut retained, start), ["value=1"]);
    }

    #[test]
    fn what_is_released_is_not_sent_again() {
        let now = Instant::now();
        let mut retained = Retained::default();
        set(&mut retained, Class::Value, "a/1", "1");
        set(&mut retained, Class::Value, "b/1", "1");
        retained.release("a/");
        assert_eq!(sent(&mut retained, now), ["b/1=1"]);
        retained.start_over();
        assert_eq!(sent(&mut retained, now), ["b/1=1"]);
        set(&mut retained, Class::Value, "a/1", "1");
        assert_eq!(sent(&mut retained, now), ["a/1=1"]);
    }

    #[test]
    fn what_no_broker_takes_is_not_sent() {
        let mut retained = Retained::default();
        retained.set(Class::Value, "a".to_owned(), "x".repeat(2 << 20));
        assert_eq!(retained.waiting(), 0);
    }
}
