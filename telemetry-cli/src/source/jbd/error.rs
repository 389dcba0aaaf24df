use std::io;

use jbd_bms::Error;

use super::super::bluetooth::Trouble;
use crate::config::SecretError;
use crate::exit::Code;
use crate::radio::RadioError;

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No link.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// A link, but no answer that helps.
    #[error(transparent)]
    Device(#[from] Error),
    /// The configured password cannot be had.
    #[error(transparent)]
    Password(#[from] SecretError),
}

impl Trouble for PollError {
    fn code(&self) -> Code {
        match self {
            Self::Radio(error) => error.code(),
            Self::Password(_) => Code::Login,
            Self::Device(error) if error.needs_login() || error.needs_pairing() => Code::Login,
            Self::Device(_) => Code::Protocol,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Radio(error) => error.hint(),
            Self::Password(_) => Some("correct `password` in its [[jbd]] table"),
            Self::Device(Error::PasswordNeeded) => Some("set `password` in its [[jbd]] table"),
            Self::Device(Error::PasswordRejected) => {
                Some("correct `password` in its [[jbd]] table")
            }
            Self::Device(Error::PairingNeeded) => Some(
                "it does not take the pairing of this computer: remove that with `bluetoothctl \
                 remove`, and correct `pin` in its [[jbd]] table",
            ),
            Self::Device(_) => None,
        }
    }

    fn link_may_be_stale(&self) -> bool {
        matches!(self, Self::Device(error) if error.is_retryable())
    }
}

impl PollError {
    /// True if the right password is all that it takes.
    pub fn wants_password(&self) -> bool {
        match self {
            Self::Password(_) => true,
            Self::Device(error) => error.needs_login(),
            Self::Radio(_) => false,
        }
    }
}

/// True if the pack, or its Bluetooth characteristic, wants to be paired.
pub fn wants_pairing(error: &Error) -> bool {
    match error {
        Error::NotSent(error) => error.kind() == io::ErrorKind::PermissionDenied,
        error => error.needs_pairing(),
    }
}
