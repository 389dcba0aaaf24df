//! One connection to the broker: a client of its own each time, so that
//! nothing of a lost one can come back.
//!
//! The event loop is a stream that keeps its place when it is not polled to
//! the end: nobody ever drops it while it connects or writes.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS,
    SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};

use secrecy::{ExposeSecret, SecretString};

use super::failure::{Failure, is_another_name};
use super::settings::Settings;
use crate::config::MqttNames;

/// Largest packet, in and out. The library's own limit is less than a
/// discovery document.
const MAX_PACKET: usize = 1 << 20;

/// Largest topic and payload together that may be published: a larger one
/// would cost the connection.
pub(super) const MAX_MESSAGE: usize = MAX_PACKET - 64;

/// Messages that the broker may still have to acknowledge.
const WINDOW: usize = 100;

/// Requests that wait for the event loop: more than the window and the
/// subscriptions together, so that none is ever refused.
const REQUESTS: usize = 256;

/// Packet ids in use. Far more than the window: ids that come round while an
/// old one is not acknowledged stall the library.
const IN_FLIGHT: u16 = 1000;

/// Packet id of what is sent with QoS 0.
const NO_ID: u16 = 0;

/// Half the time after which some routers forget an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// For connecting, and for a write that makes no progress.
const TIMEOUT_S: u64 = 20;

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

type Events = Pin<Box<dyn Stream<Item = Result<Event, ConnectionError>> + Send>>;

/// A connection, or an attempt at one.
pub(super) struct Connection {
    client: AsyncClient,
    events: Events,
    /// Messages that the event loop has not taken yet, in their order.
    submitted: VecDeque<Token>,
    /// Messages that the broker has not acknowledged, by packet id.
    in_flight: HashMap<u16, Token>,
    up: bool,
    names: MqttNames,
    name_flag: Option<&'static str>,
}

/// Names a message until it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The latest state of a topic; a new connection gets it anyway.
    State,
    /// Nobody waits for it.
    Passing,
    /// The journal's entry of that number.
    History(i64),
}

/// What a connection reports.
#[derive(Debug)]
pub(super) enum Happening {
    /// The broker took us.
    Connected,
    /// The broker has this message.
    Acknowledged(Token),
    /// Somebody published on a topic that we subscribed to.
    Message {
        topic: String,
        payload: Vec<u8>,
        retained: bool,
    },
    /// The broker has taken what we subscribed to: retained messages follow.
    Subscribed,
    /// The broker does not let us subscribe to something.
    NotSubscribed,
    /// It is over; nothing follows.
    Lost(Failure),
}

impl Connection {
    /// Begins to connect. Fails only if the password cannot be read.
    pub(super) fn open(settings: &Settings) -> Result<Self, Failure> {
        let (client, mut event_loop) = AsyncClient::new(options(settings)?, REQUESTS);
        event_loop.network_options.set_tcp_nodelay(true);
        event_loop.network_options.set_connection_timeout(TIMEOUT_S);
        Ok(Self {
            client,
            events: Box::pin(events(event_loop)),
            submitted: VecDeque::new(),
            in_flight: HashMap::new(),
            up: false,
            names: settings.names,
            name_flag: settings.name_flag,
        })
    }

    /// True if another message may be published now.
    pub(super) fn is_ready(&self) -> bool {
        self.up && self.unacknowledged() < WINDOW
    }

    /// True from [`Happening::Connected`] to [`Happening::Lost`].
    pub(super) fn is_up(&self) -> bool {
        self.up
    }

    /// Messages on their way.
    pub(super) fn unacknowledged(&self) -> usize {
        self.submitted.len() + self.in_flight.len()
    }

    /// Sends a message; [`Happening::Acknowledged`] names `token` when the
    /// broker has it. False if it cannot be sent now.
    pub(super) fn publish(
        &mut self,
        topic: &str,
        payload: impl Into<Vec<u8>>,
        retain: bool,
        token: Token,
    ) -> bool {
        self.publish_with(QoS::AtLeastOnce, topic, payload, retain, token)
    }

    /// The same with QoS 0 or 1. QoS 0 knows no acknowledgement: it counts as
    /// acknowledged when it leaves.
    pub(super) fn publish_with(
        &mut self,
        qos: QoS,
        topic: &str,
        payload: impl Into<Vec<u8>>,
        retain: bool,
        token: Token,
    ) -> bool {
        let sent = self.client.try_publish(topic, qos, retain, payload).is_ok();
        if sent {
            self.submitted.push_back(token);
        }
        sent
    }

