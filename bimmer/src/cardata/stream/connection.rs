use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS,
    SubscribeReasonCode, TlsConfiguration, Transport,
};

use super::message::StreamMessage;
use super::rules::{Ending, Notice, SessionRules};
use super::{KEEP_ALIVE_S, topic};
use crate::cardata::client::Client;
use crate::cardata::id_token::IdClaims;
use crate::error::{Error, LoginError};
use crate::token::Token;

/// The library's limit of 10 KiB is close to what cars send.
const LONGEST_PACKET: usize = 1 << 20;
const CONNECT_TIMEOUT_S: u64 = 20;

/// How a stream connects.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StreamOptions {
    /// Name of this client at the broker. By default the account's number, so
    /// that the broker replaces an old session of ours.
    pub client_id: Option<String>,
    /// Without TLS. Only to this machine itself, for tests.
    pub plain_loopback: bool,
}

/// What happens on the stream.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The broker accepted account and topic.
    Connected,
    /// A message, as it came and as it reads.
    Message {
        /// The publication's topic: account and VIN.
        topic: String,
        /// The payload, for programs that pass it on.
        payload: Vec<u8>,
        /// What it says.
        message: StreamMessage,
    },
    /// A publication that is no message; so many so far.
    Unreadable(u64),
    /// No connection at the moment; the next attempt comes by itself.
    Disconnected {
        /// Why.
        ending: Ending,
        /// When.
        retry_in: Duration,
    },
    /// What the user should know.
    Notice(Notice),
}

/// The one stream of an account. Reconnects for ever; dropping it disconnects.
pub struct Stream {
    client: Client,
    options: StreamOptions,
    tls: Option<Arc<rustls::ClientConfig>>,
    rules: SessionRules,
    session: Option<Session>,
    /// When to connect, on tokio's clock.
    connect_at: tokio::time::Instant,
    renew: Option<Token>,
    notice: Option<Notice>,
    unreadable: u64,
}

struct Session {
    mqtt: AsyncClient,
    events: EventLoop,
    token: Token,
    topic: String,
    /// When the token has to be replaced.
    until: DateTime<Utc>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The stream of this account. Nothing is sent before the first
    /// [`Stream::next`].
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if TLS cannot be set up, or is to be left out to
    /// another machine.
    pub fn stream(&self, options: StreamOptions) -> Result<Stream, Error> {
        let tls = if options.plain_loopback {
            if !matches!(
                self.hosts().stream_host.as_str(),
                "127.0.0.1" | "::1" | "localhost"
            ) {
                let refusal = "a stream without TLS is possible to this machine itself only";
                return Err(Error::Configuration(refusal.to_owned()));
            }
            None
        } else {
            Some(Arc::new(crate::http::tls(self.extra_ca())?))
        };
        Ok(Stream {
            client: self.clone(),
            options,
            tls,
            rules: SessionRules::new(),
            session: None,
            connect_at: tokio::time::Instant::now(),
            renew: None,
            notice: None,
            unreadable: 0,
        })
    }
}

