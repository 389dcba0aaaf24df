//! What a car said, by metric.

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::{
    BasicStatus, ChargeManagement, ChargingData, ChargingState, Profile, VehicleStatus,
};

use crate::event::Values;
use crate::metric::{Metric, vehicle};
use crate::native::SaicCar;
use crate::value::Value;

/// When the parts of what is known were heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// The charging data.
    pub(super) charging_at: DateTime<Utc>,
    /// Nothing was heard since.
    pub(super) charging_is_newest: bool,
}

/// Everything that is known of `car`: the newest comes last.
pub(super) fn values(car: &SaicCar, heard: Heard) -> Values {
    let mut values = Values::default();
    if let Some(status) = &car.status {
        reported(&mut values, &car.profile, status);
    }
    let (before, after) = match heard.charging_is_newest {
        true => (&car.cached, &None),
        false => (&None, &car.cached),
    };
    if let Some(cached) = before {
        reported(&mut values, &car.profile, cached);
    }
    if let Some(charging) = &car.charging {
        battery(&mut values, car, charging, heard.charging_at);
    }
    if let Some(cached) = after {
        let exact = [&vehicle::SOC_PERCENT, &vehicle::RANGE_KM].map(|of| (of, values.number(of)));
        reported(&mut values, &car.profile, cached);
        without_charge(&mut values, cached);
        keep_exact(&mut values, exact);
    }
    total_range(&mut values, &car.profile);
    values
}

/// What any status tells; what it does not tell stays as it is.
fn reported(values: &mut Values, profile: &Profile, status: &VehicleStatus) {
    let basic = &status.basic;
    let mut set = |metric, value: Option<Value>| {
        if value.is_some() {
            values.set(metric, value);
        }
    };
    set(
        &vehicle::SOC_PERCENT,
        profile.soc_percent(basic, None).map(Value::from),
    );
    set(
        &vehicle::RANGE_KM,
        profile.range_km(basic, None).map(Value::from),
    );
    if profile.drive.has_fuel() {
        let percent = basic.fuel_percent.map(f64::from);
        set(&vehicle::FUEL_PERCENT, percent.map(Value::from));
        set(
            &vehicle::FUEL_RANGE_KM,
            basic.fuel_range_km().map(Value::from),
        );
    }
    set(
        &vehicle::ODOMETER_KM,
        profile.odometer_km(basic, None).map(Value::from),
    );
    let place = status.position.latitude_longitude_deg();
    set(&vehicle::LATITUDE, place.map(|(north, _)| north.into()));
    set(&vehicle::LONGITUDE, place.map(|(_, east)| east.into()));
    let altitude = status.position.altitude_m().map(f64::from);
    set(&vehicle::ALTITUDE_M, altitude.map(Value::from));
    let heading = status.position.heading_deg().map(f64::from);
    set(&vehicle::HEADING_DEG, heading.map(Value::from));
    let running = basic.engine_status.map(|_| basic.is_running());
    let speed = match running {
        Some(false) => Some(0.0),
        _ => status.speed_kmh(),
    };
    set(&vehicle::SPEED_KMH, speed.map(Value::from));
    set(
        &vehicle::MOVING,
        speed.map(|speed| Value::from(speed > 0.0)),
    );
    set(&vehicle::RUNNING, running.map(Value::from));
    set(&vehicle::LOCKED, basic.locked.map(Value::from));
    let celsius = |raw: Option<i8>| raw.map(|raw| Value::from(f64::from(raw)));
    set(
        &vehicle::INTERIOR_TEMPERATURE_C,
        celsius(basic.interior_temperature_c),
    );
    set(
        &vehicle::EXTERIOR_TEMPERATURE_C,
        celsius(basic.exterior_temperature_c),
    );
    let climate = basic.climate.map(|climate| climate.code() > 0);
    set(&vehicle::CLIMATE_ACTIVE, climate.map(Value::from));
    set(
        &vehicle::AUX_BATTERY_VOLTAGE_V,
        profile.aux_battery_voltage_v(basic).map(Value::from),
    );
    let activity = basic.last_can_activity_at.or(status.status_at);
    set(&vehicle::LAST_ACTIVITY_AT, activity.map(Value::from));
    parts(values, basic);
}

