use std::path::PathBuf;
use std::time::Duration;

use saic_ismart::{DecodeError, Error, LoginError, Rejection};

use crate::config::{SecretError, plain};
use crate::exit::{Code, Failure};
use crate::supervisor::Exit;

/// Why an account or a car could not be read or told something.
#[derive(Debug, thiserror::Error)]
pub enum SaicError {
    /// The cloud or the car.
    #[error("{}", words(.0))]
    Cloud(#[from] Error),
    /// The cloud made something up in place of the car.
    #[error("the car sleeps too deeply to answer")]
    Asleep,
    /// The car says nothing about charging in good time.
    #[error("the car does not tell about charging in good time")]
    NoChargingData,
    /// The account was made in India.
    #[error("cars in India are on another cloud, which this program cannot read")]
    OtherCloud,
    /// A phone number in the place of a user name, and no country code.
    #[error("`{0}` is a phone number, and its country code is missing")]
    NoCountryCode(String),
    /// A command that may have been carried out.
    #[error("{}; it may have been carried out all the same: look at the state", words(.0))]
    Unsure(#[source] Error),
    /// The configured password cannot be had.
    #[error(transparent)]
    Password(#[from] SecretError),
    /// The configured authority cannot be read.
    #[error("cannot read {}: {}", .0.display(), plain(.1))]
    Ca(PathBuf, #[source] std::io::Error),
    /// A gateway that runs has the account, and nothing is known of it.
    #[error("the running gateway has not read this account yet")]
    NotYet,
    /// The account has no car with this VIN.
    #[error("the account has no such car; it has {0}")]
    NoSuchCar(String),
    /// The account has several cars.
    #[error("which of the cars? The account has {0}")]
    WhichCar(String),
    /// The control does not exist, or not with this value.
    #[error("{0}")]
    Control(String),
}

/// Without what differs each time, such as event ids: the same trouble shall
/// read the same.
fn words(error: &Error) -> String {
    match error {
        Error::Unreachable { .. } => {
            "the car does not answer: it sleeps deeply or has no signal".to_owned()
        }
        Error::Unavailable { status, code, .. } => match code {
            -1 => format!("the cloud is not available (HTTP {status})"),
            code => format!("the cloud is not available (code {code})"),
        },
        Error::Rejected { rejection, .. } => format!("the car refuses: {rejection}"),
        other => other.to_string(),
    }
}

impl SaicError {
    /// The exit code of a command that fails with it.
    pub fn code(&self) -> Code {
        match self {
            Self::Password(_) | Self::Cloud(Error::Login(_)) => Code::Login,
            Self::Ca(..)
            | Self::OtherCloud
            | Self::NoCountryCode(_)
            | Self::Cloud(Error::Configuration(_)) => Code::Configuration,
            Self::NoSuchCar(_) | Self::NotYet | Self::Asleep | Self::NoChargingData => Code::Device,
            Self::Unsure(_) => Code::Protocol,
            Self::WhichCar(_) | Self::Control(_) | Self::Cloud(Error::InvalidValue(_)) => {
                Code::Usage
            }
            Self::Cloud(Error::Store(_)) => Code::Backend,
            Self::Cloud(Error::Rejected {
                rejection: Rejection::TooFrequent,
                ..
            }) => Code::Quota,
            Self::Cloud(Error::Unreachable { .. }) => Code::Device,
            Self::Cloud(_) => Code::Protocol,
        }
    }

    /// What the user can do.
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Cloud(error) = self else {
            return match self {
                Self::Password(_) => Some("correct `password` in its [[saic]] table"),
                Self::Ca(..) => Some("correct `ca` in its [[saic]] table"),
                Self::OtherCloud => {
                    Some("the crate saic-ismart reads it, with its feature `india`")
                }
                Self::NoCountryCode(_) => Some(
                    "add `country_code = \"49\"` or whichever it is to its [[saic]] table, or \
                     `--country-code 49` to the command; digits only",
                ),
                Self::NoSuchCar(_) | Self::WhichCar(_) => Some("name one with `--vin VIN`"),
                Self::NotYet => Some("wait a minute, or ask the cloud with `--spend-quota`"),
                _ => None,
            };
        };
        match error {
            Error::Login(LoginError::WrongPassword { .. }) => Some(
                "correct `password` in its [[saic]] table; five wrong ones a day lock the account",
            ),
            Error::Login(LoginError::Locked { .. }) => {
                Some("wait until tomorrow, and correct `password` in its [[saic]] table")
            }
            Error::Login(LoginError::NotRegistered { .. }) => {
                Some("correct `user` and `region` in its [[saic]] table")
            }
            Error::Login(LoginError::CountryCode { .. }) => {
                Some("correct `country_code` in its [[saic]] table: digits only")
            }
            Error::Login(LoginError::LoggedInElsewhere { .. }) => Some(
                "share the cars with a second account and use that here; `telemetry login saic` \
                 takes the account back at once",
            ),
            Error::NotSent { .. } | Error::MaybeSent { .. } => {
                Some("look at the network, and at `base_url` if it is set")
            }
            Error::Store(_) => Some("let this user read the state directory"),
            _ => advice(error),
        }
    }

    /// True if nothing gets better before the user has done something.
    pub fn needs_user(&self) -> bool {
        match self {
            Self::Password(_) => true,
            Self::Cloud(error) => error.needs_login(),
            _ => false,
        }
    }

    /// How long to leave the cloud alone, if it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Cloud(error) => error.retry_after(),
            _ => None,
        }
    }

    /// True if the car is to blame, and the cloud works.
    pub fn is_of_car(&self) -> bool {
        matches!(
            self,
            Self::Asleep
                | Self::NoChargingData
                | Self::Cloud(
                    Error::Unreachable { .. } | Error::Rejected { .. } | Error::Refused { .. }
                )
        )
    }

    /// True if the session is to blame, or cannot be had.
    pub fn is_of_session(&self) -> bool {
        matches!(self, Self::Cloud(Error::Login(_)))
    }

    /// True if the cloud works, and only this question has no answer: not every
    /// car and account has every endpoint.
    pub fn is_of_question(&self) -> bool {
        self.is_of_car()
            || matches!(
                self,
                Self::Cloud(Error::Unreadable {
                    source: DecodeError::Json { .. } | DecodeError::NoData,
                    ..
                })
            )
    }

    /// What a command fails with that was about `what`.
    pub fn failure(&self, what: &str) -> Failure {
        let failure = Failure::new(self.code(), format!("{what}: {self}"));
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    pub(super) fn exit(&self, what: &str) -> Exit {
        let mut text = format!("{what}: {self}");
        if let Some(hint) = self.hint() {
            text = format!("{text}; {hint}");
        }
        match self {
            Self::Ca(..)
            | Self::OtherCloud
            | Self::NoCountryCode(_)
            | Self::Cloud(Error::Configuration(_)) => Exit::Fatal(text),
            _ if self.needs_user() => Exit::LoginNeeded(text),
            _ => Exit::Transient(text),
        }
    }
}

/// What the user can do about a car or a cloud that refuses something, whatever
/// the program was configured with.
pub fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unreachable { .. } => {
            Some("try again when the car was opened or driven, where it has a signal")
        }
        Error::Rejected { rejection, .. } => match rejection {
            Rejection::PoweredOn => Some("switch the car off first"),
            Rejection::NotLocked => Some("lock the car first, and switch it off"),
            // Code 8 alone says the same: all other reasons have numbers.
            Rejection::TooFrequent | Rejection::Unknown => {
                Some("start the car with its key; until then it takes no more commands")
            }
            _ => Some("look at the car, and try again in a minute"),
        },
        Error::Unavailable { .. } => Some("nothing is wrong here: try again later"),
        Error::Unreadable {
            source: DecodeError::WebPage(_),
            ..
        } => Some("maintenance, or a proxy in between: try again later"),
        _ => None,
    }
}
