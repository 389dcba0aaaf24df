use alloc::vec::Vec;

use super::{CellVoltage, Choice, Choices, DateTime, Decimal, Registers, Text, TimeSlot, Value};

/// How a field lies in its registers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A number with so many decimals.
    Number {
        /// The bits that hold it.
        word: Word,
        /// How many decimals it has.
        scale: u8,
    },
    /// 1 is on, anything else off: some stations read 3 for off.
    Switch,
    /// 0 or 1; nothing else has a meaning.
    Flag,
    /// One bit, 0 the lowest.
    Bit(u8),
    /// A word of bits.
    Bits,
    /// The low byte as bits.
    LowBits,
    /// A number with a name.
    Choice(&'static Choices),
    /// The same in the low byte.
    LowChoice(&'static Choices),
    /// Text, high byte first.
    Text(u16),
    /// Text, low byte first.
    SwappedText(u16),
    /// Four registers, lowest first.
    Serial,
    /// Two registers, lowest first; two decimals.
    Version,
    /// Degrees Celsius above −40; 0 is no value.
    Temperature,
    /// Minutes.
    Minutes,
    /// So many numbers with so many decimals.
    Numbers {
        /// How many.
        count: u16,
        /// How many decimals each has.
        scale: u8,
    },
    /// A page of cells: up to four counts below 256, of which the first is that of
    /// the cells, then a register per cell. Not verified on a station; anything
    /// that does not look like it gives no value.
    CellPage(u16),
    /// A voltage with two decimals, if that makes one of a portable station's
    /// battery (10 to 70 V); else no value.
    PortableVoltage,
    /// PV voltage or power of the AC200 class, whose sources disagree about the
    /// decimals. See [`PvScale`].
    Pv {
        /// Which of both.
        quantity: PvQuantity,
        /// The scale where registers 86–88 do not decide.
        otherwise: PvScale,
    },
    /// Three registers: date and time.
    Clock,
    /// Three registers: mode, start, end.
    Slot,
}

/// The bits that hold a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Word {
    /// The low byte of a register.
    Low,
    /// The high byte of a register.
    High,
    /// A register.
    U16,
    /// A register, signed.
    I16,
    /// A register, signed, with the opposite sign.
    Negated,
    /// Two registers, low word first.
    U32,
    /// Two registers, low word first, signed.
    I32,
}

impl Word {
    /// The number in these registers.
    pub(super) fn number(self, words: &[u16]) -> Option<i64> {
        let &first = words.first()?;
        let [high, low] = first.to_be_bytes();
        let long = || Some(u32::from(first) | u32::from(*words.get(1)?) << 16);
        Some(match self {
            Self::Low => i64::from(low),
            Self::High => i64::from(high),
            Self::U16 => i64::from(first),
            Self::I16 => i64::from(first.cast_signed()),
            Self::Negated => -i64::from(first.cast_signed()),
            Self::U32 => i64::from(long()?),
            Self::I32 => i64::from(long()?.cast_signed()),
        })
    }

    /// The number that stands for "not used". A signed register has none: there it
    /// is -1.
    pub(super) const fn unused(self) -> Option<i64> {
        match self {
            Self::U16 => Some(UNUSED as i64),
            Self::U32 => Some(u32::MAX as i64),
            _ => None,
        }
    }
}

/// Voltage or power of the PV input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PvQuantity {
    /// Register 86, V.
    Voltage,
    /// Register 87, W.
    Power,
}

/// The decimals of registers 86 (PV voltage) and 87 (PV power) in the AC200 class.
/// Register 88 is the current in 0.01 A in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PvScale {
    /// Voltage in V, power in 0.1 W.
    WholeVolts,
    /// Voltage in 0.1 V, power in W.
    TenthVolts,
}

impl PvScale {
    /// The scale under which voltage times current comes within a quarter of the
    /// power; `None` where neither does, as without sun.
    #[must_use]
    pub fn of(voltage: u16, power: u16, current: u16) -> Option<Self> {
        let product = u64::from(voltage) * u64::from(current);
        let near = |expected: u64| expected > 0 && product.abs_diff(expected) * 4 <= expected;
        if near(u64::from(power) * 10) {
            Some(Self::WholeVolts)
        } else if near(u64::from(power) * 1000) {
            Some(Self::TenthVolts)
        } else {
            None
        }
    }
}

