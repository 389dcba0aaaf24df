//! Topics of another program in place of ours: a [`Bridge`] says what is on them,
//! this carries it.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::{Connection, Happening, Token};
use super::fleeting::Message;
use super::link::Link;
use super::next;
use super::settings::Settings;
use super::topics::OFFLINE;
use crate::config;
use crate::event::Event;
use crate::sink::Context;
use crate::supervisor::{Exit, Task};

/// How long the end may wait for the last message to leave.
const DRAIN: Duration = Duration::from_secs(5);

/// Commands under way. More of them is no user, but a loop somewhere.
const MOST: usize = 64;

/// What is to be done on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Publish.
    Publish(Message),
    /// Subscribe to these.
    Subscribe(Vec<String>),
}

/// A command for a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The device's id.
    pub device: String,
    /// The control.
    pub control: &'static str,
    /// Its value, as the control takes it.
    pub value: String,
}

/// Another program's topics and payloads. Knows no network and no clock.
pub trait Bridge: Send {
    /// The topic that tells whether we are there.
    fn status(&self) -> String;

    /// The broker took us as a new client, which it has nothing of.
    fn connected(&mut self, now: Instant);

    /// The hub says something. While there is no connection what is to be done is
    /// forgotten.
    fn event(&mut self, event: Event, now: Instant);

    /// Somebody published on a topic that we subscribed to.
    fn message(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
        now: Instant,
    ) -> Option<Order>;

    /// Does what is due.
    fn tick(&mut self, now: Instant);

    /// When that is next.
    fn next_tick(&self) -> Option<Instant>;

    /// What is to be done next.
    fn next(&mut self) -> Option<Act>;

    /// We end: what is to be said before, but for the status.
    fn farewell(&mut self);

    /// Forgets what is to be done.
    fn clear(&mut self);
}

/// Carries `bridge` until the task is shut down. Ends as [`super::run`] does.
pub async fn run(
    config: config::Mqtt,
    mut bridge: impl Bridge,
    context: Context,
    task: Task,
) -> Exit {
    let will = Some((bridge.status(), OFFLINE));
    let settings = match Settings::new(&config, &context.gateway, will) {
        Ok(settings) => settings,
        Err(wrong) => return Exit::Fatal(wrong),
    };
    let broker = settings.broker.clone();
    let mut link = Link::default();
    let mut connection = None;
    let mut events = context.hub.follow();
    let mut orders = JoinSet::new();
    loop {
        pump(&mut connection, &mut bridge);
        let due = bridge.next_tick();
        let happening = tokio::select! {
            biased;
            () = task.shutdown.cancelled() => break,
            happening = next(&mut connection, link.retry_at()) => happening,
            event = events.next() => {
                bridge.event(event, Instant::now());
                continue;
            }
            Some(_) = orders.join_next() => continue,
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                bridge.tick(Instant::now());
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
                bridge.clear();
                bridge.connected(Instant::now());
                continue;
            }
            Some(Happening::Message {
                topic,
                payload,
                retained,
            }) => {
                let now = Instant::now();
                if let Some(order) = bridge.message(&topic, &payload, retained, now) {
                    if orders.len() >= MOST {
                        tracing::warn!(topic, "ignored: {MOST} commands are under way already");
                        continue;
                    }
                    let controls = context.controls.clone();
                    orders.spawn(async move {
                        let Order {
                            device,
                            control,
                            value,
                        } = order;
                        if let Err(refusal) = controls.send(&device, control, &value).await {
                            tracing::warn!(topic, "command refused: {refusal}");
                        }
                    });
                }
                continue;
            }
            Some(Happening::NotSubscribed) => {
                tracing::warn!(%broker, "it does not let us subscribe: commands do not arrive");
                continue;
            }
            Some(Happening::Acknowledged(_) | Happening::Subscribed) => continue,
            Some(Happening::Lost(failure)) => failure,
        };
        connection = None;
        context
            .stats
            .failed(&task.name, "trying again", &failure.text);
        if let Some(exit) = link.lost(&broker, failure, Instant::now()) {
            return exit;
        }
    }
    bridge.farewell();
    pump(&mut connection, &mut bridge);
    if let Some(mut connection) = connection.filter(Connection::is_up) {
        connection.publish(&bridge.status(), OFFLINE, true, Token::State);
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
    Exit::Stopped
}

/// Hands over as many messages as the connection takes.
fn pump(connection: &mut Option<Connection>, bridge: &mut impl Bridge) {
    let Some(connection) = connection.as_mut().filter(|connection| connection.is_up()) else {
        bridge.clear();
        return;
    };
    while connection.is_ready() {
        match bridge.next() {
            Some(Act::Publish(message)) => message.submit(connection),
            Some(Act::Subscribe(topics)) => connection.subscribe(topics),
            None => break,
        }
    }
}

impl Message {
    /// A message that the broker keeps, and acknowledges.
    pub fn kept(topic: String, payload: String) -> Self {
        Self {
            topic,
            payload,
            at_least_once: true,
            retain: true,
        }
    }

    /// A message for those who listen now.
    pub fn passing(topic: String, payload: String) -> Self {
        Self {
            topic,
            payload,
            at_least_once: false,
            retain: false,
        }
    }
}
