//! Logs in to CarData and shows what it knows about the vehicles.
//!
//! `cargo run -p bimmer --example cardata_login -- CLIENT_ID`
//!
//! The session is kept in `cardata-token.json` and the used quota in
//! `cardata-state.json`, both in the present directory.

use bimmer::cardata::{Client, ClientId, Overview, RECOMMENDED_KEYS, Telemetry, primary_vins};
use bimmer::{Error, FileTokenStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let id = std::env::args().nth(1).unwrap_or_default();
    let client = Client::builder(ClientId::new(&id)?)
        .token_store(FileTokenStore::new("cardata-token.json"))
        .state_file("cardata-state.json")
        .build()?;
    if client.token().await.is_err_and(|error| error.needs_login()) {
        client
            .login(|code| {
                println!("open {}", code.verification_url_complete);
                println!("and confirm the code {}", code.user_code);
            })
            .await?;
    }
    for vin in primary_vins(&client.mappings().await?) {
        let mut car = Telemetry::new();
        let now = chrono::Utc::now();
        car.apply_rest(&client.telematic_data(&vin, RECOMMENDED_KEYS).await?, now);
        println!("{vin}: {:#?}", Overview::of(&car, now));
        for (key, entry) in car.iter() {
            println!(
                "{key} = {:?} {:?}, {} old",
                entry.value,
                entry.unit,
                entry.age(now)
            );
        }
    }
    println!("{} calls left today", client.remaining_calls().await?);
    Ok(())
}
