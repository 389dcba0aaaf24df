//! Dumps the registers of a station that no map knows yet: what it has between
//! two numbers. What holds a password or the name of your network is left out.
//!
//! `cargo run -p bluetti-modbus --example probe_registers -- FROM TO [NAME]`

use std::error::Error;
use std::time::Duration;

use bluetti_modbus::Client;
use bluetti_modbus::ble::{BleTransport, Wanted, find};
use bluetti_modbus::model::private_registers;
use bluetti_modbus::register::Block;
use btleplug::api::{Central as _, Manager as _, Peripheral as _};
use btleplug::platform::Manager;
use futures_util::StreamExt;

/// Registers that are asked for at once at first.
const STEP: u16 = 50;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, name @ ..] = arguments.as_slice() else {
        return Err("usage: probe_registers FROM TO [NAME]".into());
    };
    let (from, to): (u16, u16) = (from.parse()?, to.parse()?);
    let wanted = name.first().cloned().map_or(Wanted::Any, Wanted::Name);

    let manager = Manager::new().await?;
    let adapters = manager.adapters().await?;
    let adapter = adapters.first().ok_or("no Bluetooth adapter")?;
    let mut events = adapter.events().await?;
    tokio::spawn(async move { while events.next().await.is_some() {} });
    let limit = Duration::from_secs(15);
    let peripheral = find(adapter, &wanted, limit).await?.ok_or("not found")?;
    peripheral.connect().await?;
    let client = Client::new(BleTransport::new(peripheral.clone()).await?);
    let outcome = probe(client, from, to).await;
    peripheral.disconnect().await?;
    Ok(outcome?)
}

async fn probe(
    mut client: Client<BleTransport>,
    from: u16,
    to: u16,
) -> Result<(), bluetti_modbus::Error> {
    let identity = client.identify().await?;
    println!("{identity:#?}");
    for start in (from..=to).step_by(usize::from(STEP)) {
        let count = (to - start).saturating_add(1).min(STEP);
        let mut registers = client.read_blocks(&[Block::new(start, count)]).await?;
        for private in private_registers(identity.model.generation()) {
            registers.remove(private.start, private.count);
        }
        for (start, words) in registers.runs() {
            println!("{start:5}: {words:04x?}");
        }
    }
    Ok(())
}
