#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod advertisement;
pub mod assembler;
pub mod frame;
pub mod login;
pub mod parameters;
pub mod session;

mod answer;
mod balancing;
mod basic_info;
mod bytes;
mod cell_voltages;
mod command;
mod error;
mod error_counts;
mod hardware;
mod mosfets;
mod production_date;
mod protection;

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod transport;

#[cfg(feature = "ble")]
pub mod ble;
#[cfg(feature = "simulator")]
pub mod simulator;

pub use advertisement::MacAddress;
pub use answer::Answer;
pub use balancing::Balancing;
pub use basic_info::{BasicInfo, BasicInfoView, SoftwareVersion, UnitScale};
pub use cell_voltages::CellVoltages;
pub use command::{BalanceTest, Command, Function, Heating, MosfetSide};
#[cfg(feature = "client")]
pub use error::Error;
pub use error::{DecodeError, FrameError, Status};
pub use error_counts::ErrorCounts;
pub use hardware::{ChipType, hardware_name};
pub use login::Password;
pub use mosfets::Mosfets;
pub use production_date::{NotADate, ProductionDate};
pub use protection::{Alarm, Alarms, Protection, Protections};

#[cfg(feature = "client")]
pub use client::{Client, WriteOptions};
#[cfg(feature = "client")]
pub use transport::Transport;
