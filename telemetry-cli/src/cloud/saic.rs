//! The simulated iSMART cloud as a server.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::request::Parts;
use saic_ismart::simulator::{self, CloudConfig, HttpRequest};

use super::{Answer, Cloud};

pub use saic_ismart::simulator::BASE_PATH;

/// The SDK's cloud, on the clock of this computer.
#[derive(Debug)]
pub struct Saic(pub simulator::Cloud);

impl Saic {
    /// With this account and these cars. The same seed gives the same course of
    /// things.
    pub fn new(config: CloudConfig, seed: u64) -> Self {
        Self(simulator::Cloud::new(config, seed))
    }
}

impl Cloud for Saic {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        };
        let request = HttpRequest {
            method: head.method.to_string(),
            target: head
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            headers: head.headers.iter().map(header).collect(),
            body: body.to_vec(),
        };
        let response = self.0.handle(&request, now_ms());
        Answer {
            status: response.status,
            headers: response.headers,
            body: response.body,
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
