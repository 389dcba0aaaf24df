//! Who is connected, who wants what, and what is retained.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::{LastWill, QoS};
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::topic;

/// Messages that wait for one client; a client that is further behind is cut.
const QUEUE: usize = 4096;

/// Subscriptions of one client.
const MAX_SUBSCRIPTIONS: usize = 1024;

/// Retained topics; a further one is delivered, but not kept.
const MAX_RETAINED: usize = 50_000;

/// Bytes of all retained topics and payloads together.
const MAX_RETAINED_BYTES: usize = 64 << 20;

/// The state that all connections share.
#[derive(Debug, Default)]
pub(super) struct Router(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    clients: HashMap<String, Client>,
    retained: BTreeMap<Arc<str>, Retained>,
    retained_bytes: usize,
    sessions: u64,
}

#[derive(Debug)]
struct Client {
    session: u64,
    subscriptions: Vec<(String, QoS)>,
    queue: mpsc::Sender<Delivery>,
    cut: CancellationToken,
    will: Option<LastWill>,
}

#[derive(Debug)]
struct Retained {
    payload: Bytes,
    qos: QoS,
}

/// A message on its way to one client.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) topic: Arc<str>,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) retain: bool,
}

/// One connected client, as its connection sees it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client_id: String,
    pub(super) queue: mpsc::Receiver<Delivery>,
    /// Cancelled when another connection takes the client id over, or when
    /// the client does not keep up.
    pub(super) cut: CancellationToken,
    number: u64,
}

impl Router {
    /// A client connects; an older connection of the same client is cut. An
    /// empty id gets a name of ours.
    pub(super) fn connect(&self, client_id: String, will: Option<LastWill>) -> Session {
        let mut state = self.state();
        state.sessions += 1;
        let number = state.sessions;
        let client_id = match client_id {
            id if id.is_empty() => format!("anonymous-{number}"),
            id => id,
        };
        // Its will is out before the new connection says anything.
        state.remove(&client_id, true);
        let (sender, queue) = mpsc::channel(QUEUE);
        let cut = CancellationToken::new();
        state.clients.insert(
            client_id.clone(),
            Client {
                session: number,
                subscriptions: Vec::new(),
                queue: sender,
                cut: cut.clone(),
                will,
            },
        );
        Session {
            client_id,
            queue,
            cut,
            number,
        }
    }

    /// The connection of `session` ended; without a goodbye its last will is
    /// published.
    pub(super) fn disconnect(&self, session: &Session, graceful: bool) {
        let mut state = self.state();
        let current = state.clients.get(&session.client_id);
        if current.is_some_and(|client| client.session == session.number) {
            state.remove(&session.client_id, !graceful);
        }
    }

    /// Hands a message to every subscriber.
    pub(super) fn publish(&self, topic: &str, payload: &Bytes, qos: QoS, retain: bool) {
        self.state().publish(topic, payload, qos, retain);
    }

