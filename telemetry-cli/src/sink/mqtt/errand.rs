//! Short visits to the broker: to leave one message, or to see whether it
//! would let the gateway work.

use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, Happening, Token};
use super::fleeting::Message;
use super::settings::Settings;
use super::topics::Topics;
use crate::config;
use crate::event::DeviceId;
use crate::exit::{Code, Failure};

/// For an answer of a broker that took us. A connection has its own limit.
const ANSWER: Duration = Duration::from_secs(10);

/// Connects as the gateway would, and sends itself a message below the topic
/// prefix, which nobody keeps. What worked, in words.
///
/// # Errors
/// What did not.
pub async fn probe(config: &config::Mqtt) -> Result<String, Failure> {
    let visit = Visit::new(config)?;
    let topics = Topics::new(&config.topic_prefix)
        .map_err(|why| Failure::new(Code::Configuration, format!("mqtt.topic_prefix: {why}")))?;
    let topic = topics.check(&visit.id);
    let mut connection = visit.connect().await.map_err(|failure| {
        failure.hint("start the broker, or correct `url` and the login in [mqtt]")
    })?;
    connection.subscribe([topic.clone()]);
    connection.publish(&topic, "check", false, Token::State);
    let prefix = &config.topic_prefix;
    let denied = |what: &str| {
        visit.failure(what).hint(format!(
            "let this user read and write {prefix}/# in the broker's access list"
        ))
    };
    let came_back = async {
        loop {
            match connection.next().await {
                Happening::Message { topic: other, .. } if other == topic => return Ok(()),
                Happening::NotSubscribed => {
                    return Err(denied(&format!("it forbids subscribing below {prefix}")));
                }
                // Some brokers end a connection that oversteps.
                Happening::Lost(_) => {
                    let what = format!("it hung up on a message below {prefix}");
                    return Err(denied(&format!("{what}: it forbids publishing?")));
                }
                _ => {}
            }
        }
    };
    let came_back = timeout(ANSWER, came_back).await;
    came_back.unwrap_or_else(|_| {
        let what = format!("a message below {prefix} did not come back: it forbids publishing?");
        Err(denied(&what))
    })?;
    connection.close().await;
    let broker = &visit.settings.broker;
    Ok(format!(
        "{broker} takes and hands out messages below {prefix}"
    ))
}

/// A visit that can be made.
pub struct Visit {
    settings: Settings,
    /// Differs from the gateway's and from that of other visits: a broker ends
    /// the older of two connections with one name.
    id: String,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit")
            .field("broker", &self.settings.broker)
            .finish_non_exhaustive()
    }
}

impl Visit {
    /// Looks at the settings, and at the files that they name; nothing is sent.
    ///
    /// # Errors
    /// If they cannot work.
    pub fn new(config: &config::Mqtt) -> Result<Self, Failure> {
        let id = format!("{:08x}", fastrand::u32(..));
        let visitor = DeviceId::new(&["visit", &id]);
        let config = config::Mqtt {
            client_id: None,
            ..config.clone()
        };
        let wrong = |what| Failure::new(Code::Configuration, what);
        let settings = Settings::new(&config, &visitor, None).map_err(wrong)?;
        if let Some(password) = &config.password {
            let read = password.reveal();
            read.map_err(|error| wrong(format!("{}: {error}", config.names.password)))?;
        }
        Ok(Self { settings, id })
    }

    /// Leaves one message.
    ///
    /// # Errors
    /// If the broker is away, does not want us, or did not take the message.
    pub async fn publish(&self, message: Message) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        message.submit(&mut connection);
        let taken = async {
            while connection.unacknowledged() > 0 {
                if let Happening::Lost(failure) = connection.next().await {
                    return Err(self.failure(&failure.text));
                }
            }
            Ok(())
        };
        let taken = timeout(ANSWER, taken).await;
        taken.unwrap_or_else(|_| Err(self.failure("it did not take the message in time")))?;
        connection.close().await;
        Ok(())
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let mut connection =
            Connection::open(&self.settings).map_err(|failure| self.failure(&failure.text))?;
        loop {
            match connection.next().await {
                Happening::Connected => return Ok(connection),
                Happening::Lost(failure) => return Err(self.failure(&failure.text)),
                _ => {}
            }
        }
    }

    fn failure(&self, what: &str) -> Failure {
        let message = format!("MQTT broker {}: {what}", self.settings.broker);
        Failure::new(Code::Backend, message)
    }
}
