use serde_json::{Map, Value};

use super::bits::CodecError;
use super::charge::ChargeStatus;
use super::control::{ControlAnswer, ControlRequest};
use super::status::{Status, StatusRequest};
use crate::endpoint::{self, Endpoint, Method};
use crate::error::DecodeError;
use crate::vehicle::Command;
use crate::vin::Vin;

/// What an [`Endpoint`] asks for in this region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// A path of the JSON gateway with its query, VIN in clear. The answer is
    /// read as it comes.
    Gateway(String),
    /// The cars of the account.
    Vehicles,
    /// The state of the car.
    Status,
    /// Charging, as `/vehicle/charging/status` has it.
    ChargingStatus,
    /// Charging, as `/vehicle/charging/mgmtData` has it.
    ChargingData,
    /// A command.
    Control(Command),
}

/// How a call to a car went (`result` of the dispatcher).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TapResult {
    /// 0: fine, or accepted.
    Done,
    /// 4 and 6: ask again.
    Pending,
    /// 2: the session is not accepted.
    SessionLost,
    /// 5 of a charging call: not for this account, because the car is shared.
    NotAvailable,
    /// A number without a known meaning.
    Other(u16),
}

impl From<u16> for TapResult {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Done,
            2 => Self::SessionLost,
            4 | 6 => Self::Pending,
            5 => Self::NotAvailable,
            other => Self::Other(other),
        }
    }
}

/// Of the answer to a command.
const UNDER_WAY: u8 = 1;
const DONE: u8 = 2;

/// What the answer of a car says.
pub(crate) enum Heard {
    /// JSON text as the other regions have it.
    Data(String),
    Pending,
    /// The command has failed, in words.
    Failed(String),
}

/// The two parts of a call to a car that differ by what is asked.
pub(crate) struct CarCall {
    pub(crate) application: &'static str,
    pub(crate) message_id: u8,
    pub(crate) data: Vec<u8>,
}

impl Asked {
    /// What is sent to the car, `None` for the gateway.
    pub(crate) fn car_call(&self) -> Result<Option<CarCall>, CodecError> {
        let (application, message_id, data) = match self {
            Self::Gateway(_) | Self::Vehicles => return Ok(None),
            Self::Status => ("511", 1, StatusRequest { kind: 2 }.to_bytes()?),
            Self::ChargingStatus | Self::ChargingData => ("511", 8, Vec::new()),
            Self::Control(command) => ("510", 1, ControlRequest::of(command)?.to_bytes()?),
        };
        Ok(Some(CarCall {
            application,
            message_id,
            data,
        }))
    }

    /// Reads the application data of an answer.
    pub(crate) fn hear(&self, data: &[u8]) -> Result<Heard, CodecError> {
        Ok(Heard::Data(match self {
            Self::Status => Status::from_bytes(data)?.to_json(),
            Self::ChargingStatus => ChargeStatus::from_bytes(data)?.to_status_json(),
            Self::ChargingData => ChargeStatus::from_bytes(data)?.to_data_json(),
            Self::Control(_) => {
                let answer = ControlAnswer::from_bytes(data)?;
                match answer.status.first() {
                    Some(&UNDER_WAY) => return Ok(Heard::Pending),
                    Some(&DONE) => answer.to_json(),
                    status => {
                        let number = |byte: Option<&u8>| {
                            byte.map_or_else(|| "unknown".to_owned(), u8::to_string)
                        };
                        return Ok(Heard::Failed(format!(
                            "the car reports status {}, failure {}",
                            number(status),
                            number(answer.failure.as_ref()),
                        )));
                    }
                }
            }
            Self::Gateway(_) | Self::Vehicles => return Err(CodecError::NoFrame),
        }))
    }
}

/// Names under which the gateway is known to give a list.
const LISTS: [&str; 5] = ["vinList", "list", "vehicleList", "vehicles", "result"];
/// Names under which it is known to give a VIN.
const VINS: [&str; 4] = ["vin", "VIN", "vinNo", "vehicleVin"];

/// The cars in an answer of the gateway, as `/vehicle/list` of the other regions
/// has them. `None` if there is no list.
pub(crate) fn vehicle_list(text: &str) -> Option<String> {
    let cars = match serde_json::from_str(text).ok()? {
        Value::Array(cars) => cars,
        Value::Object(mut object) => {
            let found = LISTS.iter().find_map(|name| object.remove(*name));
            match found? {
                Value::Array(cars) => cars,
                _ => return None,
            }
        }
        _ => return None,
    };
    let cars = cars.into_iter().filter_map(|car| match car {
        Value::Object(car) => Some(Value::Object(with_vin(car))),
        _ => None,
    });
    let list = Value::Array(cars.collect());
    Some(Value::Object(Map::from_iter([("vinList".to_owned(), list)])).to_string())
}

fn with_vin(mut car: Map<String, Value>) -> Map<String, Value> {
    if let Some(vin) = VINS.iter().find_map(|name| car.remove(*name)) {
        car.insert("vin".to_owned(), vin);
    }
    car
}

/// What a [`ReadFact`] reads about a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fact {
    /// What it can do (`/vehicle/feature/list`).
    Features,
    /// What is paid for (`/vehicle/service/subscription`).
    Subscription,
    /// Carbon dioxide saved (`/navi/vehicle/co2info`).
    Co2,
    /// More about that (`/navi/vehicle/co2info/supplementInfo`).
    Co2Supplement,
}

/// A call to the JSON gateway whose answer nobody has described: it comes back
/// as JSON text, `None` if there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFact {
    /// The car.
    pub vin: Vin,
    /// What about it.
    pub fact: Fact,
}

impl Endpoint for ReadFact {
    type Answer = Option<String>;

    fn name(&self) -> &'static str {
        match self.fact {
            Fact::Features => "features",
            Fact::Subscription => "subscription",
            Fact::Co2 | Fact::Co2Supplement => "CO2 figures",
        }
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        let path = match self.fact {
            Fact::Features => "/vehicle/feature/list",
            Fact::Subscription => "/vehicle/service/subscription",
            Fact::Co2 => "/navi/vehicle/co2info",
            Fact::Co2Supplement => "/navi/vehicle/co2info/supplementInfo",
        };
        endpoint::with_vin(path, &self.vin)
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn india(&self) -> Option<Asked> {
        let path = self.path().replace(&self.vin.hash(), self.vin.as_str());
        Some(Asked::Gateway(path))
    }

    fn read(&self, data: Option<&str>) -> Result<Option<String>, DecodeError> {
        Ok(data.map(str::to_owned))
    }
}
