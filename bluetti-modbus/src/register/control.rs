use core::fmt;

use super::{Block, Choices, DateTime, Registers, TimeSlot, Unit};

macro_rules! controls {
    ($($(#[$doc:meta])* $Variant:ident $name:literal;)+) => {
        /// What a control does, across all models.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ControlId {
            $($(#[$doc])* $Variant,)+
        }

        impl ControlId {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The name in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)+
                }
            }
        }
    };
}

controls! {
    /// The AC output.
    AcOutput "ac_output";
    /// The DC output.
    DcOutput "dc_output";
    /// The working mode.
    WorkingMode "working_mode";
    /// Charging from the grid.
    GridCharge "grid_charge";
    /// Charging and discharging by the clock.
    TimeControl "time_control";
    /// Lower end of the charge range, %.
    SocLow "soc_low";
    /// Upper end of the charge range, %.
    SocHigh "soc_high";
    /// Where charging stops, %.
    ChargeLimit "charge_limit";
    /// Charging current from the grid, A.
    GridChargeCurrent "grid_charge_current";
    /// The lamp.
    Led "led";
    /// When the screen goes off.
    ScreenTimeout "screen_timeout";
    /// Eco mode of a station with one for both outputs.
    Eco "eco";
    /// How long that eco mode waits.
    EcoHours "eco_hours";
    /// Eco mode of the DC output.
    EcoDc "eco_dc";
    /// How long it waits.
    EcoHoursDc "eco_hours_dc";
    /// Below which load it counts, W.
    EcoPowerDc "eco_power_dc";
    /// Eco mode of the AC output.
    EcoAc "eco_ac";
    /// How long it waits.
    EcoHoursAc "eco_hours_ac";
    /// Below which load it counts, W.
    EcoPowerAc "eco_power_ac";
    /// How fast it charges from the grid.
    ChargingMode "charging_mode";
    /// More power for heaters and the like, at a lower voltage.
    PowerLifting "power_lifting";
    /// Grid enhancement.
    GridEnhancement "grid_enhancement";
    /// Switches the station off; it cannot be reached afterwards.
    PowerOff "power_off";
    /// The clock, local time.
    Clock "clock";
    /// The slots of the time-control programme.
    TimeSlots "time_slots";
    /// The charger's output.
    Charger "charger";
    /// Feeding into the grid.
    FeedIn "feed_in";
    /// Coupling of two stations to a split-phase pair.
    SplitPhase "split_phase";
    /// Role in that pair.
    SplitPhaseRole "split_phase_role";
}

impl fmt::Display for ControlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What can damage a station or the wiring behind it. Such registers are written
/// only by who names the danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Danger {
    /// Deletes all settings. There is no control for it: which value does it is
    /// not known.
    FactoryReset,
    /// Grid code and limits of the grid connection, or the password in front of
    /// them.
    GridCode,
    /// Feeding into the grid.
    FeedIn,
    /// Voltage or frequency of the output.
    OutputLevel,
    /// Coupling of two stations to a split-phase pair.
    SplitPhase,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FactoryReset => "factory reset",
            Self::GridCode => "grid code",
            Self::FeedIn => "feeding into the grid",
            Self::OutputLevel => "output voltage and frequency",
            Self::SplitPhase => "split phase",
        })
    }
}

/// What a control takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlKind {
    /// On or off.
    Switch {
        /// What is written for on.
        on: u16,
        /// What is written for off.
        off: u16,
    },
    /// A number within a range.
    Number(NumberRange),
    /// One of the names.
    Select(&'static Choices),
    /// A push; 1 is written.
    Button,
    /// Date and time, three registers.
    Clock,
    /// So many time slots of three registers each.
    Slots(u8),
}

/// The numbers a control takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    /// The lowest.
    pub min: u16,
    /// The highest.
    pub max: u16,
    /// Of what.
    pub unit: Unit,
    /// Whether the number goes into the high byte of its register.
    pub high_byte: bool,
}

impl NumberRange {
    /// All numbers are multiples of this.
    pub const STEP: u16 = 1;
}

/// Something that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    id: ControlId,
    field: &'static str,
    register: u16,
    kind: ControlKind,
    danger: Option<Danger>,
    pause_s: u8,
    /// The register of the other end of a range.
    partner: Option<u16>,
}

/// What to set a control to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting<'a> {
    /// On or off.
    Switch(bool),
    /// A number in the control's unit.
    Number(i32),
    /// A name or alias of the control's choices.
    Name(&'a str),
    /// A push.
    Press,
    /// Date and time, local.
    Clock(DateTime),
    /// A slot, numbered from 1.
    Slot(u8, TimeSlot),
}

