//! The message: one JSON object with the original's keys in their order.

use bimmer::cardata::legacy_status;
use bimmer::mybmw::{ChargingStatus, Vehicle};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Number, Value, json};

use crate::native::{BmwCar, CarDataCar};

#[derive(Serialize)]
struct Message<'a> {
    brand: &'a str,
    name: &'a str,
    battery: Value,
    chargingstatus: Option<&'a str>,
    chargingtarget: Value,
    chargerconnected: Option<bool>,
    remainingrange: Value,
    mileage: Value,
    moving: Option<bool>,
    last_update: Option<String>,
}

/// What is published of `car`; with `pairs` distances have their unit beside
/// them.
pub fn message(car: &BmwCar, pairs: bool) -> String {
    let text = match car {
        BmwCar::MyBmw(car) => mybmw(car, pairs),
        BmwCar::CarData(car) => cardata(car, pairs),
    };
    text.unwrap_or_default()
}

fn mybmw(car: &Vehicle, pairs: bool) -> serde_json::Result<String> {
    let brand = car.profile.brand();
    let model = car.profile.model.as_deref();
    let status = car.charging_status();
    serde_json::to_string(&Message {
        brand: brand.as_str(),
        name: model.unwrap_or_else(|| car.profile.vin.as_str()),
        battery: json!(car.soc_percent()),
        chargingstatus: status.as_ref().map(|status| match status {
            ChargingStatus::Other(_) => "UNKNOWN",
            known => known.as_str(),
        }),
        chargingtarget: json!(car.target_soc_percent()),
        chargerconnected: Some(car.plugged_in().unwrap_or(false)),
        remainingrange: distance(json!(car.ranges().electric_km), pairs),
        mileage: distance(json!(car.state.odometer_km), pairs),
        // The API does not tell any more; the original says so, too.
        moving: Some(false),
        last_update: car.timestamp().map(iso),
    })
}

fn cardata(car: &CarDataCar, pairs: bool) -> serde_json::Result<String> {
    let overview = &car.overview;
    let value = |timed: Option<bimmer::cardata::Timed<f64>>| number(timed.map(|timed| timed.value));
    serde_json::to_string(&Message {
        brand: car.brand.as_str(),
        name: &car.name,
        battery: value(overview.soc_percent),
        chargingstatus: legacy_status(overview),
        chargingtarget: value(overview.target_soc_percent),
        chargerconnected: overview.plugged_in.map(|plugged| plugged.value),
        remainingrange: distance(value(overview.range_km), pairs),
        mileage: distance(value(overview.odometer_km), pairs),
        moving: overview.moving.map(|moving| moving.value),
        last_update: overview.last_update.map(iso),
    })
}

/// Whole numbers without a point, as the other API has them.
fn number(number: Option<f64>) -> Value {
    match number {
        None => Value::Null,
        Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => json!(whole as i64),
        Some(other) => Number::from_f64(other).map_or(Value::Null, Value::Number),
    }
}

fn distance(km: Value, pairs: bool) -> Value {
    match (pairs, km.is_null()) {
        (false, _) => km,
        (true, false) => json!([km, "km"]),
        (true, true) => json!([null, null]),
    }
}

fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use bimmer::cardata::{Overview, TelematicData, Telemetry};
    use bimmer::types::{Brand, Vin, parse_time};

    use super::*;
    use crate::source::bmw::vectors::{NAMES, car, vector};

    fn of(name: &str, pairs: bool) -> Value {
        let text = message(&BmwCar::MyBmw(Box::new(car(name))), pairs);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_drive_train_has_the_message_of_the_original() {
        for name in NAMES {
            let (mut ours, mut theirs) = (of(name, false), vector(name)["legacy_message"].clone());
            // The original lost these where a word was missing or new.
            if matches!(name, "bev_no_status" | "unknown_drivetrain") {
                for message in [&mut ours, &mut theirs] {
                    for key in [
                        "battery",
                        "chargingtarget",
                        "remainingrange",
                        "chargingstatus",
                        "chargerconnected",
                    ] {
                        message[key] = Value::Null;
                    }
                }
            }
            assert_eq!(ours, theirs, "{name}");
        }
    }

    #[test]
    fn the_keys_are_in_their_order() {
        let text = message(&BmwCar::MyBmw(Box::new(car("bev_charging"))), false);
        assert_eq!(
            text,
            r#"{"brand":"bmw","name":"i9 Synthetic","battery":57,"chargingstatus":"CHARGING","chargingtarget":80,"chargerconnected":true,"remainingrange":289,"mileage":12345,"moving":false,"last_update":"2026-03-01T10:00:00+00:00"}"#
        );
        let pairs = of("bev_charging", true);
        assert_eq!(pairs["remainingrange"], json!([289, "km"]));
        assert_eq!(pairs["mileage"], json!([12345, "km"]));
        assert_eq!(of("ice", true)["remainingrange"], json!([null, null]));
    }

    #[test]
    fn cardata_speaks_the_words_of_the_app() {
        let body = br#"{"telematicData": {
            "vehicle.drivetrain.batteryManagement.header":
                {"value": "57", "unit": "percent", "timestamp": "2026-03-01T10:00:00Z"},
            "vehicle.powertrain.electric.battery.stateOfCharge.target":
                {"value": "80", "unit": "percent", "timestamp": "2026-03-01T09:00:00Z"},
            "vehicle.drivetrain.electricEngine.charging.status":
                {"value": "CHARGINGACTIVE", "timestamp": "2026-03-01T09:59:00Z"},
            "vehicle.body.chargingPort.status":
                {"value": "CONNECTED", "timestamp": "2026-03-01T09:58:00Z"},
            "vehicle.drivetrain.electricEngine.kombiRemainingElectricRange":
                {"value": "100", "unit": "mi", "timestamp": "2026-03-01T10:00:00Z"},
            "vehicle.vehicle.travelledDistance":
                {"value": "12345", "unit": "km", "timestamp": "2026-03-01T10:00:30Z"},
            "vehicle.isMoving": {"value": "ASN_isUnknown", "timestamp": "2026-03-01T10:00:00Z"}}}"#;
        let now = parse_time("2026-03-01T10:01:00Z").unwrap();
        let mut telemetry = Telemetry::new();
        telemetry.apply_rest(&TelematicData::read(body).unwrap(), now);
        let car = CarDataCar {
            vin: Vin::new("WMW00SIM000000004").unwrap(),
            brand: Brand::Mini,
            name: "Cooper".to_owned(),
            overview: Overview::of(&telemetry, now),
            raw: None,
        };
        assert_eq!(
            message(&BmwCar::CarData(Box::new(car)), false),
            r#"{"brand":"mini","name":"Cooper","battery":57,"chargingstatus":"CHARGING","chargingtarget":80,"chargerconnected":true,"remainingrange":160.9344,"mileage":12345,"moving":null,"last_update":"2026-03-01T10:00:30+00:00"}"#
        );
    }
}