    /// Subscribes to `filters`.
    pub(super) fn subscribe(&self, filters: impl IntoIterator<Item = String>) {
        let filters: Vec<_> = filters
            .into_iter()
            .map(|path| SubscribeFilter::new(path, QoS::AtLeastOnce))
            .collect();
        if !filters.is_empty() && self.client.try_subscribe_many(filters).is_err() {
            tracing::warn!("the subscriptions could not be sent");
        }
    }

    /// The next thing that happens. May be dropped at any time.
    pub(super) async fn next(&mut self) -> Happening {
        loop {
            let Some(event) = self.events.next().await else {
                // After the end nothing happens.
                std::future::pending::<()>().await;
                continue;
            };
            match event {
                Ok(event) => {
                    if let Some(happening) = self.take(event) {
                        return happening;
                    }
                }
                Err(error) => {
                    let mut failure = Failure::new(&error, self.up, &self.names);
                    if let Some(flag) = self.name_flag.filter(|_| is_another_name(&error)) {
                        failure.text = format!("{}, or give `{flag}`", failure.text);
                    }
                    self.up = false;
                    return Happening::Lost(failure);
                }
            }
        }
    }

    fn take(&mut self, event: Event) -> Option<Happening> {
        match event {
            Event::Incoming(Packet::ConnAck(_)) => {
                self.up = true;
                Some(Happening::Connected)
            }
            // In the order of the requests. It says nothing about arrival.
            Event::Outgoing(Outgoing::Publish(id)) => {
                let token = self.submitted.pop_front()?;
                if id == NO_ID {
                    return Some(Happening::Acknowledged(token));
                }
                self.in_flight.insert(id, token);
                None
            }
            Event::Incoming(Packet::PubAck(ack)) => self
                .in_flight
                .remove(&ack.pkid)
                .map(Happening::Acknowledged),
            Event::Incoming(Packet::Publish(publish)) => Some(Happening::Message {
                topic: publish.topic,
                payload: publish.payload.to_vec(),
                retained: publish.retain,
            }),
            Event::Incoming(Packet::SubAck(ack)) => Some(
                match ack.return_codes.contains(&SubscribeReasonCode::Failure) {
                    true => Happening::NotSubscribed,
                    false => Happening::Subscribed,
                },
            ),
            _ => None,
        }
    }

    /// Says goodbye, so that the broker does not publish the last will, and
    /// waits until that is out.
    pub(super) async fn close(mut self) {
        if !self.up || self.client.try_disconnect().is_err() {
            return;
        }
        let end = async { while !matches!(self.next().await, Happening::Lost(_)) {} };
        if tokio::time::timeout(GOODBYE, end).await.is_err() {
            tracing::debug!("the broker did not close the connection");
        }
    }
}

fn events(event_loop: EventLoop) -> impl Stream<Item = Result<Event, ConnectionError>> + Send {
    stream::unfold(Some(event_loop), |event_loop| async {
        let mut event_loop = event_loop?;
        let event = event_loop.poll().await;
        // Polling on would connect again, at once.
        let rest = event.is_ok().then_some(event_loop);
        Some((event, rest))
    })
}

fn options(settings: &Settings) -> Result<MqttOptions, Failure> {
    let broker = &settings.broker;
    let host = match (broker.websocket, broker.tls) {
        (true, _) => broker.to_string(),
        // The name in the certificate.
        (false, true) => broker.host.clone(),
        (false, false) if broker.host.contains(':') => format!("[{}]", broker.host),
        (false, false) => broker.host.clone(),
    };
    let mut options = MqttOptions::new(&settings.client_id, host, broker.port);
    options
        .set_max_packet_size(MAX_PACKET, MAX_PACKET)
        .set_inflight(IN_FLIGHT)
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true);
    if let Some((topic, payload)) = &settings.will {
        options.set_last_will(LastWill::new(topic, *payload, QoS::AtLeastOnce, true));
    }
    if let Some((user, password)) = &settings.login {
        // Read now: the file may have changed since the last attempt.
        let password = match password {
            Some(password) => password.reveal().map_err(|error| Failure {
                text: format!("{}: {error}", settings.names.password),
                login: true,
            })?,
            None => SecretString::default(),
        };
        options.set_credentials(user, password.expose_secret());
    }
    let tls = settings.tls.clone().map(TlsConfiguration::Rustls);
    options.set_transport(match (broker.websocket, tls) {
        (false, None) => Transport::tcp(),
        (false, Some(tls)) => Transport::tls_with_config(tls),
        (true, None) => Transport::ws(),
        (true, Some(tls)) => Transport::wss_with_config(tls),
    });
    Ok(options)
}
