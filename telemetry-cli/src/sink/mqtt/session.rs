//! Topics of another program on a broker: a drop-in says what the broker is
//! meant to hold and what it wants to hear, this keeps the connection.

use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, Instant, interval};

use super::connection::{Connection, Happening, Token};
use super::link::Link;
use super::next;
use super::retained::{Class, Retained};
use super::settings::Settings;
use super::topics::{OFFLINE, ONLINE};
use crate::config;
use crate::event::DeviceId;
use crate::supervisor::{Exit, Task};

/// How long the end may wait for the broker.
const DRAIN: Duration = Duration::from_secs(5);

/// How often old values are looked for.
const TICK: Duration = Duration::from_secs(60);

/// What was heard and not yet taken.
const HEARD: usize = 1024;

/// What a retained message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A discovery document: sent before the values that it names.
    Document,
    /// A value: sent again before it is half an hour old.
    Value,
}

impl From<Kind> for Class {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Document => Self::Document,
            Kind::Value => Self::Value,
        }
    }
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// The broker shall hold this; an empty payload makes it forget.
    Hold {
        /// What it is.
        kind: Kind,
        /// Where.
        topic: String,
        /// What.
        payload: String,
        /// Sent also if it is what the broker holds already.
        always: bool,
    },
    /// A message of the moment, lost if the broker is away.
    Tell {
        /// Where.
        topic: String,
        /// What.
        payload: String,
        /// Kept by the broker all the same.
        retain: bool,
    },
    /// What begins like this is left to the broker as it is, and not sent again.
    Release(String),
    /// Everything of a kind once more.
    Repeat(Kind),
    /// Messages on this filter are to be heard from now on.
    Listen(String),
}

/// A message that was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// The broker had kept it.
    pub retained: bool,
}

/// A message of the moment.
#[derive(Debug)]
struct Told {
    topic: String,
    payload: String,
    retain: bool,
}

/// Says things to the broker, or to whoever stands in for it.
#[derive(Clone, Debug)]
pub struct Speaker {
    said: mpsc::UnboundedSender<Outgoing>,
    listens: watch::Receiver<()>,
}

/// What was said, for the broker or whoever stands in for it.
#[derive(Debug)]
pub struct Outbox {
    said: mpsc::UnboundedReceiver<Outgoing>,
    listens: watch::Sender<()>,
}

impl Outbox {
    /// The next that is said; nothing when nobody can say anything any more.
    pub async fn recv(&mut self) -> Option<Outgoing> {
        self.said.recv().await
    }

    /// The next that was said already.
    fn try_recv(&mut self) -> Option<Outgoing> {
        self.said.try_recv().ok()
    }

    /// Filters have been taken: what is retained on them follows.
    pub fn listening(&self) {
        self.listens.send_replace(());
    }
}

impl Speaker {
    /// A speaker, and what hears it.
    pub fn new() -> (Self, Outbox) {
        let (said, receiver) = mpsc::unbounded_channel();
        let (sender, listens) = watch::channel(());
        let outbox = Outbox {
            said: receiver,
            listens: sender,
        };
        (Self { said, listens }, outbox)
    }

    /// Says it; in vain when the session is over.
    pub fn say(&self, outgoing: Outgoing) {
        let _ = self.said.send(outgoing);
    }

    /// Listens on `filter`, and waits until the broker has taken that. Without
    /// a broker this is so at once.
    pub async fn listen(&self, filter: String) {
        let mut listens = self.listens.clone();
        listens.mark_unchanged();
        self.say(Outgoing::Listen(filter));
        // Nobody is left to take it, if this fails.
        let _ = listens.changed().await;
    }
}

/// A session that is ready to run.
pub struct Session {
    settings: Settings,
    status_topic: String,
    outgoing: Outbox,
    heard: mpsc::Sender<Heard>,
    filters: Vec<String>,
    retained: Retained,
    /// Waits for the connection to take it; what was said after it waits, too.
    told: Option<Told>,
    connection: Option<Connection>,
    link: Link,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("broker", &self.settings.broker)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session whose `status_topic` says `online` while it lasts, and its last
    /// will `offline`. What is heard comes out of the receiver.
    ///
    /// # Errors
    /// What is wrong with `config`.
    pub fn new(
        config: &config::Mqtt,
        status_topic: String,
        outgoing: Outbox,
    ) -> Result<(Self, mpsc::Receiver<Heard>), String> {
        let will = Some((status_topic.clone(), OFFLINE));
        let settings = Settings::new(config, &DeviceId::new(&["telemetry"]), will)?;
        let (heard, receiver) = mpsc::channel(HEARD);
        let mut retained = Retained::default();
        retained.set(Class::Status, status_topic.clone(), ONLINE.to_owned());
        let session = Self {
            settings,
            status_topic,
            outgoing,
            heard,
            filters: Vec::new(),
            retained,
            told: None,
            connection: None,
            link: Link::default(),
        };
        Ok((session, receiver))
    }

