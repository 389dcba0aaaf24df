//! MQTT: the latest state of everything, retained, on the unified topics, and
//! discovery for Home Assistant.
//!
//! The topics that the broker is meant to hold are kept here; a connection
//! catches up with them. After each new connection everything is published
//! again, because a broker may have lost its retained messages. A broker that
//! is slow or away costs nothing but the topics in memory: values that change
//! meanwhile replace each other.
//!
//! A value that becomes unknown is null in the JSON state. Its plain topic
//! gets an empty retained payload: the broker forgets it, and nobody who asks
//! later takes an old value for a present one.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::config;
use crate::hub::Follower;
use crate::sink::Context;
use crate::sink::home_assistant::Names;
use crate::stats::Stats;
use crate::supervisor::{Exit, Task};

use commands::{Answer, Commands};
use connection::{Connection, Happening, Token};
pub use history::CONSUMER;
use history::{History, Prepared};
use link::Link;
use publisher::Publisher;
use settings::Settings;
use topics::{OFFLINE, ONLINE, Topics};

mod announcer;
mod any_host_name;
mod commands;
mod connection;
pub mod errand;
mod failure;
pub mod fleeting;
pub mod foreign;
mod history;
mod link;
mod publisher;
mod retained;
pub mod session;
mod settings;
pub mod topics;
pub(in crate::sink) mod unified;

/// How long the end may take: what is queued has to be acknowledged by then.
const DRAIN: Duration = Duration::from_secs(5);

/// How long the end waits for the result of a command.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Publishes what the hub knows until the task is shut down, then says that
/// everything is offline and waits until the broker has it.
///
/// A broker that is away is waited for. The task ends earlier only for a
/// broker that refuses the login ([`Exit::LoginNeeded`]) and for a
/// configuration that cannot work ([`Exit::Fatal`]).
pub async fn run(
    config: config::Mqtt,
    home_assistant: config::HomeAssistant,
    context: Context,
    task: Task,
) -> Exit {
    let mut sink = match Sink::new(&config, home_assistant, &context, &task.name) {
        Ok(sink) => sink,
        Err(wrong) => return Exit::Fatal(wrong),
    };
    if let Some(journal) = context.journal.filter(|_| config.history) {
        match History::open(&journal, sink.topics.clone()).await {
            Ok(history) => sink.history = Some(history),
            Err(error) => return Exit::Transient(error.to_string()),
        }
    }
    sink.run(&task).await
}

struct Sink {
    /// Name of the component.
    name: String,
    stats: Stats,
    topics: Topics,
    settings: Settings,
    publisher: Publisher,
    history: Option<History>,
    commands: Commands,
    events: Follower,
    /// Home Assistant says here that it has started.
    birth_topic: Option<String>,
    connection: Option<Connection>,
    link: Link,
}

impl Sink {
    fn new(
        config: &config::Mqtt,
        home_assistant: config::HomeAssistant,
        context: &Context,
        name: &str,
    ) -> Result<Self, String> {
        let topics =
            Topics::new(&config.topic_prefix).map_err(|why| format!("mqtt.topic_prefix: {why}"))?;
        let will = Some((topics.status(), OFFLINE));
        let settings = Settings::new(config, &context.gateway, will)?;
        let enabled = home_assistant.enabled;
        let names = match enabled {
            true => Some(Names {
                // The same rules hold for any prefix.
                prefix: Topics::new(&home_assistant.prefix)
                    .map(|_| home_assistant.prefix)
                    .map_err(|why| format!("home_assistant.prefix: {why}"))?,
                topics: topics.clone(),
                gateway: context.gateway.clone(),
                gateway_name: context.gateway_name.clone(),
            }),
            false => None,
        };
        let now = Instant::now();
        Ok(Self {
            name: name.to_owned(),
            stats: context.stats.clone(),
            settings,
            publisher: Publisher::new(topics.clone(), config.per_metric_topics, names, now),
            commands: Commands::new(topics.clone(), context.controls.clone()),
            topics,
            history: None,
            events: context.hub.follow(),
            birth_topic: enabled.then_some(home_assistant.status_topic),
            connection: None,
            link: Link::default(),
        })
    }

    async fn run(mut self, task: &Task) -> Exit {
        loop {
            self.pump();
            tokio::select! {
                () = task.shutdown.cancelled() => break,
                happening = next(&mut self.connection, self.link.retry_at()) => match happening {
                    Some(happening) => {
                        if let Some(exit) = self.happened(happening) {
                            return exit;
                        }
                    }
                    None => {
                        if let Some(exit) = self.connect() {
                            return exit;
                        }
                    }
                },
                event = self.events.next() => self.publisher.event(event),
                entry = next_entry(&mut self.history), if self.is_ready() => {
                    self.send_entry(entry);
                }
                answer = self.commands.next() => self.answer(answer),
                () = sleep_until(self.publisher.next_tick()) => {
                    self.publisher.tick(Instant::now());
                }
            }
        }
        self.finish().await;
        Exit::Stopped
    }

