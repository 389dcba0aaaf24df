use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::account_state::{AccountState, OwnContainer, StateFile};
use super::basic_data::{BasicData, GetBasicData, GetImage};
use super::charging_history::{ChargingHistory, GetChargingHistory};
use super::containers::{
    Container, CreateContainer, DeleteContainer, ListContainers, REDUCED_KEYS, signature,
};
use super::device_flow::{self, Pending, Step};
use super::error_id::{Action, ErrorId};
use super::hosts::{ClientId, Hosts};
use super::location_charging::{GetLocationSettings, LocationSettings};
use super::mappings::{GetMappings, Mapping};
use super::session::{Session, State};
use super::telematics::{GetTelematicData, TelematicData};
use super::tyres::{GetTyreDiagnosis, TyreDiagnosis};
use crate::clock::{self, Clock};
use crate::endpoint::Endpoint;
use crate::entropy::{self, Pkce};
use crate::error::{Call, Error, LoginError, clipped};
use crate::http::{Https, Request, Response, Transport};
use crate::token::{MemoryTokenStore, Token, TokenStore};
use crate::types::Vin;

/// Repeats of a read where the server fails or does not answer.
const REPEATS: u32 = 3;
/// Pages of a list that are followed at most; each costs a call.
const PAGES: usize = 5;
/// New logins after BMW's server has lost a code.
const FRESH_CODES: u32 = 3;

/// Sets a [`Client`] up.
pub struct ClientBuilder {
    client_id: ClientId,
    hosts: Hosts,
    store: Arc<dyn TokenStore>,
    state_file: Option<PathBuf>,
    transport: Option<Arc<dyn Transport>>,
    extra_ca: Option<Vec<u8>>,
    timeout: Duration,
    clock: Clock,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Other servers than BMW's.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Where the session is kept. By default in memory: a restart needs a new login.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// A file for the used quota and the id of our container. By default both
    /// are forgotten at the end, and restarts can spend the quota of a day.
    #[must_use]
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Other means to carry requests.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Certificates to trust besides those of the system, in PEM.
    #[must_use]
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_ca = Some(pem.into());
        self
    }

    /// For one request. 30 s by default.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Another clock than the system's, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if TLS cannot be set up or the extra CA is no PEM.
    pub fn build(self) -> Result<Client, Error> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Https::new(self.extra_ca.as_deref(), self.timeout)?),
        };
        let session = Session {
            transport: transport.clone(),
            store: self.store,
            hosts: self.hosts.clone(),
            client_id: self.client_id.clone(),
            clock: self.clock.clone(),
            state: Mutex::new(State::default()),
        };
        Ok(Client(Arc::new(Inner {
            client_id: self.client_id,
            hosts: self.hosts,
            transport,
            session,
            state: StateFile::new(self.state_file),
            container: Mutex::new(()),
            #[cfg(feature = "stream")]
            extra_ca: self.extra_ca,
            clock: self.clock,
        })))
    }
}

