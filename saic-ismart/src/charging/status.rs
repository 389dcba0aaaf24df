use chrono::{DateTime, Utc};

use super::current_limit::CurrentLimit;
use super::rvs::RvsChargeStatus;
use super::schedule::{ChargeSchedule, ScheduleMode};
use super::target_soc::TargetSoc;
use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{codes, from_json, model};
use crate::vehicle::Position;
use crate::vin::Vin;

codes! {
    /// What the battery does (`bmsChrgSts`).
    ChargingState, charging_state {
        /// Not plugged in.
        0 => Unplugged,
        /// Charging, AC as a rule.
        1 => Charging,
        /// Finished.
        2 => Done,
        /// Charging.
        3 => Charging3,
        /// Fault.
        4 => Fault,
        /// Connecting.
        5 => Connecting,
        /// Plugged in, charger not recognized.
        6 => NotRecognized,
        /// Plugged in, not charging.
        7 => NotCharging,
        /// Stopped.
        8 => Stopped,
        /// Waits for its schedule.
        9 => Scheduled,
        /// Charging, DC as a rule.
        10 => ChargingDc,
        /// Charging at a fast charger.
        11 => ChargingSuper,
        /// Charging.
        12 => Charging12,
        /// Gives energy away (V2X).
        13 => Discharging,
    }
}

impl ChargingState {
    /// Whether energy flows into the battery.
    #[must_use]
    pub const fn is_charging(self) -> bool {
        matches!(
            self,
            Self::Charging
                | Self::Charging3
                | Self::ChargingDc
                | Self::ChargingSuper
                | Self::Charging12
        )
    }
}

codes! {
    /// Why charging ended (`bmsChrgSpRsn`).
    ChargingStopReason, charging_stop_reason {
        /// It did not.
        0 => None,
        /// The charger is abnormal.
        1 => ChargerAbnormal,
        /// The port is too hot.
        2 => PortTooHot,
        /// The plug sits badly.
        3 => PlugNotSeated,
        /// The voltage of the charger does not fit.
        4 => VoltageMismatch,
        /// Another reason.
        5 => Unspecified,
    }
}

codes! {
    /// Why heating of the battery ended (`bmsPTCHeatResp`). Sources disagree:
    /// one shows the number as 0 off, 1 on, 2 error.
    HeatingStopReason, heating_stop_reason {
        /// It did not.
        0 => None,
        /// The battery is low.
        2 => LowBattery,
        /// Warm enough.
        3 => ConditionReached,
        /// Not needed.
        4 => Unnecessary,
        /// Its time is over.
        5 => TimeReached,
        /// The heating is broken.
        7 => Failure,
    }
}

