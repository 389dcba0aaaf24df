//! What a device said, as its SDK has it: for the drop-in commands, whose
//! messages carry values that the catalogue scales, rounds or has no row for.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimmer::cardata::Overview;
use bimmer::mybmw::Vehicle;
use bimmer::types::{Brand, Vin};
use bluetti_modbus::model::{self, Model};
use bluetti_modbus::register::Registers;
use bluetti_modbus::session::Security;
use chrono::{DateTime, Utc};
use jbd_bms::{BasicInfo, CellVoltages};
use saic_ismart::charging::HeatingScheduleAnswer;
use saic_ismart::{ChargingData, Message, Profile, VehicleInfo, VehicleStatus};

/// The SDK's own values behind a reading; cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Native {
    /// Of a JBD battery pack.
    Jbd(Arc<JbdPack>),
    /// Of a Bluetti power station.
    Bluetti(Arc<BluettiStation>),
    /// Of an MG.
    Saic(Arc<SaicCar>),
    /// Of a BMW or MINI.
    Bmw(Arc<BmwCar>),
}

impl Native {
    /// What is passed on as it came, where the configuration asks for that: by
    /// the cloud's own key, as JSON.
    pub fn raw(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Bmw(car) => match car.as_ref() {
                BmwCar::CarData(car) => car.raw.as_ref(),
                BmwCar::MyBmw(_) => None,
            },
            Self::Jbd(_) | Self::Bluetti(_) | Self::Saic(_) => None,
        }
    }
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

/// What is known of an MG: each answer as it came last. Those of the car
/// itself and of the cloud's cache are of different times.
#[derive(Clone, Debug, PartialEq)]
pub struct SaicCar {
    /// Its entry in the account's list.
    pub info: VehicleInfo,
    /// What its series is known for.
    pub profile: Profile,
    /// What the car said about itself.
    pub status: Option<Arc<VehicleStatus>>,
    /// What the cloud remembers, if that is newer.
    pub cached: Option<Arc<VehicleStatus>>,
    /// What the car said about charging.
    pub charging: Option<Arc<ChargingData>>,
    /// When it heats its battery.
    pub heating_schedule: Option<HeatingScheduleAnswer>,
    /// The newest message about it.
    pub message: Option<Message>,
}

/// A BMW or MINI, by the way that it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum BmwCar {
    /// The app's.
    MyBmw(Box<Vehicle>),
    /// The official one.
    CarData(Box<CarDataCar>),
}

/// What CarData knows of a car, REST and stream merged.
#[derive(Clone, Debug, PartialEq)]
pub struct CarDataCar {
    /// The car.
    pub vin: Vin,
    /// Its brand.
    pub brand: Brand,
    /// Name of its model.
    pub name: String,
    /// The usual values, each with its time.
    pub overview: Overview,
    /// Each descriptor, where it is to be passed on.
    pub raw: Option<BTreeMap<String, String>>,
}
