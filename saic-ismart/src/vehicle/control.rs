use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::climate::Climate;
use super::position::Position;
use super::seats::Seats;
use super::status::{BasicStatus, VehicleStatus};
use super::windows::Windows;
use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vin::Vin;

/// Ends the parameters of most commands.
const END: u16 = 255;

/// What can be done to a car from afar (`/vehicle/control`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Sound and light, to find the car. Needs a locked car with the ignition off.
    Find {
        /// Sound the horn.
        horn: bool,
        /// Flash the lights.
        lights: bool,
    },
    /// Ends [`Find`](Self::Find).
    StopFinding,
    /// Locks the doors.
    Lock,
    /// Unlocks the doors.
    Unlock,
    /// Unlocks the tailgate. There is no command that closes it.
    OpenTailgate,
    /// Windows and sunroof.
    Windows(Windows),
    /// Seat heating.
    Seats(Seats),
    /// Climate and front defroster.
    Climate(Climate),
    /// Cleans the air. Told by one source.
    CleanAir,
    /// Steering wheel heating.
    SteeringWheelHeating {
        /// On or off.
        on: bool,
    },
    /// Rear screen heater.
    RearWindowHeating {
        /// On or off.
        on: bool,
    },
}

/// One parameter of a command: its number and its byte.
pub type Param = (u16, u8);

impl Command {
    /// The vendor's number of the kind of command (`rvcReqType`).
    #[must_use]
    pub const fn request_type(&self) -> u16 {
        match self {
            Self::Find { .. } | Self::StopFinding => 0,
            Self::Lock => 1,
            Self::Unlock | Self::OpenTailgate => 2,
            Self::Windows(_) => 3,
            Self::Seats(_) => 5,
            Self::Climate(_) => 6,
            Self::CleanAir => 7,
            Self::SteeringWheelHeating { .. } => 8,
            Self::RearWindowHeating { .. } => 32,
        }
    }

    /// The parameters, without what ends them.
    #[must_use]
    pub fn params(&self) -> Vec<Param> {
        match *self {
            Self::Find { horn, lights } => vec![(1, 1), (2, horn.into()), (3, lights.into())],
            Self::StopFinding => vec![(1, 0), (2, 0), (3, 0)],
            Self::Lock | Self::CleanAir => Vec::new(),
            Self::Unlock => unlock(3),
            Self::OpenTailgate => unlock(2),
            Self::Windows(windows) => windows.params(),
            Self::Seats(seats) => seats.params(),
            Self::Climate(climate) => climate.params(),
            Self::SteeringWheelHeating { on } => vec![(24, on.into())],
            Self::RearWindowHeating { on } => vec![(23, on.into())],
        }
    }

    /// Whether parameter 255 ends the list, as the app does it.
    pub(crate) const fn has_end(&self) -> bool {
        match self {
            Self::Windows(_) | Self::SteeringWheelHeating { .. } => false,
            Self::Seats(seats) => seats.is_front_pair(),
            _ => true,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Find { .. } => "find my car",
            Self::StopFinding => "stop finding",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::OpenTailgate => "open the tailgate",
            Self::Windows(_) => "windows",
            Self::Seats(_) => "seat heating",
            Self::Climate(_) => "climate",
            Self::CleanAir => "clean air",
            Self::SteeringWheelHeating { .. } => "steering wheel heating",
            Self::RearWindowHeating { .. } => "rear window heating",
        }
    }
}

fn unlock(what: u8) -> Vec<Param> {
    vec![(4, 0), (5, 0), (6, 0), (7, what)]
}

/// `POST /vehicle/control`.
#[derive(Debug, Clone)]
pub struct Control {
    /// The car.
    pub vin: Vin,
    /// What it shall do.
    pub command: Command,
}

impl Endpoint for Control {
    type Answer = ControlAnswer;

    fn name(&self) -> &'static str {
        self.command.name()
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/vehicle/control".to_owned()
    }

    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        Some(crate::india::Asked::Control(self.command))
    }

    fn body(&self) -> String {
        let mut params: Vec<_> = self.command.params();
        let params = if params.is_empty() {
            serde_json::Value::Null
        } else {
            let mut list: Vec<_> = params
                .drain(..)
                .map(|(id, byte)| param(id, &[byte]))
                .collect();
            if self.command.has_end() {
                list.push(param(END, &[0; 4]));
            }
            list.into()
        };
        serde_json::json!({
            "rvcParams": params,
            "rvcReqType": self.command.request_type().to_string(),
            "vin": self.vin.hash(),
        })
        .to_string()
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, data: Option<&str>) -> Result<ControlAnswer, DecodeError> {
        endpoint::optional(data)
    }
}

fn param(id: u16, bytes: &[u8]) -> serde_json::Value {
    serde_json::json!({ "paramId": id, "paramValue": BASE64.encode(bytes) })
}

/// A small number that comes as base64 of its bytes or as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusBytes(Vec<u8>);

impl StatusBytes {
    /// The bytes, most significant first, without leading zeros if it came as a number.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for StatusBytes {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(json)? {
            serde_json::Value::String(text) => BASE64.decode(text.trim()).unwrap_or_default(),
            serde_json::Value::Number(number) => {
                let bytes = number.as_u64().unwrap_or(0).to_be_bytes();
                bytes.into_iter().skip_while(|byte| *byte == 0).collect()
            }
            _ => Vec::new(),
        }))
    }
}

model! {
    /// What the car says to a command, with its state afterwards.
    ControlAnswer {
        /// 0 is fine (`failureType`).
        failure: i64 = "failureType" as "crate::scale::raw",
        /// When the car reported (`statusTime`), where it says so.
        status_at: DateTime<Utc> = "statusTime" as "crate::scale::epoch_s",
        ;
        /// The kind of command (`rvcReqType`).
        request_type: StatusBytes = "rvcReqType",
        /// How it went (`rvcReqSts`); 1 is seen with success.
        request_status: StatusBytes = "rvcReqSts",
        /// State of the car afterwards (`basicVehicleStatus`).
        basic: BasicStatus = "basicVehicleStatus",
        /// Where it is (`gpsPosition`).
        position: Position = "gpsPosition",
    }
}

from_json!(ControlAnswer);

impl ControlAnswer {
    /// The state of the car, to be used like a fresh status. `None` if the car
    /// reported none.
    #[must_use]
    pub fn status(&self) -> Option<VehicleStatus> {
        (self.basic != BasicStatus::default()).then(|| VehicleStatus {
            status_at: self.status_at,
            position: self.position.clone(),
            basic: self.basic.clone(),
            ..VehicleStatus::default()
        })
    }
}