/// One CarData account. Clones share the session and the quota.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    client_id: ClientId,
    hosts: Hosts,
    transport: Arc<dyn Transport>,
    session: Session,
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
    /// Begins to set up a client.
    #[must_use]
    pub fn builder(client_id: ClientId) -> ClientBuilder {
        ClientBuilder {
            client_id,
            hosts: Hosts::default(),
            store: Arc::new(MemoryTokenStore::default()),
            state_file: None,
            transport: None,
            extra_ca: None,
            timeout: Duration::from_secs(30),
            clock: clock::system(),
        }
    }

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
        self.0.session.adopt(token).await
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

    /// All containers of the account, those of other programs as well. One call.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn containers(&self) -> Result<Vec<Container>, Error> {
        self.send(&ListContainers).await
    }

    /// What the cloud has stored about a vehicle, of these keys. The container
    /// that this takes is found or made at the first time: 3 calls, then 1.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn telematic_data(&self, vin: &Vin, keys: &[&str]) -> Result<TelematicData, Error> {
        let container = self.ensure_container(keys).await?;
        match self
            .send(&GetTelematicData {
                vin,
                container: &container,
            })
            .await
        {
            Err(error) if action_of(&error) == Some(Action::RenewContainer) => {
                self.set_container(None).await?;
                let container = self.ensure_container(keys).await?;
                self.send(&GetTelematicData {
                    vin,
                    container: &container,
                })
                .await
            }
            outcome => outcome,
        }
    }

    /// The id of the one container of ours that holds these keys, or as many of
    /// them as the cloud accepts. Others of ours are deleted, because several
    /// multiply the messages of the stream; those of other programs stay.
    ///
    /// # Errors
    ///
    /// As [`mappings`](Self::mappings).
    pub async fn ensure_container(&self, keys: &[&str]) -> Result<String, Error> {
        let _one_at_a_time = self.0.container.lock().await;
        let wanted = signature(keys);
        let known = self.account_state().await?.container;
        if let Some(known) = known.filter(|known| known.wanted == wanted) {
            return Ok(known.id);
        }
        let mut ours = self.containers().await?;
        ours.retain(Container::is_ours);
        let reduced = signature(REDUCED_KEYS);
        let purposes = [wanted.as_str(), reduced.as_str()];
        // The reduced set is only good enough if the whole one was refused before.
        let found = ours
            .iter()
            .position(|own| own.purpose.as_deref() == Some(purposes[0]));
        let keep = match found {
            Some(at) => ours.swap_remove(at),
            None => self.create_container(keys, &mut ours).await?,
        };
        self.delete_containers(&ours).await?;
        let id = keep.container_id;
        self.set_container(Some(OwnContainer {
            id: id.clone(),
            wanted,
        }))
        .await?;
        Ok(id)
    }

    async fn create_container(
        &self,
        keys: &[&str],
        ours: &mut Vec<Container>,
    ) -> Result<Container, Error> {
        let mut outcome = self.send(&CreateContainer { keys }).await;
        if outcome.as_ref().err().and_then(action_of) == Some(Action::TooManyContainers)
            && !ours.is_empty()
        {
            self.delete_containers(ours).await?;
            ours.clear();
            outcome = self.send(&CreateContainer { keys }).await;
        }
        match outcome.as_ref().err().and_then(action_of) {
            Some(Action::ReduceContainer) if signature(keys) != signature(REDUCED_KEYS) => {
                let reduced = signature(REDUCED_KEYS);
                let found = ours
                    .iter()
                    .position(|own| own.purpose.as_ref() == Some(&reduced));
                match found {
                    Some(at) => Ok(ours.swap_remove(at)),
                    None => self.send(&CreateContainer { keys: REDUCED_KEYS }).await,
                }
            }
            _ => outcome,
        }
    }

    async fn delete_containers(&self, containers: &[Container]) -> Result<(), Error> {
        for container in containers {
            let outcome = self
                .send(&DeleteContainer {
                    id: &container.container_id,
                })
                .await;
            match outcome {
                Err(Error::Refused {
                    status: 404 | 208 | 400,
                    ..
                })
                | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn set_container(&self, container: Option<OwnContainer>) -> Result<(), Error> {
        let change = move |state: &mut AccountState| state.container = container;
        self.0.state.update(change).await.map_err(Error::Store)
    }

    /// Sends one call: counts it, renews the token once, repeats reads where
    /// the server fails.
    async fn send<E: Endpoint + Sync>(&self, endpoint: &E) -> Result<E::Answer, Error> {
        let call = || Call {
            name: endpoint.name(),
            vin: endpoint.vin().cloned(),
        };
        let mut refused: Option<Token> = None;
        let mut repeats = 0;
        loop {
            let token = self.0.session.token_instead_of(refused.as_ref()).await?;
            self.take_call(call()).await?;
            let outcome = self.exchange(call(), self.request(endpoint, &token)).await;
            let judged = match outcome {
                Ok(response) if response.is_success() => {
                    let counted = |state: &mut AccountState| state.budget.succeeded();
                    self.0.state.update(counted).await.map_err(Error::Store)?;
                    return endpoint
                        .read(&response)
                        .map_err(|source| Error::Unreadable {
                            call: call(),
                            source,
                        });
                }
                Ok(response) => self.judge(call(), &response).await?,
                Err(judged) => judged,
            };
            let error = match judged {
                Judged::Refresh(_) if refused.is_none() => {
                    refused = Some(token);
                    continue;
                }
                Judged::Refresh(error) | Judged::Final(error) => return Err(error),
                Judged::Passing(error) => error,
            };
            let unsent = matches!(error, Error::NotSent { .. });
            if repeats >= REPEATS || (endpoint.is_command() && !unsent) {
                return Err(error);
            }
            tokio::time::sleep(pause(repeats)?).await;
            repeats += 1;
        }
    }

    fn request<E: Endpoint>(&self, endpoint: &E, token: &Token) -> Request {
        let url = format!("{}{}", self.0.hosts.api_url, endpoint.path());
        let mut request = Request::new(endpoint.method(), url)
            .with_header(
                "authorization",
                format!("Bearer {}", token.access_token.expose()),
            )
            .with_header("x-version", "v1");
        let own = endpoint.headers();
        if !own.iter().any(|(name, _)| *name == "accept") {
            request = request.with_header("accept", "application/json");
        }
        request
            .headers
            .extend(own.into_iter().map(|(name, value)| (name.into(), value)));
        if let Some(body) = endpoint.body() {
            request = request.with_header("content-type", "application/json");
            request.body = body;
        }
        request
    }

    async fn exchange(&self, call: Call, request: Request) -> Result<Response, Judged> {
        let sent = self.0.transport.send(request).await;
        sent.map_err(|source| Judged::Passing(Error::transport(call, source)))
    }

    async fn take_call(&self, call: Call) -> Result<(), Error> {
        let now = self.now();
        let taken = self
            .0
            .state
            .update(move |state| state.budget.take(now))
            .await;
        taken
            .map_err(Error::Store)?
            .map_err(|retry_after| Error::Quota {
                call,
                retry_after,
                message: "the 50 calls of the last 24 hours are used up; nothing was sent"
                    .to_owned(),
            })
    }

    /// What a refusal means. A quota answer is remembered.
    async fn judge(&self, call: Call, response: &Response) -> Result<Judged, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Refusal {
            #[serde(rename = "exveErrorId")]
            id: String,
            #[serde(rename = "exveErrorMsg")]
            message: String,
        }
        let status = response.status;
        let refusal: Refusal = serde_json::from_slice(&response.body).unwrap_or_default();
        let id = ErrorId::new(&refusal.id);
        let words = if refusal.message.is_empty() {
            &*response.text()
        } else {
            &refusal.message
        };
        let message = match id.action() {
            Action::Unknown => clipped(words),
            _ => format!("{} ({})", id.meaning(), clipped(words)),
        };
        let code = if refusal.id.is_empty() {
            status.to_string()
        } else {
            refusal.id.clone()
        };
        let refused = |call| Error::Refused {
            call,
            status,
            code,
            message: message.clone(),
        };
        Ok(match (id.action(), status) {
            (Action::WaitForQuota, _) | (Action::Unknown, 429) => {
                let header = response.header("retry-after").map(str::to_owned);
                let now = self.now();
                let remember =
                    move |state: &mut AccountState| state.budget.refused(header.as_deref(), now);
                let retry_after = self.0.state.update(remember).await.map_err(Error::Store)?;
                Judged::Final(Error::Quota {
                    call,
                    retry_after,
                    message,
                })
            }
            (Action::Refresh, _) | (Action::Unknown, 401) => Judged::Refresh(refused(call)),
            (Action::Login, _) => Judged::Final(LoginError::NotLoggedIn.into()),
            (Action::LoginWithScope, _) => Judged::Final(
                LoginError::ScopeMissing {
                    scope: "cardata:api:read",
                }
                .into(),
            ),
            (Action::Retry, _) | (Action::Unknown, 408 | 500..) => {
                Judged::Passing(Error::Unavailable {
                    call,
                    status,
                    message,
                })
            }
            _ => Judged::Final(refused(call)),
        })
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

/// How a call that failed goes on.
enum Judged {
    /// With another token.
    Refresh(Error),
    /// A little later.
    Passing(Error),
    /// Not at all.
    Final(Error),
}

impl From<Judged> for Error {
    fn from(judged: Judged) -> Self {
        match judged {
            Judged::Refresh(error) | Judged::Passing(error) | Judged::Final(error) => error,
        }
    }
}

/// What BMW's error id asks for, if the error has one.
fn action_of(error: &Error) -> Option<Action> {
    match error {
        Error::Refused { code, .. } => Some(ErrorId::new(code).action()),
        _ => None,
    }
}

fn none_if<T>(action: Action, outcome: Result<T, Error>, none: fn() -> T) -> Result<T, Error> {
    match outcome {
        Err(error) if action_of(&error) == Some(action) => Ok(none()),
        outcome => outcome,
    }
}

/// 1, 2, 4 s, each up to half as long again, so that many cars do not come at once.
fn pause(repeats: u32) -> Result<Duration, Error> {
    let [random] = entropy::bytes::<1>()?;
    let base = Duration::from_secs(1 << repeats.min(4));
    Ok(base + base.mul_f64(f64::from(random) / 512.0))
}
