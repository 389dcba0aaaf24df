//! TLS: certificates of a private CA are trusted when told, and only then.

mod support;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use saic_ismart::{Error, Region};
use support::logged_in;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Their keys protect nothing: the CA's is gone, the server's is here.
const CA: &[u8] = include_bytes!("data/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("data/tls/server.pem");
const KEY: &[u8] = include_bytes!("data/tls/server.key");

/// Answers every request with an empty vehicle list. Returns its port.
async fn server() -> u16 {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let body = r#"{"code":0,"data":{"vinList":[]}}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn a_private_ca_is_trusted_when_told() {
    let port = server().await;
    let region = Region::at(format!("https://localhost:{port}/api.app/v1/"));
    let client = logged_in(region.clone(), "T").extra_ca(CA).build().unwrap();
    assert_eq!(client.vehicles().await.unwrap(), []);

    let client = logged_in(region, "T").build().unwrap();
    let error = client.vehicles().await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");

    // Another name than the certificate has.
    let region = Region::at(format!("https://127.0.0.1:{port}/api.app/v1/"));
    let client = logged_in(region, "T").extra_ca(CA).build().unwrap();
    let error = client.vehicles().await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
}
