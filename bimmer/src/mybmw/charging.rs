use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{
    ChargingMode, ChargingPreference, ChargingProfile, DepartureTime, TimeOfDay, TimerType,
};
use crate::endpoint::lenient;

/// Charging settings. Source: `GET /eadrax-crccs/v2/vehicles`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingDetails {
    /// `ATM2`, `WAVE_01`, `TCB1`.
    #[serde(deserialize_with = "lenient::text")]
    pub service_pack: Option<String>,
    /// Limits, target, noise.
    #[serde(rename = "chargingSettingsDetail", deserialize_with = "lenient::maybe")]
    pub settings: Option<ChargingSettings>,
    /// When to charge and to condition the cabin.
    #[serde(
        rename = "chargeAndClimateTimerDetail",
        deserialize_with = "lenient::maybe"
    )]
    pub timers: Option<ChargingTimers>,
    /// Whether the flap stays unlocked.
    #[serde(rename = "chargingFlapDetail", deserialize_with = "flap")]
    pub is_flap_unlocked: Option<bool>,
}

/// When to charge and to condition the cabin, as the app's newer pages have it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingTimers {
    /// When to charge.
    #[serde(rename = "chargingMode", deserialize_with = "lenient::maybe")]
    pub charging: Option<ChargingSlot>,
    /// When the car leaves.
    #[serde(rename = "departureTimer", deserialize_with = "lenient::maybe")]
    pub departure: Option<DepartureTimer>,
    /// Whether the cabin is conditioned before departure.
    #[serde(
        rename = "isPreconditionForDepartureActive",
        deserialize_with = "lenient::boolean"
    )]
    pub is_precondition_active: Option<bool>,
}

/// When to charge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSlot {
    /// `CHARGING_IMMEDIATELY`, `TIME_SLOT`, `NO_ACTION`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// What decides.
    #[serde(rename = "chargingPreference", deserialize_with = "lenient::maybe")]
    pub preference: Option<ChargingPreference>,
    /// Begin of cheap power.
    #[serde(rename = "startTimeSlot", deserialize_with = "time_of_slot")]
    pub start: Option<TimeOfDay>,
    /// End of cheap power.
    #[serde(rename = "endTimeSlot", deserialize_with = "time_of_slot")]
    pub end: Option<TimeOfDay>,
}

/// When the car leaves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DepartureTimer {
    /// `WEEKLY_DEPARTURE_TIMER` or `TWO_DEPARTURE_TIMER`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// Weekly ones.
    #[serde(rename = "weeklyTimers", deserialize_with = "lenient::list")]
    pub weekly: Vec<WeeklyTimer>,
}

/// A weekly departure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct WeeklyTimer {
    /// Its number.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: Option<i64>,
    /// When.
    #[serde(deserialize_with = "time_of_slot")]
    pub time: Option<TimeOfDay>,
    /// `MONDAY`, ….
    #[serde(rename = "daysOfTheWeek", deserialize_with = "lenient::list")]
    pub days: Vec<String>,
    /// `ACTIVATE` or `DEACTIVATE`.
    #[serde(rename = "timerAction", deserialize_with = "lenient::text")]
    pub action: Option<String>,
}

/// The time of day in `0001-01-01T22:30:00`.
fn time_of_slot<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<TimeOfDay>, D::Error> {
    let text = lenient::text(from)?.unwrap_or_default();
    let time = text.split('T').nth(1).unwrap_or_default();
    let mut parts = time.splitn(3, ':').map(|part| part.parse::<u8>().ok());
    let (hour, minute) = (parts.next().flatten(), parts.next().flatten());
    Ok(hour.zip(minute).and_then(|(hour, minute)| {
        (hour < 24 && minute < 60).then_some(TimeOfDay { hour, minute })
    }))
}

/// Limits, target, noise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSettings {
    /// Limit of the AC current.
    #[serde(deserialize_with = "lenient::maybe")]
    pub ac_limit: Option<AcLimit>,
    /// Charge target, percent.
    #[serde(deserialize_with = "lenient::integer")]
    pub charging_target: Option<i64>,
    /// Noise while fast charging, as `UNLIMITED_LOUD`.
    #[serde(deserialize_with = "lenient::text")]
    pub dc_loudness: Option<String>,
    /// Whether the cable is released when charging ends.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_unlock_cable_active: Option<bool>,
    /// A target below this is warned of, percent.
    #[serde(deserialize_with = "lenient::integer")]
    pub min_charging_target_to_warning: Option<i64>,
}

