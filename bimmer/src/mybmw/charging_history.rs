//! What the app shows about past charges. Most of it is text for people, which
//! is kept; numbers are read out of it where that is safe.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::endpoint::lenient;
use crate::types::{open_enum, parse_time};

open_enum! {
    /// How a charge went.
    SessionStatus {
        /// It is over.
        Finished = "FINISHED",
        /// It lasts.
        Running = "RUNNING",
    }
}

open_enum! {
    /// The current of a charge.
    SessionKind {
        /// Alternating.
        Ac = "AC",
        /// Alternating, three phases or much current.
        AcHigh = "AC_HIGH",
        /// Direct.
        Dc = "DC",
    }
}

/// Charges of a month, summed up. Source: `GET /eadrax-chs/v2/charging-statistics`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingStatistics {
    /// The month in words, in the language of the request.
    #[serde(deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// Whether the user lets BMW keep charges, as `OPT_IN_WITH_SESSIONS`.
    #[serde(rename = "optStateType", deserialize_with = "lenient::text")]
    pub opt_state: Option<String>,
    /// The sums.
    #[serde(deserialize_with = "lenient::maybe")]
    pub statistics: Option<ChargingSums>,
}

/// Sums of a month.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSums {
    /// Energy, kWh.
    #[serde(rename = "totalEnergyCharged", deserialize_with = "lenient::number")]
    pub energy_kwh: Option<f64>,
    /// `~` where the energy is not exact.
    #[serde(deserialize_with = "lenient::text")]
    pub symbol: Option<String>,
    /// Charges.
    #[serde(
        rename = "numberOfChargingSessions",
        deserialize_with = "lenient::integer"
    )]
    pub sessions: Option<i64>,
}

/// Charges of a month. Source: `GET /eadrax-chs/v2/charging-sessions`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSessions {
    /// Energy of all in words, as `~ 142 kWh`.
    #[serde(deserialize_with = "lenient::text")]
    pub total: Option<String>,
    /// How many there are.
    #[serde(rename = "numberOfSessions", deserialize_with = "lenient::integer")]
    pub count: Option<i64>,
    /// `HAS_SESSIONS`, or `CHARGE_AND_TRACK` where there are none yet.
    #[serde(rename = "chargingListState", deserialize_with = "lenient::text")]
    pub state: Option<String>,
    /// The newest first.
    #[serde(deserialize_with = "lenient::list")]
    pub sessions: Vec<ChargingSession>,
    /// Costs in words, one for each currency.
    #[serde(rename = "costsGroupedByCurrency", deserialize_with = "lenient::list")]
    pub costs: Vec<String>,
}

impl ChargingSessions {
    /// Energy of all, kWh; `None` if it is not known.
    #[must_use]
    pub fn energy_kwh(&self) -> Option<f64> {
        energy_kwh(self.total.as_deref()?)
    }
}

/// A charge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSession {
    /// Its name at BMW, which begins with its start.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Its start in words.
    #[serde(deserialize_with = "lenient::text")]
    pub title: Option<String>,
    /// Place, duration and cost in words.
    #[serde(deserialize_with = "lenient::text")]
    pub subtitle: Option<String>,
    /// Its energy in words, as `~ 22 kWh`, `< 2 kWh`.
    #[serde(rename = "energyCharged", deserialize_with = "lenient::text")]
    pub energy: Option<String>,
    /// How it went.
    #[serde(rename = "sessionStatus", deserialize_with = "lenient::maybe")]
    pub status: Option<SessionStatus>,
    /// Whether the charger was a public one.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_public: Option<bool>,
    /// More about it, where the answer holds that.
    #[serde(deserialize_with = "lenient::maybe")]
    pub details: Option<SessionDetails>,
}

