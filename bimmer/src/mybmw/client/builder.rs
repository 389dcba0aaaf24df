use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Client, Inner};
use crate::clock::{self, Clock};
use crate::error::Error;
use crate::http::{Https, Transport};
use crate::keeper::TokenKeeper;
use crate::mybmw::agent::build_string;
use crate::mybmw::auth::Credentials;
use crate::mybmw::region::Region;
use crate::mybmw::session::Session;
use crate::secret::Secret;
use crate::token::{MemoryTokenStore, TokenStore};

/// Sets a [`Client`] up.
pub struct ClientBuilder {
    region: Region,
    credentials: Option<Credentials>,
    captcha: Option<Secret>,
    installation: Option<String>,
    build: Option<String>,
    api_url: String,
    auth_url: Option<String>,
    store: Arc<dyn TokenStore>,
    transport: Option<Arc<dyn Transport>>,
    extra_ca: Option<Vec<u8>>,
    timeout: Duration,
    clock: Clock,
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Who logs in. Not needed where the token store holds a session.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some(Credentials {
            username: user.into(),
            password: password.into(),
        });
        self
    }

    /// The answer to a captcha, which the first login needs. Valid once, for
    /// some minutes.
    #[must_use]
    pub fn captcha_token(mut self, token: impl Into<Secret>) -> Self {
        self.captcha = Some(token.into());
        self
    }

    /// Any text that this installation keeps; BMW counts calls by what is made
    /// of it. By default made from the user name.
    #[must_use]
    pub fn installation(mut self, text: impl Into<String>) -> Self {
        self.installation = Some(text.into());
        self
    }

    /// A finished build string in place of one made from [`installation`](Self::installation).
    #[must_use]
    pub fn build_string(mut self, build: impl Into<String>) -> Self {
        self.build = Some(build.into());
        self
    }

    /// Another server than BMW's.
    #[must_use]
    pub fn api_url(mut self, url: &str) -> Self {
        self.api_url = url.trim_end_matches('/').to_owned();
        self
    }

    /// Another login server than the one that the API names, which is BMW's own
    /// also where the API is an imitation.
    #[must_use]
    pub fn auth_url(mut self, url: &str) -> Self {
        self.auth_url = Some(url.trim_end_matches('/').to_owned());
        self
    }

    /// Where the session is kept. By default in memory.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
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
        let user = self
            .credentials
            .as_ref()
            .map(|credentials| credentials.username.clone());
        let installation = self
            .installation
            .or(user)
            .unwrap_or_else(|| Uuid::new_v4().to_string());
        let session = Arc::new(Session {
            transport: transport.clone(),
            keeper: TokenKeeper::new(self.store, self.clock.clone()),
            region: self.region,
            api_url: self.api_url.clone(),
            auth_url: self.auth_url,
            build: self.build.unwrap_or_else(|| build_string(&installation)),
            correlation_id: Uuid::new_v4().to_string(),
            credentials: self.credentials,
            captcha: StdMutex::new(self.captcha),
        });
        Ok(Client(Arc::new(Inner {
            session,
            transport,
            clock: self.clock,
            parked_until: StdMutex::new(None),
        })))
    }
}

impl Client {
    /// Begins to set up a client.
    #[must_use]
    pub fn builder(region: Region) -> ClientBuilder {
        ClientBuilder {
            region,
            credentials: None,
            captcha: None,
            installation: None,
            build: None,
            api_url: region.api_url().to_owned(),
            auth_url: None,
            store: Arc::new(MemoryTokenStore::default()),
            transport: None,
            extra_ca: None,
            timeout: Duration::from_secs(30),
            clock: clock::system(),
        }
    }
}
