//! Prints what the stream of an account brings, until interrupted. Log in with
//! the example `cardata_login` first.
//!
//! `cargo run -p bimmer --features stream --example cardata_stream -- CLIENT_ID`

use bimmer::cardata::stream::{StreamEvent, StreamOptions};
use bimmer::cardata::{Client, ClientId};
use bimmer::{Error, FileTokenStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let id = std::env::args().nth(1).unwrap_or_default();
    let client = Client::builder(ClientId::new(&id)?)
        .token_store(FileTokenStore::new("cardata-token.json"))
        .build()?;
    let mut stream = client.stream(StreamOptions::default())?;
    loop {
        match stream.next().await? {
            StreamEvent::Message { message, .. } => {
                for (key, datum) in &message.data {
                    println!(
                        "{} {key} = {:?} at {:?}",
                        message.vin,
                        datum.typed(key),
                        datum.timestamp
                    );
                }
            }
            event => println!("{event:?}"),
        }
    }
}
