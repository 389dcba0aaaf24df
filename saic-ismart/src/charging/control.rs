use super::current_limit::CurrentLimit;
use super::status::ChargeManagement;
use super::target_soc::TargetSoc;
use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vehicle::StatusBytes;
use crate::vin::Vin;

/// What charging can be told (`/vehicle/charging/control`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChargeCommand {
    /// Starts charging. Cars obey this one now and then only.
    Start,
    /// Stops charging.
    Stop,
    /// Locks the cable.
    LockCable,
    /// Unlocks the cable.
    UnlockCable,
    /// Gives energy away through the port.
    StartV2x,
    /// Ends that.
    StopV2x,
}

/// `POST /vehicle/charging/control`.
#[derive(Debug, Clone)]
pub struct ChargeControl {
    /// The car.
    pub vin: Vin,
    /// What it shall do.
    pub command: ChargeCommand,
}

impl Endpoint for ChargeControl {
    type Answer = ChargeControlAnswer;

    fn name(&self) -> &'static str {
        match self.command {
            ChargeCommand::Start => "start of charging",
            ChargeCommand::Stop => "stop of charging",
            ChargeCommand::LockCable => "locking of the cable",
            ChargeCommand::UnlockCable => "unlocking of the cable",
            ChargeCommand::StartV2x => "start of V2X",
            ChargeCommand::StopV2x => "stop of V2X",
        }
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/vehicle/charging/control".to_owned()
    }

    fn body(&self) -> String {
        let (charge, lock, v2x) = match self.command {
            ChargeCommand::Start => (1, 0, 0),
            ChargeCommand::Stop => (2, 0, 0),
            ChargeCommand::LockCable => (0, 1, 0),
            ChargeCommand::UnlockCable => (0, 2, 0),
            ChargeCommand::StartV2x => (0, 0, 1),
            ChargeCommand::StopV2x => (0, 0, 2),
        };
        serde_json::json!({
            "chrgCtrlReq": charge,
            "tboxEleccLckCtrlReq": lock,
            "tboxV2XReq": v2x,
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

    fn read(&self, data: Option<&str>) -> Result<ChargeControlAnswer, DecodeError> {
        endpoint::optional(data)
    }
}

/// What the car says to a command about charging. In `…response_raw`, 0 is
/// probably fine.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChargeControlAnswer {
    /// `chrgCtrlDspCmd`.
    #[serde(rename = "chrgCtrlDspCmd", deserialize_with = "crate::scale::raw")]
    pub charge_command_raw: Option<i64>,
    /// `chrgCtrlResp`.
    #[serde(rename = "chrgCtrlResp", deserialize_with = "crate::scale::raw")]
    pub charge_response_raw: Option<i64>,
    /// `bmsDsChrgCtrlDspCmd`.
    #[serde(rename = "bmsDsChrgCtrlDspCmd", deserialize_with = "crate::scale::raw")]
    pub discharge_command_raw: Option<i64>,
    /// `bmsDsChrgCtrlResp`.
    #[serde(rename = "bmsDsChrgCtrlResp", deserialize_with = "crate::scale::raw")]
    pub discharge_response_raw: Option<i64>,
    /// `ccuEleccLckCtrlResp`.
    #[serde(rename = "ccuEleccLckCtrlResp", deserialize_with = "crate::scale::raw")]
    pub cable_lock_response_raw: Option<i64>,
    /// `bmsAltngChrgCrntResp`.
    #[serde(
        rename = "bmsAltngChrgCrntResp",
        deserialize_with = "crate::scale::raw"
    )]
    pub current_limit_response_raw: Option<i64>,
    /// `bmsChrgTrgtSOCResp`.
    #[serde(rename = "bmsChrgTrgtSOCResp", deserialize_with = "crate::scale::raw")]
    pub target_soc_response_raw: Option<i64>,
    /// `bmsReserChrgCtrlResp`.
    #[serde(
        rename = "bmsReserChrgCtrlResp",
        deserialize_with = "crate::scale::raw"
    )]
    pub schedule_response_raw: Option<i64>,
    /// Where V2X stops (`imcuDschrgTrgtSOCDspCmd`).
    #[serde(
        rename = "imcuDschrgTrgtSOCDspCmd",
        deserialize_with = "super::target_soc::target_soc"
    )]
    pub v2x_target_soc: Option<TargetSoc>,
    /// `imcuDschrgTrgtSOCResp`.
    #[serde(
        rename = "imcuDschrgTrgtSOCResp",
        deserialize_with = "crate::scale::raw"
    )]
    pub v2x_target_soc_response_raw: Option<i64>,
    /// How it went (`rvcReqSts`).
    #[serde(rename = "rvcReqSts", deserialize_with = "crate::scale::nested")]
    pub request_status: StatusBytes,
    /// What the car reports about charging along with it, in the same object.
    #[serde(flatten)]
    pub management: ChargeManagement,
}

