use std::io;

use bluetti_modbus::Error;
use bluetti_modbus::encryption::HandshakeError;
use bluetti_modbus::model::Model;
use bluetti_modbus::session::SessionError;

use super::super::bluetooth::Trouble;
use crate::exit::Code;
use crate::radio::RadioError;

/// Why a station could not be read or told.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// No link.
    #[error(transparent)]
    Radio(#[from] RadioError),
    /// No connection to its MODBUS-TCP port.
    #[error("no connection to {address}: {error}")]
    Tcp {
        /// Host and port.
        address: String,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// A link, but no answer that helps.
    #[error(transparent)]
    Device(#[from] Error),
    /// Nothing is known of the model that the configuration names.
    #[error("`{0}` is no model that is known")]
    UnknownModel(String),
    /// The model cannot be told that.
    #[error("{model} has no control `{control}`, or one that takes something else")]
    NoSuchControl {
        /// The model whose map the station has.
        model: Model,
        /// What was to be set.
        control: &'static str,
    },
    /// The control takes something else.
    #[error("{0}")]
    NotTaken(String),
}

impl Trouble for PollError {
    fn code(&self) -> Code {
        match self {
            Self::Radio(error) => error.code(),
            Self::Tcp { .. } => Code::Device,
            Self::Device(_) => Code::Protocol,
            Self::UnknownModel(_) => Code::Configuration,
            Self::NoSuchControl { .. } | Self::NotTaken(_) => Code::Usage,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Radio(error) => error.hint(),
            Self::Tcp { .. } => Some(
                "switch MODBUS-TCP on in the station's own web page, and check `tcp` in its \
                 [[bluetti]] table",
            ),
            Self::Device(Error::Session(SessionError::Handshake(
                HandshakeError::InvalidSignature,
            ))) => Some(
                "this is no genuine station, or its firmware signs with a key that is not known \
                 yet: read it with the vendor's app, and report the firmware's version",
            ),
            Self::Device(Error::Session(
                SessionError::Handshake(_) | SessionError::HandshakeTimedOut(_),
            )) => Some(
                "close the vendor's app on every phone near it; if it stays like this, switch the \
                 station off and on",
            ),
            Self::Device(Error::TimedOut { .. }) => Some(
                "close the vendor's app on every phone near it; a station that answers under \
                 another unit number needs `slave` in its [[bluetti]] table",
            ),
            Self::Device(Error::UnknownModel) => {
                Some("set `model` in its [[bluetti]] table to what is printed on it")
            }
            Self::Device(_)
            | Self::UnknownModel(_)
            | Self::NoSuchControl { .. }
            | Self::NotTaken(_) => None,
        }
    }

    fn link_may_be_stale(&self) -> bool {
        matches!(self, Self::Device(error) if error.is_retryable())
    }
}
