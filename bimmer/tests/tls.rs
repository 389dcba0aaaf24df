//! HTTPS with a certificate authority of one's own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use bimmer::cardata::{Client, ClientId, Hosts};
use bimmer::{Error, LoginError};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Answers two connections, then ends. Tells its port and its certificate.
fn server() -> (u16, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = certified.cert.pem();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for _ in 0..2 {
            let (socket, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, socket);
            if stream.read(&mut [0; 4096]).is_err() {
                continue;
            }
            let body = r#"{"error": "invalid_client"}"#;
            let head = "HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length";
            let _ = write!(stream, "{head}: {}\r\n\r\n{body}", body.len());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (port, pem)
}

#[tokio::test]
async fn an_own_authority_is_trusted_and_a_foreign_one_is_not() {
    let (port, pem) = server();
    let hosts = Hosts::default().with_auth_url(&format!("https://localhost:{port}"));
    let builder = || {
        let id = ClientId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
        Client::builder(id).hosts(hosts.clone())
    };
    let error = builder().build().unwrap().begin_login().await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error}");
    let error = builder()
        .extra_ca(pem)
        .build()
        .unwrap()
        .begin_login()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::UnknownClient { .. })),
        "{error}"
    );
    let broken = builder().extra_ca("no certificate").build();
    assert!(matches!(broken, Err(Error::Configuration(_))));
}
