//! The gateway.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod broker;
pub mod config;
pub mod derive;
pub mod event;
pub mod filter;
pub mod hub;
pub mod journal;
pub mod metric;
pub mod sink;
pub mod supervisor;
pub mod value;
