use core::fmt;

/// The station's clock. Local time; the station does not say of which zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    /// 2000–2255.
    pub year: u16,
    /// 1–12.
    pub month: u8,
    /// 1–31.
    pub day: u8,
    /// 0–23.
    pub hour: u8,
    /// 0–59.
    pub minute: u8,
    /// 0–59.
    pub second: u8,
}

impl DateTime {
    /// From the three registers of a clock; `None` if they hold no time.
    #[must_use]
    pub fn from_words(words: [u16; 3]) -> Option<Self> {
        let [[year, month], [day, hour], [minute, second]] = words.map(u16::to_be_bytes);
        let time = Self {
            year: 2000 + u16::from(year),
            month,
            day,
            hour,
            minute,
            second,
        };
        time.is_valid().then_some(time)
    }

    /// The three registers; `None` for a time that is none, or out of their range.
    #[must_use]
    pub fn to_words(self) -> Option<[u16; 3]> {
        let year = u8::try_from(self.year.checked_sub(2000)?).ok()?;
        self.is_valid().then_some(
            [
                [year, self.month],
                [self.day, self.hour],
                [self.minute, self.second],
            ]
            .map(u16::from_be_bytes),
        )
    }

    /// Seconds since the start of 2000.
    pub(super) fn seconds(self) -> i64 {
        let [year, month, day] = [
            i64::from(self.year),
            i64::from(self.month),
            i64::from(self.day),
        ];
        // Years that start in March have their leap day at the end.
        let year = if month > 2 { year } else { year - 1 };
        let days = 365 * year + year / 4 - year / 100 + year / 400;
        let days = days + (153 * ((month + 9) % 12) + 2) / 5 + day - 730_426;
        let minutes = (days * 24 + i64::from(self.hour)) * 60 + i64::from(self.minute);
        minutes * 60 + i64::from(self.second)
    }

    const fn is_valid(self) -> bool {
        let year = self.year;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match self.month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return false,
        };
        1 <= self.day && self.day <= days && self.hour < 24 && self.minute < 60 && self.second < 60
    }
}

/// As in `2026-06-25T16:23:26`.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )
    }
}

/// What a station does in a time slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotMode {
    /// The slot is not used.
    Off,
    /// Charge from the grid.
    Charge,
    /// Supply the loads from the battery.
    Discharge,
    /// Neither.
    Standby,
    /// A number that is not known.
    Unknown(u8),
}

impl SlotMode {
    /// From the low byte of the slot's first register.
    #[must_use]
    pub const fn from_raw(raw: u8) -> Self {
        match raw {
            0 => Self::Off,
            1 => Self::Charge,
            2 => Self::Discharge,
            3 => Self::Standby,
            other => Self::Unknown(other),
        }
    }

    /// The number.
    #[must_use]
    pub const fn raw(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::Charge => 1,
            Self::Discharge => 2,
            Self::Standby => 3,
            Self::Unknown(other) => other,
        }
    }
}

impl fmt::Display for SlotMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Charge => f.write_str("charge"),
            Self::Discharge => f.write_str("discharge"),
            Self::Standby => f.write_str("standby"),
            Self::Unknown(raw) => write!(f, "unknown_{raw}"),
        }
    }
}

/// One slot of the time-control programme. The layout comes from the vendor's app
/// and was not verified on a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeSlot {
    /// What to do.
    pub mode: SlotMode,
    /// From: hour and minute.
    pub start: (u8, u8),
    /// To: hour and minute.
    pub end: (u8, u8),
}

impl TimeSlot {
    /// From the three registers of a slot.
    #[must_use]
    pub fn from_words(words: [u16; 3]) -> Self {
        let [[_, mode], [start, start_minute], [end, end_minute]] = words.map(u16::to_be_bytes);
        Self {
            mode: SlotMode::from_raw(mode),
            start: (start, start_minute),
            end: (end, end_minute),
        }
    }

    /// The three registers; `None` unless both times are times of a day and the
    /// mode is known.
    #[must_use]
    pub fn to_words(self) -> Option<[u16; 3]> {
        let valid = |(hour, minute): (u8, u8)| hour < 24 && minute < 60;
        let known = !matches!(self.mode, SlotMode::Unknown(_));
        (known && valid(self.start) && valid(self.end)).then_some([
            u16::from(self.mode.raw()),
            u16::from_be_bytes([self.start.0, self.start.1]),
            u16::from_be_bytes([self.end.0, self.end.1]),
        ])
    }
}

/// As in `charge 08:00-12:30`.
impl fmt::Display for TimeSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.start, self.end);
        write!(
            f,
            "{} {:02}:{:02}-{:02}:{:02}",
            self.mode, from.0, from.1, to.0, to.1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_that_is_none() {
        assert_eq!(DateTime::from_words([0, 0, 0]), None);
        let leap_day = [0x1802, 0x1D00, 0x0000];
        let time = DateTime::from_words(leap_day).unwrap();
        assert_eq!(time.to_words(), Some(leap_day));
        assert_eq!(DateTime { year: 2025, ..time }.to_words(), None);
        assert_eq!(DateTime { year: 1999, ..time }.to_words(), None);
        assert_eq!(DateTime { year: 2256, ..time }.to_words(), None);
    }

    #[test]
    fn seconds_go_on_over_every_border() {
        let at = |words| DateTime::from_words(words).unwrap().seconds();
        assert_eq!(at([0x0001, 0x0100, 0x0000]), 0);
        for (before, after) in [
            ([0x1A0C, 0x1F17, 0x3B3B], [0x1B01, 0x0100, 0x0000]),
            ([0x1802, 0x1D17, 0x3B3B], [0x1803, 0x0100, 0x0000]),
            ([0x1902, 0x1C17, 0x3B3B], [0x1903, 0x0100, 0x0000]),
        ] {
            assert_eq!(at(after) - at(before), 1);
        }
    }

    #[test]
    fn a_slot_ends_within_the_day() {
        let slot = TimeSlot::from_words([1, 0x0800, 0x1800]);
        assert_eq!(slot.to_words(), None);
        assert_eq!(TimeSlot::from_words([9, 0, 0]).to_words(), None);
    }
}