fn parts(values: &mut Values, basic: &BasicStatus) {
    let doors = [
        ("driver", basic.driver_door_open),
        ("passenger", basic.passenger_door_open),
        ("rear_left", basic.rear_left_door_open),
        ("rear_right", basic.rear_right_door_open),
        ("boot", basic.boot_open),
        ("bonnet", basic.bonnet_open),
    ];
    merge(values, &vehicle::DOORS_OPEN, doors);
    if basic.windows_known() {
        let windows = [
            ("driver", basic.driver_window_open),
            ("passenger", basic.passenger_window_open),
            ("rear_left", basic.rear_left_window_open),
            ("rear_right", basic.rear_right_window_open),
            ("sunroof", basic.sunroof_open),
        ];
        merge(values, &vehicle::WINDOWS_OPEN, windows);
    }
    let [front_left, front_right, rear_left, rear_right] = basic.tyre_pressures_bar();
    let tyres = [
        ("front_left", front_left),
        ("front_right", front_right),
        ("rear_left", rear_left),
        ("rear_right", rear_right),
    ];
    merge(values, &vehicle::TYRE_PRESSURE_BAR, tyres);
}

/// Puts the known parts over those that stand there already.
fn merge<T: Into<Value>, const N: usize>(
    values: &mut Values,
    metric: &'static Metric,
    parts: [(&str, Option<T>); N],
) {
    let mut all = match values.get(metric) {
        Some(Value::Map(all)) => all.clone(),
        _ => Default::default(),
    };
    for (name, part) in parts {
        if let Some(part) = part {
            all.insert(name.to_owned(), part.into());
        }
    }
    if !all.is_empty() {
        values.set(metric, Value::Map(all));
    }
}

/// What only the charging data tell, or tell better.
fn battery(values: &mut Values, car: &SaicCar, charging: &ChargingData, at: DateTime<Utc>) {
    let (management, rvs) = (&charging.management, &charging.rvs);
    let profile = &car.profile;
    // What the status knows stands there already.
    let nothing = BasicStatus::default();
    // While it drives the status is read more often.
    let odometer = profile.odometer_km(&nothing, Some(charging));
    let odometer = odometer.map(|km| km.max(values.number(&vehicle::ODOMETER_KM).unwrap_or(km)));
    for (metric, better) in [
        (&vehicle::SOC_PERCENT, management.soc_percent()),
        (&vehicle::RANGE_KM, rvs.electric_range_km()),
        (&vehicle::ODOMETER_KM, odometer),
    ] {
        if let Some(better) = better {
            values.set(metric, Value::from(better));
        }
    }
    if values.get(&vehicle::RANGE_KM).is_none() {
        let range = profile.range_km(&nothing, Some(charging));
        values.set(&vehicle::RANGE_KM, range.map(Value::from));
    }
    let mut set = |metric, value: Option<Value>| values.set(metric, value);
    let energy = rvs.energy_kwh().map(|kwh| kwh * profile.energy_factor(rvs));
    set(&vehicle::SOC_KWH, energy.map(Value::from));
    set(
        &vehicle::BATTERY_CAPACITY_KWH,
        profile.capacity_kwh(rvs).map(Value::from),
    );
    let plugged = management.plugged_in().or(rvs.cable_connected);
    set(&vehicle::PLUGGED_IN, plugged.map(Value::from));
    set(
        &vehicle::CHARGING_STATE,
        management.state.map(|state| Value::from(word(state))),
    );
    set(&vehicle::CHARGE_KIND, kind(management).map(Value::from));
    let charges = management.is_charging();
    let power = match charges {
        true => management.pack_power_w().map(|watts| watts.max(0.0)),
        false => management.state.map(|_| 0.0),
    };
    set(&vehicle::CHARGING_POWER_W, power.map(Value::from));
    let meanwhile = |value: Option<f64>| value.filter(|_| charges).map(Value::from);
    set(
        &vehicle::CHARGING_VOLTAGE_V,
        meanwhile(management.pack_voltage_v()),
    );
    set(
        &vehicle::CHARGING_CURRENT_A,
        meanwhile(management.pack_current_a()),
    );
    let target = management
        .target_soc
        .map(|target| f64::from(target.percent()));
    set(&vehicle::TARGET_SOC_PERCENT, target.map(Value::from));
    set(
        &vehicle::CHARGE_CURRENT_LIMIT,
        management
            .current_limit
            .map(|limit| Value::from(limit.to_string())),
    );
    let left = management.time_to_full_s().filter(|_| charges);
    set(&vehicle::TIME_TO_FULL_S, left.map(Value::from));
    let ends = left.map(|seconds| at + TimeDelta::seconds(seconds.into()));
    set(&vehicle::CHARGING_ENDS_AT, ends.map(Value::from));
    set(
        &vehicle::BATTERY_HEATING,
        management.is_battery_heating().map(Value::from),
    );
}

