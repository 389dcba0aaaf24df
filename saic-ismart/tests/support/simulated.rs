//! A client on a simulated cloud, both on tokio's clock.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::time::Duration;

use saic_ismart::simulator::{Activity, Cloud, CloudConfig, InProcess, Phase};
use saic_ismart::{Client, ClientBuilder, Credentials, Region, Vehicle};

/// 2026-11-20 08:00 UTC.
pub(crate) const EPOCH_MS: u64 = 1_795_161_600_000;

pub(crate) fn demo() -> Credentials {
    Credentials::email("demo@example.com", "demo-password")
}

pub(crate) fn cloud(config: CloudConfig) -> InProcess {
    InProcess::starting_at(Cloud::new(config, 7), EPOCH_MS)
}

/// A cloud whose only car does one thing all the time.
pub(crate) fn cloud_with(activity: Activity) -> InProcess {
    let mut config = CloudConfig::default();
    config.cars[0].plan = vec![Phase {
        activity,
        minutes: 1e6,
    }];
    cloud(config)
}

pub(crate) fn client_as(credentials: Credentials, cloud: &InProcess) -> ClientBuilder {
    let clock = cloud.clone();
    Client::builder(Region::Europe, credentials)
        .transport(cloud.clone())
        .clock(move || i64::try_from(clock.now_ms()).unwrap())
}

pub(crate) fn client(cloud: &InProcess) -> Client {
    client_as(demo(), cloud).build().unwrap()
}

/// The only car of the account. All that a test does must go through one
/// client: a second one would end the session of the first.
pub(crate) async fn only_car_of(client: &Client) -> Vehicle {
    let list = client.vehicles().await.unwrap();
    assert_eq!(list.len(), 1);
    client.vehicle(&list[0]).unwrap()
}

pub(crate) async fn only_car(cloud: &InProcess) -> Vehicle {
    only_car_of(&client(cloud)).await
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}
