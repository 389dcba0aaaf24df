//! Lists the cars of an Indian account with their state and charge. Asks the cars
//! themselves, which wakes them up.
//!
//! `MG_PHONE=… MG_PASSWORD=… cargo run -p saic-ismart --example india_status --features india [FILE]`
//!
//! MG_PHONE is the number without country code. With FILE the session is kept
//! there, so that the next run does not log the phone out.

use std::env;
use std::error::Error;

use saic_ismart::{Client, Credentials, FileTokenStore, Region};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::phone("91", &env::var("MG_PHONE")?, env::var("MG_PASSWORD")?);
    let mut builder = Client::builder(Region::India, credentials);
    if let Some(file) = env::args().nth(1) {
        builder = builder.token_store(FileTokenStore::new(file));
    }
    let client = builder.build()?;

    for info in client.vehicles().await? {
        println!("{}", info.model.as_deref().unwrap_or("?"));
        let Some(car) = client.vehicle(&info) else {
            continue;
        };
        let status = car.status().await?;
        println!("  odometer {:?} km", status.basic.odometer_km());
        println!("  locked   {:?}", status.basic.locked);
        match car.charging().await {
            Ok(charging) => {
                println!("  charge   {:?} %", charging.management.soc_percent());
                println!("  state    {:?}", charging.management.state);
                println!("  range    {:?} km", charging.rvs.electric_range_km());
            }
            // A car that is shared with this account.
            Err(error) => println!("  {error}"),
        }
    }
    Ok(())
}
