//! Reads one pack over Bluetooth LE.
//!
//! `cargo run -p jbd-bms --example read_pack [-- NAME [PASSWORD]]`

use std::error::Error;
use std::time::Duration;

use btleplug::api::{Central as _, Manager as _, Peripheral as _};
use btleplug::platform::Manager;
use futures_util::StreamExt;
use jbd_bms::Client;
use jbd_bms::ble::{BleTransport, Wanted, find};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().map_or(Wanted::Any, Wanted::Name);
    let password = arguments.next();

    let manager = Manager::new().await?;
    let adapters = manager.adapters().await?;
    let adapter = adapters.first().ok_or("no Bluetooth adapter")?;
    // One stream of all events, opened first and read for ever: without it,
    // notifications of a second device stop on Linux.
    let mut events = adapter.events().await?;
    tokio::spawn(async move { while events.next().await.is_some() {} });

    let limit = Duration::from_secs(15);
    let Some(peripheral) = find(adapter, &wanted, limit).await? else {
        return Err("not found: out of reach, asleep, or connected to a phone".into());
    };
    peripheral
        .connect_with_timeout(Duration::from_secs(20))
        .await?;
    let outcome = read(BleTransport::new(peripheral.clone()).await?, password).await;
    peripheral.disconnect().await?;
    Ok(outcome?)
}

async fn read(transport: BleTransport, password: Option<String>) -> Result<(), jbd_bms::Error> {
    let address = transport.address().await;
    let mut client = Client::new(transport);
    if let Some(password) = password {
        client = client.with_password(password);
    }
    if let Some(address) = address {
        client = client.with_address(address);
    }
    let info = client.basic_info().await?;
    let cells = client.cell_voltages().await?;
    let name = client.hardware_name().await?;
    println!("{}", name.as_deref().unwrap_or("unnamed"));
    println!("{info:#?}");
    println!("{cells:#?}");
    for protection in info.protection.iter() {
        println!("protection: {protection}");
    }
    Ok(())
}
