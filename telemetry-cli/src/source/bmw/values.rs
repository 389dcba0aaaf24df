//! What a car says, by metric. Used by the source and by `status`.

use std::collections::BTreeMap;

use bimmer::cardata::{self, Overview, Timed};
use bimmer::mybmw::{ChargingStatus, Lid, LidState, LockState, Tyre, Vehicle};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use crate::event::Values;
use crate::metric::{Metric, vehicle};
use crate::value::{Value, rfc3339};

const KPA_PER_BAR: f64 = 100.0;

/// Values by metric, and what the catalogue has no row for.
pub type Mapped = (Values, Map<String, Json>);

/// A car of the app API. What it does not say now is unknown.
pub fn mybmw(car: &Vehicle) -> Mapped {
    let mut values = Values::default();
    let state = &car.state;
    let mut set = |metric, value: Option<Value>| values.set(metric, value);
    let float = |number: i64| Value::from(number as f64);
    let ranges = car.ranges();
    set(&vehicle::SOC_PERCENT, car.soc_percent().map(float));
    set(&vehicle::RANGE_KM, ranges.electric_km.map(float));
    set(&vehicle::TOTAL_RANGE_KM, ranges.total_km.map(float));
    set(&vehicle::FUEL_PERCENT, car.fuel_percent().map(float));
    set(&vehicle::FUEL_RANGE_KM, ranges.fuel_km.map(float));
    set(&vehicle::ODOMETER_KM, state.odometer_km.map(float));
    set(&vehicle::PLUGGED_IN, car.plugged_in().map(Value::from));
    let charging = car
        .charging_status()
        .map(|status| charging_state(&status, car.plugged_in()));
    set(&vehicle::CHARGING_STATE, charging.map(Value::from));
    // 0 is how cars without such a setting say so.
    let target = car.target_soc_percent().filter(|percent| *percent > 0);
    set(&vehicle::TARGET_SOC_PERCENT, target.map(float));
    let limit = car.charging.as_ref().and_then(|details| {
        let limit = details.settings.as_ref()?.ac_limit.as_ref()?;
        limit.current_a
    });
    let profile = state.charging_profile.as_ref();
    let limit = limit.or_else(|| profile?.ac_current_limit_a);
    set(&vehicle::CHARGE_CURRENT_LIMIT, limit.map(amperes));
    let ends_at = car.charging_ends_at();
    set(&vehicle::CHARGING_ENDS_AT, ends_at.map(Value::Time));
    let left = ends_at.map(|end| (end - car.fetched_at).num_seconds());
    set(&vehicle::TIME_TO_FULL_S, left.map(Value::Integer));
    if let Some(location) = &state.location {
        let position = location.position;
        set(&vehicle::LATITUDE, position.map(|at| at.latitude.into()));
        set(&vehicle::LONGITUDE, position.map(|at| at.longitude.into()));
        set(&vehicle::HEADING_DEG, location.heading_deg.map(float));
    }
    let lock = state.doors.as_ref();
    let lock = lock.and_then(|doors| doors.combined_security_state.as_ref());
    set(&vehicle::LOCKED, lock.and_then(locked).map(Value::from));
    set(&vehicle::DOORS_OPEN, open(&car.lids()));
    set(&vehicle::WINDOWS_OPEN, open(&car.windows()));
    set(&vehicle::TYRE_PRESSURE_BAR, tyres(car));
    let climate = state.climate.as_ref();
    let active = climate.filter(|climate| climate.activity.is_some());
    set(
        &vehicle::CLIMATE_ACTIVE,
        active.map(|climate| climate.is_on().into()),
    );
    set(
        &vehicle::LAST_ACTIVITY_AT,
        state.reported_at.map(Value::Time),
    );
    (values, more(car))
}

/// What a charging state is called here.
pub fn charging_state(status: &ChargingStatus, plugged: Option<bool>) -> &'static str {
    match status {
        ChargingStatus::Charging => "charging",
        ChargingStatus::WaitingForCharging => "waiting",
        ChargingStatus::Complete
        | ChargingStatus::FullyCharged
        | ChargingStatus::FinishedFullyCharged
        | ChargingStatus::TargetReached => "complete",
        ChargingStatus::FinishedNotFull => "interrupted",
        ChargingStatus::Error => "error",
        ChargingStatus::PluggedIn => "connected",
        ChargingStatus::NotCharging | ChargingStatus::Invalid | ChargingStatus::Default => {
            match plugged {
                Some(true) => "connected",
                _ => "not_connected",
            }
        }
        _ => "other",
    }
}

