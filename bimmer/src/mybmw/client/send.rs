use std::sync::PoisonError;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Client;
use crate::endpoint::model;
use crate::error::{Call, Error, LoginError};
use crate::http::{Method, Request, Response};
use crate::mybmw::agent::{USER_AGENT, x_user_agent};
use crate::mybmw::refusal::{Class, classify, quota_wait};
use crate::token::Token;
use crate::types::{Brand, Vin};

/// Repeats of a call that comes too early.
const REPEATS: u32 = 3;
/// Longest wait within a call; a longer one is the caller's.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// A pause where BMW does not say how long.
const USUAL_PAUSE: Duration = Duration::from_secs(300);

/// One call, without what every call carries.
pub(super) struct Ask<'a> {
    pub(super) name: &'static str,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) brand: Brand,
    pub(super) vin: Option<&'a Vin>,
    pub(super) vin_in_header: bool,
    pub(super) accept: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
}

impl<'a> Ask<'a> {
    pub(super) fn new(
        name: &'static str,
        method: Method,
        path: impl Into<String>,
        brand: Brand,
    ) -> Self {
        Self {
            name,
            method,
            path: path.into(),
            brand,
            vin: None,
            vin_in_header: false,
            accept: "application/json",
            headers: Vec::new(),
            body: None,
        }
    }

    pub(super) const fn about(mut self, vin: &'a Vin) -> Self {
        self.vin = Some(vin);
        self.vin_in_header = true;
        self
    }

    pub(super) fn call(&self) -> Call {
        Call {
            name: self.name,
            vin: self.vin.cloned(),
        }
    }
}

impl Client {
    pub(super) async fn ask_json<T: serde::de::DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
    ) -> Result<T, Error> {
        let response = self.ask(ask).await?;
        model(&response.body).map_err(|source| Error::Unreadable {
            call: ask.call(),
            source,
        })
    }

    /// Sends one call: waits and repeats where it comes too early, renews the
    /// token once, and keeps quiet while the quota is used up.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        self.check_parked(&ask.call())?;
        let mut refused: Option<Token> = None;
        let mut repeats = 0;
        loop {
            let token = self.0.session.token_instead_of(refused.as_ref()).await?;
            let sent = self.0.transport.send(self.request(ask, &token)).await;
            let response = sent.map_err(|source| Error::transport(ask.call(), source))?;
            if response.is_success() {
                return Ok(response);
            }
            let text = response.text();
            let (class, message) = classify(response.status, &text);
            let wait = quota_wait(&text);
            match class {
                Class::RateLimit if repeats < REPEATS && refused.is_none() => {
                    let wait = wait.unwrap_or(Duration::from_secs(2 << repeats));
                    if wait > LONGEST_WAIT {
                        return Err(self.park(ask, wait, message));
                    }
                    tokio::time::sleep(wait).await;
                    repeats += 1;
                }
                Class::Auth if response.status == 401 && refused.is_none() => refused = Some(token),
                Class::RateLimit | Class::Quota => {
                    return Err(self.park(ask, wait.unwrap_or(USUAL_PAUSE), message));
                }
                Class::Blocked => return Err(Error::Blocked { call: ask.call() }),
                Class::Auth if response.status == 401 => {
                    return Err(LoginError::SessionEnded { message }.into());
                }
                Class::Server => {
                    let status = response.status;
                    return Err(Error::Unavailable {
                        call: ask.call(),
                        status,
                        message,
                    });
                }
                Class::Auth | Class::Other => {
                    let status = response.status;
                    let code = status.to_string();
                    return Err(Error::Refused {
                        call: ask.call(),
                        status,
                        code,
                        message,
                    });
                }
            }
        }
    }

    fn request(&self, ask: &Ask<'_>, token: &Token) -> Request {
        let session = &self.0.session;
        let agent = x_user_agent(&session.build, &ask.brand, session.region);
        let mut request = Request::new(ask.method, format!("{}{}", session.api_url, ask.path))
            .with_header("accept", ask.accept)
            .with_header("accept-language", "en")
            .with_header("x-raw-locale", "en-US")
            .with_header("user-agent", USER_AGENT)
            .with_header("x-user-agent", agent)
            .with_header("x-identity-provider", "gcdm")
            .with_header("x-correlation-id", session.correlation_id.as_str())
            .with_header("bmw-correlation-id", session.correlation_id.as_str())
            .with_header(
                "bmw-units-preferences",
                "d=KM;v=L;p=B;ec=KWH100KM;fc=L100KM;em=GKM;",
            )
            .with_header("24-hour-format", "true");
        let own = ask
            .headers
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()));
        request.headers.extend(own);
        if let Some(vin) = ask.vin.filter(|_| ask.vin_in_header) {
            request = request.with_header("bmw-vin", vin.as_str());
        }
        request = request.with_header(
            "authorization",
            format!("Bearer {}", token.access_token.expose()),
        );
        if let Some(id) = &token.session_id {
            request = request.with_header("bmw-session-id", id.as_str());
        }
        if let Some(body) = &ask.body {
            request = request.with_header("content-type", "application/json");
            request.body = body.clone();
        }
        request
    }

    fn check_parked(&self, call: &Call) -> Result<(), Error> {
        let until = *self
            .0
            .parked_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let left = until.and_then(|until| (until - self.now()).to_std().ok());
        match left.filter(|left| !left.is_zero()) {
            Some(retry_after) => Err(Error::Quota {
                call: call.clone(),
                retry_after,
                message: "BMW asked to wait; nothing was sent".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn park(&self, ask: &Ask<'_>, retry_after: Duration, message: String) -> Error {
        let wait = TimeDelta::from_std(retry_after).unwrap_or(TimeDelta::hours(1));
        let mut until = self
            .0
            .parked_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = self.now().checked_add_signed(wait);
        Error::Quota {
            call: ask.call(),
            retry_after,
            message,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.0.clock)()
    }
}
