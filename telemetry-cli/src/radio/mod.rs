//! The radio: the one owner of Bluetooth. Sources ask it for a [`Link`] and
//! know neither adapters nor scans.

use std::io;

use tokio::sync::mpsc;

use crate::exit::Code;

pub use simulated::Air;

pub mod simulated;

/// Where links come from; cheap to clone.
#[derive(Clone, Debug)]
pub enum Radio {
    /// Devices that exist only in memory.
    Simulated(Air),
}

impl Radio {
    /// Connects to `target`.
    ///
    /// # Errors
    /// If it is not there, or does not let us in.
    pub async fn connect(&self, target: &Target) -> Result<Link, RadioError> {
        match self {
            Self::Simulated(air) => air.connect(target).await,
        }
    }
}

/// Which device is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one that advertises this name.
    Name(String),
    /// The one with this address, upper case with colons.
    Address(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(text) | Self::Address(text) => f.write_str(text),
        }
    }
}

/// Why there is no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RadioError {
    /// Nothing of that name or address answers.
    #[error("{0} was not found: out of reach, asleep, or in use by another app")]
    NotFound(Target),
}

impl RadioError {
    /// The exit code of a command that fails with it.
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::Device,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound(_) => Some(
                "such a device takes one connection at a time: close its phone app; \
                 wake a sleeping pack with its charger",
            ),
        }
    }
}

/// A connection to one device: bytes out, notification chunks in. Ends when
/// dropped.
#[derive(Debug)]
pub struct Link {
    /// Address of the device, upper case with colons.
    pub address: String,
    /// Name that the device advertises.
    pub name: Option<String>,
    /// Signal strength when it was last seen.
    pub rssi_dbm: Option<i16>,
    outgoing: mpsc::Sender<Vec<u8>>,
    incoming: mpsc::Receiver<Vec<u8>>,
}

#[cfg(test)]
impl Link {
    /// Ends the link as if the device had.
    pub(crate) fn cut(&mut self) {
        (self.outgoing, _) = mpsc::channel(1);
        (_, self.incoming) = mpsc::channel(1);
    }
}

fn lost() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the Bluetooth link was lost",
    )
}

impl jbd_bms::Transport for Link {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.outgoing.send(bytes.to_vec()).await.map_err(|_| lost())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        self.incoming.recv().await.ok_or_else(lost)
    }
}
