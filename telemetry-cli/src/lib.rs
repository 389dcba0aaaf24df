//! The gateway.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod budget;
pub mod config;
pub mod database;
pub mod derive;
pub mod event;
pub mod filter;
pub mod gateway;
pub mod hub;
pub mod journal;
pub mod metric;
pub mod radio;
pub mod schedule;
pub mod sink;
pub mod source;
pub mod stats;
pub mod store;
pub mod supervisor;
pub mod value;
