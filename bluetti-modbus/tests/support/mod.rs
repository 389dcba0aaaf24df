//! A [`Transport`] over a simulated station, on tokio's clock.

use std::io;
use std::time::Duration;

use bluetti_modbus::session::Config;
use bluetti_modbus::simulator::{Output, Snapshot, Station, StationConfig};
use bluetti_modbus::{Client, Transport};
use tokio::time::{Instant, sleep_until};

pub(crate) struct SimulatedLink {
    pub(crate) station: Station,
    started: Instant,
}

impl SimulatedLink {
    fn connected(config: StationConfig, seed: u64) -> Self {
        let mut station = Station::new(config, seed);
        station.connect(0);
        Self {
            station,
            started: Instant::now(),
        }
    }

    fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    #[allow(dead_code, reason = "not every station lives")]
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let now_ms = self.now_ms();
        self.station.snapshot(now_ms).unwrap()
    }

    #[allow(dead_code, reason = "not every test loses the link")]
    pub(crate) fn reconnect(&mut self) {
        let now_ms = self.now_ms();
        self.station.connect(now_ms);
    }
}

/// A client of a simulated station.
pub(crate) fn client(config: StationConfig) -> Client<SimulatedLink> {
    let link = SimulatedLink::connected(config, 1);
    let mut config = Config::default();
    if let Some(key) = link.station.verify_key() {
        config.verify_key = Some(key);
    }
    Client::with_config(link, config)
}

impl Transport for SimulatedLink {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.station.is_connected() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let now_ms = self.now_ms();
        self.station.write(bytes, now_ms);
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let now_ms = self.now_ms();
            match self.station.poll(now_ms) {
                Some(Output::Notify(chunk)) => return Ok(chunk),
                Some(Output::LinkLost) => return Err(io::ErrorKind::ConnectionReset.into()),
                None if !self.station.is_connected() => {
                    return Err(io::ErrorKind::NotConnected.into());
                }
                None => {}
            }
            match self.station.next_at() {
                Some(at_ms) => sleep_until(self.started + Duration::from_millis(at_ms)).await,
                None => std::future::pending().await,
            }
        }
    }
}
