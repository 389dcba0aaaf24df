#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod account;
pub mod charging;
pub mod endpoint;
pub mod envelope;
pub mod http;
#[cfg(feature = "india")]
#[cfg_attr(docsrs, doc(cfg(feature = "india")))]
pub mod india;
pub mod message;
pub mod plausibility;
pub mod token;
pub mod vehicle;

mod answer;
mod client;
mod error;
mod hex;
mod login;
mod poll;
mod profile;
mod region;
mod scale;
mod session;
mod vin;
mod wire;

#[cfg(feature = "simulator")]
pub mod simulator;

pub use charging::{
    ChargeCommand, ChargeManagement, ChargeSchedule, ChargeSettings, ChargingData, ChargingState,
    CurrentLimit, RvsChargeStatus, ScheduleMode, TargetSoc,
};
pub use client::{Client, ClientBuilder, Vehicle};
pub use error::{Call, DecodeError, Error, LoginError, Rejection, TransportError};
pub use login::Credentials;
pub use message::{Message, MessageGroup, MessageId};
pub use poll::PollTiming;
pub use profile::{ClimateActivity, Drive, Profile, SeatHeating};
pub use region::Region;
pub use session::Relogin;
pub use token::{FileTokenStore, MemoryTokenStore, Token, TokenStore};
pub use vehicle::{BasicStatus, Climate, ClimateStatus, Command, VehicleInfo, VehicleStatus};
pub use vin::Vin;
pub use wire::Exchange;
