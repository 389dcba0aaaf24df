//! Pairing where the operating system does it by itself: it asks its user for
//! the PIN when a device wants to be paired.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::failure::Failure;
use crate::config::Pin;

#[derive(Debug, Default)]
pub(super) struct Pairing;

#[derive(Clone, Debug)]
pub(super) struct Pairer;

impl Pairing {
    pub(super) async fn pairer(self: &Arc<Self>, _: &str, _: &Pin, _: &Settings) -> Pairer {
        Pairer
    }

    pub(super) async fn close(&self, _: Duration) {}
}

impl Pairer {
    pub(super) async fn pair(&self, _: &Settings) -> Result<(), Failure> {
        Err(Failure::PairingNeeded)
    }

    pub(super) async fn judge(&self, failure: Failure, _: &Settings) -> Failure {
        failure
    }
}
