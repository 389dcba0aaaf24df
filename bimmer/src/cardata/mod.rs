//! BMW CarData, the official read-only API: a login by device code, REST calls
//! with a budget of 50 a day, and an MQTT stream of changes.
//!
//! [`Client`] is the way in. [`device_flow`] and [`stream`] are pure, for
//! programs that bring their own network; [`Telemetry`] merges what both ways
//! bring, and [`Overview`] reads the usual values from it.

pub mod descriptor;
pub mod device_flow;
pub mod soc;
pub mod stream;

mod account_state;
mod basic_data;
mod charging_history;
mod client;
mod containers;
mod error_id;
mod hosts;
mod id_token;
mod location_charging;
mod mappings;
mod motion;
mod odometer;
mod overview;
mod quota;
mod refresh;
mod session;
mod telematics;
mod telemetry;
mod tyres;
mod value;

pub use account_state::{AccountState, OwnContainer};
pub use basic_data::BasicData;
pub use charging_history::{
    ChargingBlock, ChargingCost, ChargingHistory, ChargingLocation, ChargingPoint, ChargingSession,
};
pub use client::{Client, ClientBuilder};
pub use containers::{CONTAINER_NAME, Container, RECOMMENDED_KEYS, REDUCED_KEYS, signature};
pub use error_id::{Action, ErrorId};
pub use hosts::{ClientId, Hosts};
pub use id_token::IdClaims;
pub use location_charging::{ChargingWindow, LocationSettings};
pub use mappings::{Mapping, primary_vins, read_mappings};
pub use motion::MotionDetector;
pub use odometer::Odometer;
pub use overview::{ClimateActivity, IecStatus, Overview, Timed, legacy_status};
pub use quota::{Budget, DAILY_CALLS};
pub use refresh::{judge_refresh, refresh_request};
pub use telematics::{Datum, TelematicData};
pub use telemetry::{Entry, Source, Telemetry};
pub use tyres::{Tyre, TyreAttribute, TyreDiagnosis, TyreDimension, TyreSet};
pub use value::{Value, normal_unit};
