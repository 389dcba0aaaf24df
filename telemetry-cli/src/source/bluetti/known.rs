use std::time::{Duration, Instant};

use bluetti_modbus::model::{PackAccess, Station};
use bluetti_modbus::refusal::Refusals;
use bluetti_modbus::register::Registers;
use bluetti_modbus::{Client, Error, Identity};
use chrono::{DateTime, Utc};

use super::wire::Wire;
use super::{ALL, Connected, LIVE, READ_LIMIT, control};
use crate::config::Bluetti;
use crate::event::{Device, DeviceId, DeviceKind};
use crate::native::BluettiStation;
use crate::radio::Target;

/// What is known of a station: who it is, and what it said.
pub(super) struct Known {
    pub(super) device: Device,
    pub(super) identity: Identity,
    pub(super) refusals: Refusals,
    /// All of the station's own registers that were read.
    registers: Registers,
    pub(super) settings_at: Option<Instant>,
    packs: Vec<(u8, Registers)>,
    packs_tried_at: Option<Instant>,
    packs_read_at: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) fn new(identity: Identity, link: &Connected, config: &Bluetti) -> Self {
        let label = config.label.as_deref().or(link.name.as_deref());
        let name = label.unwrap_or_else(|| config.title()).to_owned();
        let model = identity.device_type.as_deref();
        let model = model.unwrap_or_else(|| identity.model.name()).to_owned();
        let serial = identity.serial_number.map(|serial| serial.to_string());
        // Who tells no number of its own is told apart by where it is.
        let place = [&serial, &link.address, &config.tcp].into_iter().flatten();
        let place = place.map(String::as_str).next().unwrap_or(&name);
        let id = DeviceId::new(&["bluetti", &model, place]);
        Self {
            device: Device {
                name,
                vendor: "Bluetti".to_owned(),
                model: Some(model),
                serial,
                address: link.address.clone(),
                controls: control::offers(identity.model, config),
                ..Device::unknown(id, DeviceKind::PowerStation)
            },
            identity,
            refusals: Refusals::default(),
            registers: Registers::new(),
            settings_at: None,
            packs: Vec::new(),
            packs_tried_at: None,
            packs_read_at: None,
        }
    }

    /// Reads what changes; all of it where that is due, or costs no request
    /// more.
    pub(super) async fn read(
        &mut self,
        client: &mut Client<Wire>,
        settings_interval: Duration,
    ) -> Result<(), Error> {
        let requests = |groups| self.identity.model.plan(groups, READ_LIMIT).len();
        if due(self.settings_at, settings_interval) || requests(ALL) <= requests(LIVE) {
            self.registers = client.read(ALL).await?;
            self.settings_at = Some(Instant::now());
        } else {
            for (start, words) in client.read(LIVE).await?.runs() {
                self.registers.insert(start, words);
            }
        }
        Ok(())
    }

    /// Reads the packs, one after the other: each takes some seconds where it
    /// has to be selected. One that does not show is in no other's way. The
    /// numbers of those that were read.
    pub(super) async fn read_packs(
        &mut self,
        client: &mut Client<Wire>,
        target: &Target,
    ) -> Result<Vec<u8>, Error> {
        let access = self.identity.model.packs();
        let station = Station::new(self.identity.model, &self.registers);
        let count = match access {
            PackAccess::Single => 1,
            _ => station.pack_count().unwrap_or_default().min(access.max()),
        };
        let mut read = Vec::new();
        for number in 1..=count {
            match client.read_pack(number).await {
                Ok(pack) => {
                    self.packs.retain(|(known, _)| *known != number);
                    self.packs.push((number, pack));
                    read.push(number);
                }
                Err(error) if error.needs_reconnect() => return Err(error),
                // What was read of it before stays.
                Err(error) => {
                    tracing::warn!(device = %target, %error, "pack {number} not read");
                }
            }
        }
        // As other programs expect it.
        if count > 1
            && let Err(error) = client.select_pack(1).await
        {
            if error.needs_reconnect() {
                return Err(error);
            }
            tracing::warn!(device = %target, %error, "pack 1 not selected again");
        }
        self.packs.retain(|(number, _)| *number <= count);
        self.packs.sort_unstable_by_key(|(number, _)| *number);
        self.packs_tried_at = Some(Instant::now());
        if !read.is_empty() {
            self.packs_read_at = Some(Utc::now());
        }
        Ok(read)
    }

    pub(super) fn packs_tried_at(&self) -> Option<Instant> {
        self.packs_tried_at
    }

    pub(super) fn station(&self, link: &Connected) -> BluettiStation {
        BluettiStation {
            model: self.identity.model,
            device_type: self.identity.device_type.clone(),
            serial_number: self.identity.serial_number,
            address: link.address.clone(),
            name: link.name.clone(),
            security: link.client.security(),
            registers: self.registers.clone(),
            packs: self.packs.clone(),
            packs_read_at: self.packs_read_at,
        }
    }

    pub(super) fn describe(&mut self, station: &BluettiStation) {
        let station = station.station();
        let versions = [
            ("ARM", station.arm_version()),
            ("DSP", station.dsp_version()),
        ];
        let versions = versions
            .iter()
            .filter_map(|(name, version)| Some(format!("{name} {}", version.as_ref()?)));
        let versions = versions.collect::<Vec<_>>().join(", ");
        self.device.software_version = Some(versions).filter(|text| !text.is_empty());
    }
}

/// Whether it is time again.
pub(super) fn due(at: Option<Instant>, interval: Duration) -> bool {
    at.is_none_or(|at| at.elapsed() >= interval)
}