    /// Runs until the task is shut down, then says `offline`. Ends earlier only
    /// if the broker refuses the login from the beginning.
    pub async fn run(mut self, task: Task) -> Exit {
        let mut tick = interval(TICK);
        loop {
            self.pump();
            tokio::select! {
                biased;
                () = task.shutdown.cancelled() => break,
                Some(outgoing) = self.outgoing.recv(), if self.told.is_none() => {
                    self.take(outgoing);
                }
                happening = next(&mut self.connection, self.link.retry_at()) => {
                    if let Some(exit) = self.happened(happening) {
                        return exit;
                    }
                }
                _ = tick.tick() => self.retained.refresh(Instant::now()),
            }
        }
        self.finish().await;
        Exit::Stopped
    }

    fn pump(&mut self) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        while connection.is_ready() {
            // The state before what is said about it.
            if let Some(message) = self.retained.next(Instant::now()) {
                connection.publish(&message.topic, message.payload, true, Token::State);
            } else if let Some(told) = self.told.take() {
                connection.publish(&told.topic, told.payload, told.retain, Token::Passing);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Hold {
                kind,
                topic,
                payload,
                always,
            } => {
                self.retained.set(kind.into(), topic.clone(), payload);
                if always {
                    self.retained.send(&topic);
                }
            }
            Outgoing::Tell {
                topic,
                payload,
                retain,
            } => {
                if self.connection.as_ref().is_some_and(Connection::is_up) {
                    self.told = Some(Told {
                        topic,
                        payload,
                        retain,
                    });
                    self.pump();
                }
            }
            Outgoing::Release(beginning) => self.retained.release(&beginning),
            Outgoing::Repeat(kind) => self.retained.send_all(&[kind.into()]),
            Outgoing::Listen(filter) => {
                if let Some(connection) = self.connection.as_ref().filter(|c| c.is_up()) {
                    connection.subscribe([filter.clone()]);
                }
                if !self.filters.contains(&filter) {
                    self.filters.push(filter);
                }
            }
        }
    }

    fn happened(&mut self, happening: Option<Happening>) -> Option<Exit> {
        let failure = match happening {
            None => match Connection::open(&self.settings) {
                Ok(connection) => {
                    self.connection = Some(connection);
                    return None;
                }
                Err(failure) => failure,
            },
            Some(Happening::Connected) => {
                self.link.connected(&self.settings.broker, Instant::now());
                if let Some(connection) = &self.connection {
                    connection.subscribe(self.filters.iter().cloned());
                }
                self.retained.start_over();
                return None;
            }
            Some(Happening::Message {
                topic,
                payload,
                retained,
            }) => {
                if self
                    .heard
                    .try_send(Heard {
                        topic,
                        payload,
                        retained,
                    })
                    .is_err()
                {
                    tracing::warn!("a message is lost: too many arrive at once");
                }
                return None;
            }
            Some(Happening::Subscribed) => {
                self.outgoing.listening();
                return None;
            }
            Some(Happening::NotSubscribed) => {
                self.outgoing.listening();
                tracing::warn!(
                    broker = %self.settings.broker,
                    "it does not let us subscribe, so that commands do not arrive; its access \
                     list should allow what `debug` messages name"
                );
                // They hold the user's address.
                tracing::debug!("filters: {}", self.filters.join(", "));
                return None;
            }
            Some(Happening::Acknowledged(_)) => return None,
            Some(Happening::Lost(failure)) => failure,
        };
        self.connection = None;
        self.told = None;
        self.link
            .lost(&self.settings.broker, failure, Instant::now())
    }

    /// What was said last is to arrive, then the goodbye.
    async fn finish(mut self) {
        let mut goodbye = Some(std::mem::take(&mut self.status_topic));
        let delivered = async {
            loop {
                while self.told.is_none()
                    && let Some(outgoing) = self.outgoing.try_recv()
                {
                    self.take(outgoing);
                }
                if self.told.is_none()
                    && let Some(topic) = goodbye.take()
                {
                    self.retained.set(Class::Status, topic, OFFLINE.to_owned());
                }
                self.pump();
                let Some(connection) = self.connection.as_mut().filter(|c| c.is_up()) else {
                    return;
                };
                let waits = self.told.is_some() || self.retained.waiting() > 0;
                if !waits && connection.unacknowledged() == 0 {
                    return;
                }
                if let Happening::Lost(_) = connection.next().await {
                    self.connection = None;
                    self.told = None;
                }
            }
        };
        if tokio::time::timeout(DRAIN, delivered).await.is_err() {
            tracing::warn!("ended before the broker had everything");
        }
        if let Some(connection) = self.connection {
            connection.close().await;
        }
    }
}
