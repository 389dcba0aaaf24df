//! Messages that make sense only while they are fresh: one for each reading, in
//! another program's form, with no time in it. What the broker cannot take when
//! it is made is dropped and never sent later.

use std::collections::BTreeMap;
use std::time::Duration;

use rumqttc::QoS;
use tokio::time::{Instant, timeout};

use super::connection::{Connection, Happening, Token};
use super::link::Link;
use super::next;
use super::settings::Settings;
use crate::config;
use crate::event::{DeviceId, Event, Reading};
use crate::sink::Context;
use crate::supervisor::{Exit, Task};

/// How long the end may wait for the last message to leave.
const DRAIN: Duration = Duration::from_secs(5);

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its text.
    pub payload: String,
    /// QoS 1 instead of 0.
    pub at_least_once: bool,
    /// The broker keeps it for those who come later.
    pub retain: bool,
}

impl Message {
    /// Hands it to the connection, which has to be ready.
    pub(super) fn submit(self, connection: &mut Connection) {
        let qos = match self.at_least_once {
            true => QoS::AtLeastOnce,
            false => QoS::AtMostOnce,
        };
        connection.publish_with(qos, &self.topic, self.payload, self.retain, Token::State);
    }
}

/// Publishes what `message` makes of each reading, and nothing else: no last
/// will, no status. Ends as [`super::run`] does.
pub async fn run(
    config: config::Mqtt,
    context: Context,
    task: Task,
    message: impl Fn(&Reading) -> Option<Message> + Send,
) -> Exit {
    let settings = match Settings::new(&config, &context.gateway, None) {
        Ok(settings) => settings,
        Err(wrong) => return Exit::Fatal(wrong),
    };
    let broker = settings.broker.clone();
    let mut link = Link::default();
    let mut connection: Option<Connection> = None;
    let mut waiting: BTreeMap<DeviceId, Message> = BTreeMap::new();
    let mut events = context.hub.follow();
    // What was measured before is not news.
    let mut last = BTreeMap::new();
    while let Some(event) = events.try_next() {
        if let Event::Reading(reading) = event {
            last.insert(reading.device.clone(), reading.fetched_at);
        }
    }
    loop {
        if let Some(connection) = &mut connection {
            while connection.is_ready()
                && let Some((_, message)) = waiting.pop_first()
            {
                message.submit(connection);
            }
        }
        let happening = tokio::select! {
            biased;
            () = task.shutdown.cancelled() => break,
            happening = next(&mut connection, link.retry_at()) => happening,
            event = events.next() => {
                // A follower that fell behind gets the last reading once more.
                if let Event::Reading(reading) = event
                    && last.insert(reading.device.clone(), reading.fetched_at)
                        != Some(reading.fetched_at)
                    && let Some(message) = message(&reading)
                {
                    match &connection {
                        Some(_) => drop(waiting.insert(reading.device.clone(), message)),
                        None => tracing::warn!(%broker, "a reading is lost: the broker is away"),
                    }
                }
                continue;
            }
        };
        let failure = match happening {
            None => match Connection::open(&settings) {
                Ok(opened) => {
                    connection = Some(opened);
                    continue;
                }
                Err(failure) => failure,
            },
            Some(Happening::Connected) => {
                link.connected(&broker, Instant::now());
                context.stats.well(&task.name);
                continue;
            }
            Some(Happening::Lost(failure)) => failure,
            Some(_) => continue,
        };
        connection = None;
        if !std::mem::take(&mut waiting).is_empty() {
            tracing::warn!(%broker, "a reading is lost: the broker is away");
        }
        context
            .stats
            .failed(&task.name, "trying again", &failure.text);
        if let Some(exit) = link.lost(&broker, failure, Instant::now()) {
            return exit;
        }
    }
    if let Some(connection) = connection {
        finish(connection).await;
    }
    Exit::Stopped
}

/// What was handed over is to leave before the goodbye.
async fn finish(mut connection: Connection) {
    let delivered = async {
        while connection.is_up() && connection.unacknowledged() > 0 {
            connection.next().await;
        }
    };
    if timeout(DRAIN, delivered).await.is_err() {
        tracing::warn!("ended before the broker had everything");
    }
    connection.close().await;
}
