use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::{BASE_PATH, Cloud, HttpRequest};
use crate::http::{Request, Sending, Transport};

/// A [`Cloud`] as a client's transport, without a network. Time is tokio's, so
/// that it can be paused: whole days pass in a moment then. Clones share the cloud.
#[derive(Debug, Clone)]
pub struct InProcess {
    cloud: Arc<Mutex<Cloud>>,
    epoch_ms: u64,
    started: Instant,
}

impl InProcess {
    /// Starts at the present time.
    #[must_use]
    pub fn new(cloud: Cloud) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::starting_at(cloud, u64::try_from(since.as_millis()).unwrap_or(0))
    }

    /// Starts at a time of choice, Unix time in ms.
    #[must_use]
    pub fn starting_at(cloud: Cloud, epoch_ms: u64) -> Self {
        Self {
            cloud: Arc::new(Mutex::new(cloud)),
            epoch_ms,
            started: Instant::now(),
        }
    }

    /// The cloud, to look at it or to change it.
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unix time in ms, as the cloud sees it: the clock for
    /// [`ClientBuilder::clock`](crate::ClientBuilder::clock).
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.epoch_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0)
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request) -> Sending<'_> {
        let at = request.url.find(BASE_PATH).unwrap_or(0);
        let received = HttpRequest {
            method: request.method.as_str().to_owned(),
            target: request.url[at..].to_owned(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            body: request.body.into_bytes(),
        };
        let now_ms = self.now_ms();
        let response = self.cloud().handle(&received, now_ms);
        Box::pin(async move { Ok(response) })
    }
}
