//! Randomness, and what the logins make of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::secret::Secret;

/// Bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::Configuration(format!("the system gives no randomness: {error}"))
    })?;
    Ok(bytes)
}

/// The proof that who redeems a code is who asked for it (RFC 7636, S256).
#[derive(Debug, Clone)]
pub struct Pkce {
    verifier: Secret,
}

impl Pkce {
    /// From 64 random bytes: a verifier of 86 characters.
    #[must_use]
    pub fn from_random(bytes: &[u8; 64]) -> Self {
        Self {
            verifier: Secret::new(URL_SAFE_NO_PAD.encode(bytes)),
        }
    }

    /// With a verifier from elsewhere: 43 to 128 of `A-Z a-z 0-9 - . _ ~`.
    #[must_use]
    pub fn from_verifier(verifier: impl Into<Secret>) -> Self {
        Self {
            verifier: verifier.into(),
        }
    }

    /// What is shown when the code is redeemed.
    #[must_use]
    pub const fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// What is shown when the code is asked for.
    #[must_use]
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose().as_bytes()))
    }
}
