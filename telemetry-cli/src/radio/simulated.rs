//! Bluetooth devices in memory: what `telemetry demo` shows, and what a
//! configuration can be tried on without any hardware.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use jbd_bms::advertisement::GattVariant;
use jbd_bms::simulator::{Faults, Load, Output, Pack, PackConfig};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use super::link::{FarEnd, Order};
use super::pause::Pauses;
use super::{GattCharacteristic, GattTable, Link, RadioError, Seen, Target};

/// How long connecting and discovering takes.
const CONNECT: Duration = Duration::from_millis(150);

/// Decides over the faults: the same in each run.
const SEED: u64 = 1;

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
    name: &'static str,
    address: [u8; 6],
    rssi_dbm: i16,
    /// Locked by the one link that may exist.
    pack: Arc<Mutex<Pack>>,
}

impl Air {
    /// The devices of the demo.
    pub fn demo() -> Self {
        let devices = [
            ("House battery", -58, healthy()),
            ("Workshop battery", -67, imbalanced()),
            ("Camper battery", -86, unsteady()),
        ];
        let devices = devices.into_iter().map(|(name, rssi_dbm, config)| Device {
            name,
            address: config.address,
            rssi_dbm,
            pack: Arc::new(Mutex::new(Pack::new(config, SEED))),
        });
        Self {
            devices: Arc::new(devices.collect()),
            pauses: Pauses::default(),
        }
    }

    /// The names of all devices.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.devices.iter().map(|device| device.name)
    }

    pub(super) async fn connect(&self, target: &Target) -> Result<Link, RadioError> {
        let end = self.pauses.enter(target)?;
        let device = self.devices.iter().find(|device| match target {
            Target::Name(name) => device.name == name,
            Target::Address(address) => text(device.address) == *address,
        });
        let not_found = || RadioError::NotFound(target.clone());
        let device = device.ok_or_else(not_found)?;
        // As on the air, a device that has a link is not seen by others.
        let pack = tokio::time::timeout(SCAN, device.pack.clone().lock_owned())
            .await
            .map_err(|_| not_found())?;
        tokio::time::sleep(CONNECT).await;
        let name = Some(device.name.to_owned());
        let (mut link, far_end) = Link::new(text(device.address), name, Some(device.rssi_dbm));
        link.gatt = gatt();
        tokio::spawn(carry(pack, far_end, end, target.clone()));
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
    fn seen(&self) -> Seen {
        let mut backwards = self.address;
        backwards.reverse();
        let [low, high, rest @ ..] = backwards;
        Seen {
            address: text(self.address),
            name: Some(self.name.to_owned()),
            rssi_dbm: Some(self.rssi_dbm),
            services: vec![GattVariant::Standard.service()],
            manufacturer_data: vec![(u16::from_le_bytes([low, high]), rest.to_vec())],
            connected: self.pack.try_lock().is_err(),
        }
    }
}

/// What almost every pack offers.
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

/// Carries bytes between a link and its pack until one of them ends it.
async fn carry(
    mut pack: OwnedMutexGuard<Pack>,
    far_end: FarEnd,
    end: CancellationToken,
    target: Target,
) {
    let FarEnd { mut orders, chunks } = far_end;
    pack.connect(now_ms());
    loop {
        let due = pack.next_at().unwrap_or(u64::MAX).saturating_sub(now_ms());
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Write(request)) => {
                    pack.write(&request.bytes, now_ms());
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
        while let Some(output) = pack.poll(now_ms()) {
            let arrived = match output {
                Output::Notify(chunk) => chunks.send(chunk).await.is_ok(),
                Output::LinkLost => false,
            };
            if !arrived {
                return pack.disconnect();
            }
        }
    }
    pack.disconnect();
}

/// The time of day: loads follow it, so that a restart meets the same current.
fn now_ms() -> u64 {
    Utc::now().timestamp_millis().unsigned_abs()
}

fn text(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02X}")).join(":")
}

fn healthy() -> PackConfig {
    PackConfig {
        hardware_name: Some("JBD-SIM-4S-280A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x01],
        nominal_capacity_mah: 280_000,
        load: Load::Sine {
            mean_ma: 3_000,
            amplitude_ma: 40_000,
            period_s: 120,
        },
        ..PackConfig::default()
    }
}

fn imbalanced() -> PackConfig {
    let mut cell_offsets_mv = vec![0; 16];
    cell_offsets_mv[6] = 74;
    cell_offsets_mv[11] = -38;
    PackConfig {
        hardware_name: Some("JBD-SIM-16S-100A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x02],
        cell_count: 16,
        cell_offsets_mv,
        probe_count: 3,
        initial_soc_percent: 88,
        load: Load::Steps(vec![(60, 12_000), (30, 0), (60, -18_000)]),
        ..PackConfig::default()
    }
}

fn unsteady() -> PackConfig {
    PackConfig {
        hardware_name: Some("JBD-SIM-4S-100A".to_owned()),
        address: [0xA4, 0xC1, 0x38, 0x00, 0x00, 0x03],
        initial_soc_percent: 41,
        ambient_deci_c: -35,
        load: Load::Constant(-4_200),
        faults: Faults {
            drop: 0.05,
            corrupt: 0.05,
            split: 0.5,
            asleep_requests: 1,
            link_loss_mean_ms: Some(12_000),
            ..Faults::default()
        },
        ..PackConfig::default()
    }
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
            assert_eq!(seen.len(), 3);
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
