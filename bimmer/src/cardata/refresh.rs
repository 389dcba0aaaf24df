use chrono::{DateTime, Utc};

use super::device_flow::SCOPES;
use super::hosts::{ClientId, Hosts};
use crate::error::{Call, Error, LoginError};
use crate::http::{Method, Request, Response};
use crate::oauth::{self, Refusal};
use crate::token::Token;

/// Asks for the next token. The present refresh token is void as soon as the
/// server has answered.
#[must_use]
pub fn refresh_request(hosts: &Hosts, client_id: &ClientId, token: &Token) -> Request {
    Request::new(Method::Post, format!("{}/gcdm/oauth/token", hosts.auth_url))
        .with_header("accept", "application/json")
        .with_form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token.refresh_token.expose()),
            ("client_id", client_id.as_str()),
            ("scope", &SCOPES.join(" ")),
        ])
}

/// Reads the answer to [`refresh_request`]. What it does not say again is taken
/// from the old token, but for the id token: an old one would soon be refused.
///
/// # Errors
///
/// [`LoginError::SessionEnded`] and [`LoginError::UnknownClient`] need the user,
/// [`LoginError::Unavailable`] passes, [`Error::Unreadable`] is an answer without a token.
pub fn judge_refresh(response: &Response, old: &Token, now: DateTime<Utc>) -> Result<Token, Error> {
    if response.is_success() {
        let call = Call::account("token refresh");
        let mut token = oauth::read_token(&response.body, now)
            .map_err(|source| Error::Unreadable { call, source })?;
        token.keep_from(old);
        return Ok(token);
    }
    let status = response.status;
    let Refusal { error, message, .. } = Refusal::read(response);
    Err(match (status, error.as_str()) {
        (_, "invalid_client" | "unauthorized_client") => LoginError::UnknownClient { message },
        (400 | 401 | 403, _) => LoginError::SessionEnded { message },
        _ => LoginError::Unavailable { status, message },
    }
    .into())
}
