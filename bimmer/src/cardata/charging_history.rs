use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::form;
use crate::http::Response;
use crate::types::Vin;

/// One page of past charging. Source: `GET /customers/vehicles/{vin}/chargingHistory`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChargingHistory {
    /// The sessions of this page.
    #[serde(default, rename = "data", deserialize_with = "lenient::list")]
    pub sessions: Vec<ChargingSession>,
    /// What to ask for to get the next page; `None` on the last one.
    #[serde(default, alias = "nextToken", deserialize_with = "lenient::text")]
    pub next_token: Option<String>,
}

/// One charging session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingSession {
    /// Begin.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<DateTime<Utc>>,
    /// End.
    #[serde(deserialize_with = "lenient::time")]
    pub end_time: Option<DateTime<Utc>>,
    /// Time zone of the place.
    #[serde(deserialize_with = "lenient::text")]
    pub time_zone: Option<String>,
    /// Time of charging, seconds.
    #[serde(
        rename = "totalChargingDurationSec",
        deserialize_with = "lenient::integer"
    )]
    pub total_charging_duration_s: Option<i64>,
    /// State of charge at the begin, percent.
    #[serde(rename = "displayedStartSoc", deserialize_with = "lenient::number")]
    pub start_soc_percent: Option<f64>,
    /// State of charge at the end, percent.
    #[serde(rename = "displayedSoc", deserialize_with = "lenient::number")]
    pub end_soc_percent: Option<f64>,
    /// Energy from the mains, kWh.
    #[serde(deserialize_with = "lenient::number")]
    pub energy_consumed_from_power_grid_kwh: Option<f64>,
    /// Whether the cabin was conditioned meanwhile.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_preconditioning_activated: Option<bool>,
    /// Odometer, in [`mileage_units`](Self::mileage_units).
    #[serde(deserialize_with = "lenient::number")]
    pub mileage: Option<f64>,
    /// `KM` or `MI`, with or without a prefix.
    #[serde(deserialize_with = "lenient::text")]
    pub mileage_units: Option<String>,
    /// Cost.
    #[serde(
        rename = "chargingCostInformation",
        deserialize_with = "lenient::maybe"
    )]
    pub cost: Option<ChargingCost>,
    /// Place.
    #[serde(rename = "chargingLocation", deserialize_with = "lenient::maybe")]
    pub location: Option<ChargingLocation>,
    /// Stretches of constant power.
    #[serde(rename = "chargingBlocks", deserialize_with = "lenient::list")]
    pub blocks: Vec<ChargingBlock>,
    /// Public charging points it may have been at.
    #[serde(rename = "publicChargingPoint", deserialize_with = "matches")]
    pub public_charging_points: Vec<ChargingPoint>,
}

impl ChargingSession {
    /// Odometer, kilometres.
    #[must_use]
    pub fn odometer_km(&self) -> Option<f64> {
        let units = self.mileage_units.as_deref().unwrap_or("KM");
        let factor = if units.ends_with("MI") {
            super::odometer::KM_PER_MILE
        } else {
            1.0
        };
        Some(self.mileage? * factor)
    }
}

/// What a session cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingCost {
    /// Currency, as `EUR`.
    #[serde(deserialize_with = "lenient::text")]
    pub currency: Option<String>,
    /// Cost.
    #[serde(deserialize_with = "lenient::number")]
    pub calculated_charging_cost: Option<f64>,
    /// What was saved by charging at cheap times.
    #[serde(deserialize_with = "lenient::number")]
    pub calculated_savings: Option<f64>,
}

/// Where a session was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingLocation {
    /// Town.
    #[serde(deserialize_with = "lenient::text")]
    pub municipality: Option<String>,
    /// Whole address.
    #[serde(deserialize_with = "lenient::text")]
    pub formatted_address: Option<String>,
    /// Street and number.
    #[serde(deserialize_with = "lenient::text")]
    pub street_address: Option<String>,
    /// Degrees.
    #[serde(rename = "mapMatchedLatitude", deserialize_with = "lenient::number")]
    pub latitude: Option<f64>,
    /// Degrees.
    #[serde(rename = "mapMatchedLongitude", deserialize_with = "lenient::number")]
    pub longitude: Option<f64>,
}

/// A stretch of constant power.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingBlock {
    /// Begin.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<DateTime<Utc>>,
    /// End.
    #[serde(deserialize_with = "lenient::time")]
    pub end_time: Option<DateTime<Utc>>,
    /// Power from the mains, kW.
    #[serde(deserialize_with = "lenient::number")]
    pub average_power_grid_kw: Option<f64>,
}

/// A public charging point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingPoint {
    /// Who runs it.
    #[serde(deserialize_with = "lenient::text")]
    pub provider_name: Option<String>,
    /// Street and number.
    #[serde(deserialize_with = "lenient::text")]
    pub street_address: Option<String>,
    /// Town.
    #[serde(deserialize_with = "lenient::text")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(deserialize_with = "lenient::text")]
    pub postal_code: Option<String>,
}

fn matches<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<ChargingPoint>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Matches {
        #[serde(deserialize_with = "lenient::list")]
        potential_charging_point_matches: Vec<ChargingPoint>,
    }
    let matches: Option<Matches> = lenient::maybe(from)?;
    Ok(matches
        .map(|found| found.potential_charging_point_matches)
        .unwrap_or_default())
}

pub(super) struct GetChargingHistory<'a> {
    pub(super) vin: &'a Vin,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) next_token: Option<&'a str>,
}

impl Endpoint for GetChargingHistory<'_> {
    type Answer = ChargingHistory;

    fn name(&self) -> &'static str {
        "charging history"
    }

    fn path(&self) -> String {
        let iso = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (from, to) = (iso(self.from), iso(self.to));
        let mut query = vec![("from", from.as_str()), ("to", to.as_str())];
        query.extend(self.next_token.map(|token| ("nextToken", token)));
        format!(
            "/customers/vehicles/{}/chargingHistory?{}",
            self.vin,
            form::encode(&query)
        )
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<ChargingHistory, DecodeError> {
        model(&response.body)
    }
}
