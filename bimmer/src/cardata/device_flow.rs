//! The login of CarData (RFC 8628 with PKCE) as pure steps: make a request, send
//! it by whatever means, judge the answer.
//!
//! ```
//! use bimmer::{Pkce, cardata::{ClientId, Hosts, device_flow}};
//!
//! # fn main() -> Result<(), bimmer::Error> {
//! let client_id = ClientId::new("01234567-89AB-CDEF-0123-456789ABCDEF")?;
//! let pkce = Pkce::from_random(&[7; 64]); // real randomness in real life
//! let request = device_flow::start_request(&Hosts::default(), &client_id, &pkce);
//! assert!(request.body.contains("client_id=01234567-89ab-"));
//! # Ok(()) }
//! ```

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::hosts::{ClientId, Hosts};
use crate::endpoint::{lenient, model};
use crate::entropy::Pkce;
use crate::error::{Call, Error, LoginError, TransportError};
use crate::form;
use crate::http::{Method, Request, Response};
use crate::oauth::{self, Refusal};
use crate::secret::Secret;
use crate::token::Token;

/// The rights to ask for. Asked for by name, because a login that names none
/// has been seen to lack the first.
pub const SCOPES: [&str; 4] = [
    "authenticate_user",
    "openid",
    "cardata:api:read",
    "cardata:streaming:read",
];

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const FALLBACK_INTERVAL: Duration = Duration::from_secs(5);
/// Failures of server or network in a row.
const PATIENCE: u8 = 3;

/// Asks for a code that the user confirms in a browser.
#[must_use]
pub fn start_request(hosts: &Hosts, client_id: &ClientId, pkce: &Pkce) -> Request {
    Request::new(
        Method::Post,
        format!("{}/gcdm/oauth/device/code", hosts.auth_url),
    )
    .with_header("accept", "application/json")
    .with_form(&[
        ("client_id", client_id.as_str()),
        ("response_type", "device_code"),
        ("scope", &SCOPES.join(" ")),
        ("code_challenge", &pkce.challenge()),
        ("code_challenge_method", "S256"),
    ])
}

/// A login that waits for its user.
#[derive(Debug, Clone)]
pub struct Pending {
    /// What the user types in, with regard to case.
    pub user_code: String,
    /// Where.
    pub verification_url: String,
    /// The same page with the code filled in; for a link or a QR code.
    pub verification_url_complete: String,
    /// How long to wait before the first and between any two questions.
    pub interval: Duration,
    /// When the code ends.
    pub expires_at: DateTime<Utc>,
    device_code: Secret,
    pkce: Pkce,
    failures: u8,
}

/// What to do after a question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Ask again after this time.
    Wait(Duration),
    /// Logged in. Store the token before using it.
    Done(Box<Token>),
    /// This login is over. [`LoginError::CodeLost`] is no fault of the user:
    /// a new one may be started at once.
    Failed(LoginError),
}

impl Pending {
    /// Reads the answer to [`start_request`].
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the server refuses, [`Error::Unreadable`] if the
    /// answer has no code.
    pub fn started(response: &Response, pkce: Pkce, now: DateTime<Utc>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Answer {
            user_code: String,
            device_code: String,
            #[serde(default, deserialize_with = "lenient::text")]
            verification_uri: Option<String>,
            #[serde(default, deserialize_with = "lenient::text")]
            verification_uri_complete: Option<String>,
            #[serde(default, deserialize_with = "lenient::integer")]
            interval: Option<i64>,
            #[serde(default, deserialize_with = "lenient::integer")]
            expires_in: Option<i64>,
        }
        if !response.is_success() {
            let refusal = Refusal::read(response);
            return Err(refused(response.status, refusal).into());
        }
        let call = Call::account("device login");
        let answer: Answer =
            model(&response.body).map_err(|source| Error::Unreadable { call, source })?;
        let page = answer.verification_uri;
        let page = page.unwrap_or_else(|| "https://customer.bmwgroup.com/oneid/link".to_owned());
        let complete = answer.verification_uri_complete.unwrap_or_else(|| {
            format!(
                "{page}?{}",
                form::encode(&[("user_code", &answer.user_code)])
            )
        });
        let seconds = answer
            .interval
            .and_then(|seconds| u64::try_from(seconds).ok());
        let interval = seconds.map_or(FALLBACK_INTERVAL, |s| Duration::from_secs(s.clamp(1, 60)));
        let lifetime = answer.expires_in.unwrap_or(300).clamp(1, 3600);
        Ok(Self {
            user_code: answer.user_code,
            verification_url: page,
            verification_url_complete: complete,
            interval,
            expires_at: now + TimeDelta::seconds(lifetime),
            device_code: answer.device_code.into(),
            pkce,
            failures: 0,
        })
    }

    /// Asks whether the user has confirmed.
    #[must_use]
    pub fn poll_request(&self, hosts: &Hosts, client_id: &ClientId) -> Request {
        Request::new(Method::Post, format!("{}/gcdm/oauth/token", hosts.auth_url))
            .with_header("accept", "application/json")
            .with_form(&[
                ("client_id", client_id.as_str()),
                ("device_code", self.device_code.expose()),
                ("grant_type", GRANT),
                ("code_verifier", self.pkce.verifier().expose()),
            ])
    }

    /// What the answer to [`poll_request`](Self::poll_request) means.
    pub fn judge(
        &mut self,
        outcome: Result<&Response, &TransportError>,
        now: DateTime<Utc>,
    ) -> Step {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return self.failed(0, error.message.clone(), now),
        };
        if response.is_success() {
            return match oauth::read_token(&response.body, now) {
                Ok(token) => Step::Done(Box::new(token)),
                Err(error) => Step::Failed(LoginError::Malformed {
                    message: error.to_string(),
                }),
            };
        }
        let refusal = Refusal::read(response);
        match refusal.error.as_str() {
            "authorization_pending" => {
                self.failures = 0;
                self.wait(now)
            }
            "slow_down" => {
                self.failures = 0;
                self.interval += Duration::from_secs(5);
                self.wait(now)
            }
            _ if refusal.code_lost => Step::Failed(LoginError::CodeLost),
            "" if response.status >= 500 || response.status == 408 || response.status == 429 => {
                self.failed(response.status, refusal.message, now)
            }
            _ => Step::Failed(refused(response.status, refusal)),
        }
    }

    fn failed(&mut self, status: u16, message: String, now: DateTime<Utc>) -> Step {
        self.failures += 1;
        if self.failures > PATIENCE {
            return Step::Failed(LoginError::Unavailable { status, message });
        }
        self.wait(now)
    }

    fn wait(&self, now: DateTime<Utc>) -> Step {
        if now >= self.expires_at {
            Step::Failed(LoginError::CodeExpired)
        } else {
            Step::Wait(self.interval)
        }
    }
}

fn refused(status: u16, refusal: Refusal) -> LoginError {
    let message = refusal.message;
    match refusal.error.as_str() {
        "access_denied" => LoginError::Denied,
        "expired_token" => LoginError::CodeExpired,
        // Also what an id in capitals gets.
        "invalid_grant" => LoginError::SessionEnded { message },
        "invalid_client" | "unauthorized_client" => LoginError::UnknownClient { message },
        _ if refusal.code_lost => LoginError::CodeLost,
        _ if status >= 500 => LoginError::Unavailable { status, message },
        _ => LoginError::Malformed { message },
    }
}