/// Why a setting is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The setting is of another kind than the control.
    #[error("{0} takes another kind of setting")]
    WrongKind(ControlId),
    /// The number is out of range.
    #[error("{control} takes {min} to {max}")]
    OutOfRange {
        /// The control.
        control: ControlId,
        /// The lowest.
        min: u16,
        /// The highest.
        max: u16,
    },
    /// The control has no such choice.
    #[error("{0} has no choice of this name")]
    UnknownName(ControlId),
    /// The lower end of the charge range would not be below the upper one.
    #[error("{0}: the lower end must stay below the upper one, which is set on its own")]
    EmptyRange(ControlId),
    /// Not a date, not a time of day, or not a slot of the programme.
    #[error("{0} takes a valid time")]
    InvalidTime(ControlId),
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Write {
    register: u16,
    words: [u16; 3],
    len: u8,
}

impl Write {
    /// One register, for function 6.
    #[must_use]
    pub const fn one(register: u16, word: u16) -> Self {
        Self {
            register,
            words: [word, 0, 0],
            len: 1,
        }
    }

    /// Three registers, for function 16.
    #[must_use]
    pub const fn three(register: u16, words: [u16; 3]) -> Self {
        Self {
            register,
            words,
            len: 3,
        }
    }

    /// The first register.
    #[must_use]
    pub const fn register(&self) -> u16 {
        self.register
    }

    /// The words, one or three.
    #[must_use]
    pub fn words(&self) -> &[u16] {
        self.words.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The registers it changes, to be read back.
    #[must_use]
    pub const fn block(&self) -> Block {
        Block::new(self.register, self.len as u16)
    }
}

impl Control {
    /// What it does.
    #[must_use]
    pub const fn id(&self) -> ControlId {
        self.id
    }

    /// The field that shows it: that field's name.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The first register that is written.
    #[must_use]
    pub const fn register(&self) -> u16 {
        self.register
    }

    /// All registers it may write.
    #[must_use]
    pub const fn block(&self) -> Block {
        let count = match self.kind {
            ControlKind::Clock => 3,
            ControlKind::Slots(count) => 3 * count as u16,
            _ => 1,
        };
        Block::new(self.register, count)
    }

    /// What it takes.
    #[must_use]
    pub const fn kind(&self) -> ControlKind {
        self.kind
    }

    /// The danger that has to be named for it.
    #[must_use]
    pub const fn danger(&self) -> Option<Danger> {
        self.danger
    }

    /// Whether the station can be lost by it, so that a person should confirm.
    #[must_use]
    pub const fn needs_confirmation(&self) -> bool {
        self.danger.is_some() || matches!(self.id, ControlId::PowerOff)
    }

    /// The register of the other end of a range, which a setting must not cross.
    #[must_use]
    pub const fn partner(&self) -> Option<u16> {
        self.partner
    }

    /// Seconds to leave between two writes.
    #[must_use]
    pub const fn pause_s(&self) -> u8 {
        self.pause_s
    }

    /// The setting as words for its registers. `registers` is what is known of the
    /// station: with it, the ends of the charge range are kept in order.
    ///
    /// # Errors
    ///
    /// A [`ControlError`] if the control does not take this setting. Nothing is
    /// encoded then.
    pub fn encode(
        &self,
        setting: &Setting<'_>,
        registers: &Registers,
    ) -> Result<Write, ControlError> {
        let one = |word| Ok(Write::one(self.register, word));
        match (self.kind, *setting) {
            (ControlKind::Switch { on, .. }, Setting::Switch(true)) => one(on),
            (ControlKind::Switch { off, .. }, Setting::Switch(false)) => one(off),
            // Some callers know a button as a switch; 0 is what it reads at rest.
            (ControlKind::Button, Setting::Press | Setting::Switch(true)) => one(1),
            (ControlKind::Button, Setting::Switch(false)) => one(0),
            (ControlKind::Number(range), Setting::Number(number)) => {
                one(self.number(range, number, registers)?)
            }
            (ControlKind::Select(choices), Setting::Name(name)) => one(choices
                .value(name)
                .ok_or(ControlError::UnknownName(self.id))?),
            (ControlKind::Clock, Setting::Clock(time)) => {
                let words = time.to_words();
                let words = words.ok_or(ControlError::InvalidTime(self.id))?;
                Ok(Write::three(self.register, words))
            }
            (ControlKind::Slots(count), Setting::Slot(number, slot)) => {
                let words = slot.to_words().filter(|_| (1..=count).contains(&number));
                let words = words.ok_or(ControlError::InvalidTime(self.id))?;
                let offset = u16::from(number - 1) * 3;
                Ok(Write::three(self.register + offset, words))
            }
            _ => Err(ControlError::WrongKind(self.id)),
        }
    }

