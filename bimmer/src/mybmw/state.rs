use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::profile::SoftwareVersion;
use super::tyre::Tyres;
use crate::endpoint::lenient;
use crate::types::{Position, open_enum};

open_enum! {
    /// State of charging.
    ChargingStatus {
        /// Nothing special.
        Default = "DEFAULT",
        /// Charges.
        Charging = "CHARGING",
        /// Failed.
        Error = "ERROR",
        /// Done.
        Complete = "COMPLETE",
        /// Full.
        FullyCharged = "FULLY_CHARGED",
        /// Ended full.
        FinishedFullyCharged = "FINISHED_FULLY_CHARGED",
        /// Ended before it was full.
        FinishedNotFull = "FINISHED_NOT_FULL",
        /// The car gives no state; reads as not charging.
        Invalid = "INVALID",
        /// Does not charge.
        NotCharging = "NOT_CHARGING",
        /// A plug is in.
        PluggedIn = "PLUGGED_IN",
        /// Waits for its time.
        WaitingForCharging = "WAITING_FOR_CHARGING",
        /// The target is reached.
        TargetReached = "TARGET_REACHED",
    }
}

open_enum! {
    /// State of the central locking.
    LockState {
        /// Locked.
        Locked = "LOCKED",
        /// Locked, and the alarm is armed.
        Secured = "SECURED",
        /// All but the driver's door.
        SelectiveLocked = "SELECTIVE_LOCKED",
        /// Some doors.
        PartiallyLocked = "PARTIALLY_LOCKED",
        /// Open.
        Unlocked = "UNLOCKED",
    }
}

open_enum! {
    /// State of a door, window or roof.
    LidState {
        /// Shut.
        Closed = "CLOSED",
        /// Open.
        Open = "OPEN",
        /// Tilted.
        OpenTilt = "OPEN_TILT",
        /// In between.
        Intermediate = "INTERMEDIATE",
        /// There is none, or the car does not know.
        Invalid = "INVALID",
    }
}

open_enum! {
    /// What the cabin climate does.
    ClimateActivity {
        /// Cools.
        Cooling = "COOLING",
        /// Heats.
        Heating = "HEATING",
        /// Blows.
        Ventilation = "VENTILATION",
        /// Off.
        Inactive = "INACTIVE",
        /// Ready.
        Standby = "STANDBY",
    }
}

open_enum! {
    /// State of a service item.
    ServiceStatus {
        /// Not due.
        Ok = "OK",
        /// Too late.
        Overdue = "OVERDUE",
        /// Due.
        Pending = "PENDING",
    }
}

open_enum! {
    /// How urgent a message is.
    Severity {
        /// Not at all; such messages are not shown.
        Ok = "OK",
        /// Low.
        Low = "LOW",
        /// Medium.
        Medium = "MEDIUM",
        /// High.
        High = "HIGH",
        /// Stop.
        Critical = "CRITICAL",
    }
}

open_enum! {
    /// When the car charges.
    ChargingMode {
        /// At once.
        Immediate = "IMMEDIATE_CHARGING",
        /// Within its window.
        Delayed = "DELAYED_CHARGING",
        /// Not set.
        NoAction = "NO_ACTION",
    }
}

open_enum! {
    /// What decides when to charge.
    ChargingPreference {
        /// Nothing.
        NoPreselection = "NO_PRESELECTION",
        /// A window of time.
        ChargingWindow = "CHARGING_WINDOW",
    }
}

open_enum! {
    /// Kind of departure timers.
    TimerType {
        /// By day of the week.
        WeeklyPlanner = "WEEKLY_PLANNER",
        /// Two times.
        TwoTimes = "TWO_TIMES_TIMER",
    }
}

/// A local time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// When a local time of day comes next; now counts.
#[must_use]
pub fn next_occurrence(now: NaiveDateTime, time: TimeOfDay) -> Option<NaiveDateTime> {
    let time = NaiveTime::from_hms_opt(time.hour.into(), time.minute.into(), 0)?;
    let today = now.date().and_time(time);
    if now > today {
        today.checked_add_days(Days::new(1))
    } else {
        Some(today)
    }
}