model! {
    /// Charging as the battery sees it (`chrgMgmtData`). The raw current and
    /// voltage have methods that give A and V.
    ChargeManagement {
        /// State of charge, 0.1 % (`bmsPackSOCDsp`). `None` right after the car
        /// woke up: ask again.
        soc_deci_percent: u16 = "bmsPackSOCDsp" as "crate::scale::soc",
        /// Pack current, (raw − 20000) × 0.05 A, negative while charging (`bmsPackCrnt`).
        pack_current_raw: u16 = "bmsPackCrnt" as "crate::scale::pack_current",
        /// The current is invalid (`bmsPackCrntV`).
        pack_current_invalid: bool = "bmsPackCrntV" as "crate::scale::is_one",
        /// Pack voltage, 0.25 V (`bmsPackVol`).
        pack_voltage_raw: u16 = "bmsPackVol" as "crate::scale::pack_voltage",
        /// What it does (`bmsChrgSts`).
        state: ChargingState = "bmsChrgSts" as "charging_state",
        /// Why it stopped (`bmsChrgSpRsn`).
        stop_reason: ChargingStopReason = "bmsChrgSpRsn" as "charging_stop_reason",
        /// Why discharging stopped, numbers unknown (`bmsDsChrgSpRsn`).
        discharge_stop_reason_raw: i64 = "bmsDsChrgSpRsn" as "crate::scale::raw",
        /// Estimated range when charged to the target, km (`bmsEstdElecRng`).
        estimated_range_km: u16 = "bmsEstdElecRng" as "crate::scale::estimated_range",
        /// Range now, km (`clstrElecRngToEPT`).
        cluster_range_km: u16 = "clstrElecRngToEPT" as "crate::scale::estimated_range",
        /// Range now, km (`imcuVehElecRng`).
        vehicle_range_km: u16 = "imcuVehElecRng" as "crate::scale::estimated_range",
        /// The range is invalid (`imcuVehElecRngV`).
        vehicle_range_invalid: bool = "imcuVehElecRngV" as "crate::scale::flag",
        /// Range at the end of the charge, km; 0 where unsupported (`imcuChrgngEstdElecRng`).
        range_after_charging_km: u16 = "imcuChrgngEstdElecRng" as "crate::scale::estimated_range",
        /// That range is invalid (`imcuChrgngEstdElecRngV`).
        range_after_charging_invalid: bool = "imcuChrgngEstdElecRngV" as "crate::scale::flag",
        /// Range after giving energy away, km (`imcuDschrgngEstdElecRng`).
        range_after_discharging_km: u16 = "imcuDschrgngEstdElecRng" as "crate::scale::estimated_range",
        /// That range is invalid (`imcuDschrgngEstdElecRngV`).
        range_after_discharging_invalid: bool = "imcuDschrgngEstdElecRngV" as "crate::scale::flag",
        /// Left of the charge, min (`chrgngRmnngTime`).
        remaining_min: u16 = "chrgngRmnngTime" as "crate::scale::minutes",
        /// That time is invalid (`chrgngRmnngTimeV`).
        remaining_invalid: bool = "chrgngRmnngTimeV" as "crate::scale::is_one",
        /// Probably spent charging, min (`chrgngSpdngTime`).
        spent_min: u16 = "chrgngSpdngTime" as "crate::scale::minutes",
        /// That time is invalid (`chrgngSpdngTimeV`).
        spent_invalid: bool = "chrgngSpdngTimeV" as "crate::scale::flag",
        /// Range added, km, 0 where unsupported (`chrgngAddedElecRng`). One
        /// source reads it in 0.1 km.
        added_range_raw: u16 = "chrgngAddedElecRng" as "crate::scale::estimated_range",
        /// That range is invalid (`chrgngAddedElecRngV`).
        added_range_invalid: bool = "chrgngAddedElecRngV" as "crate::scale::flag",
        /// Left of giving energy away, min (`disChrgngRmnngTime`).
        discharge_remaining_min: u16 = "disChrgngRmnngTime" as "crate::scale::minutes",
        /// That time is invalid (`disChrgngRmnngTimeV`).
        discharge_remaining_invalid: bool = "disChrgngRmnngTimeV" as "crate::scale::is_one",
        /// Where charging stops (`bmsOnBdChrgTrgtSOCDspCmd`).
        target_soc: TargetSoc = "bmsOnBdChrgTrgtSOCDspCmd" as "super::target_soc::target_soc",
        /// Limit of the AC current (`bmsAltngChrgCrntDspCmd`).
        current_limit: CurrentLimit = "bmsAltngChrgCrntDspCmd" as "super::current_limit::current_limit",
        /// 1: charging is commanded, 2: stop (`bmsChrgCtrlDspCmd`). Unverified.
        charge_command_raw: i64 = "bmsChrgCtrlDspCmd" as "crate::scale::raw",
        /// Mode of the schedule (`bmsReserCtrlDspCmd`).
        schedule_mode: ScheduleMode = "bmsReserCtrlDspCmd" as "super::schedule::schedule_mode",
        /// The schedule starts at this hour (`bmsReserStHourDspCmd`).
        schedule_start_hour: u8 = "bmsReserStHourDspCmd" as "crate::scale::hour",
        /// The schedule starts at this minute (`bmsReserStMintueDspCmd`).
        schedule_start_minute: u8 = "bmsReserStMintueDspCmd" as "crate::scale::minute",
        /// The schedule ends at this hour (`bmsReserSpHourDspCmd`).
        schedule_end_hour: u8 = "bmsReserSpHourDspCmd" as "crate::scale::hour",
        /// The schedule ends at this minute (`bmsReserSpMintueDspCmd`).
        schedule_end_minute: u8 = "bmsReserSpMintueDspCmd" as "crate::scale::minute",
        /// Adapts to public chargers (`bmsAdpPubChrgSttnDspCmd`).
        public_station: bool = "bmsAdpPubChrgSttnDspCmd" as "crate::scale::flag",
        /// 1: battery heating is on, else off (`bmsPTCHeatReqDspCmd`).
        heating_request_raw: i64 = "bmsPTCHeatReqDspCmd" as "crate::scale::raw",
        /// Why heating stopped (`bmsPTCHeatResp`).
        heating_stop_reason: HeatingStopReason = "bmsPTCHeatResp" as "heating_stop_reason",
        /// Why heating stopped, numbers unknown (`bmsPTCHeatSpRsn`).
        heating_stop_reason_raw: i64 = "bmsPTCHeatSpRsn" as "crate::scale::raw",
        /// 1: the cable is locked (`ccuEleccLckCtrlDspCmd`).
        cable_lock_raw: i64 = "ccuEleccLckCtrlDspCmd" as "crate::scale::raw",
        /// AC plug; 0 is out, more is in (`ccuOnbdChrgrPlugOn`).
        ac_plug_raw: i64 = "ccuOnbdChrgrPlugOn" as "crate::scale::raw",
        /// DC plug; 0 is out, more is in (`ccuOffBdChrgrPlugOn`).
        dc_plug_raw: i64 = "ccuOffBdChrgrPlugOn" as "crate::scale::raw",
        /// Lid of the port, 1 is probably open (`chrgngDoorPosSts`).
        port_lid_raw: i64 = "chrgngDoorPosSts" as "crate::scale::raw",
        /// Condition to open the lid, unknown (`chrgngDoorOpenCnd`).
        port_lid_condition_raw: i64 = "chrgngDoorOpenCnd" as "crate::scale::raw",
        /// AC current, A × 5 (`onBdChrgrAltrCrntInptCrnt`). May linger after charging.
        ac_current_raw: u16 = "onBdChrgrAltrCrntInptCrnt" as "crate::scale::grid",
        /// AC voltage, V / 2 (`onBdChrgrAltrCrntInptVol`).
        ac_voltage_raw: u16 = "onBdChrgrAltrCrntInptVol" as "crate::scale::grid",
        /// Current that the pack asks for, 0.05 A on the MGS6, else unknown
        /// (`bmsChrgOtptCrntReq`).
        requested_current_raw: u16 = "bmsChrgOtptCrntReq" as "crate::scale::requested_current",
        /// That current is invalid (`bmsChrgOtptCrntReqV`).
        requested_current_invalid: bool = "bmsChrgOtptCrntReqV" as "crate::scale::flag",
    }
}

