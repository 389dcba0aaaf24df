use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// A calendar date between 2000-01-01 and 2127-12-31, as boards store it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", try_from = "String"))]
pub struct ProductionDate {
    year: u16,
    month: u8,
    day: u8,
}

impl ProductionDate {
    /// The date, or `None` if it is not in the calendar or out of range.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let sound = (2000..=2127).contains(&year) && (1..=days_in(year, month)).contains(&day);
        sound.then_some(Self { year, month, day })
    }

    /// Unpacks the device's 16 bits: 7 of the year since 2000, 4 of the month,
    /// 5 of the day. `None` if they form no calendar date.
    #[must_use]
    pub fn from_raw(raw: u16) -> Option<Self> {
        let [high, low] = raw.to_be_bytes();
        Self::new(
            2000 + u16::from(high >> 1),
            (high & 1) << 3 | low >> 5,
            low & 0x1F,
        )
    }

    /// The date in the device's 16 bits.
    #[must_use]
    pub fn to_raw(self) -> u16 {
        (self.year - 2000) << 9 | u16::from(self.month) << 5 | u16::from(self.day)
    }

    /// Year, 2000..=2127.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// Month, 1..=12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1..=31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && year != 2100 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl fmt::Display for ProductionDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for ProductionDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let mut fields = text.splitn(3, '-');
        let mut next = || fields.next().ok_or(NotADate);
        let year = next()?.parse().map_err(|_| NotADate)?;
        let month = next()?.parse().map_err(|_| NotADate)?;
        let day = next()?.parse().map_err(|_| NotADate)?;
        Self::new(year, month, day).ok_or(NotADate)
    }
}

impl From<ProductionDate> for String {
    fn from(date: ProductionDate) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for ProductionDate {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

/// The text is no date of the form `2024-05-06`, or one before 2000 or after 2127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date between 2000-01-01 and 2127-12-31")]
pub struct NotADate;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_raw_value_is_a_date_or_nothing() {
        let mut dates = 0;
        for raw in 0..=u16::MAX {
            if let Some(date) = ProductionDate::from_raw(raw) {
                assert_eq!(date.to_raw(), raw);
                dates += 1;
            }
        }
        assert_eq!(dates, 128 * 365 + 31);
    }

    #[test]
    fn displays_as_iso_date() {
        assert_eq!(
            ProductionDate::from_raw(12454).unwrap().to_string(),
            "2024-05-06"
        );
        assert_eq!(ProductionDate::from_raw(0xFFFF), None);
    }

    #[test]
    fn text_is_read_back() {
        let date = ProductionDate::new(2024, 2, 29).unwrap();
        assert_eq!(date.to_string().parse(), Ok(date));
        for wrong in [
            "",
            "2024-02-30",
            "2024-05",
            "1999-12-31",
            "2024-05-06-07",
            "x-1-1",
        ] {
            assert_eq!(wrong.parse::<ProductionDate>(), Err(NotADate), "{wrong}");
        }
    }
}
