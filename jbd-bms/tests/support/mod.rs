//! A [`Transport`] over a simulated pack, on tokio's clock.

use std::io;
use std::time::Duration;

use jbd_bms::Transport;
use jbd_bms::simulator::{Output, Pack, PackConfig, Snapshot};
use tokio::time::{Instant, sleep_until};

pub(crate) struct SimulatedLink {
    pub(crate) pack: Pack,
    /// What the pack measured at each write.
    pub(crate) truths: Vec<Snapshot>,
    started: Instant,
}

impl SimulatedLink {
    pub(crate) fn connected(config: PackConfig, seed: u64) -> Self {
        let mut pack = Pack::new(config, seed);
        pack.connect(0);
        Self {
            pack,
            truths: Vec::new(),
            started: Instant::now(),
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    #[allow(dead_code, reason = "not every test loses the link")]
    pub(crate) fn reconnect(&mut self) {
        let now_ms = self.now_ms();
        self.pack.connect(now_ms);
    }
}

impl Transport for SimulatedLink {
    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.pack.is_connected() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let now_ms = self.now_ms();
        self.pack.write(bytes, now_ms);
        self.truths.push(self.pack.snapshot());
        Ok(())
    }

    async fn recv(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let now_ms = self.now_ms();
            match self.pack.poll(now_ms) {
                Some(Output::Notify(chunk)) => return Ok(chunk),
                Some(Output::LinkLost) => return Err(io::ErrorKind::ConnectionReset.into()),
                None if !self.pack.is_connected() => {
                    return Err(io::ErrorKind::NotConnected.into());
                }
                None => {}
            }
            match self.pack.next_at() {
                Some(at_ms) => sleep_until(self.started + Duration::from_millis(at_ms)).await,
                None => std::future::pending().await,
            }
        }
    }
}