/// `raw` unless its flag says that it is invalid.
fn valid<T>(raw: Option<T>, invalid: Option<bool>) -> Option<T> {
    raw.filter(|_| invalid != Some(true))
}

/// A from a raw current; positive while charging.
pub(super) fn current_a(raw: u16) -> f64 {
    (20_000 - i32::from(raw)) as f64 / 20.0
}

/// V from a raw voltage.
pub(super) fn voltage_v(raw: u16) -> f64 {
    f64::from(raw) / 4.0
}

impl ChargeManagement {
    /// State of charge in percent.
    #[must_use]
    pub fn soc_percent(&self) -> Option<f64> {
        self.soc_deci_percent.map(|raw| f64::from(raw) / 10.0)
    }

    /// Pack current in A, positive while charging.
    #[must_use]
    pub fn pack_current_a(&self) -> Option<f64> {
        valid(self.pack_current_raw, self.pack_current_invalid).map(current_a)
    }

    /// Pack voltage in V.
    #[must_use]
    pub fn pack_voltage_v(&self) -> Option<f64> {
        self.pack_voltage_raw.map(voltage_v)
    }

    /// Pack power in W, positive while charging.
    #[must_use]
    pub fn pack_power_w(&self) -> Option<f64> {
        Some(self.pack_current_a()? * self.pack_voltage_v()?)
    }

    /// Range now in km.
    #[must_use]
    pub fn range_km(&self) -> Option<u16> {
        valid(self.vehicle_range_km, self.vehicle_range_invalid)
    }

    /// Range at the end of the charge in km.
    #[must_use]
    pub fn range_after_charging_km(&self) -> Option<u16> {
        valid(
            self.range_after_charging_km,
            self.range_after_charging_invalid,
        )
        .filter(|range| *range > 0)
    }

    /// Range after giving energy away in km.
    #[must_use]
    pub fn range_after_discharging_km(&self) -> Option<u16> {
        valid(
            self.range_after_discharging_km,
            self.range_after_discharging_invalid,
        )
    }

    /// Left of the charge, in seconds.
    #[must_use]
    pub fn time_to_full_s(&self) -> Option<u32> {
        valid(self.remaining_min, self.remaining_invalid).map(|minutes| u32::from(minutes) * 60)
    }

    /// Left of giving energy away, in seconds.
    #[must_use]
    pub fn discharge_remaining_s(&self) -> Option<u32> {
        valid(
            self.discharge_remaining_min,
            self.discharge_remaining_invalid,
        )
        .map(|minutes| u32::from(minutes) * 60)
    }

