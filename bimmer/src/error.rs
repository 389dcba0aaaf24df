use std::fmt;
use std::time::Duration;

use crate::types::Vin;

/// Which call failed, and on which vehicle. Shown with a masked VIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The endpoint in words, such as `vehicle state`.
    pub name: &'static str,
    /// The vehicle, for calls that concern one.
    pub vin: Option<Vin>,
}

impl Call {
    pub(crate) const fn account(name: &'static str) -> Self {
        Self { name, vin: None }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.vin {
            Some(vin) => write!(f, "{} of {}", self.name, vin.masked()),
            None => f.write_str(self.name),
        }
    }
}

/// Why a call failed, by how far it got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request did not leave: no route, no connection, TLS refused. Safe to repeat.
    #[error("{call}: not sent: {source}")]
    NotSent {
        /// What was tried.
        call: Call,
        /// What the network said.
        source: TransportError,
    },
    /// The request may have arrived, its answer did not. A command is never
    /// repeated by this crate: read the state of the car instead.
    #[error("{call}: sent, but unanswered: {source}")]
    MaybeSent {
        /// What was tried.
        call: Call,
        /// What the network said.
        source: TransportError,
    },
    /// The cloud answered with a refusal.
    #[error("{call}: refused with {code} (HTTP {status}): {message}")]
    Refused {
        /// What was tried.
        call: Call,
        /// HTTP status.
        status: u16,
        /// The vendor's error id, such as `CU-104`, or the HTTP status again.
        code: String,
        /// The vendor's words, and what to do where that is known.
        message: String,
    },
    /// The allowance of calls is used up. Calls before `retry_after` are pointless.
    #[error("{call}: the quota is used up, try again in {} s: {message}", retry_after.as_secs())]
    Quota {
        /// What was tried.
        call: Call,
        /// How long to wait.
        retry_after: Duration,
        /// The vendor's words, or our own where the request was not sent at all.
        message: String,
    },
    /// BMW lets only its own app through (since September 2025). No retry and
    /// no login helps.
    #[error("{call}: blocked by BMW: this API answers BMW's own app only; use CarData instead")]
    Blocked {
        /// What was tried.
        call: Call,
    },
    /// The cloud is out of order. Whether a command was carried out is unknown.
    #[error("{call}: the cloud is not available (HTTP {status}): {message}")]
    Unavailable {
        /// What was tried.
        call: Call,
        /// HTTP status.
        status: u16,
        /// The vendor's words, or the beginning of what came instead.
        message: String,
    },
    /// An answer came, but it is not what the call should return.
    #[error("{call}: unreadable answer: {source}")]
    Unreadable {
        /// What was tried.
        call: Call,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The car or the cloud took a command and reports that it failed.
    #[error("{call}: the command failed: {message}")]
    CommandFailed {
        /// What was tried.
        call: Call,
        /// Title and description, as far as the vendor gave them.
        message: String,
    },
    /// The result of a command did not come in time. It may still be carried out.
    #[error("{call}: no result within {} s (last state {last}); it may still happen", waited.as_secs())]
    CommandTimedOut {
        /// What was tried.
        call: Call,
        /// How long was waited.
        waited: Duration,
        /// The last state that was reported.
        last: String,
    },
    /// There is no session, and none can be had without the user.
    #[error("{0}")]
    Login(#[from] LoginError),
    /// A file could not be read or written. Nothing was sent.
    #[error("the store failed: {0}")]
    Store(#[source] std::io::Error),
    /// A value is outside what the car takes; nothing was sent.
    #[error("{0}")]
    InvalidValue(String),
    /// The client cannot be built as configured.
    #[error("{0}")]
    Configuration(String),
}

impl Error {
    /// Whether the same call may succeed later without anyone doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotSent { .. }
            | Self::MaybeSent { .. }
            | Self::Quota { .. }
            | Self::Unavailable { .. }
            | Self::Unreadable { .. }
            | Self::Store(_) => true,
            Self::Login(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// How long to wait before the same call makes sense, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Quota { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the user has to log in again, or to change something at BMW's portal.
    #[must_use]
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::Login(error) if !error.is_retryable())
    }

    /// Whether the allowance of calls is used up.
    #[must_use]
    pub const fn is_quota(&self) -> bool {
        matches!(self, Self::Quota { .. })
    }

    /// Whether a command may have been carried out in spite of the error.
    #[must_use]
    pub const fn may_have_taken_effect(&self) -> bool {
        matches!(
            self,
            Self::MaybeSent { .. }
                | Self::Unavailable { .. }
                | Self::Unreadable { .. }
                | Self::CommandTimedOut { .. }
        )
    }

    /// A failure on the way.
    pub(crate) fn transport(call: Call, source: TransportError) -> Self {
        if source.not_sent {
            Self::NotSent { call, source }
        } else {
            Self::MaybeSent { call, source }
        }
    }
}

/// What the network said. The address is left out, because it holds VINs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the request certainly did not reach the cloud.
    pub not_sent: bool,
    /// In words, without the address.
    pub message: String,
}