from_json!(ChargeControlAnswer);

/// What can be set about charging; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ChargeSettings {
    /// Where charging stops.
    pub target_soc: Option<TargetSoc>,
    /// Limit of the AC current. Cars want the present target along with it.
    pub current_limit: Option<CurrentLimit>,
    /// Where V2X stops.
    pub v2x_target_soc: Option<TargetSoc>,
}

/// `POST /vehicle/charging/setting`. Without any setting it reads the present ones.
#[derive(Debug, Clone)]
pub struct SetCharging {
    /// The car.
    pub vin: Vin,
    /// What to change.
    pub settings: ChargeSettings,
}

impl Endpoint for SetCharging {
    type Answer = ChargeSettingsAnswer;

    fn name(&self) -> &'static str {
        "charging settings"
    }

    fn method(&self) -> Method {
        Method::Post
    }

    fn path(&self) -> String {
        "/vehicle/charging/setting".to_owned()
    }

    fn body(&self) -> String {
        let ChargeSettings {
            target_soc,
            current_limit,
            v2x_target_soc,
        } = self.settings;
        serde_json::json!({
            "altngChrgCrntReq": current_limit.map_or(0, CurrentLimit::code),
            "onBdChrgTrgtSOCReq": target_soc.map_or(0, TargetSoc::code),
            "tboxV2XSpSOCReq": v2x_target_soc.map_or(0, TargetSoc::code),
            "vin": self.vin.hash(),
        })
        .to_string()
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn is_command(&self) -> bool {
        self.settings != ChargeSettings::default()
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.vin)
    }

    fn read(&self, data: Option<&str>) -> Result<ChargeSettingsAnswer, DecodeError> {
        endpoint::optional(data)
    }
}

model! {
    /// The settings of a car.
    ChargeSettingsAnswer {
        /// Where charging stops (`bmsOnBdChrgTrgtSOCDspCmd`).
        target_soc: TargetSoc = "bmsOnBdChrgTrgtSOCDspCmd" as "super::target_soc::target_soc",
        /// 0 is probably fine (`bmsChrgTrgtSOCResp`).
        target_soc_response_raw: i64 = "bmsChrgTrgtSOCResp" as "crate::scale::raw",
        /// Limit of the AC current (`bmsAltngChrgCrntDspCmd`).
        current_limit: CurrentLimit = "bmsAltngChrgCrntDspCmd" as "super::current_limit::current_limit",
        /// 0 is probably fine (`bmsAltngChrgCrntResp`).
        current_limit_response_raw: i64 = "bmsAltngChrgCrntResp" as "crate::scale::raw",
        /// Where V2X stops (`imcuDschrgTrgtSOCDspCmd`).
        v2x_target_soc: TargetSoc = "imcuDschrgTrgtSOCDspCmd" as "super::target_soc::target_soc",
        /// 0 is probably fine (`imcuDschrgTrgtSOCResp`).
        v2x_target_soc_response_raw: i64 = "imcuDschrgTrgtSOCResp" as "crate::scale::raw",
        /// Range when charged to the target, km (`bmsEstdElecRng`).
        estimated_range_km: u16 = "bmsEstdElecRng" as "crate::scale::estimated_range",
        /// Pack current, (raw − 20000) × 0.05 A, negative while charging (`bmsPackCrnt`).
        pack_current_raw: u16 = "bmsPackCrnt" as "crate::scale::pack_current",
        ;
        /// How it went (`rvcReqSts`).
        request_status: StatusBytes = "rvcReqSts",
    }
}

from_json!(ChargeSettingsAnswer);