    /// Whether energy flows into the battery.
    #[must_use]
    pub fn is_charging(&self) -> bool {
        self.state.is_some_and(ChargingState::is_charging)
    }

    /// Whether the battery heating is on.
    #[must_use]
    pub fn is_battery_heating(&self) -> Option<bool> {
        self.heating_request_raw.map(|raw| raw == 1)
    }

    /// Whether the cable is locked.
    #[must_use]
    pub fn cable_locked(&self) -> Option<bool> {
        self.cable_lock_raw.map(|raw| raw == 1)
    }

    /// Whether any plug is in.
    #[must_use]
    pub fn plugged_in(&self) -> Option<bool> {
        match (self.ac_plug_raw, self.dc_plug_raw) {
            (None, None) => None,
            (ac, dc) => Some(ac.unwrap_or(0) > 0 || dc.unwrap_or(0) > 0),
        }
    }

    /// AC current in A.
    #[must_use]
    pub fn ac_current_a(&self) -> Option<f64> {
        self.ac_current_raw.map(|raw| f64::from(raw) / 5.0)
    }

    /// AC voltage in V.
    #[must_use]
    pub fn ac_voltage_v(&self) -> Option<f64> {
        self.ac_voltage_raw.map(|raw| f64::from(raw) * 2.0)
    }

    /// AC power in W if the car charges on one phase.
    #[must_use]
    pub fn ac_power_single_phase_w(&self) -> Option<f64> {
        Some(self.ac_current_a()? * self.ac_voltage_v()?)
    }

    /// AC power in W if the car charges on three phases, as the MQTT gateway of
    /// others computes it.
    #[must_use]
    pub fn ac_power_three_phase_w(&self) -> Option<f64> {
        let raw = f64::from(self.ac_current_raw?) * f64::from(self.ac_voltage_raw?);
        Some(3f64.sqrt() * 2.0 * raw / 15.0)
    }

    /// The charging schedule, whose mode says whether it is on. `None` if it is
    /// unknown or at an impossible time.
    #[must_use]
    pub fn schedule(&self) -> Option<ChargeSchedule> {
        let mode = self.schedule_mode?;
        Some(ChargeSchedule {
            start: (self.schedule_start_hour?, self.schedule_start_minute?),
            end: (self.schedule_end_hour?, self.schedule_end_minute?),
            mode,
        })
    }
}

model! {
    /// All about charging (`/vehicle/charging/mgmtData`).
    ChargingData {
        ;
        /// As the battery sees it (`chrgMgmtData`).
        management: ChargeManagement = "chrgMgmtData",
        /// As the telematics box sees it (`rvsChargeStatus`).
        rvs: RvsChargeStatus = "rvsChargeStatus",
    }
}

model! {
    /// The older answer about charging (`/vehicle/charging/status`).
    ChargingStatus {
        /// When the car reported (`statusTime`).
        status_at: DateTime<Utc> = "statusTime" as "crate::scale::epoch_s",
        ;
        /// Charging (`chargingStatus`).
        charging: RvsChargeStatus = "chargingStatus",
        /// Where the car is (`gpsPosition`).
        position: Position = "gpsPosition",
    }
}

from_json!(ChargingData, ChargingStatus);

/// `GET /vehicle/charging/mgmtData`: asks the car itself, which wakes it up.
#[derive(Debug, Clone)]
pub struct ReadChargingData(pub Vin);

impl Endpoint for ReadChargingData {
    type Answer = ChargingData;

    fn name(&self) -> &'static str {
        "charging data"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        endpoint::with_vin("/vehicle/charging/mgmtData", &self.0)
    }

    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        Some(crate::india::Asked::ChargingData)
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<ChargingData, DecodeError> {
        endpoint::required(data)
    }
}

/// `GET /vehicle/charging/status`: asks the car itself, which wakes it up.
#[derive(Debug, Clone)]
pub struct ReadChargingStatus(pub Vin);

impl Endpoint for ReadChargingStatus {
    type Answer = ChargingStatus;

    fn name(&self) -> &'static str {
        "charging status"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        endpoint::with_vin("/vehicle/charging/status", &self.0)
    }

    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        Some(crate::india::Asked::ChargingStatus)
    }

    fn reach(&self) -> Reach {
        Reach::Car
    }

    fn vin(&self) -> Option<&Vin> {
        Some(&self.0)
    }

    fn read(&self, data: Option<&str>) -> Result<ChargingStatus, DecodeError> {
        endpoint::required(data)
    }
}
