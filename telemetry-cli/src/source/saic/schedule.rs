//! When a car charges, and when it heats its battery, as texts that can be set.

use chrono::{DateTime, Utc};
use saic_ismart::charging::HeatingScheduleAnswer;
use saic_ismart::{ChargeManagement, ChargeSchedule, ScheduleMode};

use crate::control::clock::{OFF, TARGET, time};
use crate::zone::Zone;

/// Of the charging schedule, among the extras of a reading.
pub(super) const CHARGING: &str = "charging_plan";

/// Of the heating schedule.
pub(super) const HEATING: &str = "battery_heating_plan";

/// `22:00-06:00`, `22:00-target` or `off` as the car takes it.
pub(super) fn charging(text: &str) -> Option<ChargeSchedule> {
    if text == OFF {
        return Some(ChargeSchedule::OFF);
    }
    let (start, end) = text.split_once('-')?;
    let start = time(start)?;
    Some(match end {
        TARGET => ChargeSchedule {
            start,
            end: (0, 0),
            mode: ScheduleMode::UntilTargetSoc,
        },
        end => ChargeSchedule {
            start,
            end: time(end)?,
            mode: ScheduleMode::UntilTime,
        },
    })
}

/// What the car says of its charging schedule, written like what it is told.
pub(super) fn charging_plan(management: &ChargeManagement) -> Option<String> {
    if management.schedule_mode == Some(ScheduleMode::Off) {
        return Some(OFF.to_owned());
    }
    management
        .schedule()
        .filter(ChargeSchedule::is_possible)
        .map(written)
}

/// Like what it is told.
pub(super) fn written(schedule: ChargeSchedule) -> String {
    let ChargeSchedule { start, end, mode } = schedule;
    match mode {
        ScheduleMode::Off => OFF.to_owned(),
        ScheduleMode::UntilTime => format!("{}-{}", clock(start), clock(end)),
        ScheduleMode::UntilTargetSoc => format!("{}-{TARGET}", clock(start)),
    }
}

/// The same of the daily heating of the battery; its time is that of a zone.
pub(super) fn heating_plan(answer: &HeatingScheduleAnswer, zone: Zone) -> Option<String> {
    Some(match answer.enabled? {
        false => OFF.to_owned(),
        true => written_heating(answer.start_at?.into(), zone),
    })
}

/// Daily from this moment on, or not, like what the car is told.
pub(super) fn written_heating(at: Option<DateTime<Utc>>, zone: Zone) -> String {
    at.map_or_else(|| OFF.to_owned(), |at| clock(zone.time_of_day(at)))
}

fn clock((hour, minute): (u8, u8)) -> String {
    format!("{hour:02}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_read_as_they_are_written() {
        for text in ["off", "22:00-06:00", "22:30-target"] {
            assert_eq!(charging(text).map(written).as_deref(), Some(text));
        }
        assert_eq!(charging("22:00-"), None);
    }

    #[test]
    fn the_heating_means_the_clock_of_the_zone() {
        let zone = Zone::parse("Europe/Rome").unwrap();
        let now = "2026-07-01T04:40:00Z".parse().unwrap();
        let at = zone.next((6, 30), now).unwrap();
        assert_eq!(at.to_rfc3339(), "2026-07-02T04:30:00+00:00");
        let json = format!(r#"{{"startTime":{},"status":1}}"#, at.timestamp_millis());
        let answer = HeatingScheduleAnswer::from_json(&json).unwrap();
        assert_eq!(heating_plan(&answer, zone).as_deref(), Some("06:30"));
        let off = HeatingScheduleAnswer::from_json(r#"{"startTime":0,"status":0}"#).unwrap();
        assert_eq!(heating_plan(&off, zone).as_deref(), Some("off"));
    }
}
