use serde::{Deserialize, Serialize};

use crate::endpoint::lenient;

/// What the car used on its last trip and this month. Source:
/// `GET /eadrax-suscs/v1/vehicles/sustainability`. Told by two sources; the
/// rest of the answer is not known well enough.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Sustainability {
    /// `Success` where there is something to tell.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// What it tells.
    #[serde(rename = "widget", deserialize_with = "lenient::maybe")]
    pub consumption: Option<ConsumptionOverview>,
}

/// The last trip and this month.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ConsumptionOverview {
    /// The last trip.
    #[serde(deserialize_with = "lenient::maybe")]
    pub last_trip: Option<Consumption>,
    /// This month.
    #[serde(deserialize_with = "lenient::maybe")]
    pub monthly: Option<Consumption>,
}

/// What a car uses, in the units that this crate asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Consumption {
    /// kWh per 100 km.
    #[serde(
        rename = "electricConsumption",
        alias = "totalElectricConsumption",
        deserialize_with = "average"
    )]
    pub electric_kwh_per_100_km: Option<f64>,
    /// Litres per 100 km.
    #[serde(
        rename = "fuelConsumption",
        alias = "totalCombustionConsumption",
        deserialize_with = "average"
    )]
    pub fuel_l_per_100_km: Option<f64>,
}

fn average<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Average {
        #[serde(deserialize_with = "lenient::number")]
        average_consumption: Option<f64>,
    }
    let average = lenient::maybe::<D, Average>(from)?;
    Ok(average.and_then(|average| average.average_consumption))
}
