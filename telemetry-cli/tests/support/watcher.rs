//! A second client that sees what arrives at a broker. It speaks through the
//! client library's codec alone, so that a mistake of the sink is not mirrored
//! here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use rumqttc::{Connect, ConnectReturnCode, LastWill, Packet, PubAck, Publish, QoS, Subscribe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::bytes::BytesMut;

/// Nothing that is waited for takes longer, however slow the machine is.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A client that has subscribed to everything.
#[derive(Debug)]
pub struct Watcher {
    socket: TcpStream,
    input: BytesMut,
    /// The last payload of each topic.
    pub last: BTreeMap<String, String>,
    /// Its quality of service.
    pub qos: BTreeMap<String, QoS>,
    /// Every message, in its order: topic, payload, whether it was retained.
    pub log: Vec<(String, String, bool)>,
}

impl Watcher {
    /// Connects to `broker`, waiting for it if it has to.
    pub async fn new(broker: SocketAddr) -> Self {
        Self::connect(broker, "watcher", 1, None).await
    }

    /// Connects to a broker that asks for a password.
    pub async fn login(broker: SocketAddr, user: &str, password: &str) -> Self {
        let mut connect = Connect::new("watcher");
        connect.set_login(user, password);
        Self::begin(broker, connect, 1).await
    }

    /// Connects with a name, a subscription level and a last will.
    pub async fn connect(
        broker: SocketAddr,
        client_id: &str,
        qos: u8,
        will: Option<LastWill>,
    ) -> Self {
        let mut connect = Connect::new(client_id);
        connect.last_will = will;
        Self::begin(broker, connect, qos).await
    }

    async fn begin(broker: SocketAddr, mut connect: Connect, qos: u8) -> Self {
        let socket = loop {
            match TcpStream::connect(broker).await {
                Ok(socket) => break socket,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let mut watcher = Self {
            socket,
            input: BytesMut::new(),
            last: BTreeMap::new(),
            qos: BTreeMap::new(),
            log: Vec::new(),
        };
        connect.keep_alive = 0;
        watcher.send(&Packet::Connect(connect)).await;
        match watcher.packet().await {
            Some(Packet::ConnAck(ack)) if ack.code == ConnectReturnCode::Success => {}
            other => panic!("{other:?}"),
        }
        let qos = rumqttc::qos(qos).expect("a level");
        let mut subscribe = Subscribe::new("#", qos);
        subscribe.pkid = 1;
        watcher.send(&Packet::Subscribe(subscribe)).await;
        loop {
            match watcher.packet().await {
                Some(Packet::SubAck(_)) => return watcher,
                Some(Packet::Publish(publish)) => watcher.take(publish).await,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Publishes, and waits for the acknowledgement.
    pub async fn publish(&mut self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        publish.retain = retain;
        publish.pkid = 7;
        self.send(&Packet::Publish(publish)).await;
        loop {
            match self.packet().await {
                Some(Packet::PubAck(_)) => return,
                Some(Packet::Publish(publish)) => self.take(publish).await,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the last payload of `topic` is `payload`.
    pub async fn wait_for(&mut self, topic: &str, payload: &str) {
        self.wait_until(&format!("{topic} = {payload}"), |watcher| {
            watcher.last.get(topic).is_some_and(|last| last == payload)
        })
        .await;
    }

    /// Reads until something is true of what was read.
    pub async fn wait_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let all = async {
            while !done(self) {
                self.read().await;
            }
        };
        if tokio::time::timeout(DEADLINE, all).await.is_err() {
            panic!("never: {what}; last: {:#?}", self.last);
        }
    }

    /// Reads one message.
    pub async fn read(&mut self) {
        match self.packet().await {
            Some(Packet::Publish(publish)) => self.take(publish).await,
            Some(Packet::PingResp) => {}
            other => panic!("{other:?}"),
        }
    }

    /// Sends a packet.
    pub async fn send(&mut self, packet: &Packet) {
        assert!(self.try_send(packet).await, "not connected any more");
    }

    /// Sends a packet; false if the broker has closed the connection.
    pub async fn try_send(&mut self, packet: &Packet) -> bool {
        let mut output = BytesMut::new();
        packet.write(&mut output, 4 << 20).expect("a valid packet");
        self.socket.write_all(&output).await.is_ok()
    }

    /// Says goodbye, and waits until the broker has closed the connection.
    pub async fn leave(mut self) {
        self.send(&Packet::Disconnect).await;
        while self.packet().await.is_some() {}
    }

    /// The next packet, or nothing if the broker closed the connection.
    pub async fn packet(&mut self) -> Option<Packet> {
        loop {
            match Packet::read(&mut self.input, 4 << 20) {
                Ok(packet) => return Some(packet),
                Err(rumqttc::Error::InsufficientBytes(_)) => {}
                Err(error) => panic!("{error}"),
            }
            let read = self.socket.read_buf(&mut self.input);
            match tokio::time::timeout(DEADLINE, read).await.expect("silent") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    async fn take(&mut self, publish: Publish) {
        if publish.qos != QoS::AtMostOnce {
            self.send(&Packet::PubAck(PubAck::new(publish.pkid))).await;
        }
        let payload = String::from_utf8(publish.payload.to_vec()).expect("text");
        self.last.insert(publish.topic.clone(), payload.clone());
        self.qos.insert(publish.topic.clone(), publish.qos);
        self.log.push((publish.topic, payload, publish.retain));
    }
}

/// What a broker has retained.
pub async fn retained(broker: SocketAddr) -> BTreeMap<String, String> {
    let mut watcher = Watcher::connect(broker, "reader", 0, None).await;
    // Retained messages are out before the answer.
    let mark = format!("mark/{}", broker.port());
    watcher.publish(&mark, "x", false).await;
    watcher.wait_for(&mark, "x").await;
    watcher
        .log
        .into_iter()
        .filter(|(_, _, retained)| *retained)
        .map(|(topic, payload, _)| (topic, payload))
        .collect()
}
