//! The stations: which registers a model has, what they mean, what can be set.
//!
//! A [`Model`] is data: a list of [`Field`]s and [`Control`]s. [`Model::plan`]
//! tells what to read; what was read is put into [`Registers`]; [`Model::decode`]
//! lists all values in it, and [`Station`] and [`Pack`] give those that every
//! station has under the same name.
//!
//! ```
//! use bluetti_modbus::model::{Model, Station};
//! use bluetti_modbus::register::Registers;
//!
//! let model = Model::AC300;
//! let mut registers = Registers::new();
//! registers.insert(36, &[312, 0, 148, 27]);
//! registers.insert(43, &[87]);
//!
//! let station = Station::new(model, &registers);
//! assert_eq!(station.soc_percent(), Some(87));
//! assert_eq!(station.dc_input_power_w(), Some(312));
//! assert_eq!(station.ac_output_on(), None);
//! ```
//!
//! # Where the maps come from
//!
//! The vendor publishes none. The names of the fields are those of the open
//! implementations, so that existing dashboards keep working; a second name is
//! [`Field::alias`]. What the sources do not agree on, or what nobody has seen on
//! a station, is said so in the field's [doc](Field::doc) and comes as sent.

mod ac200;
mod ac300;
mod alarm;
mod ap300;
mod charger;
mod eb3a;
mod elite;
mod ep2000;
mod ep500;
mod ep600;
mod generic;
mod guard;
mod name;
mod pack;
mod phases;
mod plan;
mod portable;
mod station;
mod table;
mod tcp;
mod v1;
mod v2;

use core::fmt;

use crate::register::{Block, Control, ControlId, Danger, Field, Registers, Role, Value, Write};

pub use alarm::Alarm;
pub(crate) use alarm::Alarms;
pub use guard::private_registers;
pub use name::Advertised;
pub use pack::{Pack, PackAccess, PackSelection};
pub use station::{NetFlow, Station};
use table::table;

/// The generation of a station's map. Register 16, which all stations have, tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generation {
    /// Protocol versions below 2000.
    First,
    /// Protocol versions from 2000 on.
    Second,
    /// The map behind MODBUS-TCP, which has no protocol version.
    Tcp,
}

impl Generation {
    /// The register of the protocol version.
    pub const PROTOCOL_VERSION: Block = Block::new(16, 1);

    /// The generation of a protocol version.
    #[must_use]
    pub const fn of_protocol(version: u16) -> Self {
        if version < 2000 {
            Self::First
        } else {
            Self::Second
        }
    }

    /// Where the model's name is, for stations that refuse register 16.
    #[must_use]
    pub const fn device_type(self) -> Block {
        match self {
            Self::First => Block::new(10, 6),
            Self::Second => Block::new(110, 6),
            Self::Tcp => Block::new(50200, 6),
        }
    }
}

/// All about one model. A new model is one of these, in the file of its family,
/// and a line in `models!`.
#[derive(Debug)]
pub(crate) struct Map {
    name: &'static str,
    generation: Generation,
    /// The unit id that answers; most stations take 1.
    unit: u8,
    /// By register, ascending.
    fields: &'static [Field],
    controls: &'static [&'static [Control]],
    /// Blocks known to be readable as a whole, ascending.
    windows: &'static [Block],
    packs: PackAccess,
    alarms: Alarms,
}