impl Stream {
    /// Waits for the next event. Dropping the future in between loses nothing
    /// but, at worst, an attempt to connect.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the user has to log in, [`Error::Store`] if the token
    /// cannot be stored. The stream may be asked again later.
    pub async fn next(&mut self) -> Result<StreamEvent, Error> {
        loop {
            if let Some(notice) = self.notice.take() {
                return Ok(StreamEvent::Notice(notice));
            }
            let Some(session) = &mut self.session else {
                tokio::time::sleep_until(self.connect_at).await;
                // Should the login fail, the next call is not to hammer at it.
                self.connect_at = tokio::time::Instant::now() + Duration::from_secs(10);
                self.connect().await?;
                continue;
            };
            let left = (session.until - self.client.now())
                .to_std()
                .unwrap_or_default();
            // Wall clocks jump after a suspend: look again now and then.
            let look_again = left.min(Duration::from_secs(30));
            let event = tokio::select! {
                event = session.events.poll() => event,
                () = tokio::time::sleep(look_again) => {
                    if self.client.now() < session.until {
                        continue;
                    }
                    return Ok(self.close(Ending::TokenEnding).await);
                }
            };
            match event {
                Ok(Event::Incoming(packet)) => {
                    if let Some(event) = self.incoming(packet).await? {
                        return Ok(event);
                    }
                }
                Ok(Event::Outgoing(_)) => {}
                Err(error) => {
                    let ending = ending_of(&error);
                    tracing::debug!(?ending, "the stream ended");
                    return Ok(self.close(ending).await);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let token = match &self.renew {
            Some(refused) => self.client.token_instead_of(refused).await?,
            None => self.client.token().await?,
        };
        self.renew = None;
        let missing = LoginError::ScopeMissing {
            scope: "cardata:streaming:read",
        };
        let Some(id_token) = &token.id_token else {
            return Err(missing.into());
        };
        let claims = IdClaims::read(id_token).ok();
        let gcid = token.gcid.clone().or_else(|| claims.as_ref()?.gcid.clone());
        let gcid = gcid.ok_or(missing)?;
        if let Some(claims) = &claims {
            claims.check_stream(&gcid)?;
        }
        let hosts = self.client.hosts();
        let client_id = self
            .options
            .client_id
            .clone()
            .unwrap_or_else(|| gcid.clone());
        let mut options = MqttOptions::new(client_id, &hosts.stream_host, hosts.stream_port);
        options
            .set_credentials(&gcid, id_token.expose())
            .set_keep_alive(Duration::from_secs(KEEP_ALIVE_S.into()))
            .set_clean_session(true)
            .set_max_packet_size(LONGEST_PACKET, LONGEST_PACKET);
        if let Some(tls) = &self.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
                tls.clone(),
            )));
        }
        let (mqtt, mut events) = AsyncClient::new(options, 8);
        events
            .network_options
            .set_connection_timeout(CONNECT_TIMEOUT_S);
        let ends = claims.and_then(|claims| claims.expires_at());
        let until = ends.unwrap_or(token.expires_at) - Token::MARGIN;
        self.rules.connecting(self.client.now());
        let topic = topic(&gcid);
        self.session = Some(Session {
            mqtt,
            events,
            token,
            topic,
            until,
        });
        Ok(())
    }

    async fn incoming(&mut self, packet: Packet) -> Result<Option<StreamEvent>, Error> {
        let Some(session) = &self.session else {
            return Ok(None);
        };
        match packet {
            Packet::ConnAck(_) => {
                let subscribed = session.mqtt.try_subscribe(&session.topic, QoS::AtLeastOnce);
                if subscribed.is_err() {
                    return Ok(Some(self.close(Ending::Closed).await));
                }
                Ok(None)
            }
            Packet::SubAck(answer) => {
                let refused = |code: &SubscribeReasonCode| *code == SubscribeReasonCode::Failure;
                if answer.return_codes.iter().any(refused) {
                    return Ok(Some(self.close(Ending::TopicRefused).await));
                }
                self.rules.subscribed(self.client.now());
                Ok(Some(StreamEvent::Connected))
            }
            Packet::Publish(publication) => {
                let payload = publication.payload.to_vec();
                Ok(Some(match StreamMessage::decode(&payload) {
                    Ok(message) => StreamEvent::Message {
                        topic: publication.topic,
                        payload,
                        message,
                    },
                    Err(_) => {
                        self.unreadable += 1;
                        StreamEvent::Unreadable(self.unreadable)
                    }
                }))
            }
            _ => Ok(None),
        }
    }

    /// Ends the session and plans the next.
    async fn close(&mut self, ending: Ending) -> StreamEvent {
        let plan = self.rules.ended(ending, self.client.now());
        if let Some(mut session) = self.session.take() {
            if matches!(ending, Ending::TokenEnding | Ending::TopicRefused) {
                let _ = session.mqtt.try_disconnect();
                // Sends what is queued; ends with an error when it is out.
                let farewell = async { while session.events.poll().await.is_ok() {} };
                let _ = tokio::time::timeout(Duration::from_secs(2), farewell).await;
            }
            self.renew = plan.renew_token.then_some(session.token);
        }
        self.connect_at = tokio::time::Instant::now() + plan.wait;
        self.notice = plan.notice;
        StreamEvent::Disconnected {
            ending,
            retry_in: plan.wait,
        }
    }
}

fn ending_of(error: &ConnectionError) -> Ending {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => Ending::Refused,
        ConnectionError::ConnectionRefused(_)
        | ConnectionError::NetworkTimeout
        | ConnectionError::Tls(_) => Ending::Unreachable,
        ConnectionError::Io(error) => {
            let words = error.to_string();
            let unresolved = ["lookup", "resolve", "resolution", "service not known"];
            if unresolved.iter().any(|part| words.contains(part)) {
                Ending::Offline
            } else if error.kind() == std::io::ErrorKind::ConnectionRefused {
                Ending::Unreachable
            } else {
                Ending::Closed
            }
        }
        _ => Ending::Closed,
    }
}
