//! The gateway.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod cli;
pub mod command;
pub mod config;
pub mod derive;
pub mod event;
pub mod exit;
pub mod filter;
pub mod hub;
pub mod journal;
pub mod log;
pub mod metric;
pub mod state_dir;
pub mod supervisor;
pub mod value;
