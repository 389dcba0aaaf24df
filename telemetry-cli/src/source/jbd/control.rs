//! What a pack can be told.

use std::time::Duration;

use super::{Pack, PollError};
use crate::config::JbdAllow;
use crate::control::{Control, Offer, Request, battery, bluetooth};
use crate::value::Value;

const MINUTE_S: f64 = 60.0;

/// What a pack offers, and what of it the configuration allows.
pub(super) fn offers(allow: &JbdAllow) -> Vec<Offer> {
    [
        (&battery::CHARGE_MOSFET, allow.charge_mosfet),
        (&battery::DISCHARGE_MOSFET, allow.discharge_mosfet),
        (&bluetooth::PAUSE, true),
    ]
    .map(|(control, allowed)| Offer { control, allowed })
    .into()
}

impl Pack {
    /// Carries out `request` and answers it. What it changed is read and told
    /// first, so that nobody hears of a success and then reads the old state.
    pub(super) async fn obey(&mut self, request: Request) {
        let Request { control, value, .. } = &request;
        let (key, value) = (control.key, value.clone());
        let outcome = match (control, &value) {
            (control, Value::Float(minutes)) if **control == bluetooth::PAUSE => {
                self.pause(*minutes);
                Ok(())
            }
            (control, Value::Bool(on)) => self.switch(control, *on).await,
            _ => Err("not sent: this pack has no such control".to_owned()),
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

    async fn switch(&mut self, control: &'static Control, on: bool) -> Result<(), String> {
        // A link that answers now is one that takes the command: it must not
        // be sent twice.
        let told = |error: PollError| match error.hint() {
            Some(hint) => format!("{error}; {hint}"),
            None => error.to_string(),
        };
        self.refresh()
            .await
            .map_err(|error| format!("not sent: {}", told(error)))?;
        let Some(link) = &mut self.link else {
            return Err("not sent: the link was lost".to_owned());
        };
        let client = &mut link.client;
        let effect = if *control == battery::CHARGE_MOSFET {
            client.set_charge_mosfet(on).await
        } else {
            client.set_discharge_mosfet(on).await
        };
        if effect.as_ref().is_err_and(jbd_bms::Error::is_retryable) {
            self.link = None;
        }
        // The effect was read back already; this only tells it.
        if let Err(error) = self.refresh().await {
            tracing::debug!(device = %self.target, %error, "not read after a command");
        }
        effect
            .map(|_| ())
            .map_err(|error| told(PollError::Device(error)))
    }

    /// Reads the pack and tells what it says.
    async fn refresh(&mut self) -> Result<(), PollError> {
        let reading = self.poll().await?;
        self.context.hub.read(reading);
        Ok(())
    }
}
