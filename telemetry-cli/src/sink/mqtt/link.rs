//! What becomes of a connection over time: when it is tried again, and what the
//! user is told.

use std::time::Duration;

use tokio::time::Instant;

use super::failure::Failure;
use crate::config::BrokerUrl;
use crate::supervisor::{Backoff, Exit};

/// A connection that held this long was a good one.
const HEALTHY: Duration = Duration::from_secs(30);

/// Refusals in a row before a user is asked to change something: a broker may
/// be up before what it asks about its users.
const REFUSALS: u32 = 3;

/// The history of the connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Failures in a row.
    failures: u32,
    retry_at: Option<Instant>,
    since: Option<Instant>,
    ever: bool,
    refusals: u32,
    /// What the user was told last.
    complaint: Option<String>,
}

impl Link {
    /// When the next attempt is due; at once if there was none.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// The broker took us.
    pub(super) fn connected(&mut self, broker: &BrokerUrl, now: Instant) {
        match self.complaint.take() {
            Some(_) if self.ever => tracing::info!(%broker, "connected again"),
            _ => tracing::info!(%broker, "connected"),
        }
        self.ever = true;
        self.refusals = 0;
        self.since = Some(now);
    }

    /// The connection is over, or did not come about. What the component ends
    /// with, if only the user can help.
    pub(super) fn lost(
        &mut self,
        broker: &BrokerUrl,
        failure: Failure,
        now: Instant,
    ) -> Option<Exit> {
        let since = self.since.take();
        if since.is_some_and(|since| now - since >= HEALTHY) {
            self.failures = 0;
        }
        self.failures += 1;
        self.retry_at = Some(now + Backoff::LINK.wait(self.failures));
        if self.complaint.as_ref() != Some(&failure.text) {
            tracing::warn!(%broker, reason = failure.text, "no connection to the broker");
        }
        if failure.login && !self.ever {
            self.refusals += 1;
            if self.refusals >= REFUSALS {
                return Some(Exit::LoginNeeded(format!(
                    "MQTT broker {broker}: {}",
                    failure.text
                )));
            }
        }
        self.complaint = Some(failure.text);
        None
    }
}
