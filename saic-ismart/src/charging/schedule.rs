use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vehicle::StatusBytes;
use crate::vin::Vin;

/// How a charging schedule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScheduleMode {
    /// At its end time (1).
    UntilTime,
    /// It is off (2).
    Off,
    /// At the target state of charge (3). Can leave an MG4 of low trim in a
    /// state in which it never charges.
    UntilTargetSoc,
}

impl ScheduleMode {
    /// The vendor's number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::UntilTime => 1,
            Self::Off => 2,
            Self::UntilTargetSoc => 3,
        }
    }

    /// From the vendor's number; 0 stands for none.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::UntilTime),
            2 => Some(Self::Off),
            3 => Some(Self::UntilTargetSoc),
            _ => None,
        }
    }
}

pub(super) fn schedule_mode<'de, D: serde::Deserializer<'de>>(
    json: D,
) -> Result<Option<ScheduleMode>, D::Error> {
    Ok(crate::scale::byte(json)?.and_then(ScheduleMode::from_code))
}

/// When the car shall charge. The times are those of the clock in the car: no
/// time zone is involved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChargeSchedule {
    /// Hour and minute.
    pub start: (u8, u8),
    /// Hour and minute.
    pub end: (u8, u8),
    /// How it ends.
    pub mode: ScheduleMode,
}

impl ChargeSchedule {
    /// No schedule: charge when plugged in.
    pub const OFF: Self = Self {
        start: (0, 0),
        end: (0, 0),
        mode: ScheduleMode::Off,
    };

    /// Whether both times exist.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        self.start.0 < 24 && self.start.1 < 60 && self.end.0 < 24 && self.end.1 < 60
    }
}

model! {
    /// What the car says to a schedule.
    ScheduleAnswer {
        /// The mode it has now (`bmsReserCtrlDspCmd`).
        mode: ScheduleMode = "bmsReserCtrlDspCmd" as "schedule_mode",
        /// It starts at this hour (`bmsReserStHourDspCmd`).
        start_hour: u8 = "bmsReserStHourDspCmd" as "crate::scale::hour",
        /// It starts at this minute (`bmsReserStMintueDspCmd`).
        start_minute: u8 = "bmsReserStMintueDspCmd" as "crate::scale::minute",
        /// It ends at this hour (`bmsReserSpHourDspCmd`).
        end_hour: u8 = "bmsReserSpHourDspCmd" as "crate::scale::hour",
        /// It ends at this minute (`bmsReserSpMintueDspCmd`).
        end_minute: u8 = "bmsReserSpMintueDspCmd" as "crate::scale::minute",
        /// Adapts to public chargers (`bmsAdpPubChrgSttnDspCmd`).
        public_station: bool = "bmsAdpPubChrgSttnDspCmd" as "crate::scale::flag",
        /// 0 is probably fine (`bmsReserChrgCtrlResp`).
        response_raw: i64 = "bmsReserChrgCtrlResp" as "crate::scale::raw",
        ;
        /// How it went (`rvcReqSts`).
        request_status: StatusBytes = "rvcReqSts",
    }
}

from_json!(ScheduleAnswer);

/// `POST /vehicle/charging/reservation`.
#[derive(Debug, Clone)]
pub struct SetChargeSchedule {
    /// The car.
    pub vin: Vin,
    /// The schedule.
    pub schedule: ChargeSchedule,
}

impl Endpoint for SetChargeSchedule {
    type Answer = ScheduleAnswer;

    fn name(&self) -> &'static str {
        "charging schedule"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/vehicle/charging/reservation".to_owned()
    }

    fn body(&self) -> String {
        let ChargeSchedule { start, end, mode } = self.schedule;
        serde_json::json!({
            "rsvanSpHour": end.0,
            "rsvanSpMintue": end.1,
            "rsvanStHour": start.0,
            "rsvanStMintue": start.1,
            "tboxAdpPubChrgSttnReq": 1,
            "tboxReserCtrlReq": mode.code(),
            "vin": self.vin.hash(),
        })
        .to_string()
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, data: Option<&str>) -> Result<ScheduleAnswer, DecodeError> {
        endpoint::optional(data)
    }
}
