//! The gateway.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod config;
pub mod database;
pub mod derive;
pub mod event;
pub mod filter;
pub mod hub;
pub mod journal;
pub mod metric;
pub mod schedule;
pub mod store;
pub mod supervisor;
pub mod value;
