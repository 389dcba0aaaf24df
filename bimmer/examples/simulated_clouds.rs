//! The CarData client on a simulated account: no network needed.
//!
//! `cargo run -p bimmer --example simulated_clouds --features simulator`

use std::sync::Mutex;

use bimmer::cardata::{Client, ClientId, Overview, RECOMMENDED_KEYS, Telemetry};
use bimmer::http::{Request, Sending, Transport};
use bimmer::simulator::{Car, CarDataCloud};
use bimmer::{Error, Vin};
use chrono::Utc;

const CLIENT_ID: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// A cloud reached through memory, whose user confirms at once.
struct InMemory(Mutex<CarDataCloud>);

impl Transport for InMemory {
    fn send(&self, request: Request) -> Sending<'_> {
        let mut cloud = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let response = cloud.handle(&request, Utc::now());
        let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
        if let Some(code) = answer["user_code"].as_str() {
            cloud.confirm(code);
        }
        Box::pin(async move { Ok(response) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let Some(vin) = Vin::new("WBA11AA0001234501") else {
        return Ok(());
    };
    let cloud = CarDataCloud::new(CLIENT_ID, vec![Car::new(vin.clone(), "BMW_I", "i4")], 1);
    let client = Client::builder(ClientId::new(CLIENT_ID)?)
        .transport(InMemory(Mutex::new(cloud)))
        .build()?;
    println!("logging in, which takes the five seconds that BMW wants between questions");
    client
        .login(|code| println!("code {}", code.user_code))
        .await?;
    let mut car = Telemetry::new();
    car.apply_rest(
        &client.telematic_data(&vin, RECOMMENDED_KEYS).await?,
        Utc::now(),
    );
    println!("{:#?}", Overview::of(&car, Utc::now()));
    Ok(())
}
