use chrono::{DateTime, Local, Utc};

use super::Target;
use crate::exit::Code;

/// Why there is no link, or no Bluetooth at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RadioError {
    /// Nothing of that name or address was heard.
    #[error("{0} was not found: out of reach, asleep, or in use by another app")]
    NotFound(Target),
    /// It was there a moment ago and does not answer now.
    #[error("{0} does not answer: out of reach, asleep, or in use by another app")]
    NoAnswer(Target),
    /// Somebody on this computer has it, or is about to.
    #[error("{0} is already in use on this computer")]
    Busy(Target),
    /// It has none of the expected characteristics.
    #[error("{target} is no device of the expected kind: it offers {found}")]
    WrongKind {
        /// The device.
        target: Target,
        /// Its characteristics.
        found: String,
    },
    /// It talks only to those it is paired with.
    #[error("{0} wants to be paired first")]
    PairingNeeded(Target),
    /// The PIN in the configuration is not that of the device.
    #[error("{0} refused the PIN")]
    PinRefused(Target),
    /// The PIN of the configuration cannot be had.
    #[error("{target} wants to be paired, but its PIN is missing: {reason}")]
    PinUnreadable {
        /// The device.
        target: Target,
        /// What is wrong with the PIN, or with where it is kept.
        reason: String,
    },
    /// Pairing did not come to the PIN, or not to an end.
    #[error("pairing with {target} failed: {reason}")]
    NotPaired {
        /// The device.
        target: Target,
        /// What happened.
        reason: String,
    },
    /// It hung up while it was being connected or paired.
    #[error("the Bluetooth link to {0} was lost while connecting or pairing")]
    LinkLost(Target),
    /// The adapter is there, but off.
    #[error("Bluetooth is switched off")]
    AdapterOff,
    /// There is no adapter.
    #[error("this computer has no Bluetooth adapter")]
    NoAdapter,
    /// There are adapters, but not the one that was asked for.
    #[error("this computer has no Bluetooth adapter `{wanted}`, but {found}")]
    OtherAdapters {
        /// The one that was asked for, a name or an address.
        wanted: String,
        /// Those that there are.
        found: String,
    },
    /// The bus is there, the Bluetooth service is not.
    #[error("the Bluetooth service is not running")]
    NoService,
    /// The bus of the operating system cannot be reached.
    #[error("no connection to the system bus, which leads to the Bluetooth service: {0}")]
    NoBus(String),
    /// The operating system forbids us to use Bluetooth.
    #[error("no permission to use Bluetooth: {0}")]
    NoPermission(String),
    /// It is left alone for a while, because somebody asked for it.
    #[error("{target} is {}, so that another app can connect", paused(*until))]
    Paused {
        /// The device.
        target: Target,
        /// When the pause ends.
        until: DateTime<Utc>,
    },
    /// The radio was closed: this process is about to end.
    #[error("the radio is closed")]
    Closed,
    /// Anything else that the Bluetooth stack says.
    #[error("Bluetooth failed: {0}")]
    Other(String),
}

/// True where the operating system asks its user for the PIN.
const PAIRS_BY_ITSELF: bool = !cfg!(target_os = "linux");

/// "paused until …", by the clock on the wall.
pub fn paused(until: DateTime<Utc>) -> String {
    let local = until.with_timezone(&Local);
    format!("paused until {}", local.format("%Y-%m-%d %H:%M:%S %:z"))
}

impl RadioError {
    /// The exit code of a command that fails with it.
    pub fn code(&self) -> Code {
        match self {
            Self::PairingNeeded(_) | Self::PinRefused(_) | Self::PinUnreadable { .. } => {
                Code::Login
            }
            Self::WrongKind { .. }
            | Self::NotPaired { .. }
            | Self::LinkLost(_)
            | Self::Closed
            | Self::Other(_) => Code::Protocol,
            Self::NotFound(_)
            | Self::NoAnswer(_)
            | Self::Busy(_)
            | Self::Paused { .. }
            | Self::AdapterOff
            | Self::NoAdapter
            | Self::OtherAdapters { .. }
            | Self::NoService
            | Self::NoBus(_)
            | Self::NoPermission(_) => Code::Device,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound(_) | Self::NoAnswer(_) => Some(
                "such a device takes one connection at a time: close its phone app; \
                 wake a sleeping pack with its charger",
            ),
            Self::Busy(_) => Some(
                "end the other program, or wait until it is done; a connection that a killed one \
                 left behind ends with `bluetoothctl disconnect` and the address",
            ),
            Self::WrongKind { .. } => Some("`telemetry scan` shows which devices can be read"),
            Self::PairingNeeded(_) if PAIRS_BY_ITSELF => {
                Some("pair it in the Bluetooth settings of this computer")
            }
            Self::PairingNeeded(_) => Some(
                "set `pin` in its table of the configuration to the PIN of the device; \
                 its label or its manual tells it",
            ),
            Self::PinRefused(_) | Self::PinUnreadable { .. } => {
                Some("correct `pin` in its table of the configuration")
            }
            Self::NotPaired { .. } => {
                Some("end its phone app, and bring it near the adapter for the pairing")
            }
            Self::AdapterOff => Some(
                "switch it on: `bluetoothctl power on`, after `rfkill unblock bluetooth` \
                 if it is blocked",
            ),
            Self::NoAdapter => Some(
                "plug in a Bluetooth adapter, or enable the built-in one; \
                 a container needs the host's system bus",
            ),
            Self::OtherAdapters { .. } => Some(
                "set `adapter` in [bluetooth] to the name or the address of one of these, or \
                 leave it out",
            ),
            Self::NoService => {
                Some("`sudo systemctl enable --now bluetooth`; its package is called bluez")
            }
            Self::NoBus(_) => Some(
                "install and start dbus; a container needs /run/dbus/system_bus_socket \
                 mounted from its host",
            ),
            Self::NoPermission(_) => {
                Some("add the user to the group `bluetooth`, then log in again")
            }
            Self::LinkLost(_) | Self::Paused { .. } | Self::Closed | Self::Other(_) => None,
        }
    }
}
