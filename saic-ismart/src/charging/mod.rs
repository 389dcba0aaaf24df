//! The traction battery: state, control, limits, schedules, heating.

mod battery_heating;
mod control;
mod current_limit;
mod rvs;
mod schedule;
mod status;
mod target_soc;

pub use battery_heating::{
    HeatBattery, HeatingAnswer, HeatingScheduleAnswer, ReadHeatingSchedule, SetHeatingSchedule,
    next_occurrence,
};
pub use control::{
    ChargeCommand, ChargeControl, ChargeControlAnswer, ChargeSettings, ChargeSettingsAnswer,
    SetCharging,
};
pub use current_limit::CurrentLimit;
pub use rvs::RvsChargeStatus;
pub use schedule::{ChargeSchedule, ScheduleAnswer, ScheduleMode, SetChargeSchedule};
pub use status::{
    ChargeManagement, ChargingData, ChargingState, ChargingStatus, ChargingStopReason,
    HeatingStopReason, ReadChargingData, ReadChargingStatus,
};
pub use target_soc::TargetSoc;
