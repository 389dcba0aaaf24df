//! Source: BMW and MINI cars, by MyBMW or by CarData.

use std::time::Duration;

use bimmer::Error;
use futures_util::future::BoxFuture;

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

/// Between two attempts to store a login.
const STORE_AGAIN: Duration = Duration::from_secs(10);

/// How long the end of the program waits for a login that is under way.
const AT_THE_END: Duration = Duration::from_secs(10);

/// Keeps a login from being lost with the client that has just renewed it:
/// BMW takes the one before no more.
async fn settled(task: &Task, settle: impl Fn() -> BoxFuture<'static, Result<(), Error>>) {
    let mut told = false;
    while !task.shutdown.is_cancelled() {
        let Err(error) = settle().await else { return };
        if !told {
            tracing::warn!(component = %task.name, "{error}; trying until it is stored");
            told = true;
        }
        tokio::select! {
            () = tokio::time::sleep(STORE_AGAIN) => {}
            () = task.shutdown.cancelled() => {}
        }
    }
    if let Ok(Err(error)) = tokio::time::timeout(AT_THE_END, settle()).await {
        tracing::error!(component = %task.name, "{error}: a new login will be needed");
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
