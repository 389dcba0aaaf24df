use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::{Client, Inner};
use crate::cardata::account_state::StateFile;
use crate::cardata::hosts::{ClientId, Hosts};
use crate::cardata::session::Session;
use crate::clock::{self, Clock};
use crate::error::Error;
use crate::http::{Https, Transport};
use crate::keeper::TokenKeeper;
use crate::token::{MemoryTokenStore, TokenStore};

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
        let session = Arc::new(Session {
            transport: transport.clone(),
            hosts: self.hosts.clone(),
            client_id: self.client_id.clone(),
            keeper: TokenKeeper::new(self.store, self.clock.clone()),
        });
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
}
