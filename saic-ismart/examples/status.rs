//! Lists the cars of an account with what the cloud knows about them. Wakes no car.
//!
//! `SAIC_USER=… SAIC_PASSWORD=… cargo run -p saic-ismart --example status [REGION [FILE]]`
//!
//! REGION is `eu` unless given, or a URL. With FILE the session is kept there, so
//! that the next run does not log the phone out.

use std::env;
use std::error::Error;

use saic_ismart::{Client, Credentials, FileTokenStore, Profile, Region};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let region = arguments.next().unwrap_or_else(|| "eu".to_owned());
    let region = match Region::by_code(&region) {
        Some(region) => region,
        None if region.contains("://") => Region::at(region),
        None => return Err(format!("no region {region:?}").into()),
    };
    let credentials = Credentials::email(env::var("SAIC_USER")?, env::var("SAIC_PASSWORD")?);
    let mut builder = Client::builder(region, credentials);
    if let Some(file) = arguments.next() {
        builder = builder.token_store(FileTokenStore::new(file));
    }
    let client = builder.build()?;

    for info in client.vehicles().await? {
        let profile = Profile::of(&info);
        println!(
            "{} {} ({:?}, {:?} kWh)",
            info.brand.as_deref().unwrap_or("?"),
            info.model.as_deref().unwrap_or("?"),
            profile.drive,
            profile.battery_kwh,
        );
        let Some(car) = client.vehicle(&info) else {
            continue;
        };
        let status = car.cached_status().await?;
        println!("  reported       {:?}", status.status_at);
        println!("  charge         {:?} %", status.basic.soc_percent);
        println!("  electric range {:?} km", status.basic.electric_range_km());
        println!("  odometer       {:?} km", status.basic.odometer_km());
        println!("  locked         {:?}", status.basic.locked);
    }
    Ok(())
}