/// The state of a vehicle. A field is `None` if the present answer lacks it,
/// whatever an earlier one said. Source: `state` of `GET /eadrax-vcs/v4/vehicles/state`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct VehicleState {
    /// Odometer, km.
    #[serde(rename = "currentMileage", deserialize_with = "lenient::kilometres")]
    pub odometer_km: Option<i64>,
    /// When the cloud read it.
    #[serde(deserialize_with = "lenient::time")]
    pub last_fetched: Option<DateTime<Utc>>,
    /// When the car reported it.
    #[serde(rename = "lastUpdatedAt", deserialize_with = "reported_time")]
    pub reported_at: Option<DateTime<Utc>>,
    /// Whether the car reports by itself.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_lsc_supported: Option<bool>,
    /// Range that the car shows, km.
    #[serde(rename = "range", deserialize_with = "lenient::kilometres")]
    pub shown_range_km: Option<i64>,
    /// Tank.
    #[serde(rename = "combustionFuelLevel", deserialize_with = "lenient::maybe")]
    pub fuel: Option<FuelLevel>,
    /// Battery.
    #[serde(rename = "electricChargingState", deserialize_with = "lenient::maybe")]
    pub electric: Option<ElectricState>,
    /// Charging profile.
    #[serde(deserialize_with = "charging_profile")]
    pub charging_profile: Option<ChargingProfile>,
    /// Where it is; absent where tracking is off.
    #[serde(deserialize_with = "lenient::maybe")]
    pub location: Option<Location>,
    /// Doors.
    #[serde(rename = "doorsState", deserialize_with = "lenient::maybe")]
    pub doors: Option<OpeningsState>,
    /// Windows.
    #[serde(rename = "windowsState", deserialize_with = "lenient::maybe")]
    pub windows: Option<OpeningsState>,
    /// Roof.
    #[serde(rename = "roofState", deserialize_with = "lenient::maybe")]
    pub roof: Option<RoofState>,
    /// Tyres.
    #[serde(rename = "tireState", deserialize_with = "lenient::maybe")]
    pub tyres: Option<Tyres>,
    /// Cabin climate.
    #[serde(rename = "climateControlState", deserialize_with = "lenient::maybe")]
    pub climate: Option<ClimateControl>,
    /// Climate timers.
    #[serde(deserialize_with = "lenient::list")]
    pub climate_timers: Vec<ClimateTimer>,
    /// Service items.
    #[serde(deserialize_with = "lenient::list")]
    pub required_services: Vec<RequiredService>,
    /// Messages.
    #[serde(deserialize_with = "lenient::list")]
    pub check_control_messages: Vec<CheckControlMessage>,
    /// `ARMED` or `NOT_ARMED`.
    #[serde(deserialize_with = "lenient::text")]
    pub security_overview_mode: Option<String>,
    /// Whether the car tells little about itself, as `OFF`.
    #[serde(rename = "driverPreferences", deserialize_with = "privacy_mode")]
    pub lsc_privacy_mode: Option<String>,
    /// The car's software, where the state has it.
    #[serde(deserialize_with = "lenient::maybe")]
    pub vehicle_software_version: Option<SoftwareVersion>,
    /// Whether the wheel is on the left.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_left_steering: Option<bool>,
}

fn privacy_mode<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Preferences {
        #[serde(default, deserialize_with = "lenient::text")]
        lsc_privacy_mode: Option<String>,
    }
    let preferences = lenient::maybe::<D, Preferences>(from)?;
    Ok(preferences.and_then(|preferences| preferences.lsc_privacy_mode))
}

/// The year 1 stands for "never".
fn reported_time<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(lenient::time(from)?.filter(|time| time.timestamp() > 0))
}

/// The tank.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct FuelLevel {
    /// Litres.
    #[serde(deserialize_with = "lenient::number")]
    pub remaining_fuel_liters: Option<f64>,
    /// Percent.
    #[serde(deserialize_with = "lenient::integer")]
    pub remaining_fuel_percent: Option<i64>,
    /// Kilometres; of a plug-in hybrid with the battery's.
    #[serde(rename = "range", deserialize_with = "lenient::kilometres")]
    pub range_km: Option<i64>,
}

