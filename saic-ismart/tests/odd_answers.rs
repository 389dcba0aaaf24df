//! Answers that no car should give: nothing in them is lost, and none is too much.

mod support;

use proptest::prelude::*;
use saic_ismart::charging::ChargingData;
use saic_ismart::message::Messages;
use saic_ismart::vehicle::VehicleListAnswer;
use saic_ismart::{Profile, VehicleStatus};
use serde_json::Value;

#[test]
fn nothing_is_lost_over_odd_shapes() {
    let status = VehicleStatus::from_json(
        r#"{"statusTime":"1700000000","gpsPosition":null,"unknown":{"a":[1]},
            "basicVehicleStatus":{"mileage":5.0,"lockStatus":true,"engineStatus":null,"powerMode":9},
            "extendedVehicleStatus":{"alertDataSum":[{"id":7,"value":1},42,null]}}"#,
    )
    .unwrap();
    assert_eq!(status.status_at.unwrap().timestamp(), 1_700_000_000);
    assert_eq!(status.basic.odometer_deci_km, Some(5));
    assert_eq!(status.basic.locked, Some(true));
    assert_eq!(status.basic.power_mode.unwrap().code(), 9);
    assert_eq!(status.extended.alerts.len(), 3);
    assert_eq!(status.extended.alerts[0].id, Some(7));
    assert_eq!(status.extended.alerts[1].json, "42");

    let error = VehicleStatus::from_json(r#"{"basicVehicleStatus":5}"#).unwrap_err();
    assert!(error.to_string().contains("basicVehicleStatus"), "{error}");
}

/// Every number of an answer replaced by one of these, in turn.
fn with_numbers(json: &mut Value, numbers: &mut impl Iterator<Item = i64>) {
    match json {
        Value::Number(number) => *number = numbers.next().unwrap().into(),
        Value::Array(list) => list
            .iter_mut()
            .for_each(|entry| with_numbers(entry, numbers)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| with_numbers(field, numbers)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn no_number_is_too_much(numbers in prop::collection::vec(prop_oneof![
        any::<i64>(), -200..200i64, Just(i64::MIN), Just(i64::MAX), 0..70_000i64,
    ], 150)) {
        let mut vectors = support::json(include_str!("data/models.json"));
        let data = vectors["vehicle_list"]["data"].to_string();
        let vehicles = VehicleListAnswer::from_json(&data).unwrap().vehicles;
        let mut numbers = numbers.into_iter().cycle();
        let profile = Profile::of(&vehicles[0]);
        let now = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let status = &mut vectors["vehicle_status"]["cases"][0]["data"];
        with_numbers(status, &mut numbers);
        let status = VehicleStatus::from_json(&status.to_string()).unwrap();
        let _ = saic_ismart::plausibility::doubts(&status, Some(&status), now);
        let _ = (status.age(now), status.basic.tyre_pressures_bar());
        prop_assert!(status.basic.soc_percent.is_none_or(|soc| soc <= 100));
        prop_assert!(status.speed_kmh().is_none_or(|speed| (-100.0..=450.0).contains(&speed)));
        let charging = &mut vectors["charging_mgmt_data"]["cases"][0]["data"];
        with_numbers(charging, &mut numbers);
        let charging = ChargingData::from_json(&charging.to_string()).unwrap();
        let soc = profile.soc_percent(&status.basic, Some(&charging));
        prop_assert!(soc.is_none_or(|soc| (0.0..=100.0).contains(&soc)));
        let current = charging.management.pack_current_a();
        prop_assert!(current.is_none_or(|current| (-2_277.0..=1_000.0).contains(&current)));
        prop_assert!(profile.energy_factor(&charging.rvs).is_finite());
        prop_assert!(charging.management.schedule().is_none_or(|schedule| schedule.is_possible()));
        let messages = &mut vectors["messages"]["data"];
        with_numbers(messages, &mut numbers);
        Messages::from_json(&messages.to_string()).unwrap();
    }
}
