//! What the app API tells about past charges and trips.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::car::{Car, KWH_PER_KM, POWER_KW, Stretch};
use super::cardata::{answer, iso};
use crate::form;
use crate::http::Response;

fn id(charge: &Stretch) -> String {
    format!("{}_20735abd", iso(charge.from))
}

fn kwh(car: &Car, charge: &Stretch) -> f64 {
    (charge.to_percent - charge.from_percent) / 100.0 * car.capacity_kwh
}

/// `charging-statistics`, `charging-sessions`, and one of the latter.
pub(super) fn charges(
    car: &Car,
    what: &str,
    wanted: &[&str],
    query: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> Response {
    let month = |at: DateTime<Utc>| iso(at).get(..7).map(str::to_owned);
    let date = query.get("date").or_else(|| query.get("currentDate"));
    let date = date.and_then(|date| date.get(..7)).map(str::to_owned);
    let date = date.or_else(|| month(now));
    let of_month: Vec<&Stretch> = car
        .charges
        .iter()
        .rev()
        .filter(|charge| month(charge.from) == date)
        .collect();
    let total: f64 = of_month.iter().map(|charge| kwh(car, charge)).sum();
    match (what, wanted) {
        ("charging-statistics", []) => answer(
            200,
            &json!({"description": date, "optStateType": "OPT_IN_WITH_SESSIONS", "statistics": {
                "totalEnergyCharged": total.round() as i64, "symbol": "~",
                "totalEnergyChargedSemantics": format!("about {total:.0} kilowatt hours"),
                "numberOfChargingSessions": of_month.len(),
                "numberOfChargingSessionsSemantics": format!("{} charges", of_month.len())}}),
        ),
        ("charging-sessions", []) => {
            let state = if of_month.is_empty() {
                "CHARGE_AND_TRACK"
            } else {
                "HAS_SESSIONS"
            };
            let sessions: Json = of_month
                .iter()
                .map(|charge| session(car, charge, now))
                .collect();
            answer(
                200,
                &json!({"paginationInfo": null, "chargingSessions": {
                    "total": format!("~ {total:.0} kWh"), "chargingListState": state,
                    "numberOfSessions": of_month.len().to_string(), "sessions": sessions,
                    "costsGroupedByCurrency": ["--"]}}),
            )
        }
        ("charging-sessions", [wanted]) => {
            let wanted = form::decode(wanted).into_iter().next();
            let wanted = wanted.map(|(name, _)| name);
            let mut charges = car.charges.iter();
            match charges.find(|charge| Some(id(charge)) == wanted) {
                Some(charge) => answer(200, &json!({"details": details(car, charge)})),
                None => answer(
                    404,
                    &json!({"statusCode": 404, "message": "no such session"}),
                ),
            }
        }
        _ => answer(
            404,
            &json!({"statusCode": 404, "message": "no such resource"}),
        ),
    }
}

fn session(car: &Car, charge: &Stretch, now: DateTime<Utc>) -> Json {
    let running = car.is_charging(now) && charge.to == car.at.unwrap_or(now);
    json!({"id": id(charge), "title": iso(charge.from),
        "subtitle": format!("At home • {} min • -- EUR", charge.minutes()),
        "energyCharged": format!("~ {:.0} kWh", kwh(car, charge)),
        "sessionStatus": if running { "RUNNING" } else { "FINISHED" }, "isPublic": false})
}

fn details(car: &Car, charge: &Stretch) -> Json {
    json!({"address": "At home", "chargingType": "AC_HIGH",
        "startBatteryPc": format!("{:.0}%", charge.from_percent),
        "endBatteryPc": format!("{:.0}%", charge.to_percent),
        "energyChargedValue": kwh(car, charge), "date": iso(charge.from),
        "endDate": iso(charge.to), "duration": format!("{} min", charge.minutes()),
        "chargingBlocks": {"average": POWER_KW, "min": POWER_KW, "max": POWER_KW,
            "chargingBlockList": [{"startTime": iso(charge.from), "endTime": iso(charge.to),
                "averagePowerGridKw": POWER_KW}]},
        "preCondition": "no", "totalMileage": format!("{:.0} km", car.odometer_km)})
}

/// `sustainability`, and the trips below it.
pub(super) fn trips(car: &Car, what: &[&str]) -> Response {
    let minutes: i64 = car.trips.iter().map(Stretch::minutes).sum();
    match what {
        [] if car.trips.is_empty() => answer(200, &json!({"status": "NoData"})),
        [] => {
            let average = json!({"averageConsumption": KWH_PER_KM * 100.0});
            answer(
                200,
                &json!({"status": "Success", "widget": {
                    "lastTrip": {"electricConsumption": average},
                    "monthly": {"totalElectricConsumption": average}}}),
            )
        }
        ["trips", "history"] => {
            let trip = |trip: &Stretch| json!({"start": iso(trip.from), "end": iso(trip.to)});
            let trips: Json = car.trips.iter().map(trip).collect();
            answer(200, &json!({"trips": trips}))
        }
        ["trips", "statistics"] => {
            answer(200, &json!({"trips": car.trips.len(), "minutes": minutes}))
        }
        _ => answer(
            404,
            &json!({"statusCode": 404, "message": "no such resource"}),
        ),
    }
}