/// A model of station, or the generic one of a generation.
#[derive(Clone, Copy)]
pub struct Model(&'static Map);

macro_rules! models {
    ($($(#[$doc:meta])* $NAME:ident = $map:path;)+) => {
        impl Model {
            $($(#[$doc])* pub const $NAME: Self = Self(&$map);)+

            /// All models, the generic ones at the end.
            pub const ALL: &'static [Self] = &[$(Self::$NAME),+];
        }
    };
}

models! {
    /// AC200L.
    AC200L = ac200::AC200L;
    /// AC200M.
    AC200M = ac200::AC200M;
    /// AC200PL.
    AC200PL = ac200::AC200PL;
    /// AC300.
    AC300 = ac300::AC300;
    /// AC500.
    AC500 = ac300::AC500;
    /// EB3A.
    EB3A = eb3a::EB3A;
    /// EP500.
    EP500 = ep500::EP500;
    /// EP500P.
    EP500P = ep500::EP500P;
    /// AC2A.
    AC2A = portable::AC2A;
    /// AC2P.
    AC2P = portable::AC2P;
    /// AC50B.
    AC50B = portable::AC50B;
    /// AC60.
    AC60 = portable::AC60;
    /// AC60P.
    AC60P = portable::AC60P;
    /// AC70.
    AC70 = portable::AC70;
    /// AC70P.
    AC70P = portable::AC70P;
    /// AC180.
    AC180 = portable::AC180;
    /// AC180P.
    AC180P = portable::AC180P;
    /// AC180T.
    AC180T = portable::AC180T;
    /// Handsfree 1.
    HANDSFREE_1 = portable::HANDSFREE_1;
    /// AP300, also called Apex 300.
    AP300 = ap300::AP300;
    /// EL10, also called Elite 10.
    EL10 = elite::EL10;
    /// EL30V2, also called Elite 30 V2.
    EL30V2 = elite::EL30V2;
    /// EL100V2, also called Elite 100 V2.
    EL100V2 = elite::EL100V2;
    /// EL300, also called Elite 300.
    EL300 = elite::EL300;
    /// Elite 200 V2.
    ELITE_200_V2 = elite::ELITE_200_V2;
    /// PR30V2.
    PR30V2 = elite::PR30V2;
    /// PR100V2.
    PR100V2 = elite::PR100V2;
    /// EP600.
    EP600 = ep600::EP600;
    /// EP760.
    EP760 = ep600::EP760;
    /// EP800.
    EP800 = ep600::EP800;
    /// EP2000 over Bluetooth.
    EP2000 = ep2000::EP2000;
    /// EP2000 over MODBUS-TCP.
    EP2000_TCP = tcp::EP2000_TCP;
    /// Balco 260, over MODBUS-TCP.
    BALCO_260 = tcp::BALCO_260;
    /// Charger 2, a charger between two batteries.
    CHARGER_2 = charger::CHARGER_2;
    /// Any station of the first generation.
    GENERIC_V1 = generic::V1;
    /// Any station of the second generation.
    GENERIC_V2 = generic::V2;
}

impl Model {
    /// The name, as the station's registers have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The generation of its map.
    #[must_use]
    pub const fn generation(self) -> Generation {
        self.0.generation
    }

    /// The unit id that answers.
    #[must_use]
    pub const fn unit(self) -> u8 {
        self.0.unit
    }

    /// How the pages of single packs are reached.
    #[must_use]
    pub const fn packs(self) -> PackAccess {
        self.0.packs
    }

    /// Whether it stands for all models that are not known.
    #[must_use]
    pub fn is_generic(self) -> bool {
        self == Self::GENERIC_V1 || self == Self::GENERIC_V2
    }

    /// The generic station of a generation.
    #[must_use]
    pub const fn generic(generation: Generation) -> Self {
        match generation {
            Generation::First => Self::GENERIC_V1,
            Generation::Second | Generation::Tcp => Self::GENERIC_V2,
        }
    }

    /// The model of a name as it stands in the registers, or that of a generic one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|model| model.name().eq_ignore_ascii_case(name))
    }

    /// This model, or the generic one of the generation that register 16 tells:
    /// under some names both generations are sold. Models without that register
    /// stay what they are.
    #[must_use]
    pub fn for_protocol(self, version: u16) -> Self {
        let generation = Generation::of_protocol(version);
        let has_version = |field: &Field| field.role() == Some(Role::ProtocolVersion);
        if self.generation() == generation || !self.fields().any(has_version) {
            self
        } else {
            Self::generic(generation)
        }
    }

    /// Its map behind MODBUS-TCP.
    #[must_use]
    pub fn over_tcp(self) -> Option<Self> {
        if self == Self::EP2000 {
            return Some(Self::EP2000_TCP);
        }
        Some(self).filter(|model| model.generation() == Generation::Tcp)
    }

    /// All fields.
    pub fn fields(self) -> impl Iterator<Item = &'static Field> {
        self.0.fields.iter()
    }

    /// The field of a name or alias; not a [fallback](Field::is_fallback) where
    /// there is another.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static Field> {
        let called = || self.fields().filter(|field| field.is_called(name));
        called()
            .find(|field| !field.is_fallback())
            .or_else(|| called().next())
    }

    /// The values of all fields in these registers, by register. A
    /// [fallback](Field::is_fallback) is left out where the field of the same name
    /// has a value.
    pub fn decode(self, registers: &Registers) -> impl Iterator<Item = (&'static Field, Value)> {
        Decode {
            model: self,
            registers,
            runs: registers.runs(),
            start: 0,
            words: &[],
            fields: Default::default(),
        }
    }

    fn is_replaced(self, field: &Field, registers: &Registers) -> bool {
        let Some(register) = field
            .replacement()
            .filter(|&it| registers.get(it).is_some())
        else {
            return false;
        };
        let fields = self.0.fields;
        let from = fields.partition_point(|other| other.register() < register);
        let mut others = fields.iter().skip(from);
        let other = others.find(|other| other.name() == field.name());
        other.is_some_and(|other| other.decode(registers).is_some())
    }

    /// The value of a role.
    #[must_use]
    pub fn value(self, role: Role, registers: &Registers) -> Option<Value> {
        let mut fallback = None;
        for field in self.fields().filter(|field| field.role() == Some(role)) {
            if !field.is_fallback() {
                if let Some(value) = field.decode(registers) {
                    return Some(value);
                }
            } else if fallback.is_none() {
                fallback = Some(field);
            }
        }
        fallback?.decode(registers)
    }

    /// What can be set without danger.
    pub fn controls(self) -> impl Iterator<Item = &'static Control> {
        self.all_controls()
            .filter(|control| control.danger().is_none())
    }

    /// The control of this kind, unless it is dangerous.
    #[must_use]
    pub fn control(self, id: ControlId) -> Option<&'static Control> {
        self.controls().find(|control| control.id() == id)
    }

    /// The control of this kind, dangerous only in the way that is named.
    #[must_use]
    pub fn dangerous_control(self, id: ControlId, danger: Danger) -> Option<&'static Control> {
        let mut controls = self.all_controls();
        controls.find(|control| control.id() == id && control.danger() == Some(danger))
    }

    /// The control that a field shows, unless it is dangerous.
    #[must_use]
    pub fn control_of(self, field: &Field) -> Option<&'static Control> {
        self.controls()
            .find(|control| control.register() == field.register())
    }

    fn all_controls(self) -> impl Iterator<Item = &'static Control> {
        self.0.controls.iter().copied().flatten()
    }

    /// The danger in writing these registers, whatever the value. Whoever writes
    /// registers by number asks here first.
    ///
    /// A register of a harmless control of this model is never dangerous.
    #[must_use]
    pub fn danger(self, write: &Write) -> Option<Danger> {
        let block = write.block();
        let registers = (block.start..=u16::MAX).take(usize::from(block.count));
        let harmless = |register: Block| {
            let mut controls = self.controls();
            controls.any(|control| control.block().contains(register))
        };
        registers
            .map(|register| Block::new(register, 1))
            .filter(|&register| !harmless(register))
            .find_map(|register| guard::danger(self.generation(), register))
    }
}

/// Goes through the fields of one run of registers after the other.
struct Decode<'a, R> {
    model: Model,
    registers: &'a Registers,
    runs: R,
    /// The run.
    start: u16,
    words: &'a [u16],
    /// What may still lie in it.
    fields: core::slice::Iter<'static, Field>,
}

impl<'a, R: Iterator<Item = (u16, &'a [u16])>> Iterator for Decode<'a, R> {
    type Item = (&'static Field, Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            for field in self.fields.by_ref() {
                let at = usize::from(field.register() - self.start);
                let Some(words) = self.words.get(at..).filter(|words| !words.is_empty()) else {
                    break;
                };
                if self.model.is_replaced(field, self.registers) {
                    continue;
                }
                if let Some(value) = field.decode_among(words, self.registers) {
                    return Some((field, value));
                }
            }
            (self.start, self.words) = self.runs.next()?;
            let fields = self.model.0.fields;
            let from = fields.partition_point(|field| field.register() < self.start);
            self.fields = fields.get(from..).unwrap_or_default().iter();
        }
    }
}

impl PartialEq for Model {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Model {}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({})", self.0.name)
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}