/// Limit of the AC current, A.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AcLimit {
    /// The limit.
    #[serde(rename = "current", deserialize_with = "value")]
    pub current_a: Option<i64>,
    /// Lowest.
    #[serde(deserialize_with = "lenient::integer")]
    pub min: Option<i64>,
    /// Highest.
    #[serde(deserialize_with = "lenient::integer")]
    pub max: Option<i64>,
    /// Those that can be set.
    #[serde(deserialize_with = "lenient::list")]
    pub values: Vec<i64>,
    /// Whether there is none.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_unlimited: Option<bool>,
}

fn value<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    struct Quantity {
        #[serde(deserialize_with = "lenient::integer")]
        value: Option<i64>,
    }
    Ok(lenient::maybe::<D, Quantity>(from)?.and_then(|quantity| quantity.value))
}

fn flap<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Flap {
        #[serde(deserialize_with = "lenient::boolean")]
        is_permanently_unlock: Option<bool>,
    }
    Ok(lenient::maybe::<D, Flap>(from)?.and_then(|flap| flap.is_permanently_unlock))
}

impl ChargingDetails {
    /// Currents that the limit can be set to, A.
    #[must_use]
    pub fn ac_limits_a(&self) -> &[i64] {
        let limit = self
            .settings
            .as_ref()
            .and_then(|settings| settings.ac_limit.as_ref());
        limit.map_or(&[], |limit| &limit.values)
    }
}

/// What to change in a charging profile. `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChargingProfileChange {
    /// When to charge.
    pub mode: Option<ChargingMode>,
    /// Whether to condition the cabin before departure.
    pub precondition_climate: Option<bool>,
}

/// The body that sets a charging profile: the present one with the changes.
#[must_use]
pub fn charging_profile_body(
    profile: &ChargingProfile,
    service_pack: Option<&str>,
    change: &ChargingProfileChange,
) -> Value {
    let mode = change
        .mode
        .clone()
        .or_else(|| profile.charging_mode.clone());
    let (kind, preference) = match mode {
        Some(ChargingMode::Immediate) => (
            "CHARGING_IMMEDIATELY",
            Some(ChargingPreference::NoPreselection),
        ),
        Some(ChargingMode::Delayed) => ("TIME_SLOT", Some(ChargingPreference::ChargingWindow)),
        _ => ("NO_ACTION", profile.charging_preference.clone()),
    };
    let preference = preference.unwrap_or(ChargingPreference::NoPreselection);
    let window = profile.window.clone().unwrap_or_default();
    let timer = match &profile.charging_control_type {
        Some(TimerType::WeeklyPlanner) => "WEEKLY_DEPARTURE_TIMER",
        Some(TimerType::TwoTimes) => "TWO_DEPARTURE_TIMER",
        Some(TimerType::Other(word)) => word,
        None => "UNKNOWN",
    };
    let climate = change.precondition_climate.or(profile.is_pre_entry_climate);
    json!({
        "chargingMode": {
            "chargingPreference": preference,
            "endTimeSlot": slot(window.end),
            "startTimeSlot": slot(window.start),
            "type": kind,
            "timerChange": "NO_CHANGE",
        },
        "departureTimer": {
            "type": timer,
            "weeklyTimers": profile.departure_times.iter().map(departure).collect::<Vec<_>>(),
        },
        "isPreconditionForDepartureActive": climate.unwrap_or(false),
        "servicePack": service_pack,
    })
}

fn departure(timer: &DepartureTime) -> Value {
    json!({
        "daysOfTheWeek": timer.timer_week_days,
        "id": timer.id,
        "time": slot(timer.time_stamp),
        "timerAction": timer.action,
    })
}

fn slot(time: Option<TimeOfDay>) -> String {
    let TimeOfDay { hour, minute } = time.unwrap_or_default();
    format!("0001-01-01T{hour:02}:{minute:02}:00.000")
}
