//! Clouds that run beside a test.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use telemetry_cli::cloud::bmw::{CarData, Stream};
use telemetry_cli::cloud::{Cloud, Server};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Ends when dropped.
#[derive(Debug)]
pub struct Served<C> {
    pub url: String,
    pub cloud: Arc<Mutex<C>>,
    _guard: DropGuard,
}

pub async fn serve<C: Cloud>(cloud: C) -> Served<C> {
    let cloud = Arc::new(Mutex::new(cloud));
    serve_shared(cloud, CancellationToken::new()).await
}

async fn serve_shared<C: Cloud>(cloud: Arc<Mutex<C>>, shutdown: CancellationToken) -> Served<C> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    tokio::spawn(server.run(cloud.clone(), shutdown.clone()));
    Served {
        url,
        cloud,
        _guard: shutdown.drop_guard(),
    }
}

/// CarData with its stream, and where that is.
pub async fn serve_cardata(cloud: CarData) -> (Served<CarData>, String) {
    let cloud = Arc::new(Mutex::new(cloud));
    let shutdown = CancellationToken::new();
    let stream = Stream::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let url = format!("tcp://{}", stream.local_addr());
    tokio::spawn(stream.run(cloud.clone(), shutdown.clone()));
    (serve_shared(cloud, shutdown).await, url)
}
