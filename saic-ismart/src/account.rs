//! The account itself, and whatever else the cloud offers.

use crate::endpoint::{self, Endpoint, Method, Reach};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vin::Vin;

model! {
    /// Settings of the account.
    Timezone {
        /// Name of the time zone, such as `Europe/Rome` or `GMT+10:00` (`timezone`).
        name: String = "timezone" as "crate::scale::text",
    }
}

from_json!(Timezone);

/// `GET /user/timezone`: a cheap way to see whether the session lives.
#[derive(Debug, Clone, Copy)]
pub struct ReadTimezone;

impl Endpoint for ReadTimezone {
    type Answer = Timezone;

    fn name(&self) -> &'static str {
        "time zone"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        "/user/timezone".to_owned()
    }

    fn read(&self, data: Option<&str>) -> Result<Timezone, DecodeError> {
        endpoint::optional(data)
    }
}

/// A call whose answer nobody has described: it comes back as JSON text. The
/// constructors are the endpoints that are known to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCall {
    /// HTTP method.
    pub method: Method,
    /// Path below the base URL with a leading slash, and the query, percent-encoded.
    pub path: String,
    /// JSON text, or empty.
    pub body: String,
    /// The car concerned.
    pub vin: Option<Vin>,
    /// Whether the car has to answer.
    pub reach: Reach,
}

/// What a [`RawCall`] reads about a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VehicleFact {
    /// Since when there are statistics (`/vehicle/statisticsBasicInfo`).
    StatisticsBasicInfo,
    /// Whether its telematics box is online (`/vehicle/tbox/onlineStatus`).
    OnlineStatus,
    /// What it can do (`/vehicle/featureList`).
    FeatureList,
    /// Pending updates (`/fota/campaign`).
    UpdateCampaign,
    /// Its geofence (`/vehicle/geoFence`).
    Geofence,
    /// Setting of its geofence (`/vehicle/geofence/setting`).
    GeofenceSetting,
}

/// What a [`RawCall`] reads about the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountFact {
    /// Bluetooth keys (`/vehicle/btkey/userKeyList`).
    BluetoothKeys,
    /// The user (`/user/account/userInfo`).
    UserInfo,
    /// The region (`/user/region`).
    Region,
}

/// Over which time statistics run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatisticsRange {
    /// One day.
    Day,
    /// One month.
    Month,
    /// One year.
    Year,
}

impl RawCall {
    /// Reads something about a car.
    #[must_use]
    pub fn about_vehicle(fact: VehicleFact, vin: &Vin) -> Self {
        let path = match fact {
            VehicleFact::StatisticsBasicInfo => "/vehicle/statisticsBasicInfo",
            VehicleFact::OnlineStatus => "/vehicle/tbox/onlineStatus",
            VehicleFact::FeatureList => "/vehicle/featureList",
            VehicleFact::UpdateCampaign => "/fota/campaign",
            VehicleFact::Geofence => "/vehicle/geoFence",
            VehicleFact::GeofenceSetting => "/vehicle/geofence/setting",
        };
        Self::get(endpoint::with_vin(path, vin), Some(vin))
    }

    /// Reads something about the account.
    #[must_use]
    pub fn about_account(fact: AccountFact) -> Self {
        let path = match fact {
            AccountFact::BluetoothKeys => "/vehicle/btkey/userKeyList",
            AccountFact::UserInfo => "/user/account/userInfo",
            AccountFact::Region => "/user/region",
        };
        Self::get(path.to_owned(), None)
    }

    /// Distance, consumption, CO₂, speed and time of travel of the day, month
    /// or year that holds `date` (`/vehicle/statisticsInfo`).
    #[must_use]
    pub fn statistics(vin: &Vin, range: StatisticsRange, date: chrono::NaiveDate) -> Self {
        let range = match range {
            StatisticsRange::Day => 1,
            StatisticsRange::Month => 2,
            StatisticsRange::Year => 3,
        };
        let path = endpoint::with_vin("/vehicle/statisticsInfo", vin);
        Self::get(
            format!("{path}&type=1%2C2%2C3%2C4%2C5&rangeType={range}&rangeTime={date}"),
            Some(vin),
        )
    }

    /// Favourite places (`/navi/poi/favorite/list`), from page 1.
    #[must_use]
    pub fn favorite_places(page: u32, page_size: u32) -> Self {
        Self::get(
            format!("/navi/poi/favorite/list?pageNum={page}&pageSize={page_size}"),
            None,
        )
    }

    /// Sends a place to the navigation (`/navi/poi/send`); degrees, WGS 84.
    #[must_use]
    pub fn send_place(name: &str, address: &str, latitude_deg: f64, longitude_deg: f64) -> Self {
        let body = serde_json::json!({
            "name": name,
            "latitude": latitude_deg,
            "longitude": longitude_deg,
            "address": address,
        });
        Self::post("/navi/poi/send", &body, None)
    }

    /// Sets a geofence around a point in degrees, or deletes it
    /// (`/vehicle/geofence/setting`).
    #[must_use]
    pub fn set_geofence(vin: &Vin, center_deg: (f64, f64), radius_m: u32, on: bool) -> Self {
        let body = serde_json::json!({
            "alertType": 3,
            "maxDist": radius_m,
            "operationType": if on { 1 } else { 3 },
            "position": {
                "latitude": (center_deg.0 * 1e6).round() as i64,
                "longitude": (center_deg.1 * 1e6).round() as i64,
            },
            "vin": vin.hash(),
        });
        Self::post("/vehicle/geofence/setting", &body, Some(vin))
    }

    /// Switches a Bluetooth key (`/vehicle/btkey/activation`).
    #[must_use]
    pub fn switch_bluetooth_key(vin: &Vin, reference: &str, tag: &str, on: bool) -> Self {
        let body = serde_json::json!({
            "keyReference": reference,
            "keyTag": tag,
            "keyStatus": u8::from(on),
            "vin": vin.hash(),
        });
        Self::post("/vehicle/btkey/activation", &body, Some(vin))
    }

    fn get(path: String, vin: Option<&Vin>) -> Self {
        Self {
            method: Method::Get,
            path,
            body: String::new(),
            vin: vin.cloned(),
            reach: Reach::Cloud,
        }
    }

    fn post(path: &str, body: &serde_json::Value, vin: Option<&Vin>) -> Self {
        Self {
            method: Method::Post,
            path: path.to_owned(),
            body: body.to_string(),
            vin: vin.cloned(),
            reach: Reach::Cloud,
        }
    }
}

impl Endpoint for RawCall {
    /// JSON text of `data`, if there is any.
    type Answer = Option<String>;

    fn name(&self) -> &'static str {
        "raw call"
    }

    fn method(&self) -> Method {
        self.method
    }

    fn path(&self) -> String {
        self.path.clone()
    }

    fn body(&self) -> String {
        self.body.clone()
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn vin(&self) -> Option<&Vin> {
        self.vin.as_ref()
    }

    fn read(&self, data: Option<&str>) -> Result<Option<String>, DecodeError> {
        Ok(data.map(str::to_owned))
    }
}
