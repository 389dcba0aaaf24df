//! The frame of handshake messages: `2A 2A`, type, length, data, 16-bit sum.

use alloc::vec::Vec;
use core::fmt;

/// Both first bytes of a handshake message.
pub(super) const START: u8 = 0x2A;

const HEAD: usize = 4;
const SUM: usize = 2;

/// What a handshake message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KexType {
    /// 1, from the station: four random bytes.
    Challenge,
    /// 2, from the client: four bytes derived from them.
    Response,
    /// 3, from the station: 0 if the response is right.
    Accepted,
    /// 4, from the station: its ephemeral key and signature.
    StationKey,
    /// 5, from the client: its ephemeral key and signature.
    ClientKey,
    /// 6, from the station: 0 if the client's key is right.
    KeyAccepted,
}

impl KexType {
    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Challenge => 1,
            Self::Response => 2,
            Self::Accepted => 3,
            Self::StationKey => 4,
            Self::ClientKey => 5,
            Self::KeyAccepted => 6,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Challenge,
            2 => Self::Response,
            3 => Self::Accepted,
            4 => Self::StationKey,
            5 => Self::ClientKey,
            6 => Self::KeyAccepted,
            _ => return None,
        })
    }

    /// How much data the message carries, bytes.
    #[must_use]
    pub const fn data_len(self) -> usize {
        match self {
            Self::Challenge | Self::Response => 4,
            Self::Accepted | Self::KeyAccepted => 1,
            Self::StationKey | Self::ClientKey => 128,
        }
    }
}

impl fmt::Display for KexType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Challenge => "the challenge",
            Self::Response | Self::Accepted => "the response to its challenge",
            Self::StationKey => "its key",
            Self::ClientKey | Self::KeyAccepted => "the client's key",
        })
    }
}

/// Why bytes are not a handshake message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KexError {
    /// The first bytes are not `2A 2A`, or bytes are missing or too many.
    #[error("not a handshake message")]
    Frame,
    /// The sum does not fit the content.
    #[error("handshake message with sum {got:#06x}, expected {expected:#06x}")]
    Checksum {
        /// What the content adds up to.
        expected: u16,
        /// What the message carries.
        got: u16,
    },
    /// A type that is not known.
    #[error("handshake message of unknown type {0}")]
    Type(u8),
    /// The type fixes another length.
    #[error("handshake message of type {kind} with {len} data bytes")]
    Length {
        /// The number of the type.
        kind: u8,
        /// Data bytes received.
        len: usize,
    },
}

impl KexError {
    /// The message arrived whole and says something that no repetition mends.
    pub(super) fn is_about_shape(self) -> bool {
        matches!(self, Self::Length { .. })
    }
}

/// A complete, sound handshake message, borrowed from where it was received.
///
/// `Debug` shows its type only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kex<'a> {
    kind: KexType,
    data: &'a [u8],
}

impl<'a> Kex<'a> {
    /// Reads a message that starts and ends with the slice.
    ///
    /// # Errors
    ///
    /// A [`KexError`] if it is none, or out of shape.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, KexError> {
        let Some((&[START, START, kind, len], rest)) = bytes.split_first_chunk::<HEAD>() else {
            return Err(KexError::Frame);
        };
        let Some((data, &carried)) = rest.split_last_chunk::<SUM>() else {
            return Err(KexError::Frame);
        };
        if data.len() != usize::from(len) {
            return Err(KexError::Frame);
        }
        let (expected, got) = (sum(kind, data), u16::from_be_bytes(carried));
        if expected != got {
            return Err(KexError::Checksum { expected, got });
        }
        let known = KexType::from_code(kind).ok_or(KexError::Type(kind))?;
        if data.len() != known.data_len() {
            let len = data.len();
            return Err(KexError::Length { kind, len });
        }
        Ok(Self { kind: known, data })
    }

    /// How long the message is that starts here, as far as its head has arrived.
    pub(super) fn expected_len(head: &[u8]) -> Option<usize> {
        head.get(3).map(|&len| usize::from(len) + HEAD + SUM)
    }

    /// What the message is.
    #[must_use]
    pub fn kind(&self) -> KexType {
        self.kind
    }

    /// Its content, of the length that its type fixes.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The first byte of the content: what types 3 and 6 say.
    pub(super) fn verdict(&self) -> u8 {
        self.data.first().copied().unwrap_or(0xFF)
    }

    /// A message ready to be written; `data` must have the length of the type.
    pub(super) fn message(kind: KexType, data: &[u8]) -> Vec<u8> {
        debug_assert_eq!(data.len(), kind.data_len());
        let mut bytes = Vec::with_capacity(HEAD + data.len() + SUM);
        bytes.extend([START, START, kind.code(), data.len() as u8]);
        bytes.extend(data);
        bytes.extend(sum(kind.code(), data).to_be_bytes());
        bytes
    }
}

impl fmt::Debug for Kex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kex")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn sum(kind: u8, data: &[u8]) -> u16 {
    data.iter()
        .fold(u16::from(kind) + data.len() as u16, |sum, &byte| {
            sum.wrapping_add(u16::from(byte))
        })
}
