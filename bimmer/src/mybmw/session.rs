use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::agent::{USER_AGENT, x_user_agent};
use super::auth::{self, Credentials, LoginSecrets, OauthSettings};
use super::china::{ChinaNonce, login_nonce};
use super::china_login::{self, SliderCaptcha};
use super::region::Region;
use crate::entropy::{self, Pkce};
use crate::error::{Call, Error, LoginError};
use crate::http::{Method, Request, Response, Transport};
use crate::keeper::{Held, TokenKeeper};
use crate::secret::Secret;
use crate::token::{Token, to_its_end};
use crate::types::Brand;

/// A session id is used for so long.
const SESSION_ID_LASTS: TimeDelta = TimeDelta::days(14);
/// Repeats of a login step that comes too early.
const REPEATS: u32 = 3;

/// The session of an account: one login at a time, stored before it is used.
pub(super) struct Session {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) region: Region,
    pub(super) api_url: String,
    pub(super) auth_url: Option<String>,
    pub(super) build: String,
    pub(super) correlation_id: String,
    pub(super) credentials: Option<Credentials>,
    pub(super) captcha: StdMutex<Option<Secret>>,
    pub(super) keeper: TokenKeeper,
}

impl Session {
    fn now(&self) -> DateTime<Utc> {
        self.keeper.now()
    }

    /// A token that is valid as far as is known, and not the one that was refused.
    pub(super) async fn token_instead_of(
        self: &Arc<Self>,
        refused: Option<&Token>,
    ) -> Result<Token, Error> {
        if let Some(token) = self.keeper.usable(refused).await {
            return Ok(token);
        }
        let (session, refused) = (self.clone(), refused.cloned());
        to_its_end(async move { session.renewed(refused.as_ref()).await }).await
    }

    async fn renewed(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let mut held = self.keeper.hold().await;
        if let Some(token) = held.usable(refused) {
            return Ok(token);
        }
        let Some(_lock) = self.keeper.lock().await? else {
            return Err(LoginError::Locked.into());
        };
        let old = held.newest().await?;
        if let Some(token) = held.usable(refused) {
            return Ok(token);
        }
        let mut token = match &old {
            Some(old) => self.renew_or_login(old, &mut held).await?,
            None => self.login().await?,
        };
        if let Some(old) = &old {
            token.keep_from(old);
        }
        self.keep_session_id(&mut token);
        held.replace(token, old).await
    }

    fn keep_session_id(&self, token: &mut Token) {
        let now = self.now();
        let made = token.session_id_at.filter(|_| token.session_id.is_some());
        if made.is_none_or(|made| now - made > SESSION_ID_LASTS) {
            token.session_id = Some(Uuid::new_v4().to_string());
            token.session_id_at = Some(now);
        }
    }

    async fn renew_or_login(&self, old: &Token, held: &mut Held<'_>) -> Result<Token, Error> {
        let refused = match held.reason_against(old) {
            Some(reason) => Err(reason.into()),
            None => self.renew(old).await,
        };
        match refused {
            Err(Error::Login(reason)) if !reason.is_retryable() => {
                // With a fresh captcha token the user has prepared a new login.
                if self.can_login() {
                    return self.login().await;
                }
                held.give_up(old, reason.clone());
                Err(reason.into())
            }
            outcome => outcome,
        }
    }

    fn can_login(&self) -> bool {
        let captcha = self.captcha.lock().unwrap_or_else(PoisonError::into_inner);
        self.region != Region::China && self.credentials.is_some() && captcha.is_some()
    }

    async fn renew(&self, old: &Token) -> Result<Token, Error> {
        if self.region == Region::China {
            return self.renew_china(old).await;
        }
        let settings = self.settings(old.session_id.as_deref()).await?;
        let request = settings.refresh(&old.refresh_token, &self.agent());
        let response = self.exchange(request, "token refresh").await?;
        auth::token(&response, "token refresh", self.now())
    }

    async fn renew_china(&self, old: &Token) -> Result<Token, Error> {
        let random = ChinaNonce::from_random(entropy::bytes()?);
        let nonce = login_nonce(old.gcid.as_deref().unwrap_or_default(), random, self.now())?;
        let request = Request::new(
            Method::Post,
            format!("{}/eadrax-coas/v2/oauth/token", self.api_url),
        )
        .with_header("user-agent", USER_AGENT)
        .with_header("x-user-agent", self.agent())
        .with_header("x-login-nonce", nonce)
        .with_form(&[
            ("refresh_token", old.refresh_token.expose()),
            ("grant_type", "refresh_token"),
        ]);
        let response = self.exchange(request, "token refresh").await?;
        auth::token(&response, "token refresh", self.now())
    }

