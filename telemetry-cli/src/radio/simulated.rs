//! Bluetooth devices in memory: what `telemetry demo` shows, and what a
//! configuration can be tried on without any hardware.

use std::sync::Arc;
use std::time::Duration;

use bluetti_modbus::encryption::VerifyKey;
use bluetti_modbus::simulator::{Station, StationConfig};
use chrono::Utc;
use jbd_bms::advertisement::GattVariant;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::link::{FarEnd, Order};
use super::pause::Pauses;
use super::{GattCharacteristic, GattTable, Link, RadioError, Seen, Target};

pub use peer::{Output, Peer};

mod demo;
mod peer;

/// How long connecting and discovering takes.
const CONNECT: Duration = Duration::from_millis(150);

/// How long a device is looked for.
const SCAN: Duration = Duration::from_secs(1);

/// All simulated devices; cheap to clone. None by default.
#[derive(Clone, Debug, Default)]
pub struct Air {
    devices: Arc<Vec<Device>>,
    pauses: Pauses,
}

#[derive(Debug)]
struct Device {
    name: String,
    address: [u8; 6],
    rssi_dbm: i16,
    manufacturer_data: (u16, Vec<u8>),
    kind: Kind,
    /// When its time began.
    origin_ms: u64,
    /// Locked by the one link that may exist.
    peer: Arc<Mutex<Peer>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pack,
    Station,
}

/// What simulated stations sign with.
pub fn verify_key() -> Option<VerifyKey> {
    Station::new(StationConfig::default().encrypted(), 0).verify_key()
}

impl Air {
    /// The devices of the demo.
    pub fn demo() -> Self {
        Self {
            devices: Arc::new(demo::devices()),
            pauses: Pauses::default(),
        }
    }

    /// The names of all battery packs.
    pub fn packs(&self) -> impl Iterator<Item = &str> {
        self.names(Kind::Pack)
    }

    /// The names of all power stations.
    pub fn stations(&self) -> impl Iterator<Item = &str> {
        self.names(Kind::Station)
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let devices = self.devices.iter();
        devices
            .filter(move |device| device.kind == kind)
            .map(|device| device.name.as_str())
    }

    pub(super) async fn connect(&self, target: &Target) -> Result<Link, RadioError> {
        let end = self.pauses.enter(target)?;
        let device = self.devices.iter().find(|device| match target {
            Target::Name(name) => device.name == *name,
            Target::Address(address) => text(device.address) == *address,
        });
        let not_found = || RadioError::NotFound(target.clone());
        let device = device.ok_or_else(not_found)?;
        // As on the air, a device that has a link is not seen by others.
        let peer = tokio::time::timeout(SCAN, device.peer.clone().lock_owned())
            .await
            .map_err(|_| not_found())?;
        tokio::time::sleep(CONNECT).await;
        let name = Some(device.name.clone());
        let (mut link, far_end) = Link::new(text(device.address), name, Some(device.rssi_dbm));
        link.gatt = gatt();
        let origin_ms = device.origin_ms;
        tokio::spawn(carry(peer, origin_ms, far_end, end, target.clone()));
        Ok(link)
    }

    pub(super) async fn scan(&self, duration: Duration) -> Vec<Seen> {
        tokio::time::sleep(duration).await;
        self.devices.iter().map(Device::seen).collect()
    }

    pub(super) fn pauses(&self) -> &Pauses {
        &self.pauses
    }
}

impl Device {
    fn new(
        name: String,
        address: [u8; 6],
        rssi_dbm: i16,
        manufacturer_data: (u16, Vec<u8>),
        peer: Peer,
    ) -> Self {
        let (kind, origin_ms) = match peer {
            // By the time of day: loads follow it, so that a restart meets the
            // same current.
            Peer::Pack(_) => (Kind::Pack, 0),
            // They live through all of their time.
            Peer::Station(_) => (Kind::Station, now_ms()),
        };
        Self {
            name,
            address,
            rssi_dbm,
            manufacturer_data,
            kind,
            origin_ms,
            peer: Arc::new(Mutex::new(peer)),
        }
    }

    fn seen(&self) -> Seen {
        Seen {
            address: text(self.address),
            name: Some(self.name.clone()),
            rssi_dbm: Some(self.rssi_dbm),
            services: vec![GattVariant::Standard.service()],
            manufacturer_data: vec![self.manufacturer_data.clone()],
            connected: self.peer.try_lock().is_err(),
        }
    }
}

/// What almost every pack offers, and every station.
fn gatt() -> GattTable {
    let variant = GattVariant::Standard;
    let characteristic = |number, properties: [&str; 2]| GattCharacteristic {
        service: variant.service(),
        number,
        properties: properties.map(str::to_owned).to_vec(),
    };
    GattTable {
        characteristics: vec![
            characteristic(variant.notify(), ["read", "notify"]),
            characteristic(variant.write(), ["read", "write-without-response"]),
        ],
        notify: variant.notify(),
        write: variant.write(),
        write_len: 20,
    }
}

/// Carries bytes between a link and its peer until one of them ends it.
async fn carry(
    mut peer: OwnedMutexGuard<Peer>,
    origin_ms: u64,
    far_end: FarEnd,
    end: CancellationToken,
    target: Target,
) {
    let FarEnd { mut orders, chunks } = far_end;
    let now = || now_ms().saturating_sub(origin_ms);
    peer.connect(now());
    loop {
        let due = peer.next_at().unwrap_or(u64::MAX).saturating_sub(now());
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Write(request)) => {
                    peer.write(&request.bytes, now());
                    request.done(Ok(()));
                }
                Some(Order::Pair(reply)) => {
                    let error = RadioError::PairingNeeded(target.clone());
                    // Nobody waits any more: the link was dropped.
                    let _ = reply.send(Err(error));
                }
                None => break,
            },
            () = tokio::time::sleep(Duration::from_millis(due)) => {}
            () = end.cancelled() => break,
        }
        while let Some(output) = peer.poll(now()) {
            let arrived = match output {
                Output::Notify(chunk) => chunks.send(chunk).await.is_ok(),
                Output::LinkLost => false,
            };
            if !arrived {
                return peer.disconnect();
            }
        }
    }
    peer.disconnect();
}

fn now_ms() -> u64 {
    Utc::now().timestamp_millis().unsigned_abs()
}

fn text(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02X}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_link_shows_and_a_pause_ends_it() {
        let air = Air::demo();
        let target = Target::Name("House battery".to_owned());
        let connected = async || {
            let seen = air.scan(Duration::ZERO).await;
            assert_eq!(seen.len(), 5);
            seen.iter().filter(|seen| seen.connected).count()
        };
        assert_eq!(connected().await, 0);
        let mut link = air.connect(&target).await.unwrap();
        assert_eq!(connected().await, 1);

        let until = air.pauses.pause(&target, Duration::from_secs(3600));
        while link.recv().await.is_ok() {}
        assert_eq!(connected().await, 0);
        let seen = air.scan(Duration::ZERO).await;
        assert!(seen[0].is(&target));
        assert!(seen[0].is(&Target::Address("a4:c1:38:00:00:01".to_owned())));
        let error = air.connect(&target).await.unwrap_err();
        let paused = RadioError::Paused {
            target: target.clone(),
            until,
        };
        assert_eq!(error, paused);
        air.pauses.resume(&target);
        air.connect(&target).await.unwrap();
    }
}
