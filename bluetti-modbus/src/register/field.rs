use core::fmt;

use super::{Block, Decimal, Kind, Registers, Value, Word};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// V.
    Volts,
    /// A.
    Amps,
    /// W.
    Watts,
    /// VA.
    VoltAmps,
    /// Hz.
    Hertz,
    /// kWh.
    KilowattHours,
    /// Wh.
    WattHours,
    /// %.
    Percent,
    /// °C.
    Celsius,
    /// h.
    Hours,
    /// min.
    Minutes,
    /// A plain number, or no number at all.
    None,
}

impl Unit {
    /// The unit's symbol; empty for plain numbers.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Volts => "V",
            Self::Amps => "A",
            Self::Watts => "W",
            Self::VoltAmps => "VA",
            Self::Hertz => "Hz",
            Self::KilowattHours => "kWh",
            Self::WattHours => "Wh",
            Self::Percent => "%",
            Self::Celsius => "°C",
            Self::Hours => "h",
            Self::Minutes => "min",
            Self::None => "",
        }
    }
}

/// How often a field is worth reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Powers, state of charge, switches: with each poll.
    Live,
    /// Voltages, currents and powers of single inputs, outputs and phases, where
    /// they take requests of their own.
    Detail,
    /// Settings and the like: with every fifth poll or so.
    Slow,
    /// What hardly changes: names, serial numbers, versions.
    Identity,
    /// One battery pack, after it was selected. See
    /// [`PackAccess`](crate::model::PackAccess).
    Packs,
    /// What one does not want in a log: the name of the home's network. Read only
    /// if asked for.
    Private,
}

impl Group {
    /// All groups but the private one.
    pub const PUBLIC: &'static [Self] = &[
        Self::Live,
        Self::Detail,
        Self::Slow,
        Self::Identity,
        Self::Packs,
    ];
}

/// What a field means across all models. At most one value of a device has a role;
/// fields without one are specialities of their model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Model name.
    DeviceType,
    /// Serial number.
    SerialNumber,
    /// Protocol version.
    ProtocolVersion,
    /// Version of the first controller.
    ArmVersion,
    /// Version of the second controller.
    DspVersion,
    /// State of charge, %.
    Soc,
    /// Power from the grid, W.
    AcInputPower,
    /// Power from PV or a car, W.
    DcInputPower,
    /// Power of the AC loads, W.
    AcOutputPower,
    /// Power of the DC loads, W.
    DcOutputPower,
    /// The AC output is switched on.
    AcOutputOn,
    /// The DC output is switched on.
    DcOutputOn,
    /// Charging from the grid is allowed.
    GridChargeOn,
    /// Battery voltage, V.
    BatteryVoltage,
    /// Battery current, A.
    BatteryCurrent,
    /// Which way the battery's energy flows.
    NetFlow,
    /// Grid voltage, V.
    AcInputVoltage,
    /// Grid frequency, Hz.
    AcInputFrequency,
    /// AC output voltage, V.
    AcOutputVoltage,
    /// AC output frequency, Hz.
    AcOutputFrequency,
    /// Voltage of a PV string, numbered from 1, V.
    PvVoltage(u8),
    /// Power of a PV string, numbered from 1, W.
    PvPower(u8),
    /// PV energy so far, kWh.
    Generation,
    /// Working mode.
    WorkingMode,
    /// Charging mode.
    ChargingMode,
    /// Lower end of the charge range, %.
    SocLow,
    /// Upper end of the charge range, %.
    SocHigh,
    /// When the screen goes off.
    ScreenTimeout,
    /// Time until full.
    TimeToFull,
    /// Time until empty.
    TimeToEmpty,
    /// Time until full while charging, else until empty.
    TimeRemaining,
    /// How many packs there are.
    PackCount,
    /// Warning word, numbered from 1.
    Warning(u8),
    /// Fault word, numbered from 1.
    Fault(u8),
    /// Number of the pack that the pack fields are about.
    PackNumber,
    /// What the pack does.
    PackStatus,
    /// Its voltage, V.
    PackVoltage,
    /// Its current, A.
    PackCurrent,
    /// Its state of charge, %.
    PackSoc,
    /// Its state of health, %.
    PackSoh,
    /// Its temperature, °C.
    PackTemperature,
    /// Its cells, V.
    PackCells,
    /// Its model name.
    PackType,
    /// Its serial number.
    PackSerialNumber,
    /// Version of its controller.
    PackVersion,
}

/// A named value in the registers of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    name: &'static str,
    alias: Option<&'static str>,
    register: u16,
    kind: Kind,
    unit: Unit,
    range: Option<(i32, i32)>,
    group: Group,
    role: Option<Role>,
    fallback: bool,
    /// For a fallback: the first register of the field of the same name.
    replacement: Option<u16>,
    doc: &'static str,
}

