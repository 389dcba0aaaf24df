use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::http::Response;
use crate::types::{Brand, Vin};

/// What a vehicle is. Changes rarely: keep it for days.
/// Source: `GET /customers/vehicles/{vin}/basicData`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BasicData {
    /// `BMW`, `BMWi`, `BMW Motorrad`, `Toyota-Supra`, `MINI`, `Rolls-Royce`.
    #[serde(deserialize_with = "lenient::text")]
    pub brand: Option<String>,
    /// Whether it reports anything at all.
    #[serde(deserialize_with = "lenient::boolean")]
    pub is_telematics_capable: Option<bool>,
    /// Month of the software, as `07-25`.
    #[serde(deserialize_with = "lenient::text")]
    pub pu_step: Option<String>,
    /// Model range.
    #[serde(deserialize_with = "lenient::text")]
    pub model_range: Option<String>,
    /// Series.
    #[serde(deserialize_with = "lenient::text")]
    pub series: Option<String>,
    /// Name of the model, as `i4 eDrive40`.
    #[serde(deserialize_with = "lenient::text")]
    pub model_name: Option<String>,
    /// Key of the model.
    #[serde(deserialize_with = "lenient::text")]
    pub model_key: Option<String>,
    /// Body type, as `G26`.
    #[serde(deserialize_with = "lenient::text")]
    pub body_type: Option<String>,
    /// Number of doors.
    #[serde(deserialize_with = "lenient::integer")]
    pub number_of_doors: Option<i64>,
    /// Whether it has navigation.
    #[serde(deserialize_with = "lenient::boolean")]
    pub has_navi: Option<bool>,
    /// Head unit.
    #[serde(deserialize_with = "lenient::text")]
    pub head_unit: Option<String>,
    /// Whether it has a sun roof.
    #[serde(deserialize_with = "lenient::boolean")]
    pub has_sun_roof: Option<bool>,
    /// Country, as `DE`.
    #[serde(rename = "countryCodeISO", deserialize_with = "lenient::text")]
    pub country_code_iso: Option<String>,
    /// Side of the steering wheel.
    #[serde(deserialize_with = "lenient::text")]
    pub steering: Option<String>,
    /// Engine code.
    #[serde(deserialize_with = "lenient::text")]
    pub engine: Option<String>,
    /// `BEV`, `PHEV`, `CONV`, ….
    #[serde(deserialize_with = "lenient::text")]
    pub drive_train: Option<String>,
    /// Ways to charge.
    #[serde(deserialize_with = "lenient::list")]
    pub charging_modes: Vec<String>,
    /// Kind of propulsion.
    #[serde(deserialize_with = "lenient::text")]
    pub propulsion_type: Option<String>,
    /// Colour.
    #[serde(deserialize_with = "lenient::text")]
    pub colour_code: Option<String>,
    /// Colour, raw.
    #[serde(deserialize_with = "lenient::text")]
    pub colour_code_raw: Option<String>,
    /// When it was built.
    #[serde(deserialize_with = "lenient::text")]
    pub construction_date: Option<String>,
    /// Codes of its options.
    #[serde(rename = "fullSAList", deserialize_with = "lenient::text")]
    pub full_sa_list: Option<String>,
    /// Largest content of the high-voltage battery, kWh.
    #[serde(rename = "hvsMaxEnergyAbsolute", deserialize_with = "lenient::number")]
    pub hvs_max_energy_kwh: Option<f64>,
    /// State of the SIM.
    #[serde(deserialize_with = "lenient::text")]
    pub sim_status: Option<String>,
}

impl BasicData {
    /// The brand, from the VIN where the cloud does not tell.
    #[must_use]
    pub fn brand_of(&self, vin: &Vin) -> Brand {
        self.brand
            .as_deref()
            .map_or_else(|| vin.brand(), Brand::parse)
    }

    /// What to call it: model, else model range, else series, else the end of the VIN.
    #[must_use]
    pub fn name_of(&self, vin: &Vin) -> String {
        let names = [&self.model_name, &self.model_range, &self.series];
        let name = names.into_iter().flatten().next();
        name.map_or_else(|| vin.as_str()[10..].to_owned(), Clone::clone)
    }
}

pub(super) struct GetBasicData<'a> {
    pub(super) vin: &'a Vin,
}

impl Endpoint for GetBasicData<'_> {
    type Answer = BasicData;

    fn name(&self) -> &'static str {
        "basic data"
    }

    fn path(&self) -> String {
        format!("/customers/vehicles/{}/basicData", self.vin)
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<BasicData, DecodeError> {
        model(&response.body)
    }
}

/// A PNG picture.
pub(super) struct GetImage<'a> {
    pub(super) vin: &'a Vin,
}

impl Endpoint for GetImage<'_> {
    type Answer = Vec<u8>;

    fn name(&self) -> &'static str {
        "vehicle image"
    }

    fn path(&self) -> String {
        format!("/customers/vehicles/{}/image", self.vin)
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("accept", "*/*".to_owned())]
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<Vec<u8>, DecodeError> {
        if response.body.is_empty() {
            return Err(DecodeError::Missing("the picture"));
        }
        Ok(response.body.clone())
    }
}
