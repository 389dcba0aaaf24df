//! The stream of the simulated CarData: as much of MQTT 3.1.1 as it takes.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::simulator::Delivery;
use chrono::Utc;
use rumqttc::{
    ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::bytes::BytesMut;
use tokio_util::sync::CancellationToken;

use super::CarData;
use crate::lock::lock;

/// How often the cloud is asked for news.
const LOOK: Duration = Duration::from_millis(200);

/// A connection that says nothing for this long has no business here.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A client that takes nothing for this long is cut.
const WRITE: Duration = Duration::from_secs(20);

/// Largest packet, in and out.
const MAX_PACKET: usize = 1 << 20;

/// Connections at the same time; more are closed at once.
const MAX_CONNECTIONS: usize = 64;

/// The listener of the stream. It has no encryption: on loopback only.
#[derive(Debug)]
pub struct Stream {
    listener: TcpListener,
    address: SocketAddr,
}

impl Stream {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// If it cannot be listened on.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves what `cloud` has to tell until `shutdown`.
    pub async fn run(self, cloud: Arc<Mutex<CarData>>, shutdown: CancellationToken) {
        let mut connections = JoinSet::new();
        let mut number = 0;
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, _)) if connections.len() < MAX_CONNECTIONS => {
                    number += 1;
                    connections.spawn(serve(socket, cloud.clone(), number));
                }
                Ok(_) => {}
                // Such as too many open files.
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
        connections.shutdown().await;
    }
}

async fn serve(socket: TcpStream, cloud: Arc<Mutex<CarData>>, number: u64) {
    let mut wire = Wire {
        socket,
        input: BytesMut::new(),
    };
    let end = wire.converse(&cloud, number).await;
    lock(&cloud).cloud.disconnect(number);
    if let Err(error) = end {
        tracing::debug!(%error, number, "a client of the stream is gone");
    }
}

struct Wire {
    socket: TcpStream,
    input: BytesMut,
}

impl Wire {
    /// Until either side ends it.
    async fn converse(&mut self, cloud: &Mutex<CarData>, number: u64) -> io::Result<()> {
        let first = timeout(HANDSHAKE, self.packet()).await??;
        let Packet::Connect(connect) = first else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let login = connect.login.unwrap_or_else(|| rumqttc::Login::new("", ""));
        let code = lock(cloud)
            .cloud
            .connect(number, &login.username, &login.password, Utc::now());
        if code != 0 {
            let refused = ConnAck::new(ConnectReturnCode::NotAuthorized, false);
            return self.send(&Packet::ConnAck(refused)).await;
        }
        let accepted = ConnAck::new(ConnectReturnCode::Success, false);
        self.send(&Packet::ConnAck(accepted)).await?;
        loop {
            let packet = tokio::select! {
                packet = self.packet() => packet?,
                () = tokio::time::sleep(LOOK) => {
                    if !self.deliver(cloud, number).await? {
                        return Ok(());
                    }
                    continue;
                }
            };
            match packet {
                Packet::Subscribe(subscribe) => {
                    let codes = subscribe.filters.iter().map(|filter| {
                        match lock(cloud).cloud.subscribe(number, &filter.path) {
                            0x80 => SubscribeReasonCode::Failure,
                            _ => SubscribeReasonCode::Success(QoS::AtLeastOnce),
                        }
                    });
                    let ack = SubAck::new(subscribe.pkid, codes.collect());
                    self.send(&Packet::SubAck(ack)).await?;
                }
                Packet::PingReq => self.send(&Packet::PingResp).await?,
                Packet::Publish(publish) if publish.qos == QoS::AtLeastOnce => {
                    self.send(&Packet::PubAck(PubAck::new(publish.pkid)))
                        .await?;
                }
                Packet::Disconnect => return Ok(()),
                _ => {}
            }
        }
    }

    /// Sends what there is; false if the cloud closes the connection.
    async fn deliver(&mut self, cloud: &Mutex<CarData>, number: u64) -> io::Result<bool> {
        loop {
            let delivery = lock(cloud).cloud.poll(number, Utc::now());
            match delivery {
                None => return Ok(true),
                Some(Delivery::Close) => return Ok(false),
                Some(Delivery::Publish { topic, payload }) => {
                    let publish = Publish::new(topic, QoS::AtMostOnce, payload);
                    self.send(&Packet::Publish(publish)).await?;
                }
            }
        }
    }

    /// The next packet. Cancel safe.
    async fn packet(&mut self) -> io::Result<Packet> {
        loop {
            // Only what a client may send reaches the codec.
            let known = matches!(
                self.input.first().map(|byte| byte >> 4),
                None | Some(1 | 3 | 4 | 8 | 10 | 12 | 14)
            );
            if !known {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if !self.input.is_empty() {
                match Packet::read(&mut self.input, MAX_PACKET) {
                    Ok(packet) => return Ok(packet),
                    Err(rumqttc::Error::InsufficientBytes(_)) => {}
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
            if self.socket.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn send(&mut self, packet: &Packet) -> io::Result<()> {
        let mut output = BytesMut::new();
        packet
            .write(&mut output, MAX_PACKET)
            .map_err(io::Error::other)?;
        timeout(WRITE, self.socket.write_all(&output)).await?
    }
}