impl Field {
    /// The name, in snake case and stable: that of the open implementation which
    /// knew the model first.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name in the other open implementation, where that differs.
    #[must_use]
    pub const fn alias(&self) -> Option<&'static str> {
        self.alias
    }

    /// Whether it is called so.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alias == Some(name)
    }

    /// The first register.
    #[must_use]
    pub const fn register(&self) -> u16 {
        self.register
    }

    /// All its registers.
    #[must_use]
    pub const fn block(&self) -> Block {
        Block::new(self.register, self.kind.count())
    }

    /// How it lies in its registers.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What it counts.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The lowest and the highest number that is plausible, as the device counts;
    /// others are no value.
    #[must_use]
    pub const fn range(&self) -> Option<(i32, i32)> {
        self.range
    }

    /// How often it is worth reading.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// What it means across all models.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.role
    }

    /// Whether it only counts while a field of the same name or role has no value.
    ///
    /// So the first generation's registers 48 and 49, which show energy flowing,
    /// stand in for the switches at 3007 and 3008.
    #[must_use]
    pub const fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn doc(&self) -> &'static str {
        self.doc
    }

    /// Its value; `None` if a register is missing, or if it holds no plausible
    /// value.
    #[must_use]
    pub fn decode(&self, registers: &Registers) -> Option<Value> {
        self.decode_among(registers.from(self.register)?, registers)
    }

    /// Its value, from the words at its first register and behind.
    #[inline]
    pub(crate) fn decode_among(&self, words: &[u16], registers: &Registers) -> Option<Value> {
        if let Kind::Number { word, scale } = self.kind {
            let raw = word.number(words)?;
            let valid = word.unused() != Some(raw) && self.is_plausible(raw);
            return valid.then(|| Value::Number(Decimal::new(raw, scale)));
        }
        let value = self.kind.decode_among(words, registers)?;
        let raw = match &value {
            Value::Number(number) => number.raw(),
            Value::Minutes(minutes) => i64::from(*minutes),
            _ => return Some(value),
        };
        self.is_plausible(raw).then_some(value)
    }

    fn is_plausible(&self, raw: i64) -> bool {
        self.range
            .is_none_or(|(low, high)| i64::from(low) <= raw && raw <= i64::from(high))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The rows of the tables.
impl Field {
    pub(crate) const fn new(
        name: &'static str,
        register: u16,
        kind: Kind,
        unit: Unit,
        doc: &'static str,
    ) -> Self {
        Self {
            name,
            alias: None,
            register,
            kind,
            unit,
            range: None,
            group: Group::Live,
            role: None,
            fallback: false,
            replacement: None,
            doc,
        }
    }

    pub(crate) const fn alias_of(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }

    pub(crate) const fn within(mut self, low: i32, high: i32) -> Self {
        self.range = Some((low, high));
        self
    }

    pub(crate) const fn role_of(mut self, role: Role) -> Self {
        self.role = Some(role);
        self
    }

    pub(crate) const fn slow(self) -> Self {
        self.in_group(Group::Slow)
    }

    pub(crate) const fn detail(self) -> Self {
        self.in_group(Group::Detail)
    }

    pub(crate) const fn identity(self) -> Self {
        self.in_group(Group::Identity)
    }

    pub(crate) const fn pack(self) -> Self {
        self.in_group(Group::Packs)
    }

    pub(crate) const fn private(self) -> Self {
        self.in_group(Group::Private)
    }

    const fn in_group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    pub(crate) const fn replacement(&self) -> Option<u16> {
        self.replacement
    }

    pub(crate) const fn replaced_by(mut self, register: u16) -> Self {
        self.replacement = Some(register);
        self
    }

    pub(crate) const fn fallback(mut self) -> Self {
        self.fallback = true;
        self
    }
}

/// A row of a table: name, first register, kind, unit, doc, then what else is
/// known.
macro_rules! field {
    ($name:literal $register:literal $Kind:ident $(($($shape:tt)*))? $Unit:ident $doc:literal
        $(, $known:ident($($value:expr),*))*) => {
        $crate::register::Field::new(
            $name,
            $register,
            $crate::register::Kind::$Kind $(($($shape)*))?,
            $crate::register::Unit::$Unit,
            $doc,
        )
        $(.$known($($value),*))*
    };
}
pub(crate) use field;

/// The usual numbers.
impl Kind {
    pub(crate) const U16: Self = number(Word::U16, 0);
    pub(crate) const U16_1: Self = number(Word::U16, 1);
    pub(crate) const U16_2: Self = number(Word::U16, 2);
    pub(crate) const I16: Self = number(Word::I16, 0);
    pub(crate) const I16_1: Self = number(Word::I16, 1);
    pub(crate) const U32: Self = number(Word::U32, 0);
    pub(crate) const U32_1: Self = number(Word::U32, 1);
    pub(crate) const I32: Self = number(Word::I32, 0);
    pub(crate) const LOW: Self = number(Word::Low, 0);
    pub(crate) const HIGH: Self = number(Word::High, 0);
}

const fn number(word: Word, scale: u8) -> Kind {
    Kind::Number { word, scale }
}
