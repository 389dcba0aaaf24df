//! MODBUS over TCP, for the models that offer it (EP2000, Balco 260) after it was
//! enabled on the station's own web page.
//!
//! The registers are others than over Bluetooth, the fields have the same names.
//! Nothing is encrypted: whoever reaches the port controls the station.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::timeout;

use crate::modbus::tcp::{Frame, MAX_LEN, wrap};
use crate::session::Config;
use crate::{Client, Transport};

pub use crate::modbus::tcp::PORT;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Connects to a station, as a rule at port [`PORT`].
///
/// # Errors
///
/// What the operating system says, `ErrorKind::TimedOut` after 10 s.
pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Client<TcpTransport>> {
    let stream = timeout(CONNECT_LIMIT, TcpStream::connect(address)).await??;
    Ok(Client::over_tcp(
        TcpTransport::new(stream)?,
        Config::default(),
    ))
}

/// A TCP connection as a [`Transport`]: puts requests under a TCP header and takes
/// it off the answers.
///
/// Answers to earlier requests are dropped: unlike over Bluetooth, they bear the
/// number of theirs.
#[derive(Debug)]
pub struct TcpTransport {
    stream: TcpStream,
    transaction: u16,
    received: Vec<u8>,
}

impl TcpTransport {
    /// Speaks over a stream that is connected.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            transaction: 0,
            received: Vec::new(),
        })
    }

    fn next_answer(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let parsed = Frame::parse(&self.received);
            let out_of_step = |error| io::Error::new(io::ErrorKind::InvalidData, error);
            let Some((frame, used)) = parsed.map_err(out_of_step)? else {
                return Ok(None);
            };
            let wanted = frame.transaction == self.transaction;
            let answer = wanted.then(|| frame.to_rtu());
            self.received.drain(..used);
            if answer.is_some() {
                return Ok(answer);
            }
        }
    }
}

impl Transport for TcpTransport {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.transaction = self.transaction.wrapping_add(1);
        let frame = wrap(self.transaction, bytes).ok_or(io::ErrorKind::InvalidInput)?;
        self.stream.write_all(&frame).await
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(answer) = self.next_answer()? {
                return Ok(answer);
            }
            let mut bytes = [0; MAX_LEN];
            match self.stream.read(&mut bytes).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => self.received.extend(bytes.iter().take(len)),
            }
        }
    }
}
