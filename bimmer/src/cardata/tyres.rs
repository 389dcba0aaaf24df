use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::http::Response;
use crate::types::Vin;

/// State of the tyres. Source: `GET /customers/vehicles/{vin}/smartMaintenanceTyreDiagnosis`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TyreDiagnosis {
    /// On the car.
    pub mounted: Option<TyreSet>,
    /// In store.
    pub unmounted: Option<TyreSet>,
}

/// A set of tyres.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TyreSet {
    /// Front left.
    #[serde(deserialize_with = "lenient::maybe")]
    pub front_left: Option<Tyre>,
    /// Front right.
    #[serde(deserialize_with = "lenient::maybe")]
    pub front_right: Option<Tyre>,
    /// Rear left.
    #[serde(deserialize_with = "lenient::maybe")]
    pub rear_left: Option<Tyre>,
    /// Rear right.
    #[serde(deserialize_with = "lenient::maybe")]
    pub rear_right: Option<Tyre>,
    /// Over all four.
    #[serde(deserialize_with = "lenient::maybe")]
    pub aggregated_quality_status: Option<TyreAttribute>,
}

/// One tyre.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Tyre {
    /// Size.
    #[serde(deserialize_with = "lenient::maybe")]
    pub dimension: Option<TyreDimension>,
    /// Summer, winter, all-season.
    #[serde(deserialize_with = "lenient::maybe")]
    pub season: Option<TyreAttribute>,
    /// Who made it.
    #[serde(rename = "tread", deserialize_with = "manufacturer")]
    pub manufacturer: Option<TyreAttribute>,
    /// Part number.
    #[serde(deserialize_with = "lenient::maybe")]
    pub part_number: Option<TyreAttribute>,
    /// Whether it can be driven on without air.
    #[serde(deserialize_with = "lenient::maybe")]
    pub run_flat: Option<TyreAttribute>,
    /// Whether it is made for this brand.
    #[serde(deserialize_with = "lenient::maybe")]
    pub optimized_for_oem: Option<TyreAttribute>,
    /// When it was mounted.
    #[serde(deserialize_with = "lenient::maybe")]
    pub mounting_date: Option<TyreAttribute>,
    /// When it was made.
    #[serde(deserialize_with = "lenient::maybe")]
    pub tyre_production_date: Option<TyreAttribute>,
    /// Damage.
    #[serde(deserialize_with = "lenient::maybe")]
    pub tyre_defect: Option<TyreAttribute>,
    /// Wear.
    #[serde(deserialize_with = "lenient::maybe")]
    pub tyre_wear: Option<TyreAttribute>,
    /// All in all.
    #[serde(deserialize_with = "lenient::maybe")]
    pub quality_status: Option<TyreAttribute>,
}

/// A size.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TyreDimension {
    /// All in one, as `245/45 R19 102Y`.
    #[serde(deserialize_with = "lenient::text")]
    pub value: Option<String>,
    /// Height in percent of the width.
    #[serde(deserialize_with = "lenient::maybe")]
    pub aspect_ratio: Option<TyreAttribute>,
    /// Load index.
    #[serde(deserialize_with = "lenient::maybe")]
    pub load_index: Option<TyreAttribute>,
    /// Rim diameter.
    #[serde(deserialize_with = "lenient::maybe")]
    pub rim_diameter: Option<TyreAttribute>,
    /// Width.
    #[serde(deserialize_with = "lenient::maybe")]
    pub section_width: Option<TyreAttribute>,
    /// Speed rating.
    #[serde(deserialize_with = "lenient::maybe")]
    pub speed_rating: Option<TyreAttribute>,
}

/// One thing said about a tyre. What does not apply is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TyreAttribute {
    /// What it is, in the account's language.
    #[serde(deserialize_with = "lenient::text")]
    pub label: Option<String>,
    /// The value, in words.
    #[serde(deserialize_with = "lenient::text")]
    pub value: Option<String>,
    /// A judgement in words.
    #[serde(deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// `RED`, `YELLOW`, `GREEN` or `GREY`.
    #[serde(deserialize_with = "lenient::text")]
    pub status_color: Option<String>,
    /// Distance until it is due, in [`unit`](Self::unit).
    #[serde(deserialize_with = "lenient::number")]
    pub due_mileage: Option<f64>,
    /// `KILOMETER` or `MILE`.
    #[serde(deserialize_with = "lenient::text")]
    pub unit: Option<String>,
}

fn manufacturer<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<TyreAttribute>, D::Error> {
    #[derive(Deserialize)]
    struct Tread {
        #[serde(default, deserialize_with = "lenient::maybe")]
        manufacturer: Option<TyreAttribute>,
    }
    Ok(lenient::maybe::<D, Tread>(from)?.and_then(|tread| tread.manufacturer))
}

pub(super) struct GetTyreDiagnosis<'a> {
    pub(super) vin: &'a Vin,
}

impl Endpoint for GetTyreDiagnosis<'_> {
    type Answer = TyreDiagnosis;

    fn name(&self) -> &'static str {
        "tyre diagnosis"
    }

    fn path(&self) -> String {
        format!(
            "/customers/vehicles/{}/smartMaintenanceTyreDiagnosis",
            self.vin
        )
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<TyreDiagnosis, DecodeError> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Car {
            #[serde(deserialize_with = "lenient::maybe")]
            mounted_tyres: Option<TyreSet>,
            #[serde(deserialize_with = "lenient::maybe")]
            unmounted_tyres: Option<TyreSet>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            #[serde(default, deserialize_with = "lenient::maybe")]
            passenger_car: Option<Car>,
        }
        let car = model::<Answer>(&response.body)?
            .passenger_car
            .unwrap_or_default();
        Ok(TyreDiagnosis {
            mounted: car.mounted_tyres,
            unmounted: car.unmounted_tyres,
        })
    }
}