fn locked(state: &LockState) -> Option<bool> {
    match state {
        LockState::Locked | LockState::Secured => Some(true),
        LockState::SelectiveLocked | LockState::PartiallyLocked | LockState::Unlocked => {
            Some(false)
        }
        _ => None,
    }
}

fn open(lids: &[Lid]) -> Option<Value> {
    let part = |lid: &Lid| {
        let open = match &lid.state {
            LidState::Closed => Value::from(false),
            LidState::Open | LidState::OpenTilt | LidState::Intermediate => Value::from(true),
            _ => Value::Unknown,
        };
        (place(&lid.name), open)
    };
    let parts: BTreeMap<_, _> = lids.iter().map(part).collect();
    (!parts.is_empty()).then_some(Value::Map(parts))
}

/// `leftFront` as `front_left`, `sunRoof` as `sun_roof`.
fn place(name: &str) -> String {
    match name {
        "leftFront" => return "front_left".to_owned(),
        "rightFront" => return "front_right".to_owned(),
        "leftRear" => return "rear_left".to_owned(),
        "rightRear" => return "rear_right".to_owned(),
        _ => {}
    }
    let mut place = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            place.push('_');
        }
        place.extend(letter.to_lowercase());
    }
    place
}

fn tyres(car: &Vehicle) -> Option<Value> {
    let tyres = car.state.tyres.as_ref()?;
    let pressure = |tyre: &Option<Tyre>| tyre.as_ref()?.status.as_ref()?.pressure_kpa;
    pressures(
        [
            &tyres.front_left,
            &tyres.front_right,
            &tyres.rear_left,
            &tyres.rear_right,
        ]
        .map(|tyre| pressure(tyre).map(|kpa| kpa as f64)),
    )
}

fn pressures(kpa: [Option<f64>; 4]) -> Option<Value> {
    let places = ["front_left", "front_right", "rear_left", "rear_right"];
    let parts: BTreeMap<_, _> = places
        .into_iter()
        .zip(kpa)
        .filter_map(|(place, kpa)| Some((place.to_owned(), Value::from(kpa? / KPA_PER_BAR))))
        .collect();
    (!parts.is_empty()).then_some(Value::Map(parts))
}

fn amperes(limit: i64) -> Value {
    Value::from(format!("{limit}A"))
}

