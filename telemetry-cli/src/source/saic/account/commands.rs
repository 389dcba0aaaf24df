//! What cars are told.

use saic_ismart::Error;
use tokio::time::Instant;

use super::super::control::{Order, status_after};
use super::super::error::SaicError;
use super::super::polling::Questions;
use super::Account;
use crate::control::{Control, Request};
use crate::value::Value;

impl Account {
    /// Carries out a command and answers it.
    pub(super) async fn serve(&mut self, request: Request) {
        let (control, value) = (request.control, request.value.clone());
        let mut cars = self.cars.iter();
        let outcome = match cars.position(|car| *car.id() == request.device) {
            None => Err("the account has this car no more".to_owned()),
            Some(_) if Instant::now() > request.expires => {
                Err("not sent: it came too late".to_owned())
            }
            Some(index) => {
                self.tell(index, control, &value)
                    .await
                    .map_err(|error| match error.hint() {
                        Some(hint) => format!("{error}; {hint}"),
                        None => error.to_string(),
                    })
            }
        };
        let (device, key) = (&request.device, control.key);
        match &outcome {
            Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
            Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
        }
        request.answer(outcome);
    }

    /// Tells a car something, once, and reads what came of it.
    pub(in super::super) async fn tell(
        &mut self,
        index: usize,
        control: &'static Control,
        value: &Value,
    ) -> Result<(), SaicError> {
        let Some(car) = self.cars.get(index) else {
            return Ok(());
        };
        let order = Order::of(control, value, &car.known)?;
        let vehicle = car.vehicle.clone();
        if order != Order::Refresh {
            self.count(index);
        }
        let told = order.carry_out(&self.client, &vehicle).await;
        let now = self.now();
        // A command takes the account back from whoever had it.
        if !matches!(told, Err(Error::Login(_))) {
            self.memory.elsewhere_until = None;
        }
        let mut questions = Questions {
            status: order.is_about_status(),
            charging: order.is_about_charging() && vehicle.profile().drive.has_plug(),
        };
        let result = match told {
            Ok(said) => {
                if let Some(car) = self.cars.get_mut(index) {
                    car.plan.give_sign();
                    let status = said.status.and_then(|text| status_after(&text, now));
                    if let Some((status, text)) = status {
                        car.told_status(status, Some(text), now);
                        questions.status = false;
                    }
                    if let Some(management) = said.management {
                        car.told_management(management, now);
                    }
                }
                Ok(())
            }
            Err(error) if error.may_have_taken_effect() => Err(SaicError::Unsure(error)),
            Err(error) => return Err(error.into()),
        };
        if questions.status || questions.charging {
            let asked = self.ask(index, questions).await;
            if order == Order::Refresh {
                asked?;
                if let Some(error) = self.cars.get_mut(index).and_then(|car| car.error.take()) {
                    return Err(error);
                }
            }
        } else {
            if let Some(car) = self.cars.get_mut(index) {
                car.plan.satisfied();
            }
            self.emit(index);
            self.save();
        }
        result
    }
}
