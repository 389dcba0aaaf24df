use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::form;
use crate::http::Response;
use crate::types::Vin;

/// How the car charges at one place.
/// Source: `GET /customers/vehicles/{vin}/locationBasedChargingSettings`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct LocationSettings {
    /// The cloud's id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    /// Last change.
    #[serde(deserialize_with = "lenient::time")]
    pub last_updated: Option<DateTime<Utc>>,
    /// The cloud's id of the place.
    #[serde(deserialize_with = "lenient::text")]
    pub cluster_location_id: Option<String>,
    /// Degrees.
    #[serde(deserialize_with = "lenient::number")]
    pub latitude: Option<f64>,
    /// Degrees.
    #[serde(deserialize_with = "lenient::number")]
    pub longitude: Option<f64>,
    /// Last time the car was there.
    #[serde(deserialize_with = "lenient::time")]
    pub last_visit: Option<DateTime<Utc>>,
    /// How often it was.
    #[serde(deserialize_with = "lenient::integer")]
    pub visits: Option<i64>,
    /// Charging mode.
    #[serde(deserialize_with = "lenient::text")]
    pub charging_mode: Option<String>,
    /// What is optimised.
    #[serde(deserialize_with = "lenient::text")]
    pub optimized_charging_preference: Option<String>,
    /// The first window.
    #[serde(flatten)]
    pub window: ChargingWindow,
    /// All windows.
    #[serde(deserialize_with = "lenient::list")]
    pub charging_time_windows: Vec<ChargingWindow>,
    /// Whether the current is limited.
    #[serde(deserialize_with = "lenient::text")]
    pub ac_current_limit_flag: Option<String>,
    /// Limit of the current, A.
    #[serde(deserialize_with = "lenient::number")]
    pub ac_current_limit: Option<f64>,
    /// Limit of fan noise.
    #[serde(deserialize_with = "lenient::text")]
    pub acoustic_limit: Option<String>,
    /// Lock of the flap.
    #[serde(deserialize_with = "lenient::text")]
    pub flap_lock: Option<String>,
    /// What happens to the plug when charging ends.
    #[serde(deserialize_with = "lenient::text")]
    pub charging_plug: Option<String>,
}

/// Local times of day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChargingWindow {
    /// Begin, hour.
    #[serde(
        rename = "startChargingTimePeriodHour",
        deserialize_with = "lenient::integer"
    )]
    pub start_hour: Option<i64>,
    /// Begin, minute.
    #[serde(
        rename = "startChargingTimePeriodMinute",
        deserialize_with = "lenient::integer"
    )]
    pub start_minute: Option<i64>,
    /// End, hour.
    #[serde(
        rename = "stopChargingTimePeriodHour",
        deserialize_with = "lenient::integer"
    )]
    pub stop_hour: Option<i64>,
    /// End, minute.
    #[serde(
        rename = "stopChargingTimePeriodMinute",
        deserialize_with = "lenient::integer"
    )]
    pub stop_minute: Option<i64>,
}

/// One page.
#[derive(Deserialize)]
pub(super) struct Page {
    #[serde(default, deserialize_with = "lenient::list")]
    pub(super) data: Vec<LocationSettings>,
    #[serde(default, rename = "nextToken", deserialize_with = "lenient::text")]
    pub(super) next_token: Option<String>,
}

pub(super) struct GetLocationSettings<'a> {
    pub(super) vin: &'a Vin,
    pub(super) next_token: Option<&'a str>,
}

impl Endpoint for GetLocationSettings<'_> {
    type Answer = Page;

    fn name(&self) -> &'static str {
        "location based charging settings"
    }

    fn path(&self) -> String {
        let path = format!(
            "/customers/vehicles/{}/locationBasedChargingSettings",
            self.vin
        );
        match self.next_token {
            Some(token) => format!("{path}?{}", form::encode(&[("nextToken", token)])),
            None => path,
        }
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<Page, DecodeError> {
        model(&response.body)
    }
}
