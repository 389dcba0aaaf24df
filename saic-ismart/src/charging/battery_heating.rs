use chrono::{DateTime, Days, NaiveTime, TimeZone, Utc};

use super::status::HeatingStopReason;
use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vehicle::StatusBytes;
use crate::vin::Vin;

/// `POST /vehicle/charging/ptcHeat`: heats the battery now, or ends that. The
/// car may find it unnecessary.
#[derive(Debug, Clone)]
pub struct HeatBattery {
    /// The car.
    pub vin: Vin,
    /// On or off.
    pub on: bool,
}

impl Endpoint for HeatBattery {
    type Answer = HeatingAnswer;

    fn name(&self) -> &'static str {
        "battery heating"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/vehicle/charging/ptcHeat".to_owned()
    }

    fn body(&self) -> String {
        let request = if self.on { 1 } else { 2 };
        serde_json::json!({ "ptcHeatReq": request, "vin": self.vin.hash() }).to_string()
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, data: Option<&str>) -> Result<HeatingAnswer, DecodeError> {
        endpoint::optional(data)
    }
}

model! {
    /// What the car says to battery heating.
    HeatingAnswer {
        /// 1 is on (`ptcHeatReqDspCmd`).
        request_raw: i64 = "ptcHeatReqDspCmd" as "crate::scale::raw",
        /// Why it does not heat (`ptcHeatResp`).
        stop_reason: HeatingStopReason = "ptcHeatResp" as "super::status::heating_stop_reason",
        ;
        /// How it went (`rvcReqSts`).
        request_status: StatusBytes = "rvcReqSts",
    }
}

model! {
    /// When the battery is heated every day (`/charging/batteryHeating`).
    HeatingScheduleAnswer {
        /// The next time, whose time of day counts (`startTime`).
        start_at: DateTime<Utc> = "startTime" as "crate::scale::epoch_ms",
        /// It is on (`status`).
        enabled: bool = "status" as "crate::scale::flag",
    }
}

from_json!(HeatingAnswer, HeatingScheduleAnswer);

/// `GET /charging/batteryHeating`.
#[derive(Debug, Clone)]
pub struct ReadHeatingSchedule(pub Vin);

impl Endpoint for ReadHeatingSchedule {
    type Answer = HeatingScheduleAnswer;

    fn name(&self) -> &'static str {
        "battery heating schedule"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        endpoint::with_vin("/charging/batteryHeating", &self.0)
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<HeatingScheduleAnswer, DecodeError> {
        endpoint::optional(data)
    }
}

/// `POST /charging/batteryHeating`.
#[derive(Debug, Clone)]
pub struct SetHeatingSchedule {
    /// The car.
    pub vin: Vin,
    /// The next time, from [`next_occurrence`]; `None` switches off.
    pub start_at: Option<DateTime<Utc>>,
}

impl Endpoint for SetHeatingSchedule {
    type Answer = ();

    fn name(&self) -> &'static str {
        "setting of the battery heating schedule"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/charging/batteryHeating".to_owned()
    }

    fn body(&self) -> String {
        let start = self.start_at.map_or(0, |start| start.timestamp_millis());
        let status = u8::from(self.start_at.is_some());
        serde_json::json!({ "startTime": start, "status": status, "vin": self.vin.hash() })
            .to_string()
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, _: Option<&str>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// The next moment at which the clock in the time zone of `now` shows `hour`
/// and `minute`. The time zone must be that of the car, not that of the
/// computer. Where the clock skips the time, the first hour after the gap
/// counts; where it shows it twice, the first.
///
/// `None` if there is no such time of day.
#[must_use]
pub fn next_occurrence<Tz: TimeZone>(
    hour: u8,
    minute: u8,
    now: &DateTime<Tz>,
) -> Option<DateTime<Utc>> {
    let time = NaiveTime::from_hms_opt(hour.into(), minute.into(), 0)?;
    let today = now.date_naive();
    [Some(today), today.checked_add_days(Days::new(1))]
        .into_iter()
        .flatten()
        .filter_map(|day| {
            let wanted = day.and_time(time);
            let skipped = wanted + chrono::TimeDelta::hours(1);
            now.timezone()
                .from_local_datetime(&wanted)
                .earliest()
                .or_else(|| now.timezone().from_local_datetime(&skipped).earliest())
        })
        .map(|moment| moment.with_timezone(&Utc))
        .find(|moment| *moment > now.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn in_the_zone_of_the_car() {
        let rome = FixedOffset::east_opt(3600).unwrap();
        let now = rome.with_ymd_and_hms(2026, 1, 1, 6, 30, 0).unwrap();
        let at = |hour, minute| next_occurrence(hour, minute, &now).unwrap().to_rfc3339();
        assert_eq!(at(7, 0), "2026-01-01T06:00:00+00:00");
        assert_eq!(at(6, 30), "2026-01-02T05:30:00+00:00");
        assert_eq!(at(0, 15), "2026-01-01T23:15:00+00:00");
        assert_eq!(next_occurrence(24, 0, &now), None);
    }
}
