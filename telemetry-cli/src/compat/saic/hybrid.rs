//! Hybrid polling: what in the cloud's cache is reason enough to ask the car.

use saic_ismart::VehicleStatus;

/// Whether the car has done something since the `known` status.
pub fn has_happened(known: &VehicleStatus, cached: &VehicleStatus) -> bool {
    if !cached.is_newer_than(known) {
        return false;
    }
    let (before, now) = (&known.basic, &cached.basic);
    // The cache leaves out much: what it does not say has not changed.
    let changed = [
        differ(before.odometer_deci_km, now.odometer_deci_km),
        differ(before.locked, now.locked),
        differ(before.driver_door_open, now.driver_door_open),
        differ(before.charging, now.charging),
        differ(before.soc_percent, now.soc_percent),
        differ(before.power_mode, now.power_mode),
    ];
    now.is_hv_active() || changed.contains(&true)
}

fn differ<T: PartialEq>(before: Option<T>, now: Option<T>) -> bool {
    matches!((before, now), (Some(before), Some(now)) if before != now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(at: i64, basic: &str) -> VehicleStatus {
        let json = format!(r#"{{"statusTime": {at}, "basicVehicleStatus": {{{basic}}}}}"#);
        VehicleStatus::from_json(&json).unwrap()
    }

    #[test]
    fn only_what_has_changed_is_reason_enough() {
        let parked = r#""mileage": 100, "lockStatus": 1, "extendedData1": 50, "engineStatus": 0"#;
        let known = status(1000, parked);
        for (at, basic, reason) in [
            (1000, r#""mileage": 200"#, false),
            (1001, parked, false),
            (1001, "", false),
            (1001, r#""mileage": 101"#, true),
            (1001, r#""lockStatus": 0"#, true),
            (1001, r#""extendedData1": 51"#, true),
            (1001, r#""mileage": 100, "engineStatus": 1"#, true),
            (1001, r#""mileage": 100, "remoteClimateStatus": 2"#, true),
        ] {
            assert_eq!(has_happened(&known, &status(at, basic)), reason, "{basic}");
        }
    }
}
