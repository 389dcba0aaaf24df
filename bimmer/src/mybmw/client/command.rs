use std::time::Duration;

use serde::Deserialize;

use super::Client;
use super::send::Ask;
use crate::endpoint::{lenient, model};
use crate::error::{Call, DecodeError, Error};
use crate::form;
use crate::http::{Method, Response};
use crate::mybmw::command::{Command, CommandResult, EventStatus, POLL_EVERY, POLL_FOR, SETTLES};
use crate::mybmw::vehicle::Vehicle;
use crate::types::{Brand, Position};

impl Client {
    /// Sends a command once and waits for its result, four minutes at most.
    /// After commands that change the state, `vehicle` is read again. Dropping
    /// the future stops the waiting, not the car.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidValue`] without sending if the car cannot do it,
    /// [`Error::CommandFailed`] and [`Error::CommandTimedOut`] about the result,
    /// any other if it was not sent or not answered.
    pub async fn command(
        &self,
        vehicle: &mut Vehicle,
        command: &Command,
    ) -> Result<CommandResult, Error> {
        command.check(vehicle)?;
        if command.is_pointless(vehicle) {
            return Ok(CommandResult::without_event(EventStatus::Ignored));
        }
        let gcid = match command {
            Command::SendPoi(_) => self.token().await?.gcid,
            _ => None,
        };
        let order = command.order(vehicle, gcid.as_deref())?;
        let profile = vehicle.profile.clone();
        let (vin, brand) = (&profile.vin, profile.brand());
        let mut ask = Ask::new(command.name(), Method::Post, order.path, brand.clone()).about(vin);
        ask.vin_in_header = order.names_vin_in_header;
        ask.body = Some(order.body);
        let response = self.ask(&ask).await?;
        let Some(event_id) = event_id(&response) else {
            return Ok(CommandResult::without_event(EventStatus::Executed));
        };
        let call = ask.call();
        let status = self.wait_for(&call, &event_id, &brand).await?;
        let mut result = CommandResult {
            status,
            event_id: Some(event_id),
            position: None,
        };
        if let Command::FindVehicle {
            observer: Some(observer),
        } = command
        {
            result.position = self.found(&call, &result, *observer, &brand).await?;
        }
        if command.changes_state() {
            tokio::time::sleep(SETTLES).await;
            *vehicle = self.vehicle(&profile).await?;
        }
        Ok(result)
    }

    async fn wait_for(
        &self,
        call: &Call,
        event_id: &str,
        brand: &Brand,
    ) -> Result<EventStatus, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            event_status: Option<EventStatus>,
            #[serde(default, deserialize_with = "lenient::maybe")]
            error_details: Option<ErrorDetails>,
        }
        let query = form::encode(&[("eventId", event_id)]);
        let path = format!("/eadrax-vrccs/v3/presentation/remote-commands/eventStatus?{query}");
        let mut last = EventStatus::Initiated;
        let mut waited = Duration::ZERO;
        while waited < POLL_FOR {
            tokio::time::sleep(POLL_EVERY).await;
            waited += POLL_EVERY;
            let ask = Ask::new("command status", Method::Post, path.clone(), brand.clone());
            let answer: Answer = match self.ask_json(&ask).await {
                Ok(answer) => answer,
                // One question that fails is no result; the next comes soon.
                Err(error @ (Error::NotSent { .. } | Error::MaybeSent { .. })) => {
                    tracing::debug!(%error, "no news about a command");
                    continue;
                }
                Err(error) => return Err(error),
            };
            match answer.event_status {
                Some(EventStatus::Error) => {
                    let message = answer.error_details.unwrap_or_default().words();
                    return Err(Error::CommandFailed {
                        call: call.clone(),
                        message,
                    });
                }
                Some(status) if status.is_final() => return Ok(status),
                Some(status) => last = status,
                None => {}
            }
        }
        Err(Error::CommandTimedOut {
            call: call.clone(),
            waited,
            last: last.to_string(),
        })
    }

    async fn found(
        &self,
        call: &Call,
        result: &CommandResult,
        observer: Position,
        brand: &Brand,
    ) -> Result<Option<Position>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            position_data: Option<Data>,
            #[serde(default, deserialize_with = "lenient::maybe")]
            error_details: Option<ErrorDetails>,
        }
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, deserialize_with = "lenient::maybe")]
            position: Option<Point>,
        }
        #[derive(Deserialize)]
        struct Point {
            latitude: f64,
            longitude: f64,
        }
        let event_id = result.event_id.as_deref().unwrap_or_default();
        let query = form::encode(&[("eventId", event_id)]);
        let path = format!("/eadrax-vrccs/v4/presentation/remote-commands/eventPosition?{query}");
        let mut ask = Ask::new("vehicle position", Method::Post, path, brand.clone());
        ask.headers
            .push(("latitude", format!("{:?}", observer.latitude)));
        ask.headers
            .push(("longitude", format!("{:?}", observer.longitude)));
        let answer: Answer = self.ask_json(&ask).await?;
        let point = answer.position_data.and_then(|data| data.position);
        match (point, answer.error_details) {
            (Some(point), _) => Ok(Position::new(point.latitude, point.longitude)),
            (None, Some(details)) => Err(Error::CommandFailed {
                call: call.clone(),
                message: details.words(),
            }),
            (None, None) => Ok(None),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetails {
    title: String,
    description: String,
}

impl ErrorDetails {
    fn words(self) -> String {
        match (self.title.is_empty(), self.description.is_empty()) {
            (true, true) => "no reason given".to_owned(),
            (false, false) => format!("{}: {}", self.title, self.description),
            _ => self.title + &self.description,
        }
    }
}

fn event_id(response: &Response) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        #[serde(default, deserialize_with = "lenient::text")]
        event_id: Option<String>,
    }
    let read: Result<Event, DecodeError> = model(&response.body);
    read.ok()?.event_id
}
