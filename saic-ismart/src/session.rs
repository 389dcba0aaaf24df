use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::error::{Call, Error, LoginError};
use crate::login::{Credentials, Login, judge_login};
use crate::token::{Token, TokenStore};
use crate::wire::Wire;

/// What to do when the cloud ends the session because somebody else logged in.
/// Logging in again ends the session of that other device in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relogin {
    /// Log in again at once.
    AtOnce,
    /// Leave the account to the other device for this long: reads fail with
    /// [`LoginError::LoggedInElsewhere`]. Commands log in at once.
    After(Duration),
    /// Only [`Client::login`](crate::Client::login) logs in again.
    Never,
}

impl Default for Relogin {
    fn default() -> Self {
        Self::After(Duration::from_secs(15 * 60))
    }
}

/// How much a call matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A read, which can wait.
    Read,
    /// A command, for which the account is taken over.
    Command,
    /// The user asks for a login.
    Login,
}

/// The session of an account: one login at a time, whoever needs it.
pub(crate) struct Session {
    credentials: Credentials,
    account: String,
    device_id: String,
    store: Arc<dyn TokenStore>,
    relogin: Relogin,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    loaded: bool,
    token: Option<Token>,
    /// The cloud ended the session at this time, Unix time in ms.
    lost_at_ms: Option<i64>,
    /// No login makes sense before the user has done something.
    blocked: Option<LoginError>,
}

impl Session {
    pub(crate) fn new(
        credentials: Credentials,
        account: String,
        device_id: String,
        store: Arc<dyn TokenStore>,
        relogin: Relogin,
    ) -> Self {
        Self {
            credentials,
            account,
            device_id,
            store,
            relogin,
            state: Mutex::default(),
        }
    }

    /// A token that is valid as far as is known. Callers that come while
    /// somebody logs in wait for that and share its result.
    pub(crate) async fn token(&self, wire: &Wire, urgency: Urgency) -> Result<Token, Error> {
        let mut state = self.state.lock().await;
        if let Some(blocked) = &state.blocked {
            return Err(blocked.clone().into());
        }
        if !state.loaded {
            let stored = self.store.load().await.map_err(Error::Store)?;
            state.token = stored.filter(|token| token.account == self.account);
            state.loaded = true;
        }
        let now_ms = wire.now_ms();
        if let Some(token) = &state.token
            && token.is_valid(now_ms)
        {
            return Ok(token.clone());
        }
        if let Some(lost_at_ms) = state.lost_at_ms {
            if let Some(kept) = self.kept().await.filter(|kept| kept.is_valid(now_ms)) {
                state.token = Some(kept.clone());
                state.lost_at_ms = None;
                return Ok(kept);
            }
            self.check_pause(urgency, now_ms.saturating_sub(lost_at_ms))?;
        }
        match self.renew(wire, state.token.as_ref()).await {
            Ok(token) => {
                state.token = Some(token.clone());
                // Kept before it is used: the cloud has ended the old one. If
                // that fails the session still serves this program.
                if let Err(error) = self.store.save(&token).await {
                    tracing::warn!(%error, "the session cannot be kept for the next start");
                }
                state.lost_at_ms = None;
                Ok(token)
            }
            Err(error) => {
                if let Error::Login(reason) = &error
                    && !reason.is_retryable()
                {
                    state.blocked = Some(reason.clone());
                }
                Err(error)
            }
        }
    }

    /// The cloud does not accept this token. Nothing happens if there is a
    /// newer one already.
    pub(crate) async fn lost(&self, wire: &Wire, used: &Token) {
        let mut state = self.state.lock().await;
        if state.token.as_ref() == Some(used) {
            if let Some(kept) = self.kept().await.filter(|kept| kept != used) {
                state.token = Some(kept);
                return;
            }
            tracing::warn!("the cloud has ended the session: another device logged in");
            state.token = None;
            state.lost_at_ms = Some(wire.now_ms());
            self.clear_store().await;
        }
    }

    /// Ends the session in this program; the next call logs in again.
    pub(crate) async fn forget(&self) {
        let mut state = self.state.lock().await;
        *state = State {
            loaded: true,
            ..State::default()
        };
        self.clear_store().await;
    }

    /// A session that another program of this user opened meanwhile and kept in
    /// the same place.
    async fn kept(&self) -> Option<Token> {
        let kept = self.store.load().await.ok().flatten();
        kept.filter(|token| token.account == self.account)
    }

    async fn clear_store(&self) {
        if let Err(error) = self.store.clear().await {
            tracing::warn!(%error, "the ended session cannot be forgotten");
        }
    }

    /// Whether a login may follow a session that was lost so long ago.
    fn check_pause(&self, urgency: Urgency, since_ms: i64) -> Result<(), Error> {
        let retry_after = match (self.relogin, urgency) {
            (Relogin::AtOnce, _) | (_, Urgency::Login) => return Ok(()),
            (Relogin::Never, _) => None,
            (Relogin::After(_), Urgency::Command) => return Ok(()),
            (Relogin::After(pause), Urgency::Read) => {
                let since = Duration::from_millis(u64::try_from(since_ms).unwrap_or(0));
                if since >= pause {
                    return Ok(());
                }
                Some(pause - since)
            }
        };
        Err(LoginError::LoggedInElsewhere { retry_after }.into())
    }

    /// Renews an expired session without the password if the cloud allows it,
    /// else logs in.
    async fn renew(&self, wire: &Wire, expired: Option<&Token>) -> Result<Token, Error> {
        if let Some(refresh_token) = expired.and_then(|token| token.refresh_token.as_deref()) {
            match self.grant(wire, Some(refresh_token)).await {
                Ok(token) => return Ok(token),
                Err(error) => {
                    tracing::debug!(%error, "renewal failed, logging in with the password")
                }
            }
        }
        self.grant(wire, None).await
    }

    async fn grant(&self, wire: &Wire, refresh_token: Option<&str>) -> Result<Token, Error> {
        #[cfg(feature = "india")]
        if wire.india.is_some() {
            let login = wire.login_in_india(&self.credentials, &self.device_id, &self.account);
            return login.await;
        }
        let login = Login {
            credentials: &self.credentials,
            device_id: &self.device_id,
            refresh_token,
        };
        let call = Call {
            name: "login",
            vin: None,
        };
        let arrived = wire.exchange(&login, None, None).await?;
        let token = judge_login(
            &call,
            arrived.status,
            arrived.retry_after,
            arrived.answer,
            &self.account,
            wire.now_ms(),
        )?;
        tracing::info!(renewed = refresh_token.is_some(), "logged in");
        Ok(token)
    }
}