/// First of the three PV registers of the AC200 class.
const PV_REGISTER: u16 = 86;
/// "Not supported on this model", where that cannot be a value.
const UNSUPPORTED: u16 = 404;
/// "Not used".
const UNUSED: u16 = 0xFFFF;

impl Kind {
    /// How many registers the field takes.
    #[must_use]
    pub const fn count(self) -> u16 {
        match self {
            Self::Number {
                word: Word::U32 | Word::I32,
                ..
            }
            | Self::Version => 2,
            Self::Text(count)
            | Self::SwappedText(count)
            | Self::Numbers { count, .. }
            | Self::CellPage(count) => count,
            Self::Serial => 4,
            Self::Clock | Self::Slot => 3,
            _ => 1,
        }
    }

    /// How many decimals a number has.
    #[must_use]
    pub const fn scale(self) -> u8 {
        match self {
            Self::Number { scale, .. } | Self::Numbers { scale, .. } => scale,
            Self::Version | Self::PortableVoltage => 2,
            _ => 0,
        }
    }

    /// The value of these registers, by the encoding alone: [`Field::decode`] also
    /// knows which values are none. `None` if there are too few registers, or if
    /// they hold no value of this kind. A [`Pv`](Self::Pv) is decoded in its
    /// [otherwise](Self::Pv::otherwise) scale.
    ///
    /// [`Field::decode`]: super::Field::decode
    #[must_use]
    #[inline]
    pub fn decode(self, words: &[u16]) -> Option<Value> {
        let &first = words.first()?;
        let [_, low] = first.to_be_bytes();
        Some(match self {
            Self::Number { word, scale } => Value::Number(Decimal::new(word.number(words)?, scale)),
            Self::Switch => Value::Switch(first == 1),
            Self::Flag => match first {
                0 | 1 => Value::Switch(first == 1),
                _ => return None,
            },
            Self::Bit(bit) => Value::Switch(u32::from(first) >> bit.min(16) & 1 == 1),
            Self::Bits => Value::Bits(first),
            Self::LowBits => Value::Bits(u16::from(low)),
            Self::Choice(choices) => Value::Choice(Choice::new(choices, first)),
            Self::LowChoice(choices) => Value::Choice(Choice::new(choices, u16::from(low))),
            Self::Text(count) => Value::Text(Text::from_words(first_words(words, count)?, false)),
            Self::SwappedText(count) => {
                Value::Text(Text::from_words(first_words(words, count)?, true))
            }
            Self::Serial => {
                let words = first_words(words, 4)?.iter().rev();
                Value::Serial(words.fold(0, |serial, &word| serial << 16 | u64::from(word)))
            }
            Self::Version => {
                let raw = i64::from(first) + (i64::from(*words.get(1)?) << 16);
                Value::Number(Decimal::new(raw, 2))
            }
            Self::Temperature if first == 0 => return None,
            Self::Temperature => Value::Number(Decimal::new(i64::from(first) - 40, 0)),
            Self::Minutes => Value::Minutes(first),
            Self::Numbers { count, scale } => {
                let words = first_words(words, count)?.iter();
                let number = |&word| Decimal::new(i64::from(word), scale);
                Value::Numbers(words.map(number).collect())
            }
            Self::CellPage(count) => Value::Cells(cells(first_words(words, count)?)?),
            Self::PortableVoltage if !(1000..=7000).contains(&first) => return None,
            Self::PortableVoltage => Value::Number(Decimal::new(i64::from(first), 2)),
            Self::Pv {
                quantity,
                otherwise,
            } => pv(first, quantity, otherwise),
            Self::Clock => Value::Time(DateTime::from_words(three(words)?)?),
            Self::Slot => Value::Slot(TimeSlot::from_words(three(words)?)),
        })
    }

