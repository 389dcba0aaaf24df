//! Logs in to the app API and shows the vehicles, where BMW still lets one in.
//!
//! `BIMMER_PASSWORD=… cargo run -p bimmer --example mybmw_status -- USER CAPTCHA_TOKEN`
//!
//! The session is kept in `mybmw-token.json`; later runs need no captcha.

use bimmer::mybmw::{Client, Region};
use bimmer::{Error, FileTokenStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let user = arguments.next().unwrap_or_default();
    let password = std::env::var("BIMMER_PASSWORD").unwrap_or_default();
    let mut builder = Client::builder(Region::RestOfWorld)
        .credentials(user, password)
        .token_store(FileTokenStore::new("mybmw-token.json"));
    if let Some(captcha) = arguments.next() {
        builder = builder.captcha_token(captcha);
    }
    let client = builder.build()?;
    let profiles = client.profiles().await?;
    for (vin, car) in client.vehicles(&profiles).await? {
        let car = car?;
        println!(
            "{vin} {} {}",
            car.profile.brand(),
            car.profile.model.as_deref().unwrap_or("?")
        );
        println!(
            "  {:?} % {:?} {:?}",
            car.soc_percent(),
            car.ranges(),
            car.charging_status()
        );
    }
    Ok(())
}
