//! PINs of devices that want to be paired.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::{Secret, SecretError};

/// What a PIN looks like, for messages.
pub(super) const EXPECTED: &str = "one to six digits in quotes, such as \"012345\"";

/// Bluetooth passkeys have this many digits.
const DIGITS: usize = 6;

/// The PIN of a device: a [`Secret`] of one to six digits.
#[derive(Clone)]
pub struct Pin(Secret);

impl Pin {
    /// Where it is kept.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The PIN, read now.
    ///
    /// # Errors
    /// If it cannot be had, or is no PIN.
    pub fn reveal(&self) -> Result<Passkey, PinError> {
        let text = self.0.reveal()?;
        let digits = text.expose_secret();
        let all = digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number) if all && digits.len() <= DIGITS => Ok(Passkey { number, text }),
            _ => Err(PinError::NoPin),
        }
    }
}

impl From<Secret> for Pin {
    fn from(secret: Secret) -> Self {
        Self(secret)
    }
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Secret::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The digits themselves; `Debug` does not show them.
pub struct Passkey {
    number: u32,
    text: SecretString,
}

impl Passkey {
    /// As a number, 0 to 999999.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// As it is written, zeros in front included.
    pub fn text(&self) -> &str {
        self.text.expose_secret()
    }
}

impl fmt::Debug for Passkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passkey([REDACTED])")
    }
}

/// Why there is no PIN.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// It cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is something else.
    #[error("a PIN has one to six digits and nothing else")]
    NoPin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Pin {
        Pin(Secret::from(text.to_owned()))
    }

    #[test]
    fn zeros_in_front_are_kept_and_nothing_is_shown() {
        let passkey = pin("004711").reveal().unwrap();
        assert_eq!((passkey.number(), passkey.text()), (4711, "004711"));
        assert_eq!(pin("0").reveal().unwrap().number(), 0);
        assert_eq!(pin("999999").reveal().unwrap().number(), 999_999);
        assert!(!format!("{passkey:?} {:?}", pin("004711")).contains("4711"));
    }

    #[test]
    fn anything_else_is_no_pin() {
        for text in ["1234567", "12 34", "+12345", "-1", "12345a", "\u{661}"] {
            let error = pin(text).reveal().unwrap_err();
            assert!(matches!(error, PinError::NoPin), "{text}");
            assert!(!error.to_string().contains(text));
        }
        assert!(matches!(
            pin("").reveal().unwrap_err(),
            PinError::Secret(SecretError::Empty(_))
        ));
    }
}
