use std::io;
use std::time::Duration;

use bluetti_modbus::Transport;
use bluetti_modbus::tcp::TcpTransport;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PollError;
use crate::radio::Link;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// What carries requests to a station.
pub(super) enum Wire {
    Bluetooth(Link),
    Tcp(TcpTransport),
}

impl Wire {
    pub(super) async fn tcp(address: &str) -> Result<Self, PollError> {
        let connected = timeout(CONNECT_LIMIT, TcpStream::connect(address)).await;
        connected
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .and_then(TcpTransport::new)
            .map(Self::Tcp)
            .map_err(|error| PollError::Tcp {
                address: address.to_owned(),
                error,
            })
    }
}

impl Transport for Wire {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Bluetooth(link) => link.send(bytes).await,
            Self::Tcp(stream) => stream.send(bytes).await,
        }
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Bluetooth(link) => link.recv().await,
            Self::Tcp(stream) => stream.recv().await,
        }
    }
}
