//! Whether a cached status can be true. The cache holds garbage now and then:
//! state of charge 0, absurd odometers, bonnet and boot open at once.

use chrono::{DateTime, TimeDelta, Utc};

use crate::vehicle::VehicleStatus;

/// Why a status is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Doubt {
    /// What the cloud makes up while the car sleeps deeply.
    #[error("a placeholder of a sleeping car")]
    Placeholder,
    /// The state of charge is 0 and was not near 0 before.
    #[error("the state of charge fell to 0 at once")]
    StateOfCharge,
    /// The odometer runs backwards.
    #[error("the odometer runs backwards")]
    OdometerBackwards,
    /// More distance than a car can drive in the time.
    #[error("the odometer jumped")]
    OdometerJump,
    /// Bonnet and boot are open at once.
    #[error("bonnet and boot are open at once")]
    BonnetAndBoot,
    /// It was reported before the status known already.
    #[error("older than what is known")]
    Older,
    /// It was reported in the future.
    #[error("reported in the future")]
    Future,
}

/// Clocks of cars are not exact.
const FUTURE_ALLOWED: TimeDelta = TimeDelta::minutes(5);
/// More than any of these cars drives, in 0.1 km per hour.
const FASTEST_DECI_KM_PER_HOUR: f64 = 2_500.0;
/// A reading of 0 % is believed after one this low.
const LOW_SOC_PERCENT: u8 = 5;

/// What speaks against a cached status, given the last one that was believed.
/// Nothing means that it can be used.
#[must_use]
pub fn doubts(
    status: &VehicleStatus,
    known: Option<&VehicleStatus>,
    now: DateTime<Utc>,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let mut doubt_if = |condition: bool, doubt| {
        if condition {
            doubts.push(doubt);
        }
    };
    let basic = &status.basic;
    doubt_if(basic.is_placeholder(), Doubt::Placeholder);
    doubt_if(
        basic.bonnet_open == Some(true) && basic.boot_open == Some(true),
        Doubt::BonnetAndBoot,
    );
    let early = status.status_at.is_some_and(|at| at > now + FUTURE_ALLOWED);
    doubt_if(early, Doubt::Future);

    let was_low = known
        .and_then(|known| known.basic.soc_percent)
        .is_some_and(|soc| soc <= LOW_SOC_PERCENT);
    doubt_if(
        basic.soc_percent == Some(0) && !was_low,
        Doubt::StateOfCharge,
    );

    if let Some(known) = known {
        doubt_if(status.status_at < known.status_at, Doubt::Older);
        if let (Some(now_at), Some(before)) = (basic.odometer_deci_km, known.basic.odometer_deci_km)
        {
            doubt_if(now_at < before, Doubt::OdometerBackwards);
            let hours = match (status.status_at, known.status_at) {
                (Some(at), Some(before)) => (at - before).num_seconds() as f64 / 3600.0,
                _ => 0.0,
            };
            // A kilometre more, because both times are rounded.
            let possible = hours.max(0.0) * FASTEST_DECI_KM_PER_HOUR + 10.0;
            let driven = f64::from(now_at.saturating_sub(before));
            doubt_if(driven > possible, Doubt::OdometerJump);
        }
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(seconds: i64, basic: &str) -> VehicleStatus {
        let json = format!(
            r#"{{"statusTime":{seconds},"basicVehicleStatus":{{"interiorTemperature":20,{basic}}}}}"#
        );
        VehicleStatus::from_json(&json).unwrap()
    }

    fn judge(basic: &str, known: Option<&str>) -> Vec<Doubt> {
        let now = DateTime::from_timestamp(1_700_003_600, 0).unwrap();
        let known = known.map(|known| status(1_700_000_000, known));
        doubts(&status(1_700_003_600, basic), known.as_ref(), now)
    }

    #[test]
    fn what_can_be_true() {
        let known = Some(r#""mileage":204815,"extendedData1":61"#);
        assert_eq!(judge(r#""mileage":205815,"extendedData1":40"#, known), []);
        assert_eq!(
            judge(
                r#""mileage":204815,"extendedData1":61,"bootStatus":1"#,
                known
            ),
            []
        );
        assert_eq!(judge(r#""mileage":204815"#, None), []);
        let empty = Some(r#""mileage":204815,"extendedData1":2"#);
        assert_eq!(judge(r#""mileage":204815,"extendedData1":0"#, empty), []);
    }

    #[test]
    fn what_cannot() {
        let known = Some(r#""mileage":204815,"extendedData1":61"#);
        assert_eq!(
            judge(r#""mileage":204815,"extendedData1":0"#, known),
            [Doubt::StateOfCharge]
        );
        assert_eq!(
            judge(r#""mileage":204814"#, known),
            [Doubt::OdometerBackwards]
        );
        assert_eq!(judge(r#""mileage":9999999"#, known), [Doubt::OdometerJump]);
        assert_eq!(
            judge(r#""mileage":204815,"bonnetStatus":1,"bootStatus":1"#, known),
            [Doubt::BonnetAndBoot]
        );
        assert_eq!(
            judge(r#""mileage":204815,"exteriorTemperature":-40"#, known),
            [Doubt::Placeholder]
        );
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let later = status(1_700_001_000, r#""mileage":1"#);
        assert_eq!(doubts(&later, None, now), [Doubt::Future]);
        let earlier = status(1_699_999_000, r#""mileage":1"#);
        assert_eq!(doubts(&earlier, Some(&later), now), [Doubt::Older]);
    }
}
