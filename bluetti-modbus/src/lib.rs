#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod advertisement;
pub mod assembler;
pub mod encryption;
pub mod modbus;
pub mod model;
pub mod refusal;
pub mod register;
pub mod session;

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "client")]
mod transport;

#[cfg(feature = "ble")]
pub mod ble;
#[cfg(feature = "simulator")]
pub mod simulator;
#[cfg(feature = "tcp")]
pub mod tcp;

#[cfg(feature = "client")]
pub use client::{Client, Identity};
#[cfg(feature = "client")]
pub use error::Error;
#[cfg(feature = "client")]
pub use transport::Transport;
