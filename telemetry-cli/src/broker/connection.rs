//! One client's connection.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::time::Duration;

use rumqttc::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, Subscribe,
    SubscribeReasonCode, UnsubAck,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_util::bytes::BytesMut;

use super::router::{Delivery, Router, Session, lower};
use super::topic;

/// A connection that says nothing for this long has no business here.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A client that takes nothing for this long is cut.
const WRITE: Duration = Duration::from_secs(20);

/// Largest packet, in and out.
const MAX_PACKET: usize = 1 << 20;

/// Deliveries that one client may have to acknowledge; more wait.
const WINDOW: usize = 1024;

/// Retained messages that may wait for one client that keeps subscribing.
const MAX_WAITING: usize = 200_000;

/// Bytes that are written in one go.
const BATCH: usize = 64 << 10;

/// Why a connection ended before the client said goodbye.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// The network, or the client, closed it.
    #[error("connection lost: {0}")]
    Lost(#[from] io::Error),
    /// What the client sent is not what MQTT 3.1.1 allows, or more than we
    /// support.
    #[error("{0}")]
    Protocol(&'static str),
    /// Another connection has this client id now, or the client is too slow.
    #[error("cut")]
    Cut,
    /// Nothing heard within one and a half keep alive times.
    #[error("silent")]
    Silent,
}

/// Serves one client until it leaves.
pub(super) async fn serve(socket: TcpStream, router: &Router) -> Result<(), End> {
    // Acknowledgements are small and somebody waits for each.
    socket.set_nodelay(true)?;
    let mut wire = Wire {
        socket,
        input: BytesMut::new(),
        output: BytesMut::new(),
    };
    let connect = timeout(HANDSHAKE, wire.handshake())
        .await
        .map_err(|_| End::Silent)??;
    let keep_alive = Duration::from_secs(connect.keep_alive.into()) * 3 / 2;
    let session = router.connect(connect.client_id, connect.last_will);
    let mut client = Client {
        wire,
        router,
        session,
        retained: VecDeque::new(),
        unacknowledged: HashSet::new(),
        last_id: 0,
    };
    let cut = client.session.cut.clone();
    let end = tokio::select! {
        () = cut.cancelled() => Err(End::Cut),
        end = client.converse(keep_alive) => end,
    };
    router.disconnect(&client.session, end.is_ok());
    end
}

struct Wire {
    socket: TcpStream,
    input: BytesMut,
    output: BytesMut,
}

impl Wire {
    async fn handshake(&mut self) -> Result<Connect, End> {
        let packet = loop {
            // Version 5 has fields that the codec would take for others.
            if self.input.first() == Some(&0x10) && protocol_level(&self.input) == Some(5) {
                self.refuse(ConnectReturnCode::RefusedProtocolVersion).await;
                return Err(End::Protocol("wants MQTT 5"));
            }
            match self.decode() {
                Ok(Some(packet)) => break packet,
                Ok(None) => self.fill().await?,
                Err(end) => {
                    self.refuse(ConnectReturnCode::RefusedProtocolVersion).await;
                    return Err(end);
                }
            }
        };
        let Packet::Connect(connect) = packet else {
            return Err(End::Protocol("began without CONNECT"));
        };
        if connect.client_id.is_empty() && !connect.clean_session {
            self.refuse(ConnectReturnCode::BadClientId).await;
            return Err(End::Protocol("wants a session, but has no client id"));
        }
        if let Some(will) = &connect.last_will
            && !topic::is_name(&will.topic)
        {
            return Err(End::Protocol("its will has no valid topic"));
        }
        self.encode(&Packet::ConnAck(ConnAck::new(
            ConnectReturnCode::Success,
            false,
        )))?;
        Ok(connect)
    }

    async fn refuse(&mut self, code: ConnectReturnCode) {
        if self
            .encode(&Packet::ConnAck(ConnAck::new(code, false)))
            .is_ok()
        {
            // The connection ends anyway.
            let _ = self.flush().await;
        }
    }

    /// The next packet, if all of it is here.
    fn decode(&mut self) -> Result<Option<Packet>, End> {
        // Only what a client may send reaches the codec.
        match self.input.first().map(|byte| byte >> 4) {
            None => return Ok(None),
            Some(1 | 3 | 4 | 8 | 10 | 12 | 14) => {}
            Some(_) => return Err(End::Protocol("sent a packet that clients do not send")),
        }
        match Packet::read(&mut self.input, MAX_PACKET) {
            Ok(packet) => Ok(Some(packet)),
            Err(rumqttc::Error::InsufficientBytes(_)) => Ok(None),
            Err(rumqttc::Error::PayloadSizeLimitExceeded(_)) => {
                Err(End::Protocol("sent a packet over 1 MiB"))
            }
            Err(_) => Err(End::Protocol("sent a malformed packet")),
        }
    }

    fn encode(&mut self, packet: &Packet) -> Result<(), End> {
        packet
            .write(&mut self.output, MAX_PACKET)
            .map(drop)
            .map_err(|_| End::Protocol("would get a packet over 1 MiB"))
    }

    async fn fill(&mut self) -> Result<(), End> {
        self.input.reserve(4096);
        match self.socket.read_buf(&mut self.input).await? {
            0 => Err(End::Lost(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        if !self.output.is_empty() {
            timeout(WRITE, self.socket.write_all(&self.output))
                .await
                .map_err(|_| End::Cut)??;
            self.output.clear();
        }
        Ok(())
    }
}

struct Client<'a> {
    wire: Wire,
    router: &'a Router,
    session: Session,
    /// Retained messages of new subscriptions: they go before the queue.
    retained: VecDeque<Delivery>,
    unacknowledged: HashSet<u16>,
    last_id: u16,
}

impl Client<'_> {
    /// Until the client says goodbye.
    async fn converse(&mut self, keep_alive: Duration) -> Result<(), End> {
        let mut heard = Instant::now();
        loop {
            while let Some(packet) = self.wire.decode()? {
                heard = Instant::now();
                if packet == Packet::Disconnect {
                    return Ok(());
                }
                self.handle(packet)?;
                if self.wire.output.len() >= BATCH {
                    self.wire.flush().await?;
                }
            }
            self.deliver()?;
            self.wire.flush().await?;
            if self.may_deliver() && !self.retained.is_empty() {
                continue;
            }
            let may_deliver = self.may_deliver();
            tokio::select! {
                filled = self.wire.fill() => filled?,
                Some(delivery) = self.session.queue.recv(), if may_deliver => {
                    self.send(delivery)?;
                }
                () = tokio::time::sleep_until(heard + keep_alive), if !keep_alive.is_zero() => {
                    return Err(End::Silent);
                }
            }
        }
    }

    fn handle(&mut self, packet: Packet) -> Result<(), End> {
        match packet {
            Packet::Publish(publish) => {
                if publish.qos == QoS::ExactlyOnce {
                    return Err(End::Protocol("publishes at QoS 2"));
                }
                if !topic::is_name(&publish.topic) {
                    return Err(End::Protocol("publishes on an invalid topic"));
                }
                self.router.publish(
                    &publish.topic,
                    &publish.payload,
                    publish.qos,
                    publish.retain,
                );
                if publish.qos == QoS::AtLeastOnce {
                    self.wire
                        .encode(&Packet::PubAck(PubAck::new(publish.pkid)))?;
                }
            }
            Packet::PubAck(ack) => {
                self.unacknowledged.remove(&ack.pkid);
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe)?,
            Packet::Unsubscribe(unsubscribe) => {
                for filter in &unsubscribe.topics {
                    self.router.unsubscribe(&self.session, filter);
                }
                self.wire
                    .encode(&Packet::UnsubAck(UnsubAck::new(unsubscribe.pkid)))?;
            }
            Packet::PingReq => self.wire.encode(&Packet::PingResp)?,
            _ => return Err(End::Protocol("sent a packet out of turn")),
        }
        Ok(())
    }

    fn subscribe(&mut self, subscribe: Subscribe) -> Result<(), End> {
        let mut codes = Vec::with_capacity(subscribe.filters.len());
        for filter in subscribe.filters {
            let granted = lower(filter.qos, QoS::AtLeastOnce);
            let retained = match topic::is_filter(&filter.path) {
                true => self.router.subscribe(&self.session, filter.path, granted),
                false => None,
            };
            codes.push(match retained {
                Some(retained) => {
                    self.retained.extend(retained);
                    if self.retained.len() > MAX_WAITING {
                        return Err(End::Cut);
                    }
                    SubscribeReasonCode::Success(granted)
                }
                None => SubscribeReasonCode::Failure,
            });
        }
        self.wire
            .encode(&Packet::SubAck(SubAck::new(subscribe.pkid, codes)))
    }

    fn may_deliver(&self) -> bool {
        self.unacknowledged.len() < WINDOW
    }

    /// Writes what waits, as much as fits.
    fn deliver(&mut self) -> Result<(), End> {
        while self.may_deliver() && self.wire.output.len() < BATCH {
            let next = self.retained.pop_front();
            match next.or_else(|| self.session.queue.try_recv().ok()) {
                Some(delivery) => self.send(delivery)?,
                None => break,
            }
        }
        Ok(())
    }

    fn send(&mut self, delivery: Delivery) -> Result<(), End> {
        let mut publish = Publish::from_bytes(&*delivery.topic, delivery.qos, delivery.payload);
        publish.retain = delivery.retain;
        if delivery.qos != QoS::AtMostOnce {
            publish.pkid = self.next_id();
        }
        self.wire.encode(&Packet::Publish(publish))
    }

    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            // Ends: the window is smaller than the number of ids.
            if self.unacknowledged.insert(self.last_id) {
                return self.last_id;
            }
        }
    }
}

/// The protocol level of a CONNECT packet, once its first bytes are here.
fn protocol_level(packet: &[u8]) -> Option<u8> {
    let length = packet.iter().skip(1).take_while(|b| *b & 0x80 != 0).count() + 1;
    let name = packet.get(1 + length..)?;
    name.starts_with(b"\0\x04MQTT")
        .then(|| name.get(6).copied())?
}
