//! What the catalogue has no row for, under the SDK's own names.

use saic_ismart::{BasicStatus, ChargingData, ScheduleMode};
use serde_json::{Map, Value, json};

use crate::native::SaicCar;

/// Everything that is known besides the metrics.
pub(super) fn extra(car: &SaicCar) -> Map<String, Value> {
    let mut extra = Map::new();
    if let Some(status) = &car.status {
        status_of(&mut extra, car, &status.basic);
        let position = &status.position;
        put(&mut extra, "satellites", position.way_point.satellites);
        let alerts: Vec<_> = status
            .extended
            .alerts
            .iter()
            .map(|alert| &alert.json)
            .collect();
        put(
            &mut extra,
            "alerts",
            Some(alerts).filter(|alerts| !alerts.is_empty()),
        );
    }
    if let Some(charging) = &car.charging {
        charging_of(&mut extra, car, charging);
    }
    if let Some(cached) = &car.cached {
        status_of(&mut extra, car, &cached.basic);
    }
    if let Some(schedule) = &car.heating_schedule {
        put(&mut extra, "battery_heating_schedule_on", schedule.enabled);
        let start = schedule.start_at.filter(|_| schedule.enabled == Some(true));
        put(&mut extra, "battery_heating_schedule_at", start);
    }
    if let Some(message) = &car.message {
        put(&mut extra, "message_title", message.title.as_ref());
        put(&mut extra, "message_kind", message.kind.as_ref());
        put(&mut extra, "message_time", message.time.as_ref());
    }
    extra
}

fn put<T: serde::Serialize>(extra: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        extra.insert(name.to_owned(), json!(value));
    }
}

fn status_of(extra: &mut Map<String, Value>, car: &SaicCar, basic: &BasicStatus) {
    let mut put = |name, value: Option<Value>| {
        if let Some(value) = value {
            extra.insert(String::from(name), value);
        }
    };
    macro_rules! fields {
        ($($field:ident),* $(,)?) => {
            $(put(stringify!($field), basic.$field.map(|value| json!(value)));)*
        };
    }
    fields!(
        hand_brake,
        can_bus_active,
        journey_id,
        rear_window_heating,
        seat_heating_front_left,
        seat_heating_front_right,
        seat_heating_rear_left,
        seat_heating_rear_right,
        steering_wheel_heating,
        steering_wheel_heating_failure,
        dipped_beam_on,
        main_beam_on,
        side_light_on,
        last_key_seen,
        alarm_status,
        tyre_monitor_fault,
        engine_status,
        tyre_rear_left_os_raw,
        tyre_rear_right_os_raw,
        electric_range_display_raw,
        electric_range_mode_raw,
        electric_range_standard_a_raw,
        electric_range_standard_b_raw,
    );
    if car.profile.drive.has_fuel() {
        fields!(fuel_gauge_bars);
    }
    put(
        "journey_distance_km",
        basic.journey_distance_km().map(|km| json!(km)),
    );
    put(
        "power_mode",
        basic.power_mode.map(|mode| json!(word(&mode))),
    );
    let climate = basic
        .climate
        .map(|status| car.profile.climate_activity(status));
    put(
        "climate_activity",
        climate.map(|activity| json!(word(&activity))),
    );
}

fn charging_of(extra: &mut Map<String, Value>, car: &SaicCar, charging: &ChargingData) {
    let (management, rvs) = (&charging.management, &charging.rvs);
    let factor = car.profile.energy_factor(rvs);
    let energy = |kwh: Option<f64>| kwh.map(|kwh| (kwh * factor * 1000.0).round() / 1000.0);
    put(extra, "cable_locked", management.cable_locked());
    put(extra, "pack_current_a", management.pack_current_a());
    put(extra, "pack_voltage_v", management.pack_voltage_v());
    put(extra, "ac_current_a", management.ac_current_a());
    put(extra, "ac_voltage_v", management.ac_voltage_v());
    put(
        extra,
        "charging_stop_reason",
        management.stop_reason.map(|of| word(&of)),
    );
    put(
        extra,
        "discharge_stop_reason_raw",
        management.discharge_stop_reason_raw,
    );
    put(extra, "estimated_range_km", management.estimated_range_km);
    put(
        extra,
        "range_after_charging_km",
        management.range_after_charging_km(),
    );
    put(
        extra,
        "range_after_discharging_km",
        management.range_after_discharging_km(),
    );
    put(
        extra,
        "discharge_remaining_s",
        management.discharge_remaining_s(),
    );
    put(
        extra,
        "battery_heating_stop_reason",
        management.heating_stop_reason.map(|of| word(&of)),
    );
    put(extra, "charging_port_lid_raw", management.port_lid_raw);
    let mode = management.schedule_mode.map(|mode| match mode {
        ScheduleMode::UntilTime => "until_time",
        ScheduleMode::Off => "off",
        ScheduleMode::UntilTargetSoc => "until_target_soc",
    });
    put(extra, "charging_schedule", mode);
    let time = |hour: Option<u8>, minute: Option<u8>| {
        let (hour, minute) = hour.zip(minute)?;
        Some(format!("{hour:02}:{minute:02}"))
    };
    let planned = mode.is_some_and(|mode| mode != "off");
    let start = time(
        management.schedule_start_hour,
        management.schedule_start_minute,
    );
    put(extra, "charging_schedule_start", start.filter(|_| planned));
    let end = time(management.schedule_end_hour, management.schedule_end_minute);
    put(extra, "charging_schedule_end", end.filter(|_| planned));
    put(extra, "charging_type_raw", rvs.charging_type_raw);
    put(extra, "distance_today_km", rvs.distance_today_km());
    put(
        extra,
        "distance_since_charge_km",
        rvs.distance_since_charge_km(),
    );
    put(
        extra,
        "energy_after_last_charge_kwh",
        energy(rvs.energy_after_last_charge_kwh()),
    );
    put(
        extra,
        "energy_used_today_kwh",
        energy(rvs.energy_used_today_kwh()),
    );
    put(
        extra,
        "energy_used_since_charge_kwh",
        energy(rvs.energy_used_since_charge_kwh()),
    );
    put(extra, "charging_started_at", rvs.started_at);
    put(extra, "charging_ended_at", rvs.ended_at);
    put(extra, "charger_id", rvs.charger_id.as_ref());
    put(extra, "charger_supplier", rvs.charger_supplier.as_ref());
}

/// `FrontDefrost` as `front_defrost`.
fn word(value: &impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for (index, character) in format!("{value:?}").chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            word.push('_');
        }
        word.push(character.to_ascii_lowercase());
    }
    word
}
