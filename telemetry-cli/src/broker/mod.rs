//! A small MQTT 3.1.1 broker inside this process, for `telemetry demo` and for
//! tests that need no server.
//!
//! It knows QoS 0 and 1, wildcards, retained messages, last wills and keep
//! alive. It keeps nothing between connections: every session is a clean one.
//! Everything in it is bounded, and a client that breaks the protocol or does
//! not keep up loses its connection, nothing else. There are neither users nor
//! encryption: listen on loopback only.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use router::Router;

mod connection;
mod router;
mod topic;

/// Connections at the same time; more are closed at once.
const MAX_CONNECTIONS: usize = 256;

/// Pause after an error of the listening socket, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A broker that listens, but serves nobody before [`Broker::run`].
#[derive(Debug)]
pub struct Broker {
    listener: TcpListener,
    address: SocketAddr,
}

impl Broker {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients until `shutdown`, then closes every connection.
    pub async fn run(self, shutdown: CancellationToken) {
        let router = Arc::new(Router::default());
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let (socket, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "broker cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                tracing::warn!(%peer, "broker is full");
                continue;
            };
            let router = router.clone();
            connections.spawn(async move {
                if let Err(end) = connection::serve(socket, &router).await {
                    tracing::debug!(%peer, %end, "broker closed a connection");
                }
                drop(place);
            });
        }
        connections.shutdown().await;
    }
}
