//! Login and renewal: requests and the judgement of their answers, both pure.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::answer::{Verdict, judge};
use crate::endpoint::{self, Answer, Endpoint, Method};
use crate::envelope::{self, ContentType};
use crate::error::{Call, DecodeError, Error, LoginError};
use crate::region::Region;
use crate::token::Token;

/// Who logs in. `Debug` shows no password.
#[derive(Clone)]
pub struct Credentials {
    user: User,
    password: SecretString,
}

#[derive(Clone)]
enum User {
    Email(String),
    Phone {
        country_code: String,
        number: String,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// By e-mail address.
    #[must_use]
    pub fn email(address: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: User::Email(address.into()),
            password: SecretString::from(password.into()),
        }
    }

    /// By phone: the country code (`33`, also as `+33`) and the number without it.
    #[must_use]
    pub fn phone(country_code: &str, number: &str, password: impl Into<String>) -> Self {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect();
        Self {
            user: User::Phone {
                country_code: digits(country_code),
                number: digits(number),
            },
            password: SecretString::from(password.into()),
        }
    }

    /// The phone number without its country code, and the password.
    #[cfg(feature = "india")]
    pub(crate) fn phone_and_password(&self) -> Option<(&str, &str)> {
        match &self.user {
            User::Phone { number, .. } => Some((number, self.password.expose_secret())),
            User::Email(_) => None,
        }
    }

    /// A hash that tells accounts apart: of this user in this region.
    pub(crate) fn account(&self, region: &Region) -> String {
        let user = match &self.user {
            User::Email(address) => address.to_lowercase(),
            User::Phone {
                country_code,
                number,
            } => format!("+{country_code}{number}"),
        };
        envelope::vin_hash(&format!(
            "{}\n{}\n{user}",
            region.base_url(),
            region.tenant()
        ))
    }
}

/// `POST /oauth/token`.
pub(crate) struct Login<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) device_id: &'a str,
    /// With this token instead of the password.
    pub(crate) refresh_token: Option<&'a str>,
}

/// Follows the device id of the European app.
const DEVICE_SUFFIX: &str = "###com.saicmotor.europecar";

/// A stable device id for an account: 64 characters and the suffix of the app.
pub(crate) fn device_id(account: &str) -> String {
    format!(
        "{}{DEVICE_SUFFIX}",
        envelope::vin_hash(&format!("device\n{account}"))
    )
}

impl Endpoint for Login<'_> {
    type Answer = Grant;

    fn name(&self) -> &'static str {
        "login"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/oauth/token".to_owned()
    }

    fn content_type(&self) -> ContentType {
        ContentType::Form
    }

    fn body(&self) -> String {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        let hash = envelope::password_hash(self.credentials.password.expose_secret());
        let (login_type, user, country_code) = match &self.credentials.user {
            User::Email(address) => ("2", address.as_str(), None),
            User::Phone {
                country_code,
                number,
            } => ("1", number.as_str(), Some(country_code.as_str())),
        };
        match self.refresh_token {
            Some(token) => {
                fields.extend([("grant_type", "refresh_token"), ("refresh_token", token)])
            }
            None => fields.extend([
                ("grant_type", "password"),
                ("username", user),
                ("password", hash.as_str()),
            ]),
        }
        fields.extend([
            ("scope", "all"),
            ("deviceId", self.device_id),
            ("deviceType", "0"),
            ("language", "EN"),
            ("loginType", login_type),
        ]);
        if let Some(code) = country_code.filter(|_| self.refresh_token.is_none()) {
            fields.push(("countryCode", code));
        }
        let pairs: Vec<_> = fields
            .into_iter()
            .map(|(name, value)| format!("{name}={}", form_encoded(value)))
            .collect();
        pairs.join("&")
    }

    fn read(&self, data: Option<&str>) -> Result<Grant, DecodeError> {
        endpoint::required(data)
    }
}

fn form_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// What a login gives. Everything else in the answer concerns the app only.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Grant {
    #[serde(deserialize_with = "crate::scale::text")]
    access_token: Option<String>,
    #[serde(deserialize_with = "crate::scale::text")]
    refresh_token: Option<String>,
    #[serde(rename = "expires_in", deserialize_with = "crate::scale::count")]
    expires_in_s: Option<u32>,
}

/// Makes a session of a login's answer, or an error that says what to do.
pub(crate) fn judge_login(
    call: &Call,
    status: u16,
    retry_after: Option<std::time::Duration>,
    answer: Answer,
    account: &str,
    now_ms: i64,
) -> Result<Token, Error> {
    let unreadable = |path: &str, message: &str| Error::Unreadable {
        call: call.clone(),
        source: DecodeError::Json {
            path: path.to_owned(),
            message: message.to_owned(),
        },
    };
    let later = |code, message| Error::Unavailable {
        call: call.clone(),
        status,
        code,
        message,
        retry_after,
    };
    if answer.code == -1 && status < 300 {
        return Err(unreadable("code", "missing"));
    }
    let (code, message) = match judge(status, retry_after, answer) {
        Verdict::Done(data) => {
            let grant: Grant =
                endpoint::required(data.as_deref()).map_err(|source| Error::Unreadable {
                    call: call.clone(),
                    source,
                })?;
            let access_token = grant
                .access_token
                .ok_or_else(|| unreadable("data.access_token", "missing"))?;
            let validity_s = grant
                .expires_in_s
                .filter(|seconds| *seconds > 0)
                .ok_or_else(|| unreadable("data.expires_in", "missing"))?;
            return Ok(Token {
                access_token,
                refresh_token: grant.refresh_token,
                expires_at_ms: now_ms.saturating_add(i64::from(validity_s) * 1000),
                account: account.to_owned(),
            });
        }
        unavailable @ Verdict::Unavailable { .. } => {
            return Err(unavailable.into_error(call.clone()));
        }
        // "Try again later" and "too often" are no word about the password.
        Verdict::Pending { message } => return Err(later(4, message)),
        Verdict::Rejected { message } => return Err(later(8, message)),
        Verdict::SessionLost { code, message } | Verdict::Refused { code, message } => {
            (code, message)
        }
    };
    Err(refusal(code, message).into())
}

/// The numbers of the older API and of the present one. A refusal that nobody
/// has described is taken for a wrong password: repeating it could lock the account.
pub(crate) fn refusal(code: i64, message: String) -> LoginError {
    match code {
        1_000_036 | 15011 => LoginError::NotRegistered { code, message },
        1_000_020 => LoginError::CountryCode { code, message },
        15033 => LoginError::Locked { code, message },
        _ if message.to_lowercase().contains("lock") => LoginError::Locked { code, message },
        _ => LoginError::WrongPassword { code, message },
    }
}
