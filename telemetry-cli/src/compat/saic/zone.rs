//! The time zone of schedules: cars and people mean the clock on their wall.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, TimeZone, Utc};
use saic_ismart::charging::next_occurrence;

use super::place::Place;

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zone {
    /// With summer time.
    Named(Place),
    /// Without.
    Fixed(FixedOffset),
    /// That of this computer.
    System,
}

impl Zone {
    /// By its name, `Europe/Rome`, or by its distance from Greenwich,
    /// `GMT+10:00` or `+10:00`, which is east as everywhere but in POSIX.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(place) = Place::named(text) {
            return Some(Self::Named(place));
        }
        let offset = ["GMT", "UTC"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix));
        let offset = offset.unwrap_or(text);
        let (sign, digits) = match offset.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
        let number = |text: &str| {
            text.parse::<u8>()
                .ok()
                .filter(|number| *number < 60)
                .map(i32::from)
        };
        let seconds = sign * (3600 * number(hours)? + 60 * number(minutes)?);
        FixedOffset::east_opt(seconds).map(Self::Fixed)
    }

    /// Hour and minute that its clocks show.
    pub fn time_of_day(self, at: DateTime<Utc>) -> (u8, u8) {
        use chrono::Timelike as _;

        let time = match self {
            Self::Named(zone) => at.with_timezone(&zone).time(),
            Self::Fixed(zone) => at.with_timezone(&zone).time(),
            Self::System => at.with_timezone(&Local).time(),
        };
        // Below 24 and 60.
        (time.hour() as u8, time.minute() as u8)
    }

    /// The moment that its clocks show so, the first if there are two.
    pub fn from_local(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let utc = match self {
            Self::Named(zone) => zone
                .from_local_datetime(&local)
                .earliest()?
                .with_timezone(&Utc),
            Self::Fixed(zone) => zone
                .from_local_datetime(&local)
                .earliest()?
                .with_timezone(&Utc),
            Self::System => Local
                .from_local_datetime(&local)
                .earliest()?
                .with_timezone(&Utc),
        };
        Some(utc)
    }

    /// When its clocks show this time of day next, after `now`.
    pub fn next(self, (hour, minute): (u8, u8), now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Named(zone) => next_occurrence(hour, minute, &now.with_timezone(&zone)),
            Self::Fixed(zone) => next_occurrence(hour, minute, &now.with_timezone(&zone)),
            Self::System => next_occurrence(hour, minute, &now.with_timezone(&Local)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn zones_have_names_or_distances() {
        let noon = at("2026-07-01T12:00:00Z");
        for (text, shown) in [
            ("Europe/Rome", (14, 0)),
            ("GMT+10:00", (22, 0)),
            ("GMT+05:30", (17, 30)),
            ("-03:00", (9, 0)),
            ("UTC", (12, 0)),
            ("Etc/GMT-1", (13, 0)),
        ] {
            assert_eq!(
                Zone::parse(text).unwrap().time_of_day(noon),
                shown,
                "{text}"
            );
        }
        for text in ["", "Rome", "GMT+", "GMT+99:00", "GMT+1:x", "ä"] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_time_is_that_of_the_wall() {
        let rome = Zone::parse("Europe/Rome").unwrap();
        let night = at("2026-03-28T23:30:00Z");
        assert_eq!(rome.next((0, 30), night), Some(at("2026-03-29T22:30:00Z")));
        assert_eq!(rome.next((5, 0), night), Some(at("2026-03-29T03:00:00Z")));
        // This time does not exist in that night.
        assert_eq!(rome.next((2, 30), night), Some(at("2026-03-29T01:30:00Z")));
        assert_eq!(rome.next((24, 0), night), None);
    }
}
