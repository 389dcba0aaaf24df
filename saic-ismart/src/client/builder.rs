use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Client, Inner};
use crate::error::Error;
use crate::http::{Https, Transport};
use crate::login::Credentials;
use crate::poll::{PollTiming, PollTimings};
use crate::region::Region;
use crate::session::{Relogin, Session};
use crate::token::{MemoryTokenStore, TokenStore};
use crate::wire::{Clock, Exchange, Observer, Wire};

/// How a [`Client`] shall work.
pub struct ClientBuilder {
    region: Region,
    credentials: Credentials,
    base_url: Option<String>,
    extra_ca: Option<Vec<u8>>,
    timeout: Option<Duration>,
    store: Arc<dyn TokenStore>,
    device_id: Option<String>,
    relogin: Relogin,
    timing: Option<PollTiming>,
    strict: bool,
    transport: Option<Arc<dyn Transport>>,
    clock: Clock,
    observer: Option<Observer>,
    #[cfg(feature = "india")]
    pin: Option<secrecy::SecretString>,
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    pub(super) fn new(region: Region, credentials: Credentials) -> Self {
        Self {
            region,
            credentials,
            base_url: None,
            extra_ca: None,
            timeout: None,
            store: Arc::new(MemoryTokenStore::default()),
            device_id: None,
            relogin: Relogin::default(),
            timing: None,
            strict: false,
            transport: None,
            clock: Arc::new(system_time_ms),
            observer: None,
            #[cfg(feature = "india")]
            pin: None,
        }
    }

    /// Another address with region code and tenant of the region.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Trusts these certificates (PEM) besides those of the system.
    #[must_use]
    pub fn extra_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.extra_ca = Some(pem.into());
        self
    }

    /// How long one HTTP request may take. 15 s unless set, in India 30 s.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Where the session is kept. In memory unless set: then each run of the
    /// program logs in anew, which logs the phone out.
    #[must_use]
    pub fn token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// How this installation calls itself at login. A stable text of the
    /// account unless set.
    #[must_use]
    pub fn device_id(mut self, id: impl Into<String>) -> Self {
        self.device_id = Some(id.into());
        self
    }

    /// What to do when somebody else logs in to the account.
    #[must_use]
    pub const fn relogin(mut self, relogin: Relogin) -> Self {
        self.relogin = relogin;
        self
    }

    /// How to wait for cars. In India 10 requests every 1.5 s unless set, for
    /// commands 15 every 2 s.
    #[must_use]
    pub const fn poll_timing(mut self, timing: PollTiming) -> Self {
        self.timing = Some(timing);
        self
    }

    /// Fails on answers whose signature is wrong or missing, instead of
    /// counting them and warning. Not in India, whose answers nobody knows how
    /// to check.
    #[must_use]
    pub const fn strict_signatures(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Another way to the cloud: a simulator, a recording, an unusual network.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Another clock: Unix time in ms. The cloud wants fresh times.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Shows every call but login in plain text, for bug reports.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&Exchange<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// The PIN of the app, four digits: commands in India need it.
    #[cfg(feature = "india")]
    #[must_use]
    pub fn pin(mut self, pin: impl Into<String>) -> Self {
        self.pin = Some(secrecy::SecretString::from(pin.into()));
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if TLS cannot be set up, the extra CA is not
    /// readable, or the region does not know users of this kind.
    pub fn build(self) -> Result<Client, Error> {
        let region = match self.base_url {
            Some(base_url) => self.region.moved_to(base_url),
            None => self.region,
        };
        #[cfg(feature = "india")]
        if region.is_india() && self.credentials.phone_and_password().is_none() {
            let message = "this region knows users by their phone only".to_owned();
            return Err(Error::Configuration(message));
        }
        let timeout = self.timeout.unwrap_or_else(|| region.timeout());
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(Https::new(self.extra_ca.as_deref(), timeout)?),
        };
        let account = self.credentials.account(&region);
        let device_id = self.device_id.unwrap_or_else(|| region.device_id(&account));
        let session = Session::new(
            self.credentials,
            account,
            device_id,
            self.store,
            self.relogin,
        );
        let timings = self
            .timing
            .map_or_else(|| region.poll_timings(), PollTimings::same);
        let wire = Wire {
            transport,
            base_url: region.base_url(),
            #[cfg(feature = "india")]
            india: region
                .is_india()
                .then(|| crate::india::India::new(self.pin)),
            region,
            strict: self.strict,
            clock: self.clock,
            observer: self.observer,
            bad_signatures: AtomicU64::new(0),
        };
        Ok(Client {
            inner: Arc::new(Inner {
                wire,
                session,
                timings,
                turns: std::sync::Mutex::default(),
            }),
        })
    }
}

fn system_time_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