    /// Hands over as many messages as the connection takes.
    fn pump(&mut self) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        while connection.is_ready() {
            let Some(message) = self.publisher.next(Instant::now()) else {
                break;
            };
            connection.publish(&message.topic, message.payload, true, Token::State);
        }
    }

    fn is_ready(&self) -> bool {
        self.connection.as_ref().is_some_and(Connection::is_ready)
    }

    fn send_entry(&mut self, entry: Prepared) {
        let (Some(connection), Some(history)) = (&mut self.connection, &mut self.history) else {
            return;
        };
        let token = Token::History(entry.number);
        if connection.publish(&entry.topic, entry.payload, false, token) {
            history.sent(entry.number);
        }
    }

    /// A result that cannot be sent now is of no use later.
    fn answer(&mut self, answer: Answer) {
        // The state before the result.
        while let Some(event) = self.events.try_next() {
            self.publisher.event(event);
        }
        if answer.failed {
            // Whoever showed the new state already, sees the true one.
            self.publisher.repeat(&answer.device);
        }
        self.pump();
        if let Some(connection) = &mut self.connection {
            connection.publish(&answer.topic, answer.payload, false, Token::Passing);
        }
    }

    fn connect(&mut self) -> Option<Exit> {
        match Connection::open(&self.settings) {
            Ok(connection) => {
                self.connection = Some(connection);
                None
            }
            Err(failure) => self.happened(Happening::Lost(failure)),
        }
    }

    fn happened(&mut self, happening: Happening) -> Option<Exit> {
        let now = Instant::now();
        match happening {
            Happening::Connected => {
                self.link.connected(&self.settings.broker, now);
                self.stats.well(&self.name);
                if let Some(connection) = &self.connection {
                    let commands = self.topics.every_set();
                    connection.subscribe(self.birth_topic.clone().into_iter().chain([commands]));
                }
                self.publisher.connected(now);
                if let Some(history) = &mut self.history {
                    history.start_over();
                }
            }
            Happening::Message {
                topic,
                payload,
                retained,
            } => {
                // A retained one is old: everything was announced just now.
                let birth = self.birth_topic.as_ref() == Some(&topic) && !retained;
                if birth && payload == ONLINE.as_bytes() {
                    tracing::debug!("Home Assistant has started");
                    self.publisher.birth(now, fastrand::f64());
                } else if !birth {
                    self.commands.take(&topic, &payload, retained, now);
                }
            }
            Happening::NotSubscribed => {
                let birth = self.birth_topic.clone();
                let topics: Vec<_> = birth.into_iter().chain([self.topics.every_set()]).collect();
                tracing::warn!(
                    broker = %self.settings.broker,
                    "it does not let us subscribe, so that commands do not arrive; \
                     its access list should allow {}",
                    topics.join(" and ")
                );
            }
            Happening::Acknowledged(token) => self.acknowledged(token),
            Happening::Subscribed => {}
            Happening::Lost(failure) => {
                self.connection = None;
                self.stats.failed(&self.name, "trying again", &failure.text);
                return self.link.lost(&self.settings.broker, failure, now);
            }
        }
        None
    }

    fn acknowledged(&mut self, token: Token) {
        if let (Token::History(number), Some(history)) = (token, &mut self.history) {
            history.acknowledged(number);
        }
    }

    /// The last words, and everything that is still to be said.
    async fn finish(mut self) {
        // The sources have ended, and what they had begun with them.
        while self.commands.is_busy() {
            let Ok(answer) = tokio::time::timeout(LAST_ANSWERS, self.commands.next()).await else {
                break;
            };
            self.answer(answer);
        }
        // What the sources said last.
        while let Some(event) = self.events.try_next() {
            self.publisher.event(event);
        }
        self.publisher.goodbye();
        let delivered = tokio::time::timeout(DRAIN, self.deliver_all()).await;
        let left = self.publisher.waiting()
            + self
                .connection
                .as_ref()
                .map_or(0, Connection::unacknowledged);
        if !matches!(delivered, Ok(true)) && left > 0 {
            tracing::warn!(left, "ended before the broker had everything");
        }
        if let Some(connection) = self.connection {
            connection.close().await;
        }
        if let Some(history) = self.history {
            history.end().await;
        }
    }

    /// Waits until the broker has acknowledged everything that is queued;
    /// false if there is no connection to do so.
    async fn deliver_all(&mut self) -> bool {
        loop {
            self.pump();
            let Some(connection) = self.connection.as_mut().filter(|c| c.is_up()) else {
                return false;
            };
            if self.publisher.waiting() == 0 && connection.unacknowledged() == 0 {
                return true;
            }
            match connection.next().await {
                Happening::Acknowledged(token) => self.acknowledged(token),
                Happening::Lost(_) => self.connection = None,
                _ => {}
            }
        }
    }
}

/// What happens next on the connection; without one, `None` when it is time
/// for the next attempt.
async fn next(connection: &mut Option<Connection>, retry_at: Option<Instant>) -> Option<Happening> {
    match connection {
        Some(connection) => Some(connection.next().await),
        None => {
            if let Some(time) = retry_at {
                sleep_until(time).await;
            }
            None
        }
    }
}

async fn next_entry(history: &mut Option<History>) -> Prepared {
    match history {
        Some(history) => history.next().await,
        None => std::future::pending().await,
    }
}
