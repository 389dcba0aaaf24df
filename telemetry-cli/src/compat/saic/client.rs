//! The cloud's client, as the options want it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use saic_ismart::token::Storing;
use saic_ismart::{
    Client, Credentials, FileTokenStore, MemoryTokenStore, Region, Relogin, Token, TokenStore,
};
use secrecy::ExposeSecret as _;

use super::raw;
use super::shared::Shared;
use super::text;
use crate::exit::{Code, Failure};

/// Builds it. Nothing is sent.
///
/// # Errors
/// What is wrong with the account's options.
pub fn build(shared: &Shared) -> Result<Client, Failure> {
    let account = &shared.options.account;
    let password = account.password.reveal();
    let password = password.map_err(|error| {
        Failure::new(Code::Configuration, format!("`--saic-password`: {error}"))
    })?;
    let password = password.expose_secret();
    let credentials = match (account.user.contains('@'), &account.country_code) {
        (false, Some(code)) => Credentials::phone(code, &account.user, password),
        _ => Credentials::email(&account.user, password),
    };
    let region = Region::Custom {
        base_url: account.rest_uri.clone(),
        code: account.region.clone(),
        tenant: account.tenant.clone(),
    };
    let mut builder = Client::builder(region, credentials)
        .timeout(account.read_timeout)
        .relogin(Relogin::After(account.relogin_delay))
        .token_store(store(shared));
    if shared.options.raw_api {
        let shared = shared.clone();
        builder = builder.observer(move |exchange| raw::publish(&shared, exchange));
    }
    builder
        .build()
        .map_err(|error| Failure::new(Code::Configuration, error.to_string()))
}

/// Since when another device has the account: a restart must not take it back.
const ELSEWHERE: &str = "elsewhere.json";

/// How long the account is still left to another device.
pub fn pause(shared: &Shared) -> Duration {
    let delay = shared.options.account.relogin_delay;
    let since: Option<DateTime<Utc>> = shared.load(ELSEWHERE);
    let passed = since.and_then(|since| (shared.now() - since).to_std().ok());
    passed.map_or(Duration::ZERO, |passed| delay.saturating_sub(passed))
}

/// It is left to nobody: no device has it that a login would disturb.
pub async fn end_pause(shared: &Shared) {
    shared.remove(ELSEWHERE).await;
}

/// Keeps the session where a restart finds it: a login logs the phone out.
pub fn store(shared: &Shared) -> impl TokenStore + use<> {
    let kept: Box<dyn TokenStore> = match &shared.directory {
        Some(directory) => Box::new(FileTokenStore::new(directory.join("token.json"))),
        None => Box::new(MemoryTokenStore::default()),
    };
    Told {
        kept,
        shared: shared.clone(),
    }
}

/// Says when somebody has logged in.
struct Told {
    kept: Box<dyn TokenStore>,
    shared: Shared,
}

impl TokenStore for Told {
    fn load(&self) -> Storing<'_, Option<Token>> {
        self.kept.load()
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        let now = text::timestamp(self.shared.now());
        self.shared
            .hold(self.shared.names.account("lastLogin"), now, true);
        Box::pin(async {
            end_pause(&self.shared).await;
            self.kept.save(token).await
        })
    }

    fn clear(&self) -> Storing<'_, ()> {
        Box::pin(async {
            self.shared.save(ELSEWHERE, &self.shared.now()).await;
            self.kept.clear().await
        })
    }
}
