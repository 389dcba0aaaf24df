//! From the charging data of a car, and the state of charge, which two answers
//! know.

use std::collections::BTreeMap;

use saic_ismart::charging::{ChargingStopReason, HeatingScheduleAnswer, HeatingStopReason};
use saic_ismart::{
    BasicStatus, ChargeManagement, ChargeSchedule, ChargingData, ChargingState, RvsChargeStatus,
    ScheduleMode,
};
use serde::Serialize;

use super::super::capacity::Capacity;
use super::super::text::rounded;
use super::{Publication, Publications};

/// The topics of both answers together, for a battery of this capacity. Without
/// charging data only what the status knows.
pub fn charging(
    basic: &BasicStatus,
    data: Option<&ChargingData>,
    capacity: Capacity,
) -> Publications {
    let mut topics = Publications::default();
    let soc = soc_percent(basic, data);
    topics.float("drivetrain/range", range_km(basic, data));
    topics.float("drivetrain/soc", soc);
    let Some(ChargingData {
        management, rvs, ..
    }) = data
    else {
        return topics;
    };
    pack(management, &mut topics);
    state(management, rvs, &mut topics);
    settings(management, &mut topics);
    distances(basic, management, rvs, &mut topics);
    energies(rvs, soc, capacity, &mut topics);
    charger(management, &mut topics);
    topics
}

/// The state of charge, percent.
pub fn soc_percent(basic: &BasicStatus, data: Option<&ChargingData>) -> Option<f64> {
    let exact = data.and_then(|data| data.management.soc_percent());
    exact.or_else(|| basic.soc_percent.map(f64::from))
}

/// The electric range, km.
pub fn range_km(basic: &BasicStatus, data: Option<&ChargingData>) -> Option<f64> {
    let better = data.and_then(|data| data.rvs.electric_range_km());
    better.or_else(|| basic.electric_range_km())
}

/// A, negative while charging.
pub fn current_a(management: &ChargeManagement) -> Option<f64> {
    management.pack_current_a().map(|current| -current)
}

/// kW, negative while charging.
pub fn power_kw(management: &ChargeManagement) -> Option<f64> {
    Some(current_a(management)? * management.pack_voltage_v()? / 1000.0)
}

/// Whether the original counts this as charging.
pub fn is_charging(management: &ChargeManagement) -> bool {
    matches!(
        management.state.map(ChargingState::code),
        Some(1 | 3 | 10 | 12)
    )
}

/// Whether it feeds something from its battery (V2X).
pub fn is_feeding(management: &ChargeManagement) -> bool {
    management.state.map(ChargingState::code) == Some(13)
}

/// What is in the battery, kWh, as exactly as the car knows it.
pub fn energy_kwh(data: &ChargingData, capacity: Capacity) -> Option<f64> {
    let exact = data.management.soc_percent().zip(capacity.kwh);
    let exact = exact.map(|(soc, kwh)| soc * kwh / 100.0);
    exact.or_else(|| stored_kwh(&data.rvs, None, capacity))
}

/// The cloud soon forgets why a charge or the heating has ended: what it has
/// said before stays.
pub fn is_forgotten(one: &Publication, held: &BTreeMap<String, String>) -> bool {
    const REASONS: [&str; 2] = [
        "drivetrain/chargingStopReason",
        "drivetrain/batteryHeatingStopReason",
    ];
    let known = || held.get(&one.topic).is_some_and(|text| text != NO_REASON);
    REASONS.contains(&one.topic.as_str()) && one.text == NO_REASON && known()
}

const NO_REASON: &str = "NO_REASON";

fn pack(management: &ChargeManagement, topics: &mut Publications) {
    let thousandths = |value: f64| rounded(value, 3);
    topics.float("drivetrain/current", current_a(management).map(thousandths));
    topics.float(
        "drivetrain/voltage",
        management.pack_voltage_v().map(thousandths),
    );
    topics.float("drivetrain/power", power_kw(management).map(thousandths));
}

