//! The Chinese login: a phone number, a password, and a picture with a notch.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::agent::USER_AGENT;
use super::auth::Credentials;
use super::china::{ChinaNonce, login_nonce};
use super::rsa::PublicKey;
use crate::endpoint::{lenient, model};
use crate::entropy;
use crate::error::{Call, DecodeError, Error, LoginError};
use crate::http::{Method, Request, Response};
use crate::token::Token;
use crate::types::parse_time;

/// A picture with a notch; see [`slider_position`](super::slider_position).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SliderCaptcha {
    /// The picture, JPEG.
    pub picture: Vec<u8>,
    verify_id: String,
}

#[cfg(feature = "jpeg")]
impl SliderCaptcha {
    /// How far the piece has to be moved, for
    /// [`Client::finish_china_login`](super::Client::finish_china_login). `None`
    /// if the picture cannot be read or has no notch: ask for another one.
    #[must_use]
    pub fn position(&self) -> Option<String> {
        super::slider::jpeg_position(&self.picture)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
}

fn request(
    api_url: &str,
    agent: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Request {
    let mut request = Request::new(method, format!("{api_url}/eadrax-coas{path}"))
        .with_header("accept", "application/json")
        .with_header("user-agent", USER_AGENT)
        .with_header("x-user-agent", agent);
    if let Some(body) = body {
        request = request.with_header("content-type", "application/json");
        request.body = body.to_string();
    }
    request
}

pub(super) fn captcha_request(api_url: &str, agent: &str, phone: &str) -> Request {
    let body = json!({"mobile": phone});
    request(
        api_url,
        agent,
        Method::Post,
        "/v2/cop/slider-captcha",
        Some(&body),
    )
}

pub(super) fn read_captcha(response: &Response) -> Result<SliderCaptcha, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        verify_id: String,
        back_ground_img: String,
    }
    let data: Data = read(response)?;
    let picture = STANDARD.decode(data.back_ground_img.trim());
    let picture = picture.map_err(|_| unreadable(DecodeError::Missing("the picture")))?;
    Ok(SliderCaptcha {
        picture,
        verify_id: data.verify_id,
    })
}

pub(super) fn check_request(
    api_url: &str,
    agent: &str,
    captcha: &SliderCaptcha,
    position: &str,
) -> Request {
    let body = json!({"position": position, "verifyId": captcha.verify_id});
    request(
        api_url,
        agent,
        Method::Post,
        "/v1/cop/check-captcha",
        Some(&body),
    )
}

pub(super) fn check_answer(response: &Response) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Verdict {
        #[serde(default, deserialize_with = "lenient::boolean")]
        error: Option<bool>,
    }
    let failed = model::<Verdict>(&response.body)
        .ok()
        .and_then(|verdict| verdict.error);
    if response.is_success() && failed != Some(true) {
        Ok(())
    } else {
        Err(refused(response))
    }
}

pub(super) fn key_request(api_url: &str, agent: &str) -> Request {
    request(api_url, agent, Method::Get, "/v1/cop/publickey", None)
}

pub(super) fn read_key(response: &Response) -> Result<PublicKey, Error> {
    #[derive(Deserialize)]
    struct Data {
        value: String,
    }
    let data: Data = read(response)?;
    PublicKey::from_pem(&data.value).ok_or_else(|| unreadable(DecodeError::Missing("the key")))
}

pub(super) fn login_request(
    api_url: &str,
    agent: &str,
    credentials: &Credentials,
    key: &PublicKey,
    captcha: &SliderCaptcha,
    now: DateTime<Utc>,
) -> Result<Request, Error> {
    let random = entropy::bytes::<2048>()?;
    let password = key.encrypt(credentials.password.expose().as_bytes(), &random);
    let password = password
        .ok_or_else(|| Error::InvalidValue("the password is too long for the key".to_owned()))?;
    let phone = &credentials.username;
    let nonce = login_nonce(phone, ChinaNonce::from_random(entropy::bytes()?), now)?;
    let body = json!({"mobile": phone, "password": STANDARD.encode(password),
        "verifyId": captcha.verify_id, "deviceId": phone});
    let request = request(api_url, agent, Method::Post, "/v2/login/pwd", Some(&body));
    Ok(request.with_header("x-login-nonce", nonce))
}

/// The end of the token is written in itself.
pub(super) fn read_token(response: &Response, now: DateTime<Utc>) -> Result<Token, Error> {
    #[derive(Deserialize)]
    struct Data {
        access_token: String,
        refresh_token: String,
        #[serde(default, deserialize_with = "lenient::text")]
        gcid: Option<String>,
    }
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default, deserialize_with = "lenient::text")]
        exp: Option<String>,
    }
    let data: Data = read(response)?;
    let claims = data.access_token.split('.').nth(1);
    let claims = claims.and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims = claims.and_then(|json| model::<Claims>(&json).ok());
    let ends = claims.and_then(|claims| parse_time(&claims.exp?));
    let mut token = Token::from_refresh_token(data.refresh_token);
    token.access_token = data.access_token.into();
    token.gcid = data.gcid;
    token.expires_at = ends.unwrap_or(now + chrono::TimeDelta::hours(1));
    Ok(token)
}

fn read<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    if !response.is_success() {
        return Err(refused(response));
    }
    let answer: Answer<T> = model(&response.body).map_err(unreadable)?;
    answer.data.ok_or_else(|| refused(response))
}

fn unreadable(source: DecodeError) -> Error {
    Error::Unreadable {
        call: Call::account("login"),
        source,
    }
}

fn refused(response: &Response) -> Error {
    let (class, message) = super::refusal::classify(response.status, &response.text());
    match class {
        super::refusal::Class::Blocked => Error::Blocked {
            call: Call::account("login"),
        },
        super::refusal::Class::Server => LoginError::Unavailable {
            status: response.status,
            message,
        }
        .into(),
        _ => LoginError::Refused { message }.into(),
    }
}