impl ChargingSession {
    /// When it began.
    #[must_use]
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        let told = self.details.as_ref().and_then(|details| details.started_at);
        told.or_else(|| {
            let start = self.id.as_deref()?.split('_').next()?;
            parse_time(start).filter(|_| start.contains('T'))
        })
    }

    /// Its energy, kWh. `None` if it is not known, or only known to be below
    /// some number.
    #[must_use]
    pub fn energy_kwh(&self) -> Option<f64> {
        let told = self.details.as_ref().and_then(|details| details.energy_kwh);
        told.or_else(|| energy_kwh(self.energy.as_deref()?))
    }
}

/// More about a charge. Told by one source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SessionDetails {
    /// Where, in words.
    #[serde(deserialize_with = "lenient::text")]
    pub address: Option<String>,
    /// The current.
    #[serde(rename = "chargingType", deserialize_with = "lenient::maybe")]
    pub kind: Option<SessionKind>,
    /// State of charge at the begin, percent.
    #[serde(rename = "startBatteryPc", deserialize_with = "percent")]
    pub start_percent: Option<f64>,
    /// State of charge at the end, percent.
    #[serde(rename = "endBatteryPc", deserialize_with = "percent")]
    pub end_percent: Option<f64>,
    /// Energy, kWh.
    #[serde(rename = "energyChargedValue", deserialize_with = "lenient::number")]
    pub energy_kwh: Option<f64>,
    /// When it began.
    #[serde(rename = "date", deserialize_with = "lenient::time")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(rename = "endDate", deserialize_with = "lenient::time")]
    pub ended_at: Option<DateTime<Utc>>,
    /// How long it took, in words.
    #[serde(deserialize_with = "lenient::text")]
    pub duration: Option<String>,
    /// Its course.
    #[serde(rename = "chargingBlocks", deserialize_with = "lenient::maybe")]
    pub power: Option<SessionPower>,
    /// Whether the battery was conditioned, in words.
    #[serde(rename = "preCondition", deserialize_with = "lenient::text")]
    pub precondition: Option<String>,
    /// Odometer in words.
    #[serde(rename = "totalMileage", deserialize_with = "lenient::text")]
    pub odometer: Option<String>,
}

/// The power of a charge, kW.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SessionPower {
    /// On average, kW.
    #[serde(rename = "average", deserialize_with = "lenient::number")]
    pub average_kw: Option<f64>,
    /// The least, kW.
    #[serde(rename = "min", deserialize_with = "lenient::number")]
    pub least_kw: Option<f64>,
    /// The most, kW.
    #[serde(rename = "max", deserialize_with = "lenient::number")]
    pub most_kw: Option<f64>,
    /// Parts of it.
    #[serde(rename = "chargingBlockList", deserialize_with = "lenient::list")]
    pub blocks: Vec<SessionBlock>,
}

/// A part of a charge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SessionBlock {
    /// When it began.
    #[serde(rename = "startTime", deserialize_with = "lenient::time")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(rename = "endTime", deserialize_with = "lenient::time")]
    pub ended_at: Option<DateTime<Utc>>,
    /// Power from the socket, kW.
    #[serde(rename = "averagePowerGridKw", deserialize_with = "lenient::number")]
    pub average_kw: Option<f64>,
}

/// The energy that a text gives. "< 2 kWh" gives none.
fn energy_kwh(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix("kWh")?.trim();
    let number = number.strip_prefix('~').unwrap_or(number).trim();
    let known = number.replace(',', ".").parse().ok();
    known.filter(|kwh: &f64| kwh.is_finite() && *kwh >= 0.0)
}

/// A number, also in a text with its sign, as `80%`.
fn percent<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    let number = match Value::deserialize(from)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        _ => None,
    };
    Ok(number.filter(|percent| (0.0..=100.0).contains(percent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies() {
        assert_eq!(energy_kwh("~ 142 kWh"), Some(142.0));
        assert_eq!(energy_kwh("0 kWh"), Some(0.0));
        assert_eq!(energy_kwh("21,5 kWh"), Some(21.5));
        for text in ["< 2 kWh", "", "kWh", "-- kWh", "12 Wh", "-3 kWh", "inf kWh"] {
            assert_eq!(energy_kwh(text), None, "{text}");
        }
    }
}
