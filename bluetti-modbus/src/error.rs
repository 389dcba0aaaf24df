use crate::modbus::{ExceptionCode, RequestError, UnitId};
use crate::register::{ControlError, ControlId, Danger};
use crate::session::SessionError;

/// Why a call on [`Client`](crate::Client) failed, by how far it got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request did not leave: the transport refused it. Safe to repeat.
    #[error("not sent: {0}")]
    NotSent(#[source] std::io::Error),
    /// The request was handed to the transport and its effect is unknown: the
    /// link failed, or a write stayed unanswered. Never repeated by this crate.
    #[error("sent, but unanswered: {0}")]
    MaybeSent(#[source] std::io::Error),
    /// The station answered with a refusal.
    #[error("register {register} of unit {unit} refused: {code}")]
    Refused {
        /// Who refused.
        unit: UnitId,
        /// The first register that was to be read or written.
        register: u16,
        /// The station's reason.
        code: ExceptionCode,
    },
    /// A read stayed unanswered after every repetition.
    #[error("register {register} of unit {unit} unanswered after {attempts} requests")]
    TimedOut {
        /// Who was asked.
        unit: UnitId,
        /// The first register that was to be read.
        register: u16,
        /// How often was asked.
        attempts: u8,
    },
    /// No session: the handshake failed or stopped, or the station's Bluetooth
    /// module restarted. The link has to be set up again, after some seconds.
    #[error("the link is of no more use: {0}")]
    Session(#[source] SessionError),
    /// The station acknowledged a write with another value than was written.
    #[error("register {register} was acknowledged with another value than was written")]
    EchoDiffers {
        /// The register that was written.
        register: u16,
    },
    /// The station acknowledged a write, but reading back shows another value.
    #[error("register {register} was acknowledged, but reading back shows no effect")]
    NotEffective {
        /// The register that was written.
        register: u16,
    },
    /// A pack did not show within ten seconds after it was selected.
    #[error("pack {number} did not show after it was selected")]
    PackNotShown {
        /// Its number, from 1.
        number: u8,
    },
    /// The model has no such pack; nothing was sent.
    #[error("there is no pack {number}")]
    NoSuchPack {
        /// The number that was asked for.
        number: u8,
    },
    /// The model has no such control, or only a dangerous one; nothing was sent.
    #[error("this model has no harmless control {0}")]
    NoSuchControl(ControlId),
    /// The register is written only by who names the danger; nothing was sent.
    #[error("register {register} is guarded: {danger}")]
    Guarded {
        /// The register that was to be written.
        register: u16,
        /// What it can do.
        danger: Danger,
    },
    /// The control does not take this value; nothing was sent.
    #[error(transparent)]
    InvalidValue(#[from] ControlError),
    /// No request can ask for this; nothing was sent.
    #[error(transparent)]
    InvalidRequest(#[from] RequestError),
    /// The station did not tell its model; see
    /// [`identify`](crate::Client::identify).
    #[error("the station did not tell which model it is")]
    UnknownModel,
}

impl Error {
    /// Whether the same call may succeed later without anyone doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent(_)
            | Self::MaybeSent(_)
            | Self::TimedOut { .. }
            | Self::Session(_)
            | Self::PackNotShown { .. } => true,
            Self::Refused { code, .. } => code.is_busy(),
            _ => false,
        }
    }

    /// Whether the link has to be set up again before the next call.
    #[must_use]
    pub fn needs_reconnect(&self) -> bool {
        matches!(
            self,
            Self::NotSent(_) | Self::MaybeSent(_) | Self::Session(_)
        )
    }
}
