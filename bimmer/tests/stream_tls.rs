//! The stream over TLS with a certificate authority of one's own: a real MQTT
//! broker on loopback, whose certificate that authority has signed.

mod support;

use std::sync::Arc;

use bimmer::cardata::stream::{Ending, StreamEvent, StreamOptions};
use bimmer::cardata::{Overview, Telemetry};
use chrono::Utc;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use support::broker::{self, Cloud, next};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority, and a server that it vouches for under this name.
fn server(name: &str) -> (String, TlsAcceptor) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let signed = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (certificate.pem(), TlsAcceptor::from(Arc::new(config)))
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, cloud: Cloud) {
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        // A client that does not trust us hangs up.
        if let Ok(stream) = tls.accept(stream).await {
            tokio::spawn(broker::connection(stream, number, cloud.clone()));
        }
    }
}

/// The cloud, the port of its broker and the authority.
async fn broker_for(name: &str) -> (Cloud, u16, String) {
    let cloud = broker::cloud();
    let (authority, tls) = server(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve(listener, tls, cloud.clone()));
    (cloud, port, authority)
}

#[tokio::test]
async fn values_arrive_through_tls() {
    let (cloud, port, authority) = broker_for("localhost").await;
    let client = broker::client(&cloud, "localhost", port).extra_ca(authority);
    let client = client.build().unwrap();
    broker::log_in(&cloud, &client).await;
    let mut stream = client.stream(StreamOptions::default()).unwrap();
    assert_eq!(next(&mut stream).await, StreamEvent::Connected);
    let mut car = Telemetry::new();
    while car.iter().count() < 13 {
        if let StreamEvent::Message { message, .. } = next(&mut stream).await
            && message.vin.as_str().ends_with('1')
        {
            car.apply_stream(&message, Utc::now());
        }
    }
    assert_eq!(
        Overview::of(&car, Utc::now())
            .target_soc_percent
            .unwrap()
            .value,
        80.0
    );
}

/// Without the authority, and under another name, nothing is said: neither
/// account nor token leave.
#[tokio::test]
async fn a_broker_that_nobody_vouches_for_is_left() {
    let (cloud, port, authority) = broker_for("localhost").await;
    let (_, elsewhere, other_name) = broker_for("broker.example").await;
    let logged_in = broker::client(&cloud, "localhost", port).build().unwrap();
    broker::log_in(&cloud, &logged_in).await;
    let token = logged_in.token().await.unwrap();
    for client in [
        broker::client(&cloud, "localhost", port),
        broker::client(&cloud, "localhost", port).extra_ca(other_name.clone()),
        broker::client(&cloud, "localhost", elsewhere).extra_ca(other_name),
        broker::client(&cloud, "localhost", elsewhere).extra_ca(authority),
    ] {
        let client = client.build().unwrap();
        client.adopt_token(token.clone()).await.unwrap();
        let mut stream = client.stream(StreamOptions::default()).unwrap();
        let event = next(&mut stream).await;
        assert!(
            matches!(
                event,
                StreamEvent::Disconnected {
                    ending: Ending::Unreachable,
                    ..
                }
            ),
            "{event:?}"
        );
    }
}
