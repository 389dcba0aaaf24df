//! What drives a car. The original takes all series but one for electric, and
//! its users' cars of a series that nobody knows are charged like that.

use saic_ismart::{Drive, Profile, VehicleInfo};

/// What drives it, as far as charging goes: none is without a plug but those
/// that certainly are.
pub fn drive(info: &VehicleInfo, profile: &Profile) -> Drive {
    let says = |code, value| info.feature(code) == Some(value);
    let has_none = info.series_key().starts_with("ZP22") || says("BType", "0") && says("EV", "0");
    match profile.drive {
        Drive::Combustion | Drive::Hybrid if !has_none => match says("ENERGY", "1") {
            true => Drive::PlugInHybrid,
            false => Drive::Electric,
        },
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use saic_ismart::vehicle::VehicleListAnswer;

    use super::*;

    #[test]
    fn a_series_that_nobody_knows_can_be_charged() {
        for (series, features, expected) in [
            ("XX", &[("EV", "0")][..], Drive::Electric),
            ("XX", &[("EV", "0"), ("BType", "2")], Drive::Electric),
            ("XX", &[("BType", "2")], Drive::Electric),
            ("XX", &[("BType", "0")], Drive::Electric),
            ("XX", &[("BType", "0"), ("EV", "0")], Drive::Combustion),
            ("XX", &[("ENERGY", "1")], Drive::PlugInHybrid),
            (
                "XX",
                &[("ENERGY", "1"), ("BType", "0"), ("EV", "0")],
                Drive::Hybrid,
            ),
            ("ZP22 EU", &[("EV", "1")], Drive::Hybrid),
            ("AS33P", &[("EV", "0"), ("BType", "0")], Drive::PlugInHybrid),
            ("EH32 S", &[("EV", "0"), ("BType", "0")], Drive::Electric),
        ] {
            let features: Vec<_> = features
                .iter()
                .map(|(code, value)| serde_json::json!({"itemCode": code, "itemValue": value}))
                .collect();
            let list = serde_json::json!({"vinList": [
                {"series": series, "vehicleModelConfiguration": features}]});
            let cars = VehicleListAnswer::from_json(&list.to_string()).unwrap();
            let info = &cars.vehicles[0];
            assert_eq!(drive(info, &Profile::of(info)), expected, "{list}");
        }
    }
}
