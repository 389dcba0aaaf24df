//! The simulated cloud as an MQTT 3.1.1 broker on real sockets, with or without TLS.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::Vin;
use bimmer::cardata::stream::{Stream, StreamEvent};
use bimmer::cardata::{Client, ClientBuilder, ClientId, Hosts};
use bimmer::http::{Request, Sending, Transport};
use bimmer::simulator::{Car, CarDataCloud, Delivery};
use bytes::BytesMut;
use chrono::Utc;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, Publish, QoS, SubAck, SubscribeReasonCode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub(crate) const CLIENT: &str = "01234567-89ab-cdef-0123-456789abcdef";

pub(crate) type Cloud = Arc<Mutex<CarDataCloud>>;

/// Carries REST calls to the cloud without a network.
pub(crate) struct Direct(pub(crate) Cloud);

impl Transport for Direct {
    fn send(&self, request: Request) -> Sending<'_> {
        let response = self.0.lock().unwrap().handle(&request, Utc::now());
        Box::pin(async move { Ok(response) })
    }
}

/// Two cars.
pub(crate) fn cloud() -> Cloud {
    let cars = (1..=2).map(|number| {
        let vin = Vin::new(&format!("WBA11AA000123450{number}")).unwrap();
        Car::new(vin, "BMW", "i4")
    });
    Arc::new(Mutex::new(CarDataCloud::new(CLIENT, cars.collect(), 1)))
}

/// A client whose stream is at this address.
pub(crate) fn client(cloud: &Cloud, host: &str, port: u16) -> ClientBuilder {
    Client::builder(ClientId::new(CLIENT).unwrap())
        .hosts(Hosts::default().with_stream(host, port))
        .transport(Direct(cloud.clone()))
}

pub(crate) async fn log_in(cloud: &Cloud, client: &Client) {
    let confirm = cloud.clone();
    client
        .login(|code| assert!(confirm.lock().unwrap().confirm(&code.user_code)))
        .await
        .unwrap();
}

/// Reads and writes MQTT around the simulated broker until the client goes.
pub(crate) async fn connection<S>(mut stream: S, number: u64, cloud: Cloud)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut incoming, mut outgoing) = (BytesMut::new(), BytesMut::new());
    loop {
        while let Ok(packet) = Packet::read(&mut incoming, 1 << 20) {
            let answer = match packet {
                Packet::Connect(connect) => {
                    let login = connect.login.unwrap();
                    let mut cloud = cloud.lock().unwrap();
                    let code = cloud.connect(number, &login.username, &login.password, Utc::now());
                    let accepted = [ConnectReturnCode::NotAuthorized, ConnectReturnCode::Success];
                    Packet::ConnAck(ConnAck::new(accepted[usize::from(code == 0)], false))
                }
                Packet::Subscribe(subscribe) => {
                    let topic = &subscribe.filters[0].path;
                    let code = match cloud.lock().unwrap().subscribe(number, topic) {
                        0x80 => SubscribeReasonCode::Failure,
                        _ => SubscribeReasonCode::Success(QoS::AtMostOnce),
                    };
                    Packet::SubAck(SubAck::new(subscribe.pkid, vec![code]))
                }
                Packet::PingReq => Packet::PingResp,
                Packet::Disconnect => {
                    cloud.lock().unwrap().disconnect(number);
                    return;
                }
                _ => continue,
            };
            answer.write(&mut outgoing, 1 << 20).unwrap();
        }
        while let Some(delivery) = {
            let mut cloud = cloud.lock().unwrap();
            cloud.poll(number, Utc::now())
        } {
            let Delivery::Publish { topic, payload } = delivery else {
                return;
            };
            let publish = Publish::new(topic, QoS::AtMostOnce, payload);
            Packet::Publish(publish)
                .write(&mut outgoing, 1 << 20)
                .unwrap();
        }
        if stream.write_all(&outgoing.split()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        let mut chunk = [0; 4096];
        tokio::select! {
            read = stream.read(&mut chunk) => match read {
                Ok(0) | Err(_) => return,
                Ok(count) => incoming.extend_from_slice(&chunk[..count]),
            },
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

/// What the stream says next.
pub(crate) async fn next(stream: &mut Stream) -> StreamEvent {
    tokio::time::timeout(Duration::from_secs(60), stream.next())
        .await
        .unwrap()
        .unwrap()
}
