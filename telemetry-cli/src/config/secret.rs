//! Secrets: given in place, or by the name of where they are.

use secrecy::{ExposeSecret, SecretString};
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

impl Secret {
    /// The secret itself, to be handed on and never to be shown.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}