    /// Adds a subscription and returns the retained messages it covers;
    /// `None` if the client has too many.
    pub(super) fn subscribe(
        &self,
        session: &Session,
        filter: String,
        qos: QoS,
    ) -> Option<Vec<Delivery>> {
        let mut state = self.state();
        let retained = state
            .retained
            .iter()
            .filter(|(topic, _)| topic::matches(topic, &filter))
            .map(|(topic, retained)| Delivery {
                topic: topic.clone(),
                payload: retained.payload.clone(),
                qos: lower(retained.qos, qos),
                retain: true,
            })
            .collect();
        let client = state.clients.get_mut(&session.client_id)?;
        client.subscriptions.retain(|(known, _)| *known != filter);
        if client.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return None;
        }
        client.subscriptions.push((filter, qos));
        Some(retained)
    }

    /// Removes a subscription.
    pub(super) fn unsubscribe(&self, session: &Session, filter: &str) {
        if let Some(client) = self.state().clients.get_mut(&session.client_id) {
            client.subscriptions.retain(|(known, _)| known != filter);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, client_id: &str, with_will: bool) {
        let Some(client) = self.clients.remove(client_id) else {
            return;
        };
        client.cut.cancel();
        if let Some(will) = client.will.filter(|_| with_will) {
            self.publish(&will.topic, &will.message, will.qos, will.retain);
        }
    }

    fn publish(&mut self, topic: &str, payload: &Bytes, qos: QoS, retain: bool) {
        let topic: Arc<str> = topic.into();
        if retain {
            self.keep(&topic, payload, qos);
        }
        for client in self.clients.values() {
            // A message that several subscriptions cover is delivered once.
            let granted = client
                .subscriptions
                .iter()
                .filter(|(filter, _)| topic::matches(&topic, filter))
                .map(|(_, granted)| *granted)
                .reduce(|one, other| if one < other { other } else { one });
            let Some(granted) = granted else { continue };
            let delivery = Delivery {
                topic: topic.clone(),
                payload: payload.clone(),
                qos: lower(qos, granted),
                retain: false,
            };
            if client.queue.try_send(delivery).is_err() {
                client.cut.cancel();
            }
        }
    }

    fn keep(&mut self, topic: &Arc<str>, payload: &Bytes, qos: QoS) {
        if let Some(old) = self.retained.remove(topic) {
            self.retained_bytes -= topic.len() + old.payload.len();
        }
        let bytes = topic.len() + payload.len();
        let full =
            self.retained.len() >= MAX_RETAINED || self.retained_bytes + bytes > MAX_RETAINED_BYTES;
        if full && !payload.is_empty() {
            tracing::warn!(%topic, "broker is full, the message is not retained");
        } else if !payload.is_empty() {
            self.retained_bytes += bytes;
            // A copy: the payload may be a small part of a large read buffer.
            let payload = Bytes::copy_from_slice(payload);
            self.retained
                .insert(topic.clone(), Retained { payload, qos });
        }
    }
}

/// The lower of two levels; 2 counts as 1, which is the highest we have.
pub(super) fn lower(one: QoS, other: QoS) -> QoS {
    match (one, other) {
        (QoS::AtMostOnce, _) | (_, QoS::AtMostOnce) => QoS::AtMostOnce,
        _ => QoS::AtLeastOnce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &'static str) -> Bytes {
        Bytes::from_static(payload.as_bytes())
    }

    #[test]
    fn retained_messages_are_replaced_and_cleared() {
        let router = Router::default();
        let session = router.connect("reader".into(), None);
        let retained = || {
            let all = router.subscribe(&session, "#".into(), QoS::AtLeastOnce);
            all.unwrap()
                .into_iter()
                .map(|d| (d.topic.to_string(), d.payload))
                .collect::<Vec<_>>()
        };
        router.publish("a", &text("1"), QoS::AtLeastOnce, true);
        router.publish("a", &text("2"), QoS::AtLeastOnce, true);
        router.publish("b", &text("3"), QoS::AtLeastOnce, false);
        assert_eq!(retained(), [("a".to_owned(), text("2"))]);
        router.publish("a", &text(""), QoS::AtLeastOnce, true);
        assert_eq!(retained(), []);
        assert_eq!(router.state().retained_bytes, 0);
    }

    #[test]
    fn a_take_over_publishes_the_will_of_the_old_connection_only() {
        let router = Router::default();
        let mut reader = router.connect("reader".into(), None);
        router.subscribe(&reader, "will".into(), QoS::AtMostOnce);
        let will = || Some(LastWill::new("will", "gone", QoS::AtLeastOnce, false));
        let old = router.connect("gateway".into(), will());
        let new = router.connect("gateway".into(), will());
        assert!(old.cut.is_cancelled() && !new.cut.is_cancelled());
        router.disconnect(&old, false);
        assert_eq!(reader.queue.try_recv().unwrap().qos, QoS::AtMostOnce);
        assert!(reader.queue.try_recv().is_err());
        router.disconnect(&new, true);
        assert!(reader.queue.try_recv().is_err());
    }

    #[test]
    fn a_client_that_does_not_keep_up_is_cut_and_others_are_not() {
        let router = Router::default();
        let slow = router.connect("slow".into(), None);
        router.subscribe(&slow, "#".into(), QoS::AtMostOnce);
        let mut quick = router.connect("quick".into(), None);
        router.subscribe(&quick, "#".into(), QoS::AtMostOnce);
        for _ in 0..=QUEUE {
            router.publish("a", &text("1"), QoS::AtMostOnce, false);
            assert!(quick.queue.try_recv().is_ok());
        }
        assert!(slow.cut.is_cancelled() && !quick.cut.is_cancelled());
    }
}
