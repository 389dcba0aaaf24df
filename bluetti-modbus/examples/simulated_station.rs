//! The client on a simulated station that encrypts: no radio needed.
//!
//! `cargo run -p bluetti-modbus --example simulated_station --features simulator [-- MODEL]`

use std::io;
use std::time::Duration;

use bluetti_modbus::model::{Model, Station as Values};
use bluetti_modbus::register::Group;
use bluetti_modbus::session::Config;
use bluetti_modbus::simulator::{Output, Station, StationConfig};
use bluetti_modbus::{Client, Transport};
use tokio::time::{Instant, sleep_until};

/// A station reached through memory.
struct SimulatedLink {
    station: Station,
    started: Instant,
}

impl SimulatedLink {
    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

impl Transport for SimulatedLink {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let now_ms = self.now_ms();
        self.station.write(bytes, now_ms);
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let now_ms = self.now_ms();
            match (self.station.poll(now_ms), self.station.next_at()) {
                (Some(Output::Notify(chunk)), _) => return Ok(chunk),
                (Some(Output::LinkLost), _) => return Err(io::ErrorKind::ConnectionReset.into()),
                (None, Some(at_ms)) => {
                    sleep_until(self.started + Duration::from_millis(at_ms)).await;
                }
                (None, None) => std::future::pending().await,
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or("AC300".into());
    let model = Model::from_name(&name).ok_or("no such model")?;
    let config = StationConfig::of_model(model, 2_236_000_123_456);
    let mut station = Station::new(config.living(model).encrypted(), 1);
    station.connect(0);
    let config = Config {
        verify_key: station.verify_key(),
        ..Config::default()
    };
    let started = Instant::now();
    let mut client = Client::with_config(SimulatedLink { station, started }, config);

    let identity = client.identify().await?;
    println!("{identity:?}, {:?}", client.security());
    for _ in 0..5 {
        let registers = client.read(&[Group::Live]).await?;
        let values = Values::new(identity.model, &registers);
        println!(
            "{:?} %, sun {:?} W, AC out {:?} W, DC out {:?} W",
            values.soc_percent(),
            values.dc_input_power_w(),
            values.ac_output_power_w(),
            values.dc_output_power_w(),
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
