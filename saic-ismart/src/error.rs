use std::fmt;
use std::time::Duration;

use crate::envelope::EnvelopeError;
use crate::vin::Vin;

/// Which call failed, and on which vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The endpoint in words, such as `vehicle status`.
    pub name: &'static str,
    /// The vehicle, for calls that concern one.
    pub vin: Option<Vin>,
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
    #[error("{call}: refused with code {code} ({}): {message}", code_meaning(*code))]
    Refused {
        /// What was tried.
        call: Call,
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// The car will not do this now (code 8). It does not help to ask again at
    /// once; some reasons pass within a minute or so.
    #[error("{call}: rejected: {rejection}: {message}")]
    Rejected {
        /// What was tried.
        call: Call,
        /// Why.
        rejection: Rejection,
        /// The vendor's words, in the language of the account.
        message: String,
    },
    /// The car did not answer within the budget (code 4 to the end): no signal,
    /// deep sleep, a low 12 V battery, or the allowance of remote calls is used
    /// up until somebody drives. A command may still reach it.
    #[error(
        "{call}: the car did not answer {attempts} requests (event {event_id}): {message}; it sleeps deeply or has no signal"
    )]
    Unreachable {
        /// What was tried.
        call: Call,
        /// The cloud's handle for the call, `0` if it gave none.
        event_id: String,
        /// Requests sent.
        attempts: u32,
        /// The vendor's last words.
        message: String,
    },
    /// The cloud is out of order (code 6, HTTP 5xx or 429). Whether a command
    /// was carried out is unknown.
    #[error("{call}: the cloud is not available (HTTP {status}, code {code}): {message}")]
    Unavailable {
        /// What was tried.
        call: Call,
        /// HTTP status.
        status: u16,
        /// The vendor's number, −1 if there was none.
        code: i64,
        /// The vendor's words, or the beginning of what came instead.
        message: String,
        /// How long the cloud asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// An answer came, but it is not what the call should return.
    #[error("{call}: unreadable answer: {source}")]
    Unreadable {
        /// What was tried.
        call: Call,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// There is no session, and none can be had now.
    #[error("{0}")]
    Login(#[from] LoginError),
    /// The kept session could not be read. Nothing was sent, because a login
    /// would log the phone out.
    #[error("the kept session cannot be read: {0}")]
    Store(#[source] std::io::Error),
    /// The region does not offer this call; nothing was sent.
    #[cfg(feature = "india")]
    #[error("{call}: not offered in this region")]
    NotOffered {
        /// What was tried.
        call: Call,
    },
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
            | Self::Unreachable { .. }
            | Self::Unavailable { .. }
            | Self::Unreadable { .. }
            | Self::Store(_) => true,
            Self::Rejected { rejection, .. } => *rejection != Rejection::TooFrequent,
            Self::Login(error) => error.is_retryable(),
            #[cfg(feature = "india")]
            Self::NotOffered { .. } => false,
            Self::Refused { .. } | Self::InvalidValue(_) | Self::Configuration(_) => false,
        }
    }

    /// How long to wait before the same call makes sense, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Rejected { rejection, .. } if *rejection != Rejection::TooFrequent => {
                Some(Duration::from_secs(60))
            }
            Self::Login(LoginError::LoggedInElsewhere { retry_after }) => *retry_after,
            _ => None,
        }
    }

    /// Whether the user has to do something about the account: another
    /// password, another region, tomorrow.
    #[must_use]
    pub fn needs_login(&self) -> bool {
        matches!(self, Self::Login(error) if !error.is_retryable())
    }

    /// Whether a command may have been carried out in spite of the error.
    #[must_use]
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::MaybeSent { .. } | Self::Unavailable { .. } | Self::Unreadable { .. } => true,
            Self::Unreachable { event_id, .. } => event_id != crate::poll::NO_EVENT,
            _ => false,
        }
    }
}

/// What the network said. The address is left out, because it holds hashes of VINs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the request certainly did not reach the cloud.
    pub not_sent: bool,
    /// In words, without the address.
    pub message: String,
}

