//! A simulated cloud as the network of a client, on tokio's paused clock.

use std::sync::{Arc, Mutex};

use bimmer::http::{Request, Response, Sending, Transport};
use bimmer::types::parse_time;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

/// Time that passes as tokio's does.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    start: Instant,
}

impl Time {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    pub(crate) fn now(self) -> DateTime<Utc> {
        let passed = TimeDelta::from_std(self.start.elapsed()).unwrap();
        parse_time("2026-03-01T10:00:00Z").unwrap() + passed
    }

    pub(crate) fn clock(self) -> impl Fn() -> DateTime<Utc> + Send + Sync + 'static {
        move || self.now()
    }
}

/// Carries requests to a function, with the time.
pub(crate) struct Link<C> {
    pub(crate) cloud: Arc<Mutex<C>>,
    pub(crate) time: Time,
    pub(crate) handle: fn(&mut C, &Request, DateTime<Utc>) -> Response,
}

impl<C: Send + 'static> Transport for Link<C> {
    fn send(&self, request: Request) -> Sending<'_> {
        let mut cloud = self.cloud.lock().unwrap();
        let response = (self.handle)(&mut cloud, &request, self.time.now());
        Box::pin(async move { Ok(response) })
    }
}
