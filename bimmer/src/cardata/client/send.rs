use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Client;
use crate::cardata::account_state::AccountState;
use crate::cardata::error_id::{Action, ErrorId};
use crate::endpoint::Endpoint;
use crate::entropy;
use crate::error::{Call, Error, LoginError, clipped};
use crate::http::{Request, Response};
use crate::token::Token;

/// Repeats of a call that did not leave.
const REPEATS: u32 = 3;

impl Client {
    /// Sends one call: counts it, renews the token once, repeats it where it
    /// did not reach the service. What reached it is not repeated, as each call
    /// is one of 50 a day.
    pub(super) async fn send<E: Endpoint + Sync>(&self, endpoint: &E) -> Result<E::Answer, Error> {
        let call = || Call {
            name: endpoint.name(),
            vin: endpoint.vin().cloned(),
        };
        let mut refused: Option<Token> = None;
        let mut repeats = 0;
        loop {
            let token = self.0.session.token_instead_of(refused.as_ref()).await?;
            let counted_at = self.take_call(call()).await?;
            let outcome = self.exchange(call(), self.request(endpoint, &token)).await;
            let judged = match outcome {
                Ok(response) if response.is_success() => {
                    let counted = |state: &mut AccountState| state.budget.succeeded();
                    self.0.state.update(counted).await.map_err(Error::Store)?;
                    return endpoint
                        .read(&response)
                        .map_err(|source| Error::Unreadable {
                            call: call(),
                            source,
                        });
                }
                Ok(response) => self.judge(call(), &response).await?,
                Err(judged) => judged,
            };
            let error = match judged {
                Judged::Refresh(_) if refused.is_none() => {
                    refused = Some(token);
                    continue;
                }
                Judged::Refresh(error) | Judged::Final(error) => return Err(error),
                Judged::Passing(error) => error,
            };
            if !matches!(error, Error::NotSent { .. }) {
                return Err(error);
            }
            let unsent = move |state: &mut AccountState| state.budget.give_back(counted_at);
            self.0.state.update(unsent).await.map_err(Error::Store)?;
            if repeats >= REPEATS {
                return Err(error);
            }
            tokio::time::sleep(pause(repeats)?).await;
            repeats += 1;
        }
    }

    fn request<E: Endpoint>(&self, endpoint: &E, token: &Token) -> Request {
        let url = format!("{}{}", self.0.hosts.api_url, endpoint.path());
        let mut request = Request::new(endpoint.method(), url)
            .with_header(
                "authorization",
                format!("Bearer {}", token.access_token.expose()),
            )
            .with_header("x-version", "v1");
        let own = endpoint.headers();
        if !own.iter().any(|(name, _)| *name == "accept") {
            request = request.with_header("accept", "application/json");
        }
        request
            .headers
            .extend(own.into_iter().map(|(name, value)| (name.into(), value)));
        if let Some(body) = endpoint.body() {
            request = request.with_header("content-type", "application/json");
            request.body = body;
        }
        request
    }

    pub(super) async fn exchange(&self, call: Call, request: Request) -> Result<Response, Judged> {
        let sent = self.0.transport.send(request).await;
        sent.map_err(|source| Judged::Passing(Error::transport(call, source)))
    }

    /// Counts a call, and tells the time that it is counted by.
    async fn take_call(&self, call: Call) -> Result<DateTime<Utc>, Error> {
        let now = self.now();
        let taken = self
            .0
            .state
            .update(move |state| state.budget.take(now))
            .await;
        taken
            .map_err(Error::Store)?
            .map_err(|retry_after| Error::Quota {
                call,
                retry_after,
                message: "the 50 calls of the last 24 hours are used up; nothing was sent"
                    .to_owned(),
            })?;
        Ok(now)
    }

    /// What a refusal means. A quota answer is remembered.
    async fn judge(&self, call: Call, response: &Response) -> Result<Judged, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Refusal {
            #[serde(rename = "exveErrorId")]
            id: String,
            #[serde(rename = "exveErrorMsg")]
            message: String,
        }
        let status = response.status;
        let refusal: Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
        let id = ErrorId::new(&refusal.id);
        let words = if refusal.message.is_empty() {
            &*response.text()
        } else {
            &refusal.message
        };
        let message = match id.action() {
            Action::Unknown => clipped(words),
            _ => format!("{} ({})", id.meaning(), clipped(words)),
        };
        let code = if refusal.id.is_empty() {
            status.to_string()
        } else {
            refusal.id.clone()
        };
        let refused = |call| Error::Refused {
            call,
            status,
            code,
            message: message.clone(),
        };
        Ok(match (id.action(), status) {
            (Action::WaitForQuota, _) | (Action::Unknown, 429) => {
                let header = response.header("retry-after").map(str::to_owned);
                let now = self.now();
                let remember =
                    move |state: &mut AccountState| state.budget.refused(header.as_deref(), now);
                let retry_after = self.0.state.update(remember).await.map_err(Error::Store)?;
                Judged::Final(Error::Quota {
                    call,
                    retry_after,
                    message,
                })
            }
            (Action::Refresh, _) | (Action::Unknown, 401) => Judged::Refresh(refused(call)),
            (Action::Login, _) => Judged::Final(LoginError::NotLoggedIn.into()),
            (Action::LoginWithScope, _) => Judged::Final(
                LoginError::ScopeMissing {
                    scope: "cardata:api:read",
                }
                .into(),
            ),
            (Action::Retry, _) | (Action::Unknown, 408 | 500..) => {
                Judged::Passing(Error::Unavailable {
                    call,
                    status,
                    message,
                })
            }
            _ => Judged::Final(refused(call)),
        })
    }
}

/// How a call that failed goes on.
pub(super) enum Judged {
    /// With another token.
    Refresh(Error),
    /// A little later.
    Passing(Error),
    /// Not at all.
    Final(Error),
}

impl From<Judged> for Error {
    fn from(judged: Judged) -> Self {
        match judged {
            Judged::Refresh(error) | Judged::Passing(error) | Judged::Final(error) => error,
        }
    }
}

/// What BMW's error id asks for, if the error has one.
pub(super) fn action_of(error: &Error) -> Option<Action> {
    match error {
        Error::Refused { code, .. } => Some(ErrorId::new(code).action()),
        _ => None,
    }
}

pub(super) fn none_if<T>(
    action: Action,
    outcome: Result<T, Error>,
    none: fn() -> T,
) -> Result<T, Error> {
    match outcome {
        Err(error) if action_of(&error) == Some(action) => Ok(none()),
        outcome => outcome,
    }
}

/// 1, 2, 4 s, each up to half as long again, so that many cars do not come at once.
fn pause(repeats: u32) -> Result<Duration, Error> {
    let [random] = entropy::bytes::<1>()?;
    let base = Duration::from_secs(1 << repeats.min(4));
    Ok(base + base.mul_f64(f64::from(random) / 512.0))
}
