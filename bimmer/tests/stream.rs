//! The stream against the simulated broker: real MQTT 3.1.1 on loopback.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::cardata::stream::{Ending, Stream, StreamEvent, StreamOptions};
use bimmer::cardata::{Client, ClientId, Hosts, Overview, Telemetry};
use bimmer::http::{Request, Sending, Transport};
use bimmer::simulator::{Car, CarDataCloud, Delivery};
use bimmer::{Error, LoginError, Vin};
use bytes::BytesMut;
use chrono::Utc;
use rumqttc::{ConnAck, ConnectReturnCode, Packet, Publish, QoS, SubAck, SubscribeReasonCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const CLIENT: &str = "01234567-89ab-cdef-0123-456789abcdef";

type Cloud = Arc<Mutex<CarDataCloud>>;

struct Direct(Cloud);

impl Transport for Direct {
    fn send(&self, request: Request) -> Sending<'_> {
        let response = self.0.lock().unwrap().handle(&request, Utc::now());
        Box::pin(async move { Ok(response) })
    }
}

/// Reads and writes MQTT around the simulated broker.
async fn serve(listener: TcpListener, cloud: Cloud) {
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(connection(stream, number, cloud.clone()));
    }
}

async fn connection(mut stream: TcpStream, number: u64, cloud: Cloud) {
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
        if stream.write_all(&outgoing.split()).await.is_err() {
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

async fn account() -> (Cloud, Client) {
    let cars = (1..=2).map(|number| {
        let vin = Vin::new(&format!("WBA11AA000123450{number}")).unwrap();
        Car::new(vin, "BMW", "i4")
    });
    let cloud = Arc::new(Mutex::new(CarDataCloud::new(CLIENT, cars.collect(), 1)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, cloud.clone()));
    let client = client(&cloud, port);
    let confirm = cloud.clone();
    client
        .login(|code| assert!(confirm.lock().unwrap().confirm(&code.user_code)))
        .await
        .unwrap();
    (cloud, client)
}

fn client(cloud: &Cloud, port: u16) -> Client {
    Client::builder(ClientId::new(CLIENT).unwrap())
        .hosts(Hosts::default().with_stream("127.0.0.1", port))
        .transport(Direct(cloud.clone()))
        .build()
        .unwrap()
}

fn options() -> StreamOptions {
    let mut options = StreamOptions::default();
    options.plain_loopback = true;
    options
}

async fn next(stream: &mut Stream) -> StreamEvent {
    tokio::time::timeout(Duration::from_secs(60), stream.next())
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test]
async fn one_session_for_all_cars() {
    let (_, client) = account().await;
    let mut stream = client.stream(options()).unwrap();
    assert_eq!(next(&mut stream).await, StreamEvent::Connected);
    let mut cars = std::collections::BTreeMap::<Vin, Telemetry>::new();
    while cars.values().filter(|car| car.iter().count() >= 13).count() < 2 {
        if let StreamEvent::Message {
            topic,
            payload,
            message,
        } = next(&mut stream).await
        {
            assert!(topic.ends_with(message.vin.as_str()) && !payload.is_empty());
            cars.entry(message.vin.clone())
                .or_default()
                .apply_stream(&message, Utc::now());
        }
    }
    let seen = Overview::of(&cars.values().next().unwrap().clone(), Utc::now());
    assert_eq!(seen.target_soc_percent.unwrap().value, 80.0);
    assert!(seen.position.is_some());
}

#[tokio::test]
async fn a_valid_token_that_is_refused_is_replaced() {
    let (cloud, client) = account().await;
    let first = client.token().await.unwrap();
    cloud.lock().unwrap().faults.refuse_stream = 1.0;
    let mut stream = client.stream(options()).unwrap();
    let StreamEvent::Disconnected { ending, .. } = next(&mut stream).await else {
        panic!()
    };
    assert_eq!(ending, Ending::Refused);
    cloud.lock().unwrap().faults.refuse_stream = 0.0;
    assert_eq!(next(&mut stream).await, StreamEvent::Connected);
    assert_ne!(client.token().await.unwrap().id_token, first.id_token);
}

#[tokio::test]
async fn a_second_program_throws_us_out_and_we_come_back() {
    let (cloud, client) = account().await;
    let mut stream = client.stream(options()).unwrap();
    assert_eq!(next(&mut stream).await, StreamEvent::Connected);
    let token = client.token().await.unwrap();
    let (user, password) = (token.gcid.unwrap(), token.id_token.unwrap());
    let code = cloud
        .lock()
        .unwrap()
        .connect(99, &user, password.expose(), Utc::now());
    assert_eq!(code, 0);
    loop {
        match next(&mut stream).await {
            StreamEvent::Message { .. } => {}
            StreamEvent::Disconnected { ending, .. } => {
                assert_eq!(ending, Ending::Closed);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next(&mut stream).await, StreamEvent::Connected);
}

#[tokio::test]
async fn without_the_right_nothing_is_tried() {
    let (cloud, client) = account().await;
    let mut token = client.token().await.unwrap();
    token.id_token = None;
    client.adopt_token(token).await.unwrap();
    let error = client.stream(options()).unwrap().next().await.unwrap_err();
    let missing = LoginError::ScopeMissing {
        scope: "cardata:streaming:read",
    };
    assert!(matches!(error, Error::Login(reason) if reason == missing));
    let elsewhere = Client::builder(ClientId::new(CLIENT).unwrap())
        .transport(Direct(cloud))
        .build()
        .unwrap();
    assert!(matches!(
        elsewhere.stream(options()),
        Err(Error::Configuration(_))
    ));
}
