//! Source: BMW and MINI cars, by MyBMW or by CarData.

use crate::config::{Bmw, BmwApi};
use crate::source::Context;
use crate::supervisor::{Exit, Task};

pub use error::BmwError;

pub mod account;
mod cardata;
mod device;
pub mod diagnosis;
mod error;
mod kept;
pub mod kubernetes;
mod mybmw;
pub mod notice;
pub mod schedule;
pub mod tokens;
pub mod values;

#[cfg(test)]
pub mod vectors;

/// Reads the cars of one account until it is told to stop, or cannot go on.
pub async fn run(config: Bmw, context: Context, task: Task) -> Exit {
    match config.api {
        BmwApi::MyBmw => mybmw::run(config, context, task).await,
        BmwApi::CarData => cardata::run(config, context, task).await,
    }
}

/// Reads the cars of one account once. From what is known already where a
/// call costs quota, unless `spend_quota`.
///
/// # Errors
/// Whatever kept them from being read.
pub async fn once(config: Bmw, context: Context, spend_quota: bool) -> Result<(), BmwError> {
    match config.api {
        BmwApi::MyBmw => mybmw::once(config, context, spend_quota).await,
        BmwApi::CarData => cardata::once(config, context, spend_quota).await,
    }
}