    fn number(
        &self,
        range: NumberRange,
        number: i32,
        registers: &Registers,
    ) -> Result<u16, ControlError> {
        let number = u16::try_from(number)
            .ok()
            .filter(|number| (range.min..=range.max).contains(number))
            .ok_or(ControlError::OutOfRange {
                control: self.id,
                min: range.min,
                max: range.max,
            })?;
        let partner = self.partner.and_then(|register| registers.get(register));
        let in_order = match (self.id, partner) {
            (ControlId::SocLow, Some(high)) => number < high,
            (ControlId::SocHigh, Some(low)) => low < number,
            _ => true,
        };
        if !in_order {
            return Err(ControlError::EmptyRange(self.id));
        }
        Ok(if range.high_byte { number << 8 } else { number })
    }

    /// The registers that show whether a write took effect; `None` where the
    /// station is gone afterwards.
    #[must_use]
    pub const fn verification(&self, write: &Write) -> Option<Block> {
        match self.id {
            ControlId::PowerOff => None,
            _ => Some(write.block()),
        }
    }

    /// Whether the registers read back are those written. A clock may have gone on
    /// for up to a minute.
    #[must_use]
    pub fn is_confirmed(&self, write: &Write, registers: &Registers) -> bool {
        let block = write.block();
        let Some(words) = registers.range(block.start, block.count) else {
            return false;
        };
        if self.kind == ControlKind::Clock
            && let Some(read) = time(words)
            && let Some(written) = time(write.words())
        {
            return (0..=60).contains(&(read - written));
        }
        words == write.words()
    }
}

fn time(words: &[u16]) -> Option<i64> {
    Some(DateTime::from_words(*words.first_chunk()?)?.seconds())
}

/// The rows of the tables.
impl Control {
    const fn new(id: ControlId, field: &'static str, register: u16, kind: ControlKind) -> Self {
        Self {
            id,
            field,
            register,
            kind,
            danger: None,
            pause_s: 0,
            partner: None,
        }
    }

    pub(crate) const fn switch(id: ControlId, field: &'static str, register: u16) -> Self {
        Self::new(id, field, register, ControlKind::Switch { on: 1, off: 0 })
    }

    pub(crate) const fn words(
        id: ControlId,
        field: &'static str,
        register: u16,
        on: u16,
        off: u16,
    ) -> Self {
        Self::new(id, field, register, ControlKind::Switch { on, off })
    }

    pub(crate) const fn select(
        id: ControlId,
        field: &'static str,
        register: u16,
        choices: &'static Choices,
    ) -> Self {
        Self::new(id, field, register, ControlKind::Select(choices))
    }

    pub(crate) const fn number_of(
        id: ControlId,
        field: &'static str,
        register: u16,
        min: u16,
        max: u16,
        unit: Unit,
    ) -> Self {
        let range = NumberRange {
            min,
            max,
            unit,
            high_byte: false,
        };
        Self::new(id, field, register, ControlKind::Number(range))
    }

    pub(crate) const fn high_byte(
        id: ControlId,
        field: &'static str,
        register: u16,
        min: u16,
        max: u16,
        unit: Unit,
    ) -> Self {
        let range = NumberRange {
            min,
            max,
            unit,
            high_byte: true,
        };
        Self::new(id, field, register, ControlKind::Number(range))
    }

    pub(crate) const fn button(id: ControlId, field: &'static str, register: u16) -> Self {
        Self::new(id, field, register, ControlKind::Button)
    }

    pub(crate) const fn clock(field: &'static str, register: u16) -> Self {
        Self::new(ControlId::Clock, field, register, ControlKind::Clock)
    }

    pub(crate) const fn slots(field: &'static str, register: u16) -> Self {
        Self::new(ControlId::TimeSlots, field, register, ControlKind::Slots(6))
    }

    pub(crate) const fn danger_of(mut self, danger: Danger) -> Self {
        self.danger = Some(danger);
        self
    }

    pub(crate) const fn paused(mut self, seconds: u8) -> Self {
        self.pause_s = seconds;
        self
    }

    pub(crate) const fn beside(mut self, partner: u16) -> Self {
        self.partner = Some(partner);
        self
    }
}
