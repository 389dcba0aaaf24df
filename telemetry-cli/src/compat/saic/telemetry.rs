//! What ABRP and OsmAnd servers are told of a car: the plausible part of its
//! answers.

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::VehicleStatus;
use saic_ismart::vehicle::GpsFix;

use super::car::Answer;
use super::topics::charging::{current_a, power_kw};

/// Times further away than this are none.
const CLOSE: TimeDelta = TimeDelta::minutes(15);

/// When it was so: of the times of position and status the one closer to now.
/// Never in the future, which is refused.
pub fn time(status: &VehicleStatus, now: DateTime<Utc>) -> DateTime<Utc> {
    let fixed = matches!(
        status.position.fix,
        Some(GpsFix::TwoDimensional | GpsFix::ThreeDimensional)
    );
    let times = [status.position.at.filter(|_| fixed), status.status_at];
    let close = |at: &DateTime<Utc>| (now - *at).abs() <= CLOSE;
    let closest = times
        .into_iter()
        .flatten()
        .filter(close)
        .min_by_key(|at| (now - *at).abs());
    closest.unwrap_or(now).min(now)
}

/// A, V and kW of the pack, discharging is positive; all or nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pack {
    /// kW.
    pub power: f64,
    /// V.
    pub voltage: f64,
    /// A.
    pub current: f64,
}

/// What the pack does.
pub fn pack(answer: &Answer) -> Option<Pack> {
    let management = &answer.charging.as_ref()?.management;
    Some(Pack {
        power: power_kw(management)?,
        voltage: management.pack_voltage_v()?,
        current: current_a(management)?,
    })
}

/// Whether it is plugged in and charges.
pub fn is_charging(answer: &Answer, pack: Pack) -> bool {
    let plugged_in = answer
        .charging
        .as_ref()
        .and_then(|data| data.rvs.cable_connected);
    plugged_in == Some(true) && pack.current < 0.0
}

/// The best range, km.
pub fn range_km(answer: &Answer) -> Option<f64> {
    let ranges = [
        answer
            .charging
            .as_ref()
            .and_then(|data| data.rvs.electric_range_km()),
        answer.status.basic.electric_range_km(),
    ];
    ranges.into_iter().flatten().reduce(f64::max)
}

/// The odometer, km; that of the status ends at 6553.5 km on some cars.
pub fn odometer_km(answer: &Answer) -> Option<f64> {
    let charging = answer.charging.as_ref();
    let counted_on = || charging.and_then(|data| data.rvs.odometer_km());
    answer.status.basic.odometer_km().or_else(counted_on)
}

/// The speed, km/h: nothing while parked.
pub fn speed_kmh(status: &VehicleStatus) -> Option<f64> {
    match status.basic.is_parked() {
        true => Some(0.0),
        false => status.position.speed_kmh(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use saic_ismart::ChargingData;

    use super::*;

    const STATUS: &str = include_str!("../../../tests/data/saic-golden-status.json");
    const CHARGING: &str = include_str!("../../../tests/data/saic-golden-charging.json");

    /// The golden vector.
    pub(in crate::compat::saic) fn golden() -> Answer {
        changed("", "")
    }

    /// The golden vector with something else in it.
    pub(in crate::compat::saic) fn changed(from: &str, to: &str) -> Answer {
        Answer {
            status: VehicleStatus::from_json(&STATUS.replace(from, to)).unwrap(),
            charging: Some(ChargingData::from_json(&CHARGING.replace(from, to)).unwrap()),
        }
    }

    #[test]
    fn the_closest_time_counts_but_never_the_future() {
        // The status is of :48, the position of :40.
        let at = |seconds: i64| DateTime::from_timestamp(1_795_208_400 + seconds, 0).unwrap();
        let status = golden().status;
        assert_eq!(time(&status, at(50)), at(48));
        assert_eq!(time(&status, at(41)), at(40));
        assert_eq!(time(&status, at(30)), at(30), "the future");
        assert_eq!(time(&status, at(5000)), at(5000), "too long ago");
        let blind = changed(r#""gpsStatus": 3"#, r#""gpsStatus": 1"#).status;
        assert_eq!(time(&blind, at(41)), at(41));
    }
}
