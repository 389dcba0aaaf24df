//! The client on a simulated cloud: no account and no network needed.
//!
//! `cargo run -p saic-ismart --example simulated_cloud --features simulator`

use std::error::Error;
use std::time::Duration;

use saic_ismart::simulator::{Cloud, CloudConfig, InProcess};
use saic_ismart::{Client, Credentials, PollTiming, Region};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config = CloudConfig {
        // Ten minutes of the car in a second of ours.
        pace: 600.0,
        ..CloudConfig::default()
    };
    let cloud = InProcess::new(Cloud::new(config, 1));
    let demo = Credentials::email("demo@example.com", "demo-password");
    let client = Client::builder(Region::Europe, demo)
        .transport(cloud)
        .poll_timing(PollTiming {
            first: Duration::from_millis(500),
            ..PollTiming::default()
        })
        .build()?;

    let info = client.vehicles().await?.remove(0);
    let car = client.vehicle(&info).ok_or("a car without VIN")?;
    for _ in 0..5 {
        let status = match car.status().await {
            Ok(status) => status,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        let charging = car.charging().await?;
        println!(
            "{:?} {:.1} % {:.1} kW {:?} km, {:?} km/h",
            charging.management.state,
            car.profile()
                .soc_percent(&status.basic, Some(&charging))
                .unwrap_or_default(),
            charging.management.pack_power_w().unwrap_or_default() / 1000.0,
            status.basic.odometer_km(),
            status.speed_kmh(),
        );
    }
    Ok(())
}
