use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::hosts::{ClientId, Hosts};
use super::refresh::{judge_refresh, refresh_request};
use crate::clock::Clock;
use crate::error::{Call, Error, LoginError};
use crate::http::Transport;
use crate::secret::Secret;
use crate::token::{Token, TokenStore, store_again, to_its_end};

/// Attempts where the server fails or does not answer.
const ATTEMPTS: u32 = 4;
/// Another program needs about this long for a renewal.
const LOCK_ATTEMPTS: u32 = 10;

/// The tokens of an account: one renewal at a time, whoever needs it, and
/// stored before it is used.
pub(super) struct Session {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) hosts: Hosts,
    pub(super) client_id: ClientId,
    pub(super) clock: Clock,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    token: Option<Token>,
    /// The token could not be stored yet in place of the one with this refresh token.
    unsaved: Option<Secret>,
    /// This refresh token is dead; nothing is tried with it again.
    dead: Option<(Secret, LoginError)>,
}

impl Session {
    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// A token that is valid as far as is known.
    pub(super) async fn token(self: &Arc<Self>) -> Result<Token, Error> {
        self.token_instead_of(None).await
    }

    /// A token that is not this one, which the cloud does not accept although
    /// it should. If somebody else has renewed it already, that one.
    pub(super) async fn token_instead_of(
        self: &Arc<Self>,
        refused: Option<&Token>,
    ) -> Result<Token, Error> {
        if let Some(token) = self.usable(&*self.state.lock().await, refused) {
            return Ok(token);
        }
        let (session, refused) = (self.clone(), refused.cloned());
        to_its_end(async move { session.renewed(refused.as_ref()).await }).await
    }

    /// What is known, if it can be used.
    fn usable(&self, state: &State, refused: Option<&Token>) -> Option<Token> {
        let usable = |token: &&Token| {
            let same = refused.is_some_and(|refused| refused.access_token == token.access_token);
            !same && state.unsaved.is_none() && token.is_fresh(self.now())
        };
        state.token.as_ref().filter(usable).cloned()
    }

    /// Waits for a renewal that is under way, and stores what could not be
    /// stored before.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        self.store_again(&mut *self.state.lock().await).await
    }

    async fn store_again(&self, state: &mut State) -> Result<(), Error> {
        if let (Some(token), Some(replaced)) = (&state.token, &state.unsaved) {
            let stored = store_again(&*self.store, token.clone(), replaced).await;
            state.token = Some(stored.map_err(Error::Store)?);
            state.unsaved = None;
        }
        Ok(())
    }

    async fn renewed(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let mut state = self.state.lock().await;
        if let Some(token) = self.usable(&state, refused) {
            return Ok(token);
        }
        let _lock = self.lock().await?;
        self.store_again(&mut state).await?;
        // Another program, or a login, may have stored a newer one.
        let stored = self.store.load().await.map_err(Error::Store)?;
        let Some(old) = stored.or_else(|| state.token.clone()) else {
            return Err(LoginError::NotLoggedIn.into());
        };
        if let Some((dead, reason)) = &state.dead
            && *dead == old.refresh_token
        {
            return Err(reason.clone().into());
        }
        state.token = Some(old.clone());
        if let Some(token) = self.usable(&state, refused) {
            return Ok(token);
        }
        let renewed = self.renew(&old).await;
        if let Err(Error::Login(reason)) = &renewed
            && !reason.is_retryable()
        {
            state.dead = Some((old.refresh_token.clone(), reason.clone()));
        }
        let token = renewed?;
        // In memory first: if the disk fails now, the token is stored later.
        state.token = Some(token.clone());
        state.unsaved = Some(old.refresh_token);
        self.store.save(&token).await.map_err(Error::Store)?;
        state.unsaved = None;
        Ok(token)
    }

    /// Takes a token over from a login.
    pub(super) async fn adopt(&self, token: Token) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        self.store.save(&token).await.map_err(Error::Store)?;
        *state = State {
            token: Some(token),
            ..State::default()
        };
        Ok(())
    }

    async fn lock(&self) -> Result<crate::token::StoreLock, Error> {
        for _ in 0..LOCK_ATTEMPTS {
            if let Some(lock) = self.store.lock().await.map_err(Error::Store)? {
                return Ok(lock);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(LoginError::Locked.into())
    }

    async fn renew(&self, old: &Token) -> Result<Token, Error> {
        let mut pause = Duration::from_secs(1);
        let mut attempt = 1;
        loop {
            let request = refresh_request(&self.hosts, &self.client_id, old);
            let outcome = match self.transport.send(request).await {
                Ok(response) => judge_refresh(&response, old, self.now()),
                Err(source) => Err(Error::transport(Call::account("token refresh"), source)),
            };
            match outcome {
                Ok(token) => {
                    tracing::debug!(until = %token.expires_at, "token renewed");
                    return Ok(token);
                }
                Err(error) if attempt < ATTEMPTS && error.is_retryable() => {
                    tracing::debug!(%error, attempt, "renewal failed, trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
