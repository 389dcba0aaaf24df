//! How much a battery holds. The cloud says 72.5 kWh for most models, and
//! counts all energies in that measure.

use saic_ismart::{Profile, RvsChargeStatus, VehicleInfo};

/// Beginning of the series, beginning of its model, whether the battery is NMC
/// (else LFP), and kWh. The first row that fits counts.
const BY_SERIES: &[(&str, Option<bool>, f64)] = &[
    ("EH32 X3", None, 77.0),
    ("EH32", Some(true), 64.0),
    ("EH32", Some(false), 51.0),
    ("EP2CP3", None, 50.3),
    ("EP2DP3", None, 61.1),
    ("ZS EV", Some(true), 68.3),
    ("ZS EV", Some(false), 49.0),
    ("EC32", None, 72.5),
    ("AH4EM L", None, 43.0),
    ("AH4EM", None, 54.0),
    ("MZS3E", None, 64.0),
];

/// What a battery really holds, and how the cloud's energies are corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// kWh; unknown for some series whose cloud says nothing either.
    pub kwh: Option<f64>,
    /// For the cloud's energies.
    pub factor: f64,
}

/// What the battery of a car holds, kWh: as the user says, else by its series.
pub fn real_kwh(info: &VehicleInfo, profile: &Profile, set_by_user: Option<f64>) -> Option<f64> {
    if let Some(kwh) = set_by_user.filter(|kwh| *kwh > 0.0) {
        return Some(kwh);
    }
    let series = info.series_key();
    // Trims are told apart in the model as well as in the series.
    let model = info
        .model
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_uppercase();
    let row = BY_SERIES.iter().find(|(beginning, nmc, _)| {
        let is = series.starts_with(beginning)
            || (beginning.contains(' ') && model.starts_with(beginning));
        is && nmc.is_none_or(|nmc| nmc == profile.has_target_soc)
    });
    row.map(|(.., kwh)| *kwh).or(profile.battery_kwh)
}

/// The real capacity against what the cloud says.
pub fn capacity(
    real_kwh: Option<f64>,
    profile: &Profile,
    rvs: Option<&RvsChargeStatus>,
) -> Capacity {
    let raw = rvs.and_then(RvsChargeStatus::capacity_kwh);
    let factor = match (real_kwh, raw) {
        (Some(real), Some(raw)) => real / raw,
        _ => 1.0,
    };
    Capacity {
        kwh: real_kwh.or(raw),
        factor: profile.energy_factor_override.unwrap_or(factor),
    }
}

#[cfg(test)]
mod tests {
    use saic_ismart::vehicle::VehicleListAnswer;

    use super::*;

    fn car(series: &str, model: &str, nmc: u8) -> (VehicleInfo, Profile) {
        let json = format!(
            r#"{{"vinList":[{{"series":"{series}","modelName":"{model}","vehicleModelConfiguration":[
                {{"itemCode":"BType","itemName":"Battery","itemValue":"{nmc}"}}]}}]}}"#
        );
        let info = VehicleListAnswer::from_json(&json)
            .unwrap()
            .vehicles
            .remove(0);
        let profile = Profile::of(&info);
        (info, profile)
    }

    #[test]
    fn series_have_their_battery() {
        for (series, model, nmc, kwh) in [
            ("EH32 S", "MG4 Electric", 1, Some(64.0)),
            ("EH32 L", "MG4 Electric", 0, Some(51.0)),
            ("EH32 S", "EH32 X3", 1, Some(77.0)),
            ("EP2CP3 S", "MG5", 0, Some(50.3)),
            ("EP2DP3 S", "MG5", 0, Some(61.1)),
            ("EP2XX", "MG5", 0, None),
            ("ZS EV S", "ZS", 1, Some(68.3)),
            ("ZS EV S", "ZS", 0, Some(49.0)),
            ("EC32 S", "Cyberster", 1, Some(72.5)),
            ("AH4EM L", "MG4 Urban", 0, Some(43.0)),
            ("AH4EM S", "MG4 Urban", 0, Some(54.0)),
            ("MZS3E S", "MGS5", 1, Some(64.0)),
            ("MIS3E S", "MGS6", 1, Some(74.3)),
            ("unknown", "", 0, None),
        ] {
            let (info, profile) = car(series, model, nmc);
            assert_eq!(
                real_kwh(&info, &profile, None),
                kwh,
                "{series} {model} {nmc}"
            );
            assert_eq!(real_kwh(&info, &profile, Some(60.0)), Some(60.0));
            assert_eq!(real_kwh(&info, &profile, Some(0.0)), kwh);
        }
    }

    #[test]
    fn the_factor_corrects_the_clouds_measure() {
        let (_, profile) = car("EH32 S", "", 1);
        let rvs = |raw: u16| {
            let mut rvs = RvsChargeStatus::default();
            rvs.capacity_raw = (raw > 0).then_some(raw);
            rvs
        };
        let known = capacity(Some(64.0), &profile, Some(&rvs(725)));
        assert_eq!(known.kwh, Some(64.0));
        assert!((known.factor - 0.882_759).abs() < 1e-6);
        let cloud = Capacity {
            kwh: Some(72.5),
            factor: 1.0,
        };
        assert_eq!(capacity(None, &profile, Some(&rvs(725))), cloud);
        let user = Capacity {
            kwh: Some(64.0),
            factor: 1.0,
        };
        assert_eq!(capacity(Some(64.0), &profile, Some(&rvs(0))), user);
        assert_eq!(
            capacity(None, &profile, None),
            Capacity {
                kwh: None,
                factor: 1.0
            }
        );
        let (_, hs) = car("AS33P S", "", 0);
        let factor = capacity(Some(23.2), &hs, Some(&rvs(725))).factor;
        assert!((factor - 1.0 / 3.0).abs() < 1e-9);
    }
}