/// Why an answer is unreadable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It cannot be decrypted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// It is no frame of the Indian protocol.
    #[cfg(feature = "india")]
    #[error(transparent)]
    Frame(#[from] crate::india::CodecError),
    /// Its signature is wrong or missing, and the client is strict.
    #[error("the signature of the answer is wrong or missing")]
    Signature,
    /// It is no JSON, or JSON of another shape.
    #[error("at {path}: {message}")]
    Json {
        /// The field, as `data.vinList[0].vin`; `.` for the whole.
        path: String,
        /// What is wrong there.
        message: String,
    },
    /// It is a web page: a proxy, a captive portal, maintenance.
    #[error("a web page instead of data (HTTP {0}): a proxy or maintenance")]
    WebPage(u16),
    /// It says success and holds nothing.
    #[error("the answer holds no data")]
    NoData,
    /// It is longer than any answer should be.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The cloud does not take user and password. Never tried again by this
    /// client: five wrong passwords a day lock the account.
    #[error(
        "login refused with code {code}: {message}; check user and password (the app keeps letters and digits only, at most 16)"
    )]
    WrongPassword {
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// The account is locked, until tomorrow as a rule. Never tried again by this client.
    #[error(
        "the account is locked (code {code}): {message}; wait until tomorrow, then check the password"
    )]
    Locked {
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// The account does not exist in this region. Never tried again by this client.
    #[error(
        "the account is not registered here (code {code}): {message}; check the region, and a phone number without country code"
    )]
    NotRegistered {
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// The country code of the phone number is missing or wrong. Never tried
    /// again by this client.
    #[error(
        "the country code of the phone number is wrong (code {code}): {message}; give digits without +"
    )]
    CountryCode {
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// The PIN that commands in India need is wrong. Never sent again by this
    /// client.
    #[cfg(feature = "india")]
    #[error("the PIN was refused with code {code}: {message}; check the PIN of the app")]
    WrongPin {
        /// The vendor's number.
        code: i64,
        /// The vendor's words.
        message: String,
    },
    /// Somebody else logged in to the account, which ends our session: the
    /// cloud keeps one per account.
    #[error("another device logged in to this account; use a second, shared account for telemetry")]
    LoggedInElsewhere {
        /// When the client will log in again by itself; `None` if it never will.
        retry_after: Option<Duration>,
    },
    /// A session was made and was not accepted either.
    #[error("the cloud refuses a session that it has just opened (code {code}): {message}")]
    SessionRefused {
        /// The vendor's number, or the HTTP status.
        code: i64,
        /// The vendor's words.
        message: String,
    },
}

impl LoginError {
    /// Whether a login later may succeed without anyone doing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::LoggedInElsewhere { .. } | Self::SessionRefused { .. }
        )
    }
}

/// Why a car rejects a call: the number that the vendor's message ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// `(1)`: the car is switched on.
    PoweredOn,
    /// `(2)`: the car is not locked, or not off.
    NotLocked,
    /// `(33)`: no closer reason.
    Failed,
    /// `(71)`: the allowance of remote commands is used up until the car is
    /// started with its key.
    TooFrequent,
    /// `(255)`: the car's state does not allow it.
    CheckVehicle,
    /// Any other number.
    Other(u32),
    /// No number.
    Unknown,
}

impl Rejection {
    /// From the vendor's words: the last number in parentheses. The words
    /// themselves come in the language of the account.
    #[must_use]
    pub fn of(message: &str) -> Self {
        let number = message
            .rsplit_once(['(', '（'])
            .and_then(|(_, rest)| rest.split_once([')', '）']))
            .and_then(|(number, _)| number.trim().parse().ok());
        match number {
            Some(1) => Self::PoweredOn,
            Some(2) => Self::NotLocked,
            Some(33) => Self::Failed,
            Some(71) => Self::TooFrequent,
            Some(255) => Self::CheckVehicle,
            Some(other) => Self::Other(other),
            None => Self::Unknown,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoweredOn => f.write_str("the car is switched on"),
            Self::NotLocked => f.write_str("the car is not locked or not off"),
            Self::Failed => f.write_str("the car gives no closer reason"),
            Self::TooFrequent => {
                f.write_str("too many remote commands, start the car with its key")
            }
            Self::CheckVehicle => f.write_str("the state of the car does not allow it"),
            Self::Other(number) => write!(f, "reason {number}"),
            Self::Unknown => f.write_str("no reason given"),
        }
    }
}

/// The vendor's numbers, apart from those that have an error of their own.
fn code_meaning(code: i64) -> &'static str {
    match code {
        2 | 3 | 7 => "hard failure",
        36805 => "not part of this account's service",
        1_100_003 => "shared access was revoked",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        let of = Rejection::of;
        assert_eq!(
            of("Please check the vehicle (255)"),
            Rejection::CheckVehicle
        );
        assert_eq!(of("Bitte (heute) ausschalten (1) 🚗"), Rejection::PoweredOn);
        assert_eq!(of("（71）"), Rejection::TooFrequent);
        assert_eq!(of("(5)"), Rejection::Other(5));
        assert_eq!(of("no"), Rejection::Unknown);
        assert_eq!(of("(99999999999)"), Rejection::Unknown);
        assert_eq!(of(")("), Rejection::Unknown);
    }

    #[test]
    fn who_is_to_blame() {
        let wrong = LoginError::WrongPassword {
            code: 15018,
            message: "no".to_owned(),
        };
        assert!(Error::from(wrong).needs_login());
        let elsewhere = Error::from(LoginError::LoggedInElsewhere { retry_after: None });
        assert!(elsewhere.is_retryable() && !elsewhere.needs_login());
        let call = Call {
            name: "vehicle status",
            vin: Some("LSJTEST0000000001".into()),
        };
        let silent = Error::Unreachable {
            call,
            event_id: "0".to_owned(),
            attempts: 1,
            message: "later".to_owned(),
        };
        assert!(!silent.may_have_taken_effect());
        assert!(!silent.to_string().contains("LSJTEST0000000001"));
    }
}