/// The cloud knows that the car charges no more, and nothing else about it yet.
fn without_charge(values: &mut Values, cached: &VehicleStatus) {
    let was_charging = values.get(&vehicle::CHARGING_STATE) == Some(&Value::from("charging"));
    if cached.basic.charging == Some(false) && was_charging {
        values.set(&vehicle::CHARGING_STATE, None);
        values.set(&vehicle::CHARGING_POWER_W, Value::from(0.0));
        for metric in [
            &vehicle::CHARGING_VOLTAGE_V,
            &vehicle::CHARGING_CURRENT_A,
            &vehicle::TIME_TO_FULL_S,
            &vehicle::CHARGING_ENDS_AT,
        ] {
            values.set(metric, None);
        }
    }
}

/// The cloud remembers whole percents: as long as these say the same, what the
/// battery said stays.
fn keep_exact(values: &mut Values, exact: [(&'static Metric, Option<f64>); 2]) {
    let [(_, Some(before)), _] = exact else {
        return;
    };
    let now = values.number(&vehicle::SOC_PERCENT);
    if now.is_some_and(|now| (now - before).abs() <= 1.0) {
        for (metric, value) in exact {
            if let Some(value) = value {
                values.set(metric, Value::from(value));
            }
        }
    }
}

fn total_range(values: &mut Values, profile: &Profile) {
    let electric = values.number(&vehicle::RANGE_KM);
    let fuel = values.number(&vehicle::FUEL_RANGE_KM);
    let total = match (profile.drive.has_plug(), profile.drive.has_fuel()) {
        (true, false) => electric,
        (true, true) => electric.zip(fuel).map(|(electric, fuel)| electric + fuel),
        (false, _) => fuel,
    };
    values.set(&vehicle::TOTAL_RANGE_KM, total.map(Value::from));
}

fn word(state: ChargingState) -> &'static str {
    match state {
        ChargingState::Unplugged => "not_connected",
        ChargingState::Connecting | ChargingState::NotRecognized | ChargingState::NotCharging => {
            "connected"
        }
        ChargingState::Scheduled => "waiting",
        ChargingState::Done => "complete",
        ChargingState::Stopped => "interrupted",
        ChargingState::Fault => "error",
        state if state.is_charging() => "charging",
        _ => "other",
    }
}

fn kind(management: &ChargeManagement) -> Option<&'static str> {
    let plugged = |raw: Option<i64>| raw.is_some_and(|raw| raw > 0);
    match management.state {
        Some(ChargingState::ChargingDc | ChargingState::ChargingSuper) => Some("dc"),
        _ if plugged(management.dc_plug_raw) => Some("dc"),
        _ if plugged(management.ac_plug_raw) => Some("ac"),
        _ => None,
    }
}
