//! Sessions of stations that encrypt.
//!
//! ```text
//! station                                   client
//!   challenge, 4 random bytes       ──▶
//!                                   ◀──     response, from MD5 of the challenge
//!   accepted                        ──▶
//!   ephemeral key, signed           ──▶                 } AES-128-CBC under a key
//!                                   ◀──     ephemeral key, signed } that both derive
//!   accepted                        ──▶                 } from the challenge
//!   MODBUS frames                   ◀─▶     MODBUS frames, AES-256-CBC under the
//!                                           shared secret of both ephemeral keys
//! ```
//!
//! What protects what: the handshake key and the signing key of the client are
//! the same in every app and unit, and published. They keep nobody out. Only the
//! ephemeral keys make a session private, and only the station's signature tells
//! it from an impostor. Session frames carry no authentication code; the MODBUS
//! checksum inside is what notices damage.
//!
//! [`SecureLink`] does all of it, chunks in and frames out, without a clock. The
//! steps are values of their own in [`handshake`].

mod cipher;
mod entropy;
pub mod handshake;
mod kex;
mod link;
mod packet;
mod signature;

pub use cipher::SessionCipher;
#[cfg(feature = "std")]
pub use entropy::SystemEntropy;
pub use entropy::{Entropy, NoEntropy};
pub use kex::{Kex, KexError, KexType};
pub use link::{LinkCounters, LinkEvent, SecureLink};
pub use signature::VerifyKey;

/// The half of the handshake key that is the same in every unit.
pub const LOCAL_AES_KEY: [u8; 16] = [
    0x45, 0x9F, 0xC5, 0x35, 0x80, 0x89, 0x41, 0xF1, 0x70, 0x91, 0xE0, 0x99, 0x3E, 0xE3, 0xE9, 0x3D,
];

/// The private key that clients sign with, a P-256 scalar: the vendor's app
/// carries it and every open client repeats it, so it proves nothing.
pub const CLIENT_SIGNING_KEY: [u8; 32] = [
    0x4F, 0x19, 0xA1, 0x6E, 0x3E, 0x87, 0xBD, 0xD9, 0xBD, 0x24, 0xD3, 0xE5, 0x49, 0x5B, 0x88, 0x04,
    0x15, 0x11, 0x94, 0x3C, 0xBC, 0x8B, 0x96, 0x9A, 0xDE, 0x96, 0x41, 0xD0, 0xF5, 0x6A, 0xF3, 0x37,
];

/// The public key that stations sign with, X and Y of a P-256 point. Its private
/// half is in the units only.
pub const STATION_VERIFY_KEY: [u8; 64] = [
    0xA7, 0x3A, 0xBF, 0x5D, 0x22, 0x32, 0xC8, 0xC1, 0xC7, 0x2E, 0x68, 0x30, 0x43, 0x43, 0xC2, 0x72,
    0x49, 0x5E, 0x3A, 0x8F, 0xD6, 0xF3, 0x0E, 0xA9, 0x6D, 0xE2, 0xF4, 0xB3, 0xCE, 0x60, 0xB2, 0x51,
    0xEE, 0x21, 0xAC, 0x66, 0x7C, 0xF8, 0xA7, 0x1E, 0x18, 0xB4, 0x6B, 0x66, 0x4E, 0xAE, 0xFF, 0xE3,
    0xC4, 0x89, 0xF2, 0x4F, 0x69, 0x5B, 0x64, 0x11, 0xDB, 0x7E, 0x22, 0xCC, 0xC8, 0x5A, 0x85, 0x94,
];

/// Why a session could not be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A handshake message is damaged or out of shape.
    #[error(transparent)]
    Message(#[from] KexError),
    /// The station said no.
    #[error("the station refused {step} with code {code}")]
    Refused {
        /// What it refused.
        step: KexType,
        /// Its reason; meanings are not published.
        code: u8,
    },
    /// The station's key is no point of the curve.
    #[error("the station's key is no key")]
    InvalidKey,
    /// The station's signature does not fit its key: damage, or an impostor.
    #[error("the station's signature does not fit its key")]
    InvalidSignature,
    /// There was no randomness for the own key.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}
