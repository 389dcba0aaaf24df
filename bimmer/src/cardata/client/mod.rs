mod builder;
mod container;
mod send;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use self::send::none_if;
use super::account_state::{AccountState, StateFile};
use super::basic_data::{BasicData, GetBasicData, GetImage};
use super::charging_history::{ChargingHistory, GetChargingHistory};
use super::device_flow::{self, Pending, Step};
use super::error_id::Action;
use super::hosts::{ClientId, Hosts};
use super::location_charging::{GetLocationSettings, LocationSettings};
use super::mappings::{GetMappings, Mapping};
use super::session::Session;
use super::tyres::{GetTyreDiagnosis, TyreDiagnosis};
use crate::clock::Clock;
use crate::entropy::{self, Pkce};
use crate::error::{Call, Error, LoginError};
use crate::http::Transport;
use crate::token::Token;
use crate::types::Vin;

pub use self::builder::ClientBuilder;

/// Pages of a list that are followed at most; each costs a call.
const PAGES: usize = 5;
/// New logins after BMW's server has lost a code.
const FRESH_CODES: u32 = 3;

/// One CarData account. Clones share the session and the quota.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    client_id: ClientId,
    hosts: Hosts,
    transport: Arc<dyn Transport>,
    session: Arc<Session>,
    state: StateFile,
    /// One search for the container at a time.
    container: Mutex<()>,
    #[cfg(feature = "stream")]
    extra_ca: Option<Vec<u8>>,
    clock: Clock,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("hosts", &self.0.hosts)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Begins a login: show the user [`Pending::user_code`] and the page, then
    /// call [`finish_login`](Self::finish_login).
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the cloud does not know the client id, any other if
    /// there is no way to it.
    pub async fn begin_login(&self) -> Result<Pending, Error> {
        let pkce = Pkce::from_random(&entropy::bytes()?);
        let request = device_flow::start_request(&self.0.hosts, &self.0.client_id, &pkce);
        let response = self
            .exchange(Call::account("device login"), request)
            .await?;
        Pending::started(&response, pkce, self.now())
    }

    /// Waits for the user, then stores the session.
    ///
    /// # Errors
    ///
    /// [`Error::Login`]: refused, too late, or [`LoginError::CodeLost`], after
    /// which [`begin_login`](Self::begin_login) usually works.
    pub async fn finish_login(&self, mut pending: Pending) -> Result<Token, Error> {
        let mut wait = pending.interval;
        loop {
            tokio::time::sleep(wait).await;
            let request = pending.poll_request(&self.0.hosts, &self.0.client_id);
            let outcome = self.0.transport.send(request).await;
            match pending.judge(outcome.as_ref(), self.now()) {
                Step::Wait(interval) => wait = interval,
                Step::Done(token) => {
                    self.adopt_token(*token.clone()).await?;
                    return Ok(*token);
                }
                Step::Failed(reason) => return Err(reason.into()),
            }
        }
    }

    /// The whole login. `show` gets the code; again, up to three times, when
    /// BMW's server has lost one.
    ///
    /// # Errors
    ///
    /// As [`begin_login`](Self::begin_login) and [`finish_login`](Self::finish_login).
    pub async fn login(&self, mut show: impl FnMut(&Pending) + Send) -> Result<Token, Error> {
        let mut lost = 0;
        loop {
            let pending = self.begin_login().await?;
            show(&pending);
            match self.finish_login(pending).await {
                Err(Error::Login(LoginError::CodeLost)) if lost < FRESH_CODES => lost += 1,
                outcome => return outcome,
            }
        }
    }

    /// Takes over a session from elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if it cannot be stored.
    pub async fn adopt_token(&self, token: Token) -> Result<(), Error> {
        self.0.session.keeper.hold().await.adopt(token).await
    }

    /// A valid token; renews it if it is about to end. Call it once a week at
    /// least, also when no data are needed: unused, a session ends after 14 days.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if the user has to log in.
    pub async fn token(&self) -> Result<Token, Error> {
        self.0.session.token().await
    }

    /// Another token than this one, which was refused although it should be valid.
    ///
    /// # Errors
    ///
    /// As [`token`](Self::token).
    pub async fn token_instead_of(&self, refused: &Token) -> Result<Token, Error> {
        self.0.session.token_instead_of(Some(refused)).await
    }

    /// Waits for a renewal that is under way, and stores a token that could not
    /// be stored when it came. For programs that are about to drop the last
    /// clone: such a token is lost with it, and the session too.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if it can still not be stored.
    pub async fn settle(&self) -> Result<(), Error> {
        self.0.session.keeper.settle().await
    }

    /// What is remembered about the account: used quota, own container.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the state file cannot be read.
    pub async fn account_state(&self) -> Result<AccountState, Error> {
        self.0
            .state
            .update(|state| state.clone())
            .await
            .map_err(Error::Store)
    }

    /// REST calls left today.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the state file cannot be read.
    pub async fn remaining_calls(&self) -> Result<u32, Error> {
        let now = self.now();
        Ok(self.account_state().await?.budget.remaining(now))
    }

    /// The vehicles of the account. One call.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; [`Error::Quota`] without sending if no call is left.
    pub async fn mappings(&self) -> Result<Vec<Mapping>, Error> {
        self.send(&GetMappings).await
    }

    /// What a vehicle is. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn basic_data(&self, vin: &Vin) -> Result<BasicData, Error> {
        self.send(&GetBasicData { vin }).await
    }

    /// A picture of the vehicle, PNG. `None` if there is none. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn image(&self, vin: &Vin) -> Result<Option<Vec<u8>>, Error> {
        none_if(
            Action::NoImage,
            self.send(&GetImage { vin }).await.map(Some),
            || None,
        )
    }

    /// State of the tyres. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn tyre_diagnosis(&self, vin: &Vin) -> Result<TyreDiagnosis, Error> {
        self.send(&GetTyreDiagnosis { vin }).await
    }

    /// One page of the charging sessions between two times. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn charging_history(
        &self,
        vin: &Vin,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        next_token: Option<&str>,
    ) -> Result<ChargingHistory, Error> {
        self.send(&GetChargingHistory {
            vin,
            from,
            to,
            next_token,
        })
        .await
    }

    /// How the car charges at places it knows. A call per page, at most five.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn location_settings(&self, vin: &Vin) -> Result<Vec<LocationSettings>, Error> {
        let mut settings = Vec::new();
        let mut next_token = None;
        for _ in 0..PAGES {
            let endpoint = GetLocationSettings {
                vin,
                next_token: next_token.as_deref(),
            };
            let page = none_if(
                Action::EmptyList,
                self.send(&endpoint).await.map(Some),
                || None,
            )?;
            let Some(page) = page else { break };
            settings.extend(page.data);
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        Ok(settings)
    }

    /// Where this client looks for CarData.
    #[must_use]
    pub fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    #[cfg(feature = "stream")]
    pub(super) fn extra_ca(&self) -> Option<&[u8]> {
        self.0.extra_ca.as_deref()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.0.clock)()
    }
}
