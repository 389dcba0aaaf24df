//! Reads one station over Bluetooth LE, and switches its AC output if told to.
//!
//! `cargo run -p bluetti-modbus --example read_station [-- NAME [on|off]]`

use std::error::Error;
use std::time::Duration;

use bluetti_modbus::Client;
use bluetti_modbus::ble::{BleTransport, Wanted, find};
use bluetti_modbus::register::{ControlId, Group, ReadLimit, Setting};
use btleplug::api::{Central as _, Manager as _, Peripheral as _};
use btleplug::platform::Manager;
use futures_util::StreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().map_or(Wanted::Any, Wanted::Name);
    let ac_output = arguments.next().map(|word| word == "on");

    let manager = Manager::new().await?;
    let adapters = manager.adapters().await?;
    let adapter = adapters.first().ok_or("no Bluetooth adapter")?;
    // One stream of all events, opened first and read for ever: without it,
    // notifications of a second device stop on Linux.
    let mut events = adapter.events().await?;
    tokio::spawn(async move { while events.next().await.is_some() {} });

    let limit = Duration::from_secs(15);
    let Some(peripheral) = find(adapter, &wanted, limit).await? else {
        return Err("not found: out of reach, switched off, or connected to a phone".into());
    };
    peripheral
        .connect_with_timeout(Duration::from_secs(20))
        .await?;
    let outcome = read(BleTransport::new(peripheral.clone()).await?, ac_output).await;
    peripheral.disconnect().await?;
    Ok(outcome?)
}

async fn read(
    transport: BleTransport,
    ac_output: Option<bool>,
) -> Result<(), bluetti_modbus::Error> {
    let mtu = transport.mtu();
    let mut client = Client::new(transport).with_read_limit(ReadLimit::for_mtu(mtu, true));
    let identity = client.identify().await?;
    println!("{identity:#?}, {:?}", client.security());
    if let Some(on) = ac_output {
        client
            .set(ControlId::AcOutput, &Setting::Switch(on))
            .await?;
    }
    let registers = client.read(Group::PUBLIC).await?;
    for (field, value) in identity.model.decode(&registers) {
        println!("{}: {value} {}", field.name(), field.unit().symbol());
    }
    println!("{:?}", client.counters());
    Ok(())
}
