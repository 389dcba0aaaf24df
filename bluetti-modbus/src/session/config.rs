use alloc::boxed::Box;
use core::fmt;

use crate::encryption::{Entropy, VerifyKey};

/// How long to wait and how often to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// After connecting: how long a challenge may take before the station is
    /// taken for one that does not encrypt.
    pub challenge_ms: u32,
    /// How long a handshake may take as a whole.
    pub handshake_ms: u32,
    /// Reads: how long to wait for the answer to the first, second, third request.
    pub read_ms: [u32; 3],
    /// Writes: how long to wait for the only request.
    pub write_ms: u32,
    /// Silence between an answer and the next request; some stations lose
    /// requests that follow within 40 ms.
    pub spacing_ms: u32,
    /// Silence after a damaged answer before a read is repeated.
    pub settle_ms: u32,
    /// Before a request is repeated that the station was too busy for.
    pub busy_ms: u32,
    /// After this silence an incomplete answer is given up.
    pub stale_ms: u32,
    /// An unanswered request may be answered so late. MODBUS does not number
    /// requests: until then, a read of other registers is fenced off first.
    pub late_ms: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            challenge_ms: 1_000,
            handshake_ms: 20_000,
            read_ms: [2_000, 2_500, 3_000],
            write_ms: 5_000,
            spacing_ms: 100,
            settle_ms: 250,
            busy_ms: 500,
            stale_ms: 2_000,
            late_ms: 15_000,
        }
    }
}

/// What a [`Session`](super::Session) is made of.
pub struct Config {
    /// Time limits and repetitions.
    pub timing: Timing,
    /// What a station's signature is checked with; that of real stations unless
    /// the peer is a simulated one.
    pub verify_key: Option<VerifyKey>,
    /// Where random bytes come from.
    pub entropy: Box<dyn Entropy>,
}

impl Config {
    /// Default timing, the published verify key, and this source of randomness.
    #[must_use]
    pub fn new(entropy: impl Entropy + 'static) -> Self {
        Self {
            timing: Timing::default(),
            verify_key: VerifyKey::station(),
            entropy: Box::new(entropy),
        }
    }
}

#[cfg(feature = "std")]
impl Default for Config {
    fn default() -> Self {
        Self::new(crate::encryption::SystemEntropy)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("timing", &self.timing)
            .finish_non_exhaustive()
    }
}
