//! What a device said, as its SDK has it: for the drop-in commands, whose
//! messages carry values that the catalogue scales, rounds or has no row for.

use std::sync::Arc;

use bluetti_modbus::model::{self, Model};
use bluetti_modbus::register::Registers;
use bluetti_modbus::session::Security;
use chrono::{DateTime, Utc};
use jbd_bms::{BasicInfo, CellVoltages};

/// The SDK's own values behind a reading; cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Native {
    /// Of a JBD battery pack.
    Jbd(Arc<JbdPack>),
    /// Of a Bluetti power station.
    Bluetti(Arc<BluettiStation>),
}

/// The two answers of a JBD pack that make a reading. They belong together:
/// asked for one after the other, in one cycle.
#[derive(Clone, Debug, PartialEq)]
pub struct JbdPack {
    /// Register 0x03.
    pub info: BasicInfo,
    /// Register 0x04.
    pub cells: CellVoltages,
}

/// What a Bluetti station said, and who it is.
#[derive(Clone, Debug, PartialEq)]
pub struct BluettiStation {
    /// Whose map the registers have.
    pub model: Model,
    /// The model as the station's registers name it.
    pub device_type: Option<String>,
    /// Its serial number.
    pub serial_number: Option<u64>,
    /// Its Bluetooth address; none over TCP.
    pub address: Option<String>,
    /// The name it advertises.
    pub name: Option<String>,
    /// Whether the link is encrypted.
    pub security: Security,
    /// All of its own registers that were read. Those that change are of this
    /// reading, settings may be older.
    pub registers: Registers,
    /// Its packs as they were read last, by number; empty before.
    pub packs: Vec<(u8, Registers)>,
    /// When that was.
    pub packs_read_at: Option<DateTime<Utc>>,
}

impl BluettiStation {
    /// The values that every station has under the same name.
    pub fn station(&self) -> model::Station<'_> {
        model::Station::new(self.model, &self.registers)
    }

    /// The values of each pack, with its number.
    pub fn packs(&self) -> impl Iterator<Item = (u8, model::Pack<'_>)> {
        let packs = self.packs.iter();
        packs.map(|(number, registers)| (*number, model::Pack::new(self.model, registers)))
    }
}