/// The battery and its plug.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ElectricState {
    /// `CONDUCTIVE`, `UNKNOWN`.
    #[serde(deserialize_with = "lenient::text")]
    pub charging_connection_type: Option<String>,
    /// State of charge, percent.
    #[serde(rename = "chargingLevelPercent", deserialize_with = "lenient::integer")]
    pub soc_percent: Option<i64>,
    /// State of charging.
    #[serde(deserialize_with = "lenient::maybe")]
    pub charging_status: Option<ChargingStatus>,
    /// Charge target, percent.
    #[serde(rename = "chargingTarget", deserialize_with = "lenient::integer")]
    pub target_soc_percent: Option<i64>,
    /// Whether a plug is in.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_charger_connected: Option<bool>,
    /// Electric range, km.
    #[serde(rename = "range", deserialize_with = "lenient::kilometres")]
    pub range_km: Option<i64>,
    /// Until the target, minutes.
    #[serde(deserialize_with = "lenient::integer")]
    pub remaining_charging_minutes: Option<i64>,
}

/// How it is to charge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingProfile {
    /// Kind of timers.
    #[serde(deserialize_with = "lenient::maybe")]
    pub charging_control_type: Option<TimerType>,
    /// When to charge.
    #[serde(deserialize_with = "lenient::maybe")]
    pub charging_mode: Option<ChargingMode>,
    /// What decides.
    #[serde(deserialize_with = "lenient::maybe")]
    pub charging_preference: Option<ChargingPreference>,
    /// Limit of the AC current, A.
    #[serde(rename = "chargingSettings", deserialize_with = "ac_limit")]
    pub ac_current_limit_a: Option<i64>,
    /// Charge target, percent. Only as part of a [`VehicleState`], like the next two.
    #[serde(skip)]
    pub target_soc_percent: Option<i64>,
    /// Whether the cable is released when charging ends, as `NO_ACTION`.
    #[serde(skip)]
    pub hospitality: Option<String>,
    /// Noise while fast charging, as `NO_ACTION`.
    #[serde(skip)]
    pub idcc: Option<String>,
    /// Whether the cabin is conditioned before departure.
    #[serde(rename = "climatisationOn", deserialize_with = "lenient::boolean")]
    pub is_pre_entry_climate: Option<bool>,
    /// Departures.
    #[serde(deserialize_with = "lenient::list")]
    pub departure_times: Vec<DepartureTime>,
    /// The window of cheap power.
    #[serde(
        rename = "reductionOfChargeCurrent",
        deserialize_with = "lenient::maybe"
    )]
    pub window: Option<Window>,
}

/// A window of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Window {
    /// Begin.
    #[serde(deserialize_with = "lenient::maybe")]
    pub start: Option<TimeOfDay>,
    /// End.
    #[serde(deserialize_with = "lenient::maybe")]
    pub end: Option<TimeOfDay>,
}

/// A departure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DepartureTime {
    /// 1 to 4.
    #[serde(deserialize_with = "lenient::integer")]
    pub id: Option<i64>,
    /// When.
    #[serde(deserialize_with = "lenient::maybe")]
    pub time_stamp: Option<TimeOfDay>,
    /// `ACTIVATE` or `DEACTIVATE`.
    #[serde(deserialize_with = "lenient::text")]
    pub action: Option<String>,
    /// `MONDAY`, ….
    #[serde(deserialize_with = "lenient::list")]
    pub timer_week_days: Vec<String>,
}

/// When the cabin is conditioned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ClimateTimer {
    /// When the car leaves.
    #[serde(deserialize_with = "lenient::maybe")]
    pub departure_time: Option<TimeOfDay>,
    /// Whether it repeats every week.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_weekly_timer: Option<bool>,
    /// `ACTIVATE` or `DEACTIVATE`.
    #[serde(deserialize_with = "lenient::text")]
    pub timer_action: Option<String>,
    /// `MONDAY`, ….
    #[serde(deserialize_with = "lenient::list")]
    pub timer_week_days: Vec<String>,
}

/// Three settings stand beside the limit of the current.
fn charging_profile<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<ChargingProfile>, D::Error> {
    let json = serde_json::Value::deserialize(from)?;
    let setting = |name| json.get("chargingSettings")?.get(name);
    let word = |name| setting(name)?.as_str().map(str::to_owned);
    let (target, hospitality, idcc) = (
        setting("targetSoc").and_then(serde_json::Value::as_i64),
        word("hospitality"),
        word("idcc"),
    );
    let profile: Option<ChargingProfile> = serde_json::from_value(json).ok();
    Ok(profile.map(|profile| ChargingProfile {
        target_soc_percent: target,
        hospitality,
        idcc,
        ..profile
    }))
}

