//! What the token servers of both APIs answer.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::endpoint::{lenient, model};
use crate::error::{DecodeError, clipped};
use crate::http::Response;
use crate::secret::Secret;
use crate::token::Token;

/// A lifetime where the server gives none or a senseless one.
const USUAL_LIFETIME_S: i64 = 3600;
const LONGEST_LIFETIME_S: i64 = 30 * 24 * 3600;

/// Reads an answer that grants a token.
pub(crate) fn read_token(body: &[u8], now: DateTime<Utc>) -> Result<Token, DecodeError> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
        #[serde(default)]
        refresh_token: Option<String>,
        #[serde(default)]
        id_token: Option<String>,
        #[serde(default)]
        gcid: Option<String>,
        #[serde(default)]
        scope: Option<String>,
        #[serde(default, deserialize_with = "lenient::integer")]
        expires_in: Option<i64>,
    }
    let answer: Answer = model(body)?;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let access_token = filled(answer.access_token).ok_or(DecodeError::Missing("access_token"))?;
    let lifetime = answer
        .expires_in
        .unwrap_or(USUAL_LIFETIME_S)
        .clamp(0, LONGEST_LIFETIME_S);
    let mut token = Token::from_refresh_token(filled(answer.refresh_token).unwrap_or_default());
    token.access_token = access_token.into();
    token.id_token = filled(answer.id_token).map(Secret::from);
    token.gcid = filled(answer.gcid);
    token.scope = filled(answer.scope);
    token.expires_at = now + TimeDelta::seconds(lifetime);
    Ok(token)
}

/// An answer that refuses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The member `error`, empty if there is none.
    pub(crate) error: String,
    /// In words: error and description, or the beginning of the body.
    pub(crate) message: String,
    /// BMW's gateway failed after it had taken the code.
    pub(crate) code_lost: bool,
}

impl Refusal {
    pub(crate) fn read(response: &Response) -> Self {
        let text = response.text();
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&response.body) else {
            return Self {
                message: describe(response.status, &text),
                ..Self::default()
            };
        };
        let member = |name: &str| body.get(name).and_then(|value| value.as_str());
        let code = body
            .pointer("/fault/detail/errorcode")
            .and_then(|code| code.as_str());
        let message = match (member("error"), member("error_description")) {
            (Some(error), Some(words)) => clipped(&format!("{error} - {words}")),
            (Some(error), None) => clipped(error),
            (None, _) => describe(response.status, &text),
        };
        Self {
            error: member("error").unwrap_or_default().to_owned(),
            message,
            code_lost: code == Some("keymanagement.service.invalid_access_token"),
        }
    }
}

fn describe(status: u16, text: &str) -> String {
    if text.trim().is_empty() {
        format!("HTTP {status} without a body")
    } else {
        clipped(text)
    }
}
