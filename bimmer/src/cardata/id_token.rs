use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::endpoint::{lenient, model};
use crate::error::{DecodeError, LoginError};
use crate::secret::Secret;

/// What the id token says about itself. Its signature is not checked: it came
/// from BMW over TLS, and BMW's broker is who has to believe it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct IdClaims {
    /// The account's number.
    #[serde(default, deserialize_with = "lenient::text")]
    pub gcid: Option<String>,
    /// End of validity, seconds since 1970.
    #[serde(default, deserialize_with = "lenient::integer")]
    exp: Option<i64>,
    /// The topics that may be subscribed to, as `read:streaming/*/{gcid}.*`.
    #[serde(default, deserialize_with = "lenient::list")]
    pub dynamic_scopes: Vec<String>,
}

impl IdClaims {
    /// Reads the middle part of a JSON web token.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is no such token.
    pub fn read(id_token: &Secret) -> Result<Self, DecodeError> {
        let claims = id_token
            .expose()
            .split('.')
            .nth(1)
            .filter(|part| part.len() < 65_536);
        let claims = claims.ok_or(DecodeError::Missing("the payload of the id token"))?;
        let json = URL_SAFE_NO_PAD
            .decode(claims.trim_end_matches('='))
            .map_err(|_| {
                let message = "no base64".to_owned();
                DecodeError::Json {
                    path: "id_token".to_owned(),
                    message,
                }
            })?;
        model(&json)
    }

    /// End of validity; the broker closes the session then.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.exp?, 0).and_then(crate::types::sensible)
    }

    /// Whether the broker will let the account read its stream.
    ///
    /// # Errors
    ///
    /// [`LoginError::ScopeMissing`] if no entry of `dynamic_scopes` is for this account.
    pub fn check_stream(&self, gcid: &str) -> Result<(), LoginError> {
        let ours = |scope: &String| {
            scope.starts_with("read:streaming/") && scope.contains(&format!("/{gcid}."))
        };
        if self.dynamic_scopes.iter().any(ours) {
            Ok(())
        } else {
            Err(LoginError::ScopeMissing {
                scope: "cardata:streaming:read",
            })
        }
    }
}
