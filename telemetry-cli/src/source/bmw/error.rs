use std::io;

use bimmer::{Error, LoginError};

use crate::config::{Bmw, BmwApi, SecretError};
use crate::database::DatabaseError;
use crate::exit::{Code, Failure};
use crate::supervisor::Exit;

/// Why BMW's cloud does not say how a car is.
#[derive(Debug, thiserror::Error)]
pub enum BmwError {
    /// The cloud, or the way to it.
    #[error(transparent)]
    Cloud(#[from] Error),
    /// The configured password cannot be had.
    #[error(transparent)]
    Password(#[from] SecretError),
    /// The configuration cannot be meant.
    #[error("{0}")]
    Configuration(String),
    /// What is kept between two runs cannot be read or written.
    #[error("cannot keep what is known of the account: {0}")]
    Kept(#[from] io::Error),
    /// The embedded database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The account has no such car.
    #[error("the account has no car with the VIN {0}")]
    NoSuchCar(String),
    /// Every call would have cost quota.
    #[error("nothing is known yet of the cars of this account, and asking costs quota")]
    NothingCached,
}

impl BmwError {
    /// The exit code of a command that fails with it.
    pub fn code(&self) -> Code {
        match self {
            Self::Password(_) => Code::Login,
            Self::Configuration(_) | Self::Cloud(Error::Configuration(_)) => Code::Configuration,
            Self::Kept(_) | Self::Database(_) | Self::Cloud(Error::Store(_)) => Code::Backend,
            Self::NoSuchCar(_) => Code::Device,
            Self::NothingCached => Code::Quota,
            Self::Cloud(error) if error.needs_login() => Code::Login,
            Self::Cloud(error) if error.is_quota() => Code::Quota,
            Self::Cloud(_) => Code::Protocol,
        }
    }

    /// What the user can do, if anything but wait.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Password(_) => "correct `password` in its [[bmw]] table",
            Self::NothingCached => "let `telemetry run` ask, or add `--spend-quota`",
            Self::NoSuchCar(_) => "`telemetry status bmw` without `--vin` lists the cars",
            Self::Cloud(Error::Blocked { .. }) => {
                "set `api = \"cardata\"` in its [[bmw]] table and run `telemetry login bmw`; \
                 nothing else helps"
            }
            Self::Cloud(Error::Quota { .. }) => {
                "nothing is to be done: it goes on by itself; other programs on this account \
                 use the same quota"
            }
            Self::Cloud(Error::Login(LoginError::CaptchaMissing)) => {
                "run `telemetry login bmw`, which says where the captcha is"
            }
            Self::Cloud(Error::Login(LoginError::UnknownClient { .. })) => {
                "correct `client_id` in its [[bmw]] table, then run `telemetry login bmw`"
            }
            Self::Cloud(error) if error.needs_login() => "run `telemetry login bmw`",
            _ => return None,
        })
    }

    /// What a command fails with that could not read `device`.
    pub fn failure(&self, device: &str) -> Failure {
        let message = match device {
            "" => self.to_string(),
            device => format!("{device}: {self}"),
        };
        let failure = Failure::new(self.code(), message);
        match self.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// With what the user of this account can do.
    pub(super) fn told(&self, config: &Bmw) -> String {
        let hint = match (self.code(), &config.token_name) {
            // A drop-in command has no configuration, and flags of its own.
            (Code::Login, Some(_)) if !matches!(self, Self::Password(_)) => {
                Some(match config.api {
                    BmwApi::MyBmw => format!(
                        "start it once with `--captcha_token_{} TOKEN`; `telemetry login bmw` \
                         says where to get one",
                        config.title()
                    ),
                    BmwApi::CarData => "start it again, and open the link that it shows".to_owned(),
                })
            }
            _ => self.hint().map(str::to_owned),
        };
        match hint {
            Some(hint) => format!("{self}; {hint}"),
            None => self.to_string(),
        }
    }

    /// How the source of this account ends with it.
    pub(super) fn exit(&self, config: &Bmw) -> Exit {
        let text = self.told(config);
        match (self, self.code()) {
            (_, Code::Login) | (Self::Cloud(Error::Blocked { .. }) | Self::NoSuchCar(_), _) => {
                Exit::LoginNeeded(text)
            }
            (_, Code::Configuration) => Exit::Fatal(text),
            _ => Exit::Transient(text),
        }
    }
}
