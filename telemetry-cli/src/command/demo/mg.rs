//! An MG in a cloud of its own: it charges, rests and drives, an hour of its
//! life in a minute.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use saic_ismart::simulator::CloudConfig;
use tokio_util::sync::CancellationToken;

use super::INTERVAL;
use crate::cloud::Server;
use crate::cloud::saic::{BASE_PATH, Saic as Cloud};
use crate::config::Saic;
use crate::exit::{Code, Failure};

/// Seconds of the car in one of ours.
const PACE: f64 = 60.0;

/// The same in each run.
const SEED: u64 = 1;

/// An hour is a minute here.
const LIVE_CALLS: u32 = 100_000;

/// Serves the cloud until `shutdown`; the account of its owner.
///
/// # Errors
/// If it cannot listen on this computer.
pub(super) async fn start(shutdown: CancellationToken) -> Result<Saic, Failure> {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let server = server.map_err(|error| {
        let message = format!("the demo's cloud cannot listen: {error}");
        Failure::new(Code::Backend, message)
    })?;
    let config = CloudConfig {
        pace: PACE,
        ..CloudConfig::default()
    };
    let mut account = Saic::new(config.user.clone(), config.password.clone().into());
    account.base_url = Some(format!("http://{}{BASE_PATH}/", server.local_addr()));
    account.interval = INTERVAL;
    account.driving_interval = INTERVAL;
    account.charging_interval = INTERVAL;
    account.live_calls_per_day = LIVE_CALLS;
    account.relogin_delay = Duration::ZERO;
    // They harm nobody.
    account.allow.lock = true;
    account.allow.windows = true;
    let cloud = Arc::new(Mutex::new(Cloud::new(config, SEED)));
    tokio::spawn(server.run(cloud, shutdown));
    Ok(account)
}