fn ac_limit<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Settings {
        #[serde(default, deserialize_with = "lenient::integer")]
        ac_current_limit: Option<i64>,
    }
    Ok(lenient::maybe::<D, Settings>(from)?.and_then(|settings| settings.ac_current_limit))
}

/// Where a vehicle is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Location {
    /// The point.
    #[serde(rename = "coordinates", deserialize_with = "coordinates")]
    pub position: Option<Position>,
    /// Direction, degrees from north.
    #[serde(rename = "heading", deserialize_with = "lenient::integer")]
    pub heading_deg: Option<i64>,
    /// The address.
    #[serde(deserialize_with = "formatted")]
    pub address: Option<String>,
}

fn coordinates<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Position>, D::Error> {
    #[derive(Deserialize)]
    struct Coordinates {
        latitude: f64,
        longitude: f64,
    }
    let point: Option<Coordinates> = lenient::maybe(from)?;
    Ok(point.and_then(|point| Position::new(point.latitude, point.longitude)))
}

fn formatted<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Address {
        formatted: String,
    }
    Ok(lenient::maybe::<D, Address>(from)?.map(|address| address.formatted))
}

/// Doors or windows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OpeningsState {
    /// State of the locks; doors only.
    #[serde(deserialize_with = "lenient::maybe")]
    pub combined_security_state: Option<LockState>,
    /// All in one.
    #[serde(deserialize_with = "lenient::maybe")]
    pub combined_state: Option<LidState>,
    /// By name: `hood`, `trunk`, `leftFront`, `leftRear`, `rightFront`, `rightRear`, `rear`.
    #[serde(flatten, deserialize_with = "lids")]
    pub each: BTreeMap<String, LidState>,
}

fn lids<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<String, LidState>, D::Error> {
    let members = BTreeMap::<String, serde_json::Value>::deserialize(from)?;
    let lid =
        |(name, value): (String, serde_json::Value)| Some((name, LidState::parse(value.as_str()?)));
    Ok(members.into_iter().filter_map(lid).collect())
}

/// The roof.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RoofState {
    /// Its state.
    #[serde(deserialize_with = "lenient::maybe")]
    pub roof_state: Option<LidState>,
    /// Its kind, as `SUN_ROOF`.
    #[serde(deserialize_with = "lenient::text")]
    pub roof_state_type: Option<String>,
}

/// Cabin climate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ClimateControl {
    /// What it does.
    #[serde(deserialize_with = "lenient::maybe")]
    pub activity: Option<ClimateActivity>,
    /// For how long, seconds.
    #[serde(rename = "remainingSeconds", deserialize_with = "lenient::number")]
    pub remaining_s: Option<f64>,
}

impl ClimateControl {
    /// Whether it heats or cools.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        matches!(
            self.activity,
            Some(ClimateActivity::Cooling | ClimateActivity::Heating)
        )
    }

    /// When it ends, given when the state was asked for.
    #[must_use]
    pub fn ends_at(&self, fetched_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        fetched_at.checked_add_signed(TimeDelta::try_seconds(self.remaining_s? as i64)?)
    }
}

/// A service item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RequiredService {
    /// What, as `BRAKE_FLUID`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// Its state.
    #[serde(deserialize_with = "lenient::maybe")]
    pub status: Option<ServiceStatus>,
    /// Due then.
    #[serde(rename = "dateTime", deserialize_with = "lenient::time")]
    pub due_at: Option<DateTime<Utc>>,
    /// Due at this odometer, km.
    #[serde(rename = "mileage", deserialize_with = "distance")]
    pub due_km: Option<i64>,
    /// In words.
    #[serde(deserialize_with = "lenient::text")]
    pub description: Option<String>,
}

/// Zero stands for none.
fn distance<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Ok(lenient::kilometres(from)?.filter(|km| *km != 0))
}

/// A message of the car.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct CheckControlMessage {
    /// What, as `TIRE_PRESSURE`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// How urgent.
    #[serde(deserialize_with = "lenient::maybe")]
    pub severity: Option<Severity>,
    /// In words.
    #[serde(deserialize_with = "lenient::text")]
    pub long_description: Option<String>,
}
