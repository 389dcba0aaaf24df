//! What cars are told. A command is an errand of its own: while a car takes its
//! time with one, the others are asked and told as ever.

use std::sync::atomic::AtomicUsize;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use saic_ismart::Error;
use tokio::time::Instant;

use super::super::control::{Order, Said, another_schedule, status_after};
use super::super::error::SaicError;
use super::super::polling::Questions;
use super::Account;
use super::calls::{Answers, arrived, put};
use crate::control::{Control, Request};
use crate::event::DeviceId;
use crate::value::Value;
use crate::zone::Zone;

/// A command on its way, with the request that it came by.
pub(super) type Errand = BoxFuture<'static, (Request, Told)>;

/// What came of a command.
#[derive(Debug)]
pub(in super::super) struct Told {
    car: DeviceId,
    order: Order,
    said: Result<Said, Error>,
    /// What the car answered to the questions that followed.
    answers: Answers,
}

impl Account {
    /// Sends a command on its way, or lets it wait until its car is free.
    pub(super) fn receive(&mut self, request: Request) {
        if self.busy.contains(&request.device) {
            let same =
                |of: &Request| (&of.device, of.control) == (&request.device, request.control);
            let replaced = self.waiting.iter().position(same);
            if let Some(replaced) = replaced.and_then(|at| self.waiting.remove(at)) {
                replaced.answer(Err("not sent: a newer command took its place".to_owned()));
            }
            self.waiting.push_back(request);
            return;
        }
        match self.begin_requested(&request) {
            Ok(told) => {
                self.busy.push(request.device.clone());
                self.errands.push(told.map(|told| (request, told)).boxed());
            }
            Err(reason) => answer(request, Err(reason)),
        }
    }

    fn begin_requested(&mut self, request: &Request) -> Result<BoxFuture<'static, Told>, String> {
        let mut cars = self.cars.iter();
        let index = cars.position(|car| *car.id() == request.device);
        let index = index.ok_or("the account has this car no more")?;
        if Instant::now() > request.expires {
            return Err("not sent: it came too late".to_owned());
        }
        let told = self.begin(index, request.control, &request.value);
        told.map_err(|error| in_words(&error))
    }

    /// Answers a command that has come to its end, and begins what waited for it.
    pub(super) fn told(&mut self, (request, told): (Request, Told)) {
        self.busy.retain(|car| *car != told.car);
        let outcome = self.finish(told);
        answer(request, outcome.map_err(|error| in_words(&error)));
        for request in std::mem::take(&mut self.waiting) {
            self.receive(request);
        }
    }

    /// Tells a car something, once, and reads what came of it.
    pub(in super::super) async fn tell(
        &mut self,
        index: usize,
        control: &'static Control,
        value: &Value,
    ) -> Result<(), SaicError> {
        let told = self.begin(index, control, value)?.await;
        self.finish(told)
    }

    /// A command to a car, on its way.
    fn begin(
        &mut self,
        index: usize,
        control: &'static Control,
        value: &Value,
    ) -> Result<BoxFuture<'static, Told>, SaicError> {
        let gone = || SaicError::Control("the account has this car no more".to_owned());
        let car = self.cars.get(index).ok_or_else(gone)?;
        let order = Order::of(control, value, &car.known)?;
        let (id, vehicle) = (car.id().clone(), car.vehicle.clone());
        self.count(index);
        let (client, zone, now) = (self.client.clone(), self.config.zone(), self.now());
        let zone = zone.unwrap_or(Zone::System);
        let told = async move {
            let said = order.carry_out(&client, &vehicle, zone, now).await;
            let answers = match order.questions(&said, vehicle.profile().drive.has_plug()) {
                Questions {
                    status: false,
                    charging: false,
                } => Answers::default(),
                questions => {
                    let sent = AtomicUsize::new(0);
                    put(client, vehicle.vin().clone(), questions, now, &sent).await
                }
            };
            Told {
                car: id,
                order,
                said,
                answers,
            }
        };
        Ok(told.boxed())
    }

    /// What came of a command, and what the car is like since.
    fn finish(&mut self, told: Told) -> Result<(), SaicError> {
        let Told {
            car: id,
            order,
            said,
            answers,
        } = told;
        let now = self.now();
        // A command takes the account back from whoever had it.
        let arrived = match (&order, &said) {
            (Order::Refresh, _) => answers.arrived(),
            (_, Ok(_)) => true,
            (_, Err(error)) => arrived(error),
        };
        if arrived {
            self.memory.elsewhere_until = None;
        }
        let Some(index) = self.cars.iter().position(|car| *car.id() == id) else {
            return Ok(());
        };
        let result = match said {
            Ok(said) => {
                if let Some(car) = self.cars.get_mut(index) {
                    car.plan.give_sign();
                    let status = said.status.and_then(|text| status_after(&text, now));
                    if let Some((status, text)) = status {
                        car.told_status(status, Some(text), now);
                    }
                    if let Some((schedule, text)) = said.heating {
                        car.known.heating_schedule = Some(schedule);
                        car.memory.heating = text;
                    }
                    if let Some(management) = said.management {
                        car.told_management(management, now);
                    }
                }
                match said.keeps {
                    Some(has) => Err(another_schedule(&has)),
                    None => Ok(()),
                }
            }
            Err(error) if error.may_have_taken_effect() => Err(SaicError::Unsure(error)),
            Err(error) => return Err(error.into()),
        };
        if answers.count() == 0 {
            if let Some(car) = self.cars.get_mut(index) {
                car.plan.satisfied();
            }
            self.emit(index);
            self.save();
            return result;
        }
        if order != Order::Refresh {
            // What is counted already was the command.
            self.count(index);
        }
        let charging_is_new = matches!(answers.charging, Some(Ok(_)));
        let asked = self.answered(index, answers);
        if order == Order::Refresh {
            asked?;
            if let Some(error) = self.cars.get_mut(index).and_then(|car| car.error.take()) {
                return Err(error);
            }
        }
        result?;
        if !charging_is_new {
            return Ok(());
        }
        let known = self.cars.get(index).map(|car| &car.known);
        order.took_effect(known.and_then(|known| known.charging.as_deref()))
    }
}

/// Tells whoever waits for the command.
fn answer(request: Request, outcome: Result<(), String>) {
    let Request {
        device,
        control,
        value,
        ..
    } = &request;
    let (device, key) = (device.masked(), control.key);
    match &outcome {
        Ok(()) => tracing::info!(%device, key, %value, "command carried out"),
        Err(reason) => tracing::warn!(%device, key, %value, "command failed: {reason}"),
    }
    request.answer(outcome);
}

fn in_words(error: &SaicError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}
