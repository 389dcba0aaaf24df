//! The token of an account: renewed by one at a time, whoever needs it, and
//! stored before it is used.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, MutexGuard};

use crate::clock::Clock;
use crate::error::{Error, LoginError};
use crate::secret::Secret;
use crate::token::{StoreLock, Token, TokenStore, store_again};

/// Knows the token of an account, and where it is stored.
pub(crate) struct TokenKeeper {
    store: Arc<dyn TokenStore>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The token could not be stored yet in place of the one with this refresh token.
    unsaved: Option<Secret>,
    /// This refresh token is dead; nothing is tried with it again.
    dead: Option<(Secret, LoginError)>,
}

/// The token, as long as nobody else of this program may change it.
pub(crate) struct Held<'a> {
    keeper: &'a TokenKeeper,
    state: MutexGuard<'a, State>,
}

impl TokenKeeper {
    pub(crate) fn new(store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        Self {
            store,
            clock,
            state: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// What is known, if it can be used: valid as far as is known, stored, and
    /// not the one that was refused.
    pub(crate) async fn usable(&self, refused: Option<&Token>) -> Option<Token> {
        self.hold().await.usable(refused)
    }

    /// Waits until it is nobody else's turn.
    pub(crate) async fn hold(&self) -> Held<'_> {
        Held {
            keeper: self,
            state: self.state.lock().await,
        }
    }

    /// The lock between programs, if it is free.
    pub(crate) async fn lock(&self) -> Result<Option<StoreLock>, Error> {
        self.store.lock().await.map_err(Error::Store)
    }

    /// Waits for a renewal that is under way, and stores what could not be
    /// stored before.
    pub(crate) async fn settle(&self) -> Result<(), Error> {
        self.hold().await.store_again().await
    }
}

impl Held<'_> {
    /// As [`TokenKeeper::usable`].
    pub(crate) fn usable(&self, refused: Option<&Token>) -> Option<Token> {
        let State { token, unsaved, .. } = &*self.state;
        let usable = |token: &&Token| {
            let same = refused.is_some_and(|refused| refused.access_token == token.access_token);
            !same && unsaved.is_none() && token.is_fresh(self.keeper.now())
        };
        token.as_ref().filter(usable).cloned()
    }

    /// The newest token, be it usable or not: another program, or a login, may
    /// have stored one.
    pub(crate) async fn newest(&mut self) -> Result<Option<Token>, Error> {
        self.store_again().await?;
        let stored = self.keeper.store.load().await.map_err(Error::Store)?;
        if stored.is_some() {
            self.state.token = stored;
        }
        Ok(self.state.token.clone())
    }

    async fn store_again(&mut self) -> Result<(), Error> {
        let state = &mut *self.state;
        if let (Some(token), Some(replaced)) = (&state.token, &state.unsaved) {
            let stored = store_again(&*self.keeper.store, token.clone(), replaced).await;
            state.token = Some(stored.map_err(Error::Store)?);
            state.unsaved = None;
        }
        Ok(())
    }

    /// Why this token cannot be renewed any more, if that is known.
    pub(crate) fn reason_against(&self, token: &Token) -> Option<LoginError> {
        let (dead, reason) = self.state.dead.as_ref()?;
        (*dead == token.refresh_token).then(|| reason.clone())
    }

    /// This token cannot be renewed any more.
    pub(crate) fn give_up(&mut self, token: &Token, reason: LoginError) {
        self.state.dead = Some((token.refresh_token.clone(), reason));
    }

    /// `token` takes the place of `old`.
    pub(crate) async fn replace(
        &mut self,
        token: Token,
        old: Option<Token>,
    ) -> Result<Token, Error> {
        // In memory first: if the disk fails now, the token is stored later.
        let state = &mut *self.state;
        state.token = Some(token.clone());
        state.unsaved = Some(old.map(|old| old.refresh_token).unwrap_or_default());
        state.dead = None;
        self.keeper.store.save(&token).await.map_err(Error::Store)?;
        state.unsaved = None;
        Ok(token)
    }

    /// Takes a token over from a login that the user has made.
    pub(crate) async fn adopt(&mut self, token: Token) -> Result<(), Error> {
        self.keeper.store.save(&token).await.map_err(Error::Store)?;
        *self.state = State {
            token: Some(token),
            ..State::default()
        };
        Ok(())
    }
}