/// What else the app API says, in its own words.
fn more(car: &Vehicle) -> Map<String, Json> {
    let state = &car.state;
    let service = |service: &bimmer::mybmw::RequiredService| {
        json!({
            "type": service.kind,
            "status": service.status,
            "due_at": service.due_at.map(rfc3339),
            "due_km": service.due_km,
        })
    };
    let message = |message: &bimmer::mybmw::CheckControlMessage| {
        json!({
            "type": message.kind,
            "severity": message.severity,
            "text": message.long_description,
        })
    };
    let climate = state.climate.as_ref();
    let location = state.location.as_ref();
    let all = [
        ("charging_status", json!(car.charging_status())),
        ("drive_train", json!(car.profile.drive_train)),
        ("fuel_l", json!(car.fuel_l())),
        (
            "lock_state",
            json!(
                state
                    .doors
                    .as_ref()
                    .and_then(|doors| doors.combined_security_state.as_ref())
            ),
        ),
        (
            "climate_activity",
            json!(climate.and_then(|climate| climate.activity.as_ref())),
        ),
        (
            "climate_ends_at",
            json!(
                climate
                    .and_then(|climate| climate.ends_at(car.fetched_at))
                    .map(rfc3339)
            ),
        ),
        (
            "address",
            json!(location.and_then(|location| location.address.as_ref())),
        ),
        (
            "required_services",
            state.required_services.iter().map(service).collect(),
        ),
        (
            "check_control_messages",
            car.messages().map(message).collect(),
        ),
    ];
    let empty = |value: &Json| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    all.into_iter()
        .filter(|(_, value)| !empty(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// A car of CarData. Under `measured` in the second part is when each value
/// was measured: values that change rarely are old, and right.
pub fn cardata(overview: &Overview, now: DateTime<Utc>) -> Mapped {
    let mut known = Known::default();
    let float = |number: f64| Value::from(number);
    known.set(&vehicle::SOC_PERCENT, overview.soc_percent, float);
    known.set(
        &vehicle::BATTERY_CAPACITY_KWH,
        overview.battery_capacity_kwh,
        float,
    );
    known.set(&vehicle::RANGE_KM, overview.range_km, float);
    known.set(&vehicle::TOTAL_RANGE_KM, overview.total_range_km, float);
    known.set(&vehicle::FUEL_PERCENT, overview.fuel_percent, float);
    known.set(&vehicle::FUEL_RANGE_KM, overview.fuel_range_km, float);
    known.set(&vehicle::ODOMETER_KM, overview.odometer_km, float);
    known.set(&vehicle::PLUGGED_IN, overview.plugged_in, Value::from);
    let plugged = overview.plugged_in.map(|plugged| plugged.value);
    let status = overview.charging_status.as_ref();
    if let (Some(status), Some(word)) = (status, cardata::legacy_status(overview)) {
        let state = charging_state(&ChargingStatus::parse(word), plugged);
        let state = Timed {
            value: state,
            at: status.at,
        };
        known.set(&vehicle::CHARGING_STATE, Some(state), Value::from);
    }
    known.set(&vehicle::CHARGING_POWER_W, overview.charging_power_w, float);
    known.set(
        &vehicle::CHARGING_VOLTAGE_V,
        overview.charging_voltage_v,
        float,
    );
    known.set(
        &vehicle::CHARGING_CURRENT_A,
        overview.charging_current_a,
        float,
    );
    known.set(&vehicle::CHARGE_KIND, overview.is_dc, |dc| {
        Value::from(if dc { "dc" } else { "ac" })
    });
    known.set(
        &vehicle::TARGET_SOC_PERCENT,
        overview.target_soc_percent,
        float,
    );
    known.set(
        &vehicle::CHARGE_CURRENT_LIMIT,
        overview.charge_current_limit_a,
        |limit| amperes(limit.round() as i64),
    );
    // Of its own kind: a moment, not a measurement.
    if let Some(end) = overview.charging_ends_at {
        known
            .values
            .set(&vehicle::CHARGING_ENDS_AT, Value::Time(end));
        let left = (end - now).num_seconds().max(0);
        known
            .values
            .set(&vehicle::TIME_TO_FULL_S, Value::Integer(left));
    }
    let half = |latitude: bool| {
        overview.position.map(|position| Timed {
            value: if latitude {
                position.value.latitude
            } else {
                position.value.longitude
            },
            at: position.at,
        })
    };
    known.set(&vehicle::LATITUDE, half(true), float);
    known.set(&vehicle::LONGITUDE, half(false), float);
    known.set(&vehicle::ALTITUDE_M, overview.altitude_m, float);
    known.set(&vehicle::HEADING_DEG, overview.heading_deg, float);
    known.set(&vehicle::MOVING, overview.moving, Value::from);
    known.set(&vehicle::RUNNING, overview.running, Value::from);
    known.set(&vehicle::LOCKED, overview.locked, Value::from);
    let kpa = overview.tyre_pressures_kpa;
    let newest = kpa.iter().flatten().filter_map(|tyre| tyre.at).max();
    if let Some(value) = pressures(kpa.map(|tyre| tyre.map(|tyre| tyre.value))) {
        let tyres = Timed { value, at: newest };
        known.set(&vehicle::TYRE_PRESSURE_BAR, Some(tyres), |value| value);
    }
    use cardata::ClimateActivity::Off;
    known.set(&vehicle::CLIMATE_ACTIVE, overview.climate, |activity| {
        Value::from(activity != Off)
    });
    known.set(
        &vehicle::BATTERY_HEATING,
        overview.battery_heating,
        Value::from,
    );
    known.set(
        &vehicle::AUX_BATTERY_VOLTAGE_V,
        overview.aux_battery_voltage_v,
        float,
    );
    let newest = overview.last_update.map(Value::Time);
    known.values.set(&vehicle::LAST_ACTIVITY_AT, newest);
    let mut extra = Map::new();
    if let Some(status) = status {
        extra.insert("charging_status".to_owned(), json!(status.value));
    }
    for (key, value) in [
        ("fuel_l", overview.fuel_l.map(|fuel| fuel.value)),
        ("soh_percent", overview.soh_percent.map(|soh| soh.value)),
        (
            "charging_phases",
            overview.charging_phases.map(|count| count.value.into()),
        ),
    ] {
        if let Some(value) = value {
            extra.insert(key.to_owned(), json!(value));
        }
    }
    extra.insert("measured".to_owned(), Json::Object(known.measured));
    (known.values, extra)
}

/// Values, and when each was measured.
#[derive(Default)]
struct Known {
    values: Values,
    measured: Map<String, Json>,
}

impl Known {
    fn set<T>(
        &mut self,
        metric: &'static Metric,
        timed: Option<Timed<T>>,
        value: impl FnOnce(T) -> Value,
    ) {
        let Some(timed) = timed else { return };
        if let Some(at) = timed.at {
            self.measured
                .insert(metric.key.to_owned(), json!(rfc3339(at)));
        }
        self.values.set(metric, value(timed.value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::DeviceKind;
    use crate::metric::catalogue;
    use crate::source::bmw::vectors::{NAMES, car};

    fn json_of(values: &Values) -> Json {
        let known = |metric: &&'static Metric| {
            let value = values.get(metric)?;
            Some((metric.key.to_owned(), json!(value)))
        };
        let rows = catalogue(DeviceKind::Vehicle).iter();
        Json::Object(rows.filter_map(known).collect())
    }

    #[test]
    fn a_battery_car_says_everything() {
        let (values, extra) = mybmw(&car("bev_charging"));
        assert_eq!(
            json_of(&values),
            json!({
                "soc_percent": 57, "range_km": 289, "total_range_km": 289, "odometer_km": 12345,
                "plugged_in": true, "charging_state": "charging", "target_soc_percent": 80,
                "charge_current_limit": "16A", "time_to_full_s": 5580,
                "charging_ends_at": "2026-03-01T11:33:30.000Z",
                "latitude": 51.5, "longitude": 7.25, "heading_deg": 270, "locked": true,
                "doors_open": {"front_left": false, "front_right": false, "hood": false,
                    "rear_left": true, "rear_right": false, "sun_roof": true},
                "windows_open": {"front_left": false, "front_right": false, "rear_left": true},
                "tyre_pressure_bar": {"front_left": 2.41, "front_right": 2.42,
                    "rear_left": 2.63, "rear_right": 2.64},
                "climate_active": true, "last_activity_at": "2026-03-01T09:58:30.000Z",
            })
        );
        assert_eq!(extra["charging_status"], "CHARGING");
        assert_eq!(extra["check_control_messages"].as_array().unwrap().len(), 3);
        assert_eq!(extra["required_services"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn each_drive_train_has_the_values_that_mean_something() {
        let of = |name| json_of(&mybmw(&car(name)).0);
        let energy = |name| {
            let all = of(name);
            let keys = [
                "soc_percent",
                "range_km",
                "total_range_km",
                "fuel_percent",
                "fuel_range_km",
                "odometer_km",
                "plugged_in",
                "charging_state",
                "target_soc_percent",
            ];
            let some = keys
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), all.get(key)?.clone())));
            Json::Object(some.collect())
        };
        let vector = |name: &str| crate::source::bmw::vectors::vector(name)["parsed"].clone();
        // The vectors tell what another client makes of the same documents.
        for name in NAMES {
            let (energy, parsed) = (energy(name), vector(name));
            let told = &parsed["fuel_and_battery"];
            assert_eq!(
                energy.get("odometer_km"),
                parsed["mileage"].get(0),
                "{name}"
            );
            if matches!(name, "bev_no_status" | "unknown_drivetrain") {
                continue;
            }
            for (key, other) in [
                ("range_km", "remaining_range_electric"),
                ("fuel_range_km", "remaining_range_fuel"),
                ("total_range_km", "remaining_range_total"),
            ] {
                let theirs = told[other].get(0).filter(|value| !value.is_null());
                assert_eq!(energy.get(key), theirs, "{name}: {key}");
            }
            for (key, other) in [
                ("soc_percent", "remaining_battery_percent"),
                ("fuel_percent", "remaining_fuel_percent"),
            ] {
                let theirs = told.get(other).filter(|value| !value.is_null());
                assert_eq!(energy.get(key), theirs, "{name}: {key}");
            }
        }
        let plug = energy("phev_waiting");
        assert_eq!(
            (&plug["charging_state"], &plug["plugged_in"]),
            (&json!("waiting"), &json!(true))
        );
        let extender = energy("erex_invalid");
        assert_eq!(extender["charging_state"], "not_connected");
        assert_eq!(extender.get("target_soc_percent"), None);
        for fuel in ["ice", "mild_hybrid_mini", "supra"] {
            let fuel = energy(fuel);
            for key in ["soc_percent", "range_km", "plugged_in", "charging_state"] {
                assert_eq!(fuel.get(key), None, "{key}");
            }
        }
    }
}