fn state(management: &ChargeManagement, rvs: &RvsChargeStatus, topics: &mut Publications) {
    topics.flag("drivetrain/charging", Some(is_charging(management)));
    topics.flag("drivetrain/chargerConnected", rvs.cable_connected);
    topics.int("drivetrain/chargingType", rvs.charging_type_raw);
    if let Some(reason) = management.stop_reason {
        topics.text("drivetrain/chargingStopReason", stop_reason(reason));
    }
    topics.int(
        "drivetrain/charging/lastStart",
        rvs.started_at.map(|at| at.timestamp()),
    );
    topics.int(
        "drivetrain/charging/lastEnd",
        rvs.ended_at.map(|at| at.timestamp()),
    );
    let left = management.time_to_full_s().unwrap_or(0);
    topics.int("drivetrain/remainingChargingTime", Some(left));
    if let Some(state) = management.state {
        topics.text("bms/chargeStatus", charge_status(state));
    }
    topics.flag("drivetrain/batteryHeating", management.is_battery_heating());
    if let Some(reason) = management.heating_stop_reason {
        topics.text(
            "drivetrain/batteryHeatingStopReason",
            heating_stop_reason(reason),
        );
    }
    topics.flag("drivetrain/chargingCableLock", management.cable_locked());
}

fn stop_reason(reason: ChargingStopReason) -> &'static str {
    match reason.code() {
        0 => NO_REASON,
        1 => "CHARGER_STATUS_ABNORMAL",
        2 => "CHARGER_PORT_OVER_TEMPERATURE",
        3 => "CHARGING_GUN_NOT_PROPERLY_PLUGGED_IN",
        4 => "CHARGER_VOLTAGE_MISMATCH",
        _ => "OTHER_REASON",
    }
}

/// Why heating ended, in the original's words.
pub fn heating_stop_reason(reason: HeatingStopReason) -> String {
    match reason.code() {
        0 => NO_REASON.to_owned(),
        2 => "LOW_BATTERY".to_owned(),
        3 => "REACHED_STOP_CONDITION".to_owned(),
        4 => "UNNECESSARY".to_owned(),
        5 => "REACHED_STOP_TIME".to_owned(),
        7 => "HEATING_SYSTEM_FAILURE".to_owned(),
        other => format!("UNKNOWN_{other}"),
    }
}

fn charge_status(state: ChargingState) -> String {
    const NAMES: [&str; 14] = [
        "UNPLUGGED",
        "CHARGING_1",
        "CHARGE_DONE",
        "CHARGING_3",
        "CHARGE_FAULT",
        "CONNECTING",
        "CONNECTED_NOT_RECOGNIZED",
        "CONNECTED_NOT_CHARGING",
        "CHARGING_STOPPED",
        "SCHEDULED_CHARGING",
        "CHARGING_10",
        "SUPER_OFFBOARD_CHARGING",
        "CHARGING_12",
        "V2X_DISCHARGING",
    ];
    let name = usize::try_from(state.code())
        .ok()
        .and_then(|code| NAMES.get(code));
    name.map_or_else(
        || format!("UNKNOWN_{}", state.code()),
        |name| (*name).to_owned(),
    )
}

fn settings(management: &ChargeManagement, topics: &mut Publications) {
    if let Some(target) = management.target_soc {
        topics.setting("drivetrain/socTarget", target.percent().to_string());
    }
    if let Some(limit) = management.current_limit {
        topics.setting("drivetrain/chargeCurrentLimit", limit.to_string());
    }
    if let Some(schedule) = management.schedule().filter(ChargeSchedule::is_possible) {
        topics.text("drivetrain/chargingSchedule", charging_schedule(schedule));
    }
}

/// A charging schedule as JSON.
pub fn charging_schedule(schedule: ChargeSchedule) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        start_time: String,
        end_time: String,
        mode: &'static str,
    }
    super::text::json(&Shown {
        start_time: clock(schedule.start),
        end_time: clock(schedule.end),
        mode: mode_name(schedule.mode),
    })
}

/// The mode of a charging schedule, in the original's words.
pub fn mode_name(mode: ScheduleMode) -> &'static str {
    match mode {
        ScheduleMode::UntilTime => "UNTIL_CONFIGURED_TIME",
        ScheduleMode::Off => "DISABLED",
        ScheduleMode::UntilTargetSoc => "UNTIL_CONFIGURED_SOC",
    }
}

