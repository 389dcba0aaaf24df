use std::sync::Arc;
use std::time::Duration;

use super::hosts::{ClientId, Hosts};
use super::refresh::{judge_refresh, refresh_request};
use crate::error::{Call, Error, LoginError};
use crate::http::Transport;
use crate::keeper::TokenKeeper;
use crate::token::{StoreLock, Token, to_its_end};

/// Attempts where the server fails or does not answer.
const ATTEMPTS: u32 = 4;
/// Another program needs about this long for a renewal.
const LOCK_ATTEMPTS: u32 = 10;

/// The tokens of an account: one renewal at a time, whoever needs it.
pub(super) struct Session {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) hosts: Hosts,
    pub(super) client_id: ClientId,
    pub(super) keeper: TokenKeeper,
}

impl Session {
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
        let _lock = self.lock().await?;
        let Some(old) = held.newest().await? else {
            return Err(LoginError::NotLoggedIn.into());
        };
        if let Some(reason) = held.reason_against(&old) {
            return Err(reason.into());
        }
        if let Some(token) = held.usable(refused) {
            return Ok(token);
        }
        let renewed = self.renew(&old).await;
        if let Err(Error::Login(reason)) = &renewed
            && !reason.is_retryable()
        {
            held.give_up(&old, reason.clone());
        }
        held.replace(renewed?, Some(old)).await
    }

    async fn lock(&self) -> Result<StoreLock, Error> {
        for _ in 0..LOCK_ATTEMPTS {
            if let Some(lock) = self.keeper.lock().await? {
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
                Ok(response) => judge_refresh(&response, old, self.keeper.now()),
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
