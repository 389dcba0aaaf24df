use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::cardata::{CarDataCloud, iso};

/// What the broker sends to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A publication.
    Publish {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: String,
    },
    /// The connection is closed by the broker.
    Close,
}

/// The one session of the account, and what was sent to it.
#[derive(Debug, Default)]
pub(super) struct Broker {
    session: Option<Session>,
    evicted: Vec<u64>,
}

#[derive(Debug)]
struct Session {
    connection: u64,
    subscribed: bool,
    ends: DateTime<Utc>,
    sent: BTreeMap<(usize, &'static str), String>,
    queue: Vec<Delivery>,
}

/// The broker of the stream. A server around it reads and writes MQTT 3.1.1 and
/// numbers its connections.
impl CarDataCloud {
    /// A client connects. Tells the return code of CONNACK: 0 accepted, 5 not
    /// authorized. An older connection of the account is thrown out.
    pub fn connect(
        &mut self,
        connection: u64,
        user: &str,
        password: &str,
        now: DateTime<Utc>,
    ) -> u8 {
        if !self.stream_allowed(user, password, now) {
            return 5;
        }
        let ends = self.id_tokens.get(password).map_or(now, |grant| grant.ends);
        let ends = ends - self.faults.clock_skew;
        let session = Session {
            connection,
            subscribed: false,
            ends,
            sent: BTreeMap::new(),
            queue: Vec::new(),
        };
        if let Some(old) = self.broker.session.replace(session) {
            self.broker.evicted.push(old.connection);
        }
        0
    }

    /// A client subscribes. Tells the return code of SUBACK: 1 for the topics of
    /// the account, 0x80 for any other.
    pub fn subscribe(&mut self, connection: u64, topic: &str) -> u8 {
        let ours = topic.split_once('/').is_some_and(|(account, vin)| {
            account == self.gcid()
                && (vin == "+" || self.cars.iter().any(|car| car.vin.as_str() == vin))
        });
        match &mut self.broker.session {
            Some(session) if session.connection == connection && ours => {
                session.subscribed = true;
                1
            }
            _ => 0x80,
        }
    }

    /// A client has gone.
    pub fn disconnect(&mut self, connection: u64) {
        self.broker
            .session
            .take_if(|session| session.connection == connection);
        self.broker.evicted.retain(|gone| *gone != connection);
    }

    /// What there is for a connection at this time; to be asked until `None`.
    pub fn poll(&mut self, connection: u64, now: DateTime<Utc>) -> Option<Delivery> {
        if let Some(at) = self
            .broker
            .evicted
            .iter()
            .position(|gone| *gone == connection)
        {
            self.broker.evicted.remove(at);
            return Some(Delivery::Close);
        }
        let session = self
            .broker
            .session
            .as_mut()
            .filter(|one| one.connection == connection)?;
        if now >= session.ends {
            self.broker.session = None;
            return Some(Delivery::Close);
        }
        if session.subscribed && session.queue.is_empty() {
            let news = self.news(now);
            let session = self.broker.session.as_mut()?;
            session.queue = news;
        }
        let session = self.broker.session.as_mut()?;
        (!session.queue.is_empty()).then(|| session.queue.remove(0))
    }

    /// One message per value that has changed since it was last sent. Nothing is
    /// sent about a car at rest but for the first look at it.
    fn news(&mut self, now: DateTime<Utc>) -> Vec<Delivery> {
        let server = now + self.faults.clock_skew;
        let mut news = Vec::new();
        let gcid = self.gcid();
        let Some(session) = &mut self.broker.session else {
            return news;
        };
        for (number, car) in self.cars.iter_mut().enumerate() {
            car.advance(server);
            let stamp = iso(car.at.unwrap_or(server));
            for (key, value, unit) in car.values(server) {
                if session.sent.get(&(number, key)) == Some(&value) {
                    continue;
                }
                session.sent.insert((number, key), value.clone());
                let mut datum = json!({"timestamp": stamp, "value": value});
                if !unit.is_empty() {
                    datum["unit"] = unit.into();
                }
                let payload = json!({"vin": car.vin, "entityId": gcid, "topic": car.vin,
                    "timestamp": iso(server), "data": {key: datum}});
                let topic = format!("{gcid}/{}", car.vin);
                news.push(Delivery::Publish {
                    topic,
                    payload: payload.to_string(),
                });
            }
        }
        news
    }
}