    /// Asks for the picture of the Chinese login.
    pub(super) async fn begin_china_login(&self) -> Result<SliderCaptcha, Error> {
        let phone = &self.china_credentials()?.username;
        let request = china_login::captcha_request(&self.api_url, &self.agent(), phone);
        china_login::read_captcha(&self.exchange(request, "login").await?)
    }

    /// The Chinese login, once the notch is found.
    pub(super) async fn finish_china_login(
        &self,
        captcha: &SliderCaptcha,
        position: &str,
    ) -> Result<Token, Error> {
        let (credentials, agent) = (self.china_credentials()?, self.agent());
        let mut held = self.keeper.hold().await;
        let request = china_login::check_request(&self.api_url, &agent, captcha, position);
        china_login::check_answer(&self.exchange(request, "login").await?)?;
        let request = china_login::key_request(&self.api_url, &agent);
        let key = china_login::read_key(&self.exchange(request, "login").await?)?;
        let request = china_login::login_request(
            &self.api_url,
            &agent,
            credentials,
            &key,
            captcha,
            self.now(),
        )?;
        let response = self.exchange(request, "login").await?;
        let mut token = china_login::read_token(&response, self.now())?;
        self.keep_session_id(&mut token);
        held.adopt(token.clone()).await?;
        Ok(token)
    }

    fn china_credentials(&self) -> Result<&Credentials, Error> {
        let credentials = self
            .credentials
            .as_ref()
            .filter(|_| self.region == Region::China);
        credentials.ok_or_else(|| {
            let needs = "this login is for the region china, with phone number and password";
            Error::Configuration(needs.to_owned())
        })
    }

    /// The login with user, password and captcha token, which is spent by it.
    async fn login(&self) -> Result<Token, Error> {
        let Some(credentials) = self
            .credentials
            .as_ref()
            .filter(|_| self.region != Region::China)
        else {
            return Err(LoginError::NotLoggedIn.into());
        };
        let captcha = self
            .captcha
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let captcha = captcha.ok_or(LoginError::CaptchaMissing)?;
        let secrets = LoginSecrets {
            pkce: Pkce::from_random(&entropy::bytes()?),
            state: random_text()?,
            nonce: random_text()?,
            interaction_id: Uuid::new_v4().to_string(),
        };
        self.login_with(credentials, &captcha, &secrets).await
    }

    /// The steps of the login, with what is random passed in.
    async fn login_with(
        &self,
        credentials: &Credentials,
        captcha: &Secret,
        secrets: &LoginSecrets,
    ) -> Result<Token, Error> {
        let agent = self.agent();
        let settings = self.settings(None).await?;
        let request = settings.authenticate(credentials, captcha, secrets, &agent);
        let authorization = auth::authorization(&self.exchange(request, "login").await?)?;
        let request = settings.authorize(&authorization, secrets, &agent);
        let code = auth::code(&self.exchange(request, "login").await?)?;
        let request = settings.redeem(&code, secrets, &agent);
        auth::token(&self.exchange(request, "login").await?, "login", self.now())
    }

    async fn settings(&self, session_id: Option<&str>) -> Result<OauthSettings, Error> {
        let fresh = Uuid::new_v4().to_string();
        let url = format!("{}/eadrax-ucs/v1/presentation/oauth/config", self.api_url);
        let key = self.region.subscription_key().unwrap_or_default();
        let request = Request::new(Method::Get, url)
            .with_header("user-agent", USER_AGENT)
            .with_header("x-user-agent", self.agent())
            .with_header("ocp-apim-subscription-key", key)
            .with_header("bmw-session-id", session_id.unwrap_or(&fresh))
            .with_header("x-identity-provider", "gcdm")
            .with_header("x-correlation-id", self.correlation_id.as_str())
            .with_header("bmw-correlation-id", self.correlation_id.as_str());
        let mut settings = OauthSettings::read(&self.exchange(request, "login settings").await?)?;
        if let Some(auth_url) = &self.auth_url {
            settings.move_to(auth_url);
        }
        Ok(settings)
    }

    fn agent(&self) -> String {
        x_user_agent(&self.build, &Brand::Bmw, self.region)
    }

    /// Sends a step; waits and repeats where it came too early.
    async fn exchange(&self, request: Request, call: &'static str) -> Result<Response, Error> {
        let mut repeats = 0;
        loop {
            let sent = self.transport.send(request.clone()).await;
            let response = sent.map_err(|source| Error::transport(Call::account(call), source))?;
            if response.status != 429 || repeats == REPEATS {
                return Ok(response);
            }
            let wait = super::refusal::quota_wait(&response.text());
            tokio::time::sleep(wait.unwrap_or(Duration::from_secs(2 << repeats))).await;
            repeats += 1;
        }
    }
}

/// 22 characters.
fn random_text() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(entropy::bytes::<16>()?))
}
