//! What is remembered of a car between polls and across restarts.

use chrono::{DateTime, Utc};
use saic_ismart::{ChargeSchedule, ScheduleMode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::allowance::Allowance;
use super::super::extra::Reported;
use super::super::temperature::Temperatures;
use super::super::trip::Trips;
use super::Held;

/// What is remembered of a car.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Last text of each topic.
    pub held: Held,
    /// What its wallbox said last about charging.
    pub station_said: Option<String>,
    /// Set point of the climate.
    pub temperature_c: u8,
    /// The climate runs.
    pub climate_on: bool,
    /// Levels of both seats in front.
    pub seats: (u8, u8),
    /// What it has reported, and so has.
    pub reported: Reported,
    /// Where charging stops, percent.
    pub target_soc: Option<u8>,
    /// When to charge.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub schedule: Option<ChargeSchedule>,
    /// When to heat the battery: at all, hour and minute.
    pub heating: (bool, (u8, u8)),
    /// What the user says that the battery holds.
    pub capacity_override: Option<f64>,
    /// What the cloud says that it holds.
    pub reported_kwh: Option<f64>,
    /// What it holds.
    pub capacity_kwh: Option<f64>,
    /// When the car said what is shown, by its own clock.
    pub reported_at: Option<DateTime<Utc>>,
    /// The temperatures that were believed last.
    pub temperatures: Temperatures,
    /// Whether it takes commands.
    pub allowance: Allowance,
    /// Its trips.
    pub trips: Trips,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            held: Held::new(),
            station_said: None,
            temperature_c: 22,
            climate_on: false,
            seats: (0, 0),
            reported: Reported::default(),
            target_soc: None,
            schedule: None,
            heating: (false, (0, 0)),
            capacity_override: None,
            reported_kwh: None,
            capacity_kwh: None,
            reported_at: None,
            temperatures: Temperatures::default(),
            allowance: Allowance::default(),
            trips: Trips::default(),
        }
    }
}

type Plain = ((u8, u8), (u8, u8), u8);

fn write<S: Serializer>(schedule: &Option<ChargeSchedule>, to: S) -> Result<S::Ok, S::Error> {
    let plain: Option<Plain> = schedule.map(|one| (one.start, one.end, one.mode.code()));
    plain.serialize(to)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ChargeSchedule>, D::Error> {
    let plain = Option::<Plain>::deserialize(from)?;
    Ok(plain.and_then(|(start, end, mode)| {
        let mode = ScheduleMode::from_code(mode)?;
        Some(ChargeSchedule { start, end, mode }).filter(ChargeSchedule::is_possible)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_outlives_a_restart() {
        let memory = Memory {
            schedule: Some(ChargeSchedule {
                start: (22, 5),
                end: (6, 0),
                mode: ScheduleMode::UntilTime,
            }),
            held: [("drivetrain/soc".to_owned(), "53.8".to_owned())].into(),
            ..Memory::default()
        };
        let json = serde_json::to_string(&memory).unwrap();
        assert_eq!(serde_json::from_str::<Memory>(&json).unwrap(), memory);
        assert_eq!(
            serde_json::from_str::<Memory>("{}").unwrap(),
            Memory::default()
        );
    }
}
