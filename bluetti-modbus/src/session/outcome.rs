use alloc::vec::Vec;
use core::fmt;

use crate::assembler::Counters;
use crate::encryption::{HandshakeError, KexType, LinkCounters, NoEntropy};
use crate::modbus::ExceptionCode;

/// A complete answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// To a read: as many registers as were asked for.
    Registers(Vec<u16>),
    /// To a write: the station took it. Whether it has an effect shows in reading
    /// back.
    Written,
    /// The station refused.
    Refused(ExceptionCode),
}

/// Why a call ended without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Nothing came that could be read.
    #[error("unanswered after {attempts} requests")]
    TimedOut {
        /// How often was asked.
        attempts: u8,
    },
    /// The handshake stopped on the way.
    #[error("the station went silent in the handshake; {awaited} was due", awaited = Awaited(.0))]
    HandshakeTimedOut(KexType),
    /// The handshake failed.
    #[error("no encrypted session: {0}")]
    Handshake(HandshakeError),
    /// The station started over while a write was under way, or again and again.
    #[error("the station started over")]
    Restarted,
    /// The answer to a write names another value than was written.
    #[error("the station answered with another value than was written")]
    EchoDiffers,
    /// The station's Bluetooth module has restarted: this link is of no more use.
    #[error("the station's Bluetooth module has restarted; connect again")]
    ModuleRestarted,
    /// The request was not sent for want of randomness.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

struct Awaited<'a>(&'a KexType);

impl fmt::Display for Awaited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            KexType::StationKey => f.write_str("the station's key"),
            other => write!(f, "its word about {other}"),
        }
    }
}

/// What the owner of a [`Session`](super::Session) has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing was asked.
    Idle,
    /// Write these bytes, then poll again.
    Write(&'a [u8]),
    /// Wait for a chunk until this time, then poll again.
    Wait {
        /// The moment in the owner's milliseconds.
        until_ms: u64,
    },
    /// The call is over.
    Done(Result<Reply, SessionError>),
}

/// Whether and how a link is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Security {
    /// No answer and no challenge yet.
    Unknown,
    /// The station speaks in the clear.
    Plain,
    /// A handshake is under way.
    Handshake,
    /// An encrypted session.
    Encrypted,
}

/// What a [`Session`](super::Session) saw besides the answers it was waiting for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SessionCounters {
    /// Plain bytes and frames.
    pub assembler: Counters,
    /// Encrypted packets and handshakes.
    pub link: LinkCounters,
    /// Requests written, repetitions included.
    pub requests: u64,
    /// Requests sent again.
    pub repeated_requests: u64,
    /// Of the requests: reads sent only to be sure that no earlier answer is still
    /// on its way.
    pub fences: u64,
    /// Answers that were damaged.
    pub damaged_answers: u64,
    /// Sound answers that nobody was waiting for.
    pub late_answers: u64,
}