    /// As [`decode`](Self::decode), without the numbers that stand for "no value",
    /// and with the rest of the image, which tells the scale of a
    /// [`Pv`](Self::Pv).
    #[inline]
    pub(super) fn decode_among(self, words: &[u16], registers: &Registers) -> Option<Value> {
        if self.is_sentinel(words) {
            return None;
        }
        if let Self::Pv { quantity, .. } = self
            && let Some(&[voltage, power, current]) = registers.range(PV_REGISTER, 3)
            && let Some(scale) = PvScale::of(voltage, power, current)
        {
            return Some(pv(*words.first()?, quantity, scale));
        }
        self.decode(words)
    }

    fn is_sentinel(self, words: &[u16]) -> bool {
        match self {
            Self::Temperature | Self::Minutes | Self::Pv { .. } => words.first() == Some(&UNUSED),
            Self::Serial | Self::Version => {
                let mut words = words.iter().take(usize::from(self.count()));
                words.all(|&word| word == UNUSED)
            }
            Self::Switch | Self::Flag | Self::Choice(_) => {
                matches!(words.first(), Some(&(UNSUPPORTED | UNUSED)))
            }
            _ => false,
        }
    }
}

fn pv(raw: u16, quantity: PvQuantity, scale: PvScale) -> Value {
    let tenths = matches!(
        (quantity, scale),
        (PvQuantity::Voltage, PvScale::TenthVolts) | (PvQuantity::Power, PvScale::WholeVolts)
    );
    Value::Number(Decimal::new(i64::from(raw), u8::from(tenths)))
}

fn first_words(words: &[u16], count: u16) -> Option<&[u16]> {
    words.get(..usize::from(count))
}

fn three(words: &[u16]) -> Option<[u16; 3]> {
    words.first_chunk().copied()
}

fn cells(page: &[u16]) -> Option<Vec<CellVoltage>> {
    let &count = page.first().filter(|count| (1..=64).contains(*count))?;
    let start = page.iter().take(4).position(|&word| word > 0xFF)?;
    let words = page.get(start..start + usize::from(count))?;
    let cells: Vec<_> = words
        .iter()
        .map(|&word| CellVoltage::from_word(word))
        .collect();
    let plausible = |cell: &CellVoltage| (1000..=5000).contains(&cell.millivolts);
    cells.iter().all(plausible).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pv_scale_is_where_volts_times_amps_are_watts() {
        // 45 V and 6.93 A, 312.0 W or 312 W.
        assert_eq!(PvScale::of(45, 3120, 693), Some(PvScale::WholeVolts));
        assert_eq!(PvScale::of(450, 312, 693), Some(PvScale::TenthVolts));
        assert_eq!(PvScale::of(456, 312, 68), None);
        assert_eq!(PvScale::of(0, 0, 0), None);
        assert_eq!(PvScale::of(u16::MAX, u16::MAX, u16::MAX), None);
    }

    #[test]
    fn a_cell_page_that_looks_like_none_is_none() {
        let page = [3, 2, 0x4CE4, 0x0CE5, 0x0CE6, 0x4142];
        let Some(Value::Cells(cells)) = Kind::CellPage(6).decode(&page) else {
            panic!("no cells");
        };
        let millivolts: Vec<_> = cells.iter().map(|cell| cell.millivolts).collect();
        assert_eq!(millivolts, [3300, 3301, 3302]);
        assert_eq!(
            Kind::CellPage(6).decode(&[3, 2, 0x4CE4, 0x0CE5, 1, 1]),
            None
        );
        assert_eq!(Kind::CellPage(6).decode(&[0; 6]), None);
        assert_eq!(
            Kind::CellPage(6).decode(&[60, 1, 3300, 3300, 3300, 3300]),
            None
        );
    }

    #[test]
    fn a_portable_battery_has_10_to_70_volts() {
        assert_eq!(Kind::PortableVoltage.decode(&[996]), None);
        let volts = Value::Number(Decimal::new(5312, 2));
        assert_eq!(Kind::PortableVoltage.decode(&[5312]), Some(volts));
    }
}
