use alloc::vec::Vec;

use super::Model;
use crate::register::{Block, Choice, Decimal, Group, Registers, Role, Text, Value, Write};

/// How the pages of the single packs are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackAccess {
    /// There are none, or it is not known where.
    None,
    /// One pack, whose page is always there.
    Single,
    /// A pack is selected by a write; then the page is about that one. The station
    /// takes some seconds for it. See [`PackSelection`].
    Selector {
        /// The highest number.
        max: u8,
    },
    /// Every pack is a unit of its own on the line.
    Units {
        /// Unit id of the first pack.
        first: u8,
        /// The highest number.
        max: u8,
    },
}

impl PackAccess {
    /// The highest number of a pack.
    #[must_use]
    pub const fn max(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Single => 1,
            Self::Selector { max } | Self::Units { max, .. } => max,
        }
    }

    /// The unit id of a pack, numbered from 1, where packs are units.
    #[must_use]
    pub const fn unit(self, number: u8) -> Option<u8> {
        match self {
            Self::Units { first, max } if 1 <= number && number <= max => Some(first + number - 1),
            _ => None,
        }
    }

    /// How to select a pack, numbered from 1; `None` where nothing is to be
    /// selected, or where there is no such pack.
    #[must_use]
    pub const fn select(self, number: u8) -> Option<PackSelection> {
        match self {
            Self::Selector { max } if 1 <= number && number <= max => {
                Some(PackSelection { number })
            }
            _ => None,
        }
    }
}

/// Register that selects a pack.
const SELECTOR: u16 = 3006;
/// Register that repeats the number once the page is about that pack.
const ECHO: u16 = 96;

/// The selection of a pack: write, then read the echo until it
/// [is confirmed](Self::is_confirmed) twice, then read the page. Selecting the
/// first pack again afterwards leaves the station as other programs expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSelection {
    number: u8,
}

impl PackSelection {
    /// Between two reads of the echo.
    pub const INTERVAL_MS: u64 = 500;
    /// When to give up.
    pub const TIMEOUT_MS: u64 = 10_000;

    /// The number of the pack.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// What to write.
    #[must_use]
    pub const fn write(self) -> Write {
        Write::one(SELECTOR, self.number as u16)
    }

    /// Where the station repeats the number.
    #[must_use]
    pub const fn echo(self) -> Block {
        Block::new(ECHO, 1)
    }

    /// Whether the page in these registers is that of this pack.
    #[must_use]
    pub fn is_confirmed(self, registers: &Registers) -> bool {
        registers.get(ECHO) == Some(u16::from(self.number))
    }
}

/// One battery pack: a model and the registers that were read while this pack was
/// selected, or from its unit.
#[derive(Debug, Clone, Copy)]
pub struct Pack<'a> {
    model: Model,
    registers: &'a Registers,
}

impl<'a> Pack<'a> {
    /// A pack of a station of this model.
    #[must_use]
    pub const fn new(model: Model, registers: &'a Registers) -> Self {
        Self { model, registers }
    }

    fn value(&self, role: Role) -> Option<Value> {
        self.model.value(role, self.registers)
    }

    fn number_of(&self, role: Role) -> Option<Decimal> {
        self.value(role)?.number()
    }

    fn percent(&self, role: Role) -> Option<u8> {
        u8::try_from(self.number_of(role)?.in_scale(0)).ok()
    }

    /// The number the page bears.
    #[must_use]
    pub fn number(&self) -> Option<u8> {
        self.percent(Role::PackNumber)
    }

    /// What the pack does.
    #[must_use]
    pub fn status(&self) -> Option<Choice> {
        match self.value(Role::PackStatus)? {
            Value::Choice(choice) => Some(choice),
            _ => None,
        }
    }

    /// Voltage in volts.
    #[must_use]
    pub fn voltage_v(&self) -> Option<Decimal> {
        self.number_of(Role::PackVoltage)
    }

    /// Current in amperes, as sent: which sign is charging is not known.
    #[must_use]
    pub fn current_a(&self) -> Option<Decimal> {
        self.number_of(Role::PackCurrent)
    }

    /// State of charge in percent.
    #[must_use]
    pub fn soc_percent(&self) -> Option<u8> {
        self.percent(Role::PackSoc)
    }

    /// State of health in percent.
    #[must_use]
    pub fn soh_percent(&self) -> Option<u8> {
        self.percent(Role::PackSoh)
    }

    /// Temperature in degrees Celsius.
    #[must_use]
    pub fn temperature_c(&self) -> Option<i16> {
        i16::try_from(self.number_of(Role::PackTemperature)?.in_scale(0)).ok()
    }

    /// Model of the pack.
    #[must_use]
    pub fn model_name(&self) -> Option<Text> {
        match self.value(Role::PackType)? {
            Value::Text(text) => Some(text).filter(|text| !text.as_str().is_empty()),
            _ => None,
        }
    }

    /// Serial number.
    #[must_use]
    pub fn serial_number(&self) -> Option<u64> {
        match self.value(Role::PackSerialNumber)? {
            Value::Serial(serial) => Some(serial).filter(|&serial| serial != 0),
            _ => None,
        }
    }

    /// Version of the pack's controller, two decimals.
    #[must_use]
    pub fn version(&self) -> Option<Decimal> {
        self.number_of(Role::PackVersion)
    }

    /// Cell voltages in millivolts, without the cells that the pack does not have.
    #[must_use]
    pub fn cell_voltages_mv(&self) -> Vec<u16> {
        let millivolts = |volts: &Decimal| u16::try_from(volts.in_scale(3)).ok();
        match self.value(Role::PackCells) {
            Some(Value::Numbers(volts)) => volts
                .iter()
                .filter_map(millivolts)
                .filter(|&cell| cell != 0)
                .collect(),
            Some(Value::Cells(cells)) => cells.iter().map(|cell| cell.millivolts).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields of the page that have a value.
    pub fn fields(&self) -> impl Iterator<Item = (&'static crate::register::Field, Value)> + 'a {
        let fields = self.model.decode(self.registers);
        fields.filter(|(field, _)| field.group() == Group::Packs)
    }
}
