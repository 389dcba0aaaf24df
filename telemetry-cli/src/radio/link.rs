use std::io;

use tokio::sync::{mpsc, oneshot};

use super::{GattTable, RadioError, Target};

/// Notifications that may wait for a slow reader. Far more than any answer
/// takes; what a device sends beyond that unasked is dropped.
const CHUNKS: usize = 256;

/// A connection to one device: bytes out, notification chunks in. Dropping it
/// disconnects, in the background.
#[derive(Debug)]
pub struct Link {
    /// Address of the device, upper case with colons.
    pub address: String,
    /// Name that the device advertises.
    pub name: Option<String>,
    /// Signal strength when it was last seen.
    pub rssi_dbm: Option<i16>,
    /// What it offers.
    pub gatt: GattTable,
    orders: mpsc::Sender<Order>,
    incoming: mpsc::Receiver<Vec<u8>>,
}

impl Link {
    /// A link, and the end that the radio holds.
    pub(super) fn new(
        address: String,
        name: Option<String>,
        rssi_dbm: Option<i16>,
    ) -> (Self, FarEnd) {
        // One write at a time is all that a device can take.
        let (sender, orders) = mpsc::channel(1);
        let (chunks, incoming) = mpsc::channel(CHUNKS);
        let link = Self {
            address,
            name,
            rssi_dbm,
            gatt: GattTable::default(),
            orders: sender,
            incoming,
        };
        (link, FarEnd { orders, chunks })
    }

    /// Writes `bytes`, in as many radio packets as it takes, and waits until
    /// they have left.
    ///
    /// # Errors
    /// If they are known not to have left; [`TimedOut`](io::ErrorKind::TimedOut)
    /// if nobody knows.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (written, outcome) = oneshot::channel();
        let outgoing = Outgoing {
            bytes: bytes.to_vec(),
            written,
        };
        let order = Order::Write(outgoing);
        self.orders.send(order).await.map_err(|_| lost())?;
        outcome.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Pairs the device with the PIN that the radio knows of it. For protocols
    /// in which only the answers show that the device wants to be paired: if
    /// the Bluetooth stack says so, connecting does it.
    ///
    /// # Errors
    /// If the radio knows no PIN, the device refuses it, or the link is lost,
    /// which some devices do on purpose when they are paired.
    pub async fn pair(&mut self) -> Result<(), RadioError> {
        let lost = || RadioError::LinkLost(Target::Address(self.address.clone()));
        let (paired, outcome) = oneshot::channel();
        let order = Order::Pair(paired);
        self.orders.send(order).await.map_err(|_| lost())?;
        outcome.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Waits for the next notification. Cancel safe.
    ///
    /// # Errors
    /// At once when the link is lost, after what had arrived by then.
    pub async fn recv(&mut self) -> io::Result<Vec<u8>> {
        self.incoming.recv().await.ok_or_else(lost)
    }

    /// Ends the link as if the device had.
    #[cfg(test)]
    pub(crate) fn cut(&mut self) {
        (self.orders, _) = mpsc::channel(1);
        (_, self.incoming) = mpsc::channel(1);
    }
}

impl jbd_bms::Transport for Link {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::send(self, bytes).await
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        Self::recv(self).await
    }
}

impl bluetti_modbus::Transport for Link {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        Self::send(self, bytes).await
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        Self::recv(self).await
    }
}

/// The radio's end of a [`Link`].
#[derive(Debug)]
pub(super) struct FarEnd {
    /// What is to be done; ends when the link is dropped.
    pub(super) orders: mpsc::Receiver<Order>,
    /// Dropping it ends the link.
    pub(super) chunks: mpsc::Sender<Vec<u8>>,
}

/// What the holder of a link wants.
#[derive(Debug)]
pub(super) enum Order {
    Write(Outgoing),
    Pair(oneshot::Sender<Result<(), RadioError>>),
}

/// Bytes to write, and who waits for it.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
}

impl Outgoing {
    /// Tells whether the bytes have left.
    pub(super) fn done(self, outcome: io::Result<()>) {
        // Nobody waits any more: the link was dropped.
        let _ = self.written.send(outcome);
    }
}

/// Nobody knows whether the bytes have left.
pub(super) fn unanswered() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "the Bluetooth link was lost while it was written to",
    )
}

pub(super) fn lost() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the Bluetooth link was lost",
    )
}
