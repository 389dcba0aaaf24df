//! The client on a simulated pack: no radio needed.
//!
//! `cargo run -p jbd-bms --example simulated_pack --features simulator`

use std::io;
use std::time::Duration;

use jbd_bms::simulator::{Output, Pack, PackConfig};
use jbd_bms::{Client, Transport};
use tokio::time::{Instant, sleep_until};

/// A pack reached through memory.
struct SimulatedLink {
    pack: Pack,
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
        self.pack.write(bytes, now_ms);
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let now_ms = self.now_ms();
            match (self.pack.poll(now_ms), self.pack.next_at()) {
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
async fn main() -> Result<(), jbd_bms::Error> {
    let mut pack = Pack::new(PackConfig::default(), 1);
    pack.connect(0);
    let started = Instant::now();
    let mut client = Client::new(SimulatedLink { pack, started });

    for _ in 0..5 {
        let info = client.basic_info().await?;
        let cells = client.cell_voltages().await?;
        println!(
            "{} % {} mV {} mA, cells {:?} mV, probes {:?} x 0.1 °C",
            info.soc_percent,
            info.pack_voltage_mv,
            info.current_ma,
            cells.cell_voltages_mv,
            info.temperatures_deci_c,
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    print!("{}", client.backup().await?);
    Ok(())
}
