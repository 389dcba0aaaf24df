//! The login of North America and the rest of the world: requests and what
//! their answers mean, without a network.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::agent::USER_AGENT;
use super::refusal;
use crate::endpoint::{lenient, model};
use crate::entropy::Pkce;
use crate::error::{Call, DecodeError, Error, LoginError};
use crate::form;
use crate::http::{Method, Request, Response};
use crate::oauth::{self, Refusal};
use crate::secret::Secret;
use crate::token::Token;

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// E-mail address.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// What a login makes up. Injected, so that it can be replayed.
#[derive(Debug, Clone)]
pub struct LoginSecrets {
    /// Proof for the code.
    pub pkce: Pkce,
    /// 22 characters.
    pub state: String,
    /// 22 characters.
    pub nonce: String,
    /// Names the dialogue of the second step.
    pub interaction_id: String,
}

/// What the server tells about its login.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OauthSettings {
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: Secret,
    /// Where the dialogue would return to.
    pub return_url: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// The rights to ask for.
    #[serde(default, deserialize_with = "lenient::list")]
    pub scopes: Vec<String>,
}

impl OauthSettings {
    /// Reads the answer to the settings request.
    pub(super) fn read(response: &Response) -> Result<Self, Error> {
        if !response.is_success() {
            return Err(refused(response, "login settings"));
        }
        model(&response.body).map_err(|source| unreadable("login settings", source))
    }

    /// Has the login take place at another server, on the same path.
    pub(super) fn move_to(&mut self, auth_url: &str) {
        let own = self.token_endpoint.strip_prefix(auth_url);
        if own.is_some_and(|path| path.starts_with('/')) {
            return;
        }
        let after_scheme = self.token_endpoint.split_once("://");
        let path = after_scheme.and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or("gcdm/oauth/token", |(_, path)| path);
        self.token_endpoint = format!("{auth_url}/{path}");
    }

    fn scope(&self) -> String {
        self.scopes.join(" ")
    }

    fn basic(&self) -> String {
        let pair = format!("{}:{}", self.client_id, self.client_secret.expose());
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn authenticate_url(&self) -> String {
        match self.token_endpoint.strip_suffix("/token") {
            Some(base) => format!("{base}/authenticate"),
            None => self.token_endpoint.replace("/token", "/authenticate"),
        }
    }

    /// The first step: user, password and captcha.
    pub(super) fn authenticate(
        &self,
        credentials: &Credentials,
        captcha: &Secret,
        secrets: &LoginSecrets,
        agent: &str,
    ) -> Request {
        let (scope, challenge) = (self.scope(), secrets.pkce.challenge());
        let mut fields = self.dialogue(secrets, &scope, &challenge);
        fields.extend([
            ("grant_type", "authorization_code"),
            ("username", &credentials.username),
            ("password", credentials.password.expose()),
        ]);
        request(self.authenticate_url(), agent)
            .with_header("hcaptchatoken", captcha.expose())
            .with_form(&fields)
    }

    /// The second step: what the first has granted.
    pub(super) fn authorize(
        &self,
        authorization: &Secret,
        secrets: &LoginSecrets,
        agent: &str,
    ) -> Request {
        let (scope, challenge) = (self.scope(), secrets.pkce.challenge());
        let mut fields = self.dialogue(secrets, &scope, &challenge);
        fields.push(("authorization", authorization.expose()));
        let query = form::encode(&[
            ("interaction-id", &secrets.interaction_id),
            ("client-version", agent),
        ]);
        request(format!("{}?{query}", self.authenticate_url()), agent).with_form(&fields)
    }

    fn dialogue<'a>(
        &'a self,
        secrets: &'a LoginSecrets,
        scope: &'a str,
        challenge: &'a str,
    ) -> Vec<(&'a str, &'a str)> {
        vec![
            ("client_id", &self.client_id),
            ("response_type", "code"),
            ("scope", scope),
            ("redirect_uri", &self.return_url),
            ("state", &secrets.state),
            ("nonce", &secrets.nonce),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
    }

    /// The third step: the code becomes a token.
    pub(super) fn redeem(&self, code: &Secret, secrets: &LoginSecrets, agent: &str) -> Request {
        request(self.token_endpoint.clone(), agent)
            .with_header("authorization", self.basic())
            .with_form(&[
                ("code", code.expose()),
                ("code_verifier", secrets.pkce.verifier().expose()),
                ("redirect_uri", &self.return_url),
                ("grant_type", "authorization_code"),
            ])
    }

    /// A token becomes the next one.
    pub(super) fn refresh(&self, refresh_token: &Secret, agent: &str) -> Request {
        request(self.token_endpoint.clone(), agent)
            .with_header("authorization", self.basic())
            .with_form(&[
                ("scope", &self.scope()),
                ("redirect_uri", &self.return_url),
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.expose()),
            ])
    }
}

fn request(url: String, agent: &str) -> Request {
    Request::new(Method::Post, url)
        .with_header("user-agent", USER_AGENT)
        .with_header("x-user-agent", agent)
}

/// What the first step grants: a parameter of an address in the answer.
pub(super) fn authorization(response: &Response) -> Result<Secret, Error> {
    #[derive(Deserialize)]
    struct Answer {
        redirect_to: String,
    }
    if !response.is_success() {
        return Err(refused(response, "login"));
    }
    let answer: Answer = model(&response.body).map_err(|source| unreadable("login", source))?;
    parameter(&answer.redirect_to, "authorization")
        .ok_or_else(|| unreadable("login", DecodeError::Missing("authorization")))
}

/// The code, from the address that the second step sends the app to.
pub(super) fn code(response: &Response) -> Result<Secret, Error> {
    if !(300..400).contains(&response.status) {
        return Err(refused(response, "login"));
    }
    let code = response
        .header("location")
        .and_then(|location| parameter(location, "code"));
    code.ok_or_else(|| unreadable("login", DecodeError::Missing("code")))
}

/// Reads an answer that grants a token, or says why there is none.
pub(super) fn token(
    response: &Response,
    call: &'static str,
    now: DateTime<Utc>,
) -> Result<Token, Error> {
    if !response.is_success() {
        return Err(refused(response, call));
    }
    oauth::read_token(&response.body, now).map_err(|source| unreadable(call, source))
}

/// A parameter behind the first question mark; spaces may be unescaped.
fn parameter(address: &str, name: &str) -> Option<Secret> {
    let (_, query) = address.split_once('?')?;
    let found = form::decode(query)
        .into_iter()
        .find(|(key, _)| key == name)?;
    Some(found.1.into())
}

fn unreadable(call: &'static str, source: DecodeError) -> Error {
    Error::Unreadable {
        call: Call::account(call),
        source,
    }
}

fn refused(response: &Response, call: &'static str) -> Error {
    let status = response.status;
    let (class, _) = refusal::classify(status, &response.text());
    let message = Refusal::read(response).message;
    match class {
        refusal::Class::Blocked => Error::Blocked {
            call: Call::account(call),
        },
        _ if status == 429 || status >= 500 => LoginError::Unavailable { status, message }.into(),
        _ if call == "token refresh" => LoginError::SessionEnded { message }.into(),
        _ => LoginError::Refused { message }.into(),
    }
}
