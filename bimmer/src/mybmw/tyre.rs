use chrono::{DateTime, NaiveDate, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::endpoint::lenient;

/// The four tyres.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Tyres {
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
}

/// One tyre.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Tyre {
    /// What it measures.
    #[serde(deserialize_with = "lenient::maybe")]
    pub status: Option<TyreStatus>,
    /// What it is.
    #[serde(deserialize_with = "lenient::maybe")]
    pub details: Option<TyreDetails>,
}

/// Pressure and wear.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TyreStatus {
    /// Pressure, kPa.
    #[serde(rename = "currentPressure", deserialize_with = "lenient::integer")]
    pub pressure_kpa: Option<i64>,
    /// Wanted pressure, kPa.
    #[serde(rename = "targetPressure", deserialize_with = "lenient::integer")]
    pub target_pressure_kpa: Option<i64>,
    /// 0 is good.
    #[serde(deserialize_with = "lenient::integer")]
    pub pressure_status: Option<i64>,
    /// 0 is good.
    #[serde(deserialize_with = "lenient::integer")]
    pub wear_status: Option<i64>,
}

/// Make and age.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TyreDetails {
    /// Size, as `245/45 R19 102Y XL`.
    #[serde(deserialize_with = "lenient::text")]
    pub dimension: Option<String>,
    /// Whether it is made for this brand.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_optimized_for_oem_bmw: Option<bool>,
    /// Who made it.
    #[serde(deserialize_with = "lenient::text")]
    pub manufacturer: Option<String>,
    /// Week and year of making, as WWYY; see [`made_in`](Self::made_in).
    #[serde(deserialize_with = "lenient::integer")]
    pub manufacturing_week: Option<i64>,
    /// When it was mounted.
    #[serde(deserialize_with = "lenient::time")]
    pub mounting_date: Option<DateTime<Utc>>,
    /// Part number.
    #[serde(deserialize_with = "lenient::text")]
    pub part_number: Option<String>,
    /// 2 is summer.
    #[serde(deserialize_with = "lenient::integer")]
    pub season: Option<i64>,
    /// Tread.
    #[serde(deserialize_with = "lenient::text")]
    pub tread_design: Option<String>,
}

impl TyreDetails {
    /// The Monday of the week in which it was made.
    #[must_use]
    pub fn made_in(&self) -> Option<NaiveDate> {
        let number = u32::try_from(self.manufacturing_week?).ok()?;
        let year = 2000 + i32::try_from(number % 100).ok()?;
        NaiveDate::from_isoywd_opt(year, number / 100, Weekday::Mon)
    }
}
