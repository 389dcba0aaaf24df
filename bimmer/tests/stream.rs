//! The stream against the simulated broker: real MQTT 3.1.1 on loopback.

mod support;

use bimmer::cardata::stream::{Ending, StreamEvent, StreamOptions};
use bimmer::cardata::{Client, ClientId, Overview, Telemetry};
use bimmer::{Error, LoginError, Vin};
use chrono::Utc;
use support::broker::{self, CLIENT, Cloud, Direct, next};
use tokio::net::TcpListener;

async fn serve(listener: TcpListener, cloud: Cloud) {
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(broker::connection(stream, number, cloud.clone()));
    }
}

async fn account() -> (Cloud, Client) {
    let cloud = broker::cloud();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, cloud.clone()));
    let client = broker::client(&cloud, "127.0.0.1", port).build().unwrap();
    broker::log_in(&cloud, &client).await;
    (cloud, client)
}

fn options() -> StreamOptions {
    let mut options = StreamOptions::default();
    options.plain_loopback = true;
    options
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
