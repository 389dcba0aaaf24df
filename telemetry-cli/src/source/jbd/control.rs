//! What a pack can be told.

use std::time::Duration;

use jbd_bms::Error;
use tokio::time::{Instant, timeout_at};

use super::{Pack, PollError};
use crate::config::JbdAllow;
use crate::control::{Control, Offer, Request, battery, bluetooth};
use crate::radio::RadioError;
use crate::value::Value;

const MINUTE_S: f64 = 60.0;

/// Why a command did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The pack was not told.
    #[error("not sent: {0}")]
    NotSent(#[source] PollError),
    /// It was told, or may have been.
    #[error("{0}")]
    Failed(#[source] PollError),
}

/// What a pack offers, and what of it the configuration allows.
pub(super) fn offers(allow: &JbdAllow) -> Vec<Offer> {
    [
        (&battery::CHARGE_MOSFET, allow.charge_mosfet),
        (&battery::DISCHARGE_MOSFET, allow.discharge_mosfet),
        (&bluetooth::PAUSE, true),
    ]
    .map(|(control, allowed)| Offer::new(control, allowed))
    .into()
}

impl Pack {
    /// Carries out `request` and answers it. What it changed is read and told
    /// first, so that nobody hears of a success and then reads the old state.
    pub(super) async fn obey(&mut self, request: Request) {
        let Request {
            control,
            value,
            expires,
            ..
        } = &request;
        let (key, value, expires) = (control.key, value.clone(), *expires);
        let outcome = match (control, &value) {
            (control, Value::Float(minutes)) if **control == bluetooth::PAUSE => {
                self.pause(*minutes);
                Ok(())
            }
            (control, value) => self
                .tell(control, value, Some(expires))
                .await
                .map_err(|error| {
                    let (CommandError::NotSent(cause) | CommandError::Failed(cause)) = &error;
                    match cause.hint() {
                        Some(hint) => format!("{error}; {hint}"),
                        None => error.to_string(),
                    }
                }),
        };
        let device = &self.target;
        match &outcome {
            Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
            Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
        }
        request.answer(outcome);
    }

    fn pause(&mut self, minutes: f64) {
        self.link = None;
        let (radio, target) = (&self.context.radio, &self.target);
        if minutes > 0.0 {
            radio.pause(target, Duration::from_secs_f64(minutes * MINUTE_S));
        } else {
            radio.resume(target);
        }
    }

    /// Sends a command that can be sent, before it `expires`, and sees to it
    /// that it took effect.
    pub(super) async fn tell(
        &mut self,
        control: &'static Control,
        value: &Value,
        expires: Option<Instant>,
    ) -> Result<(), CommandError> {
        // A link that answers now is one that takes the command: it must not
        // be sent twice.
        let ready = match expires {
            Some(time) => timeout_at(time, self.refresh()).await.unwrap_or_else(|_| {
                let silent = RadioError::NoAnswer(self.target.clone());
                Err(silent.into())
            }),
            None => self.refresh().await,
        };
        ready.map_err(CommandError::NotSent)?;
        let Some(link) = &mut self.link else {
            let lost = RadioError::LinkLost(self.target.clone());
            return Err(CommandError::NotSent(lost.into()));
        };
        let client = &mut link.client;
        let effect = match value {
            Value::Bool(on) if *control == battery::CHARGE_MOSFET => {
                client.set_charge_mosfet(*on).await
            }
            Value::Bool(on) if *control == battery::DISCHARGE_MOSFET => {
                client.set_discharge_mosfet(*on).await
            }
            _ => {
                let none = Error::InvalidValue("this pack has no such control".to_owned());
                return Err(CommandError::NotSent(none.into()));
            }
        };
        self.released = client.released();
        if effect.as_ref().is_err_and(Error::is_retryable) {
            self.link = None;
        }
        // The effect was read back already; this only tells it.
        if let Err(error) = self.refresh().await {
            tracing::debug!(device = %self.target, %error, "not read after a command");
        }
        match effect {
            Ok(_) => Ok(()),
            Err(error) => Err(CommandError::Failed(error.into())),
        }
    }

    /// Reads the pack and tells what it says.
    async fn refresh(&mut self) -> Result<(), PollError> {
        let reading = self.poll().await?;
        self.context.hub.read(reading);
        Ok(())
    }
}