/// A battery heating schedule as JSON.
pub fn heating_schedule(enabled: bool, start: (u8, u8)) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown {
        mode: &'static str,
        start_time: String,
    }
    super::text::json(&Shown {
        mode: if enabled { "on" } else { "off" },
        start_time: clock(start),
    })
}

/// The heating schedule that the cloud answers with, as (enabled, time of day);
/// an unknown time is that known before.
pub fn heating_answer(
    answer: &HeatingScheduleAnswer,
    zone: crate::zone::Zone,
    known: (u8, u8),
) -> (bool, (u8, u8)) {
    let start = answer.start_at.map_or(known, |at| zone.time_of_day(at));
    (answer.enabled == Some(true), start)
}

fn clock((hour, minute): (u8, u8)) -> String {
    format!("{hour:02}:{minute:02}")
}

fn distances(
    basic: &BasicStatus,
    management: &ChargeManagement,
    rvs: &RvsChargeStatus,
    topics: &mut Publications,
) {
    topics.int(
        "drivetrain/hybrid_electrical_range",
        management.estimated_range_km,
    );
    let total = basic.odometer_km().or_else(|| rvs.odometer_km());
    if basic.odometer_km().is_none() {
        // Some cars count only to 6553.5 km in their status.
        topics.float("drivetrain/mileage", rvs.odometer_km());
    }
    let part = |km: Option<f64>| km.filter(|km| total.is_none_or(|total| *km <= total));
    topics.float("drivetrain/mileageOfTheDay", part(rvs.distance_today_km()));
    topics.float(
        "drivetrain/mileageSinceLastCharge",
        part(rvs.distance_since_charge_km()),
    );
}

fn energies(
    rvs: &RvsChargeStatus,
    soc: Option<f64>,
    capacity: Capacity,
    topics: &mut Publications,
) {
    let corrected = |kwh: Option<f64>| kwh.map(|kwh| rounded(capacity.factor * kwh, 2));
    topics.float("drivetrain/totalBatteryCapacity", capacity.kwh);
    topics.float("drivetrain/soc_kwh", stored_kwh(rvs, soc, capacity));
    topics.float(
        "drivetrain/lastChargeEndingPower",
        corrected(rvs.energy_after_last_charge_kwh()),
    );
    topics.float(
        "drivetrain/powerUsageOfDay",
        corrected(rvs.energy_used_today_kwh()),
    );
    let used = corrected(rvs.energy_used_since_charge_kwh());
    topics.float("drivetrain/powerUsageSinceLastCharge", used);
    topics.float(
        "drivetrain/efficiencySinceLastCharge",
        consumption(used, rvs.distance_since_charge_km()),
    );
}

/// kWh in the battery.
fn stored_kwh(rvs: &RvsChargeStatus, soc: Option<f64>, capacity: Capacity) -> Option<f64> {
    let counted = rvs
        .energy_kwh()
        .filter(|kwh| *kwh > 0.0)
        .map(|kwh| capacity.factor * kwh);
    let estimated = || Some(soc? * capacity.kwh? / 100.0);
    counted.or_else(estimated).map(|kwh| rounded(kwh, 2))
}

/// kWh on 100 km; a short way says nothing.
pub(super) fn consumption(used_kwh: Option<f64>, km: Option<f64>) -> Option<f64> {
    let km = km.filter(|km| *km >= 1.0)?;
    Some(rounded(used_kwh? / km * 100.0, 1))
}

fn charger(management: &ChargeManagement, topics: &mut Publications) {
    let both = management.ac_current_a().zip(management.ac_voltage_v());
    let (current, voltage) = both.unwrap_or_default();
    topics.float("obc/current", Some(rounded(current, 1)));
    topics.int("obc/voltage", Some(voltage as i64));
    let watts = |power: Option<f64>| Some(rounded(power.unwrap_or(0.0), 1));
    topics.float(
        "obc/powerSinglePhase",
        watts(management.ac_power_single_phase_w()),
    );
    topics.float(
        "obc/powerThreePhase",
        watts(management.ac_power_three_phase_w()),
    );
    topics.int("ccu/onboardChargerPlugStatus", management.ac_plug_raw);
    topics.int("ccu/offboardChargerPlugStatus", management.dc_plug_raw);
}