/// Why an answer is unreadable. Never holds what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is no JSON, or JSON of another shape.
    #[error("at {path}: {message}")]
    Json {
        /// The field, as `data[0].startTime`; `.` for the whole.
        path: String,
        /// What is wrong there.
        message: String,
    },
    /// Something is missing that the answer makes no sense without.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Nobody has logged in yet.
    #[error("not logged in: no stored token; log in first")]
    NotLoggedIn,
    /// The first login needs the answer to a captcha, which is valid once, for some minutes.
    #[error("a captcha token is needed: solve the captcha in a browser and pass its token at once")]
    CaptchaMissing,
    /// User name or password are wrong, or the captcha token was used before.
    #[error(
        "login refused: {message}; check user name and password, and take a fresh captcha token"
    )]
    Refused {
        /// The vendor's words.
        message: String,
    },
    /// The stored session cannot be renewed: its refresh token was used before
    /// (a restored backup, a second program), is too old, or was revoked.
    #[error("the session cannot be renewed ({message}): a new login is needed")]
    SessionEnded {
        /// The vendor's words.
        message: String,
    },
    /// CarData does not know the client id.
    #[error(
        "CarData does not know this client id ({message}): write it in lower case, see that both \
         CarData API and CarData Stream are switched on in the portal, or create a new client there"
    )]
    UnknownClient {
        /// The vendor's words.
        message: String,
    },
    /// The token lacks a right. Rights are bound when the device is registered.
    #[error(
        "the login does not include {scope}: switch on CarData API and CarData Stream in the \
         portal, wait a minute, then log in again"
    )]
    ScopeMissing {
        /// The missing right.
        scope: &'static str,
    },
    /// The user refused, or the device code was used before.
    #[error("the login was refused, or its code was used before: start again")]
    Denied,
    /// Nobody confirmed the code in time.
    #[error("the code was not confirmed in time: start again")]
    CodeExpired,
    /// BMW's server failed in the middle of the exchange, which spent the code.
    #[error("BMW's server failed while it redeemed the code, which is spent now: start again")]
    CodeLost,
    /// The cloud calls the login malformed.
    #[error("the cloud does not understand the login: {message}")]
    Malformed {
        /// The vendor's words.
        message: String,
    },
    /// The cloud does not work at the moment.
    #[error("the login server is not available (HTTP {status}): {message}")]
    Unavailable {
        /// HTTP status, 0 if there was no answer.
        status: u16,
        /// What came instead.
        message: String,
    },
    /// Another program renews the same session at this moment.
    #[error("another program holds the token file: only one may renew the session")]
    Locked,
}

impl LoginError {
    /// Whether a login later may succeed without anyone doing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Locked)
    }
}

/// The beginning of an answer for a message, without secrets and VINs.
pub(crate) fn clipped(text: &str) -> String {
    let words = crate::capture::redact(text.trim());
    match words.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
