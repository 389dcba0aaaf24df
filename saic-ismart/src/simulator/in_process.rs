use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::{Cloud, HttpRequest};
use crate::http::{Request, Response, Sending, Transport};

/// A simulated server: a request and the time, Unix time in ms, go in, a
/// response comes out.
pub trait Peer: Send + 'static {
    /// Answers a request. Any bytes are answered.
    fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response;
}

impl Peer for Cloud {
    fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        Self::handle(self, request, now_ms)
    }
}

/// A simulated cloud as a client's transport, without a network. Time is
/// tokio's, so that it can be paused: whole days pass in a moment then. Clones
/// share the cloud.
pub struct InProcess<C = Cloud> {
    cloud: Arc<Mutex<C>>,
    epoch_ms: u64,
    started: Instant,
}

impl<C> Clone for InProcess<C> {
    fn clone(&self) -> Self {
        Self {
            cloud: Arc::clone(&self.cloud),
            ..*self
        }
    }
}

impl<C> fmt::Debug for InProcess<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("epoch_ms", &self.epoch_ms)
            .finish_non_exhaustive()
    }
}

impl<C: Peer> InProcess<C> {
    /// Starts at the present time.
    #[must_use]
    pub fn new(cloud: C) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self::starting_at(cloud, u64::try_from(since.as_millis()).unwrap_or(0))
    }

    /// Starts at a time of choice, Unix time in ms.
    #[must_use]
    pub fn starting_at(cloud: C, epoch_ms: u64) -> Self {
        Self {
            cloud: Arc::new(Mutex::new(cloud)),
            epoch_ms,
            started: Instant::now(),
        }
    }

    /// The cloud, to look at it or to change it.
    pub fn cloud(&self) -> MutexGuard<'_, C> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unix time in ms, as the cloud sees it: the clock for
    /// [`ClientBuilder::clock`](crate::ClientBuilder::clock).
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.epoch_ms + u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0)
    }
}

impl<C: Peer> Transport for InProcess<C> {
    fn send(&self, request: Request) -> Sending<'_> {
        let received = HttpRequest {
            method: request.method.as_str().to_owned(),
            target: target(&request.url).to_owned(),
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

/// What follows the host.
fn target(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}
