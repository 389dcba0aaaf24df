use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::endpoint::{self, Endpoint, Method};
use crate::error::DecodeError;
use crate::scale::{from_json, model};
use crate::vin::Vin;

model! {
    /// One feature flag of a car (`vehicleModelConfiguration`).
    Feature {
        /// Its code, such as `BType` (`itemCode`).
        code: String = "itemCode" as "crate::scale::text",
        /// Its name, such as `Battery` (`itemName`).
        name: String = "itemName" as "crate::scale::text",
        /// Its value (`itemValue`).
        value: String = "itemValue" as "crate::scale::text",
    }
}

model! {
    /// Somebody the car is shared with (`subAccountList`).
    SubAccount {
        /// Kind of card (`authorizationCardType`).
        authorization_card_type: String = "authorizationCardType" as "crate::scale::text",
        /// Bluetooth key (`btKeyStatus`).
        bluetooth_key_status: String = "btKeyStatus" as "crate::scale::text",
        /// May see where the car is (`locationAuthorization`).
        location_authorization: String = "locationAuthorization" as "crate::scale::text",
        /// Model (`modelName`).
        model: String = "modelName" as "crate::scale::text",
        /// `operationType`.
        operation_type: String = "operationType" as "crate::scale::text",
        /// `status`.
        status: String = "status" as "crate::scale::text",
        /// `subaccountId`.
        id: String = "subaccountId" as "crate::scale::text",
        /// `subscriberId`.
        subscriber_id: String = "subscriberId" as "crate::scale::text",
        /// User (`userAccount`).
        user: String = "userAccount" as "crate::scale::text",
        /// Name (`userName`).
        name: String = "userName" as "crate::scale::text",
        /// From (`validityStartTime`).
        valid_from: DateTime<Utc> = "validityStartTime" as "crate::scale::epoch_ms",
        /// Until (`validityEndTime`).
        valid_until: DateTime<Utc> = "validityEndTime" as "crate::scale::epoch_ms",
        /// Of this car (`vin`).
        vin: Vin = "vin" as "vin",
    }
}

model! {
    /// A car of the account (`vinList`).
    VehicleInfo {
        /// VIN. A car without one cannot be asked anything.
        vin: Vin = "vin" as "vin",
        /// Brand (`brandName`).
        brand: String = "brandName" as "crate::scale::text",
        /// Model (`modelName`).
        model: String = "modelName" as "crate::scale::text",
        /// Model year (`modelYear`); wrong for some.
        model_year: String = "modelYear" as "crate::scale::text",
        /// Colour (`colorName`).
        color: String = "colorName" as "crate::scale::text",
        /// The name that its owner gave it (`name`).
        name: String = "name" as "crate::scale::text",
        /// Series, the key to everything that differs between models, often
        /// with a letter for the trim (`series`).
        series: String = "series" as "crate::scale::text",
        /// Activated (`isActivate`).
        is_active: bool = "isActivate" as "crate::scale::boolean",
        /// Chosen in the app (`isCurrentVehicle`).
        is_current: bool = "isCurrentVehicle" as "crate::scale::boolean",
        /// Shared with this account by somebody else (`isSubaccount`).
        is_shared: bool = "isSubaccount" as "crate::scale::boolean",
        /// Added to the account (`bindTime`).
        bound_at: DateTime<Utc> = "bindTime" as "crate::scale::epoch_ms",
        ;
        /// Who else may use it (`subAccountList`).
        sub_accounts: Vec<SubAccount> = "subAccountList",
        /// Feature flags (`vehicleModelConfiguration`).
        features: Vec<Feature> = "vehicleModelConfiguration",
    }
}

fn vin<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<Vin>, D::Error> {
    Ok(crate::scale::text(json)?.map(Vin::from))
}

impl VehicleInfo {
    /// The value of a feature, trimmed: by code, then by name, then by a code
    /// in other letters, small for capital ones. Names are not compared like
    /// that: `Battery` and `BATTERY` are two.
    #[must_use]
    pub fn feature(&self, code_or_name: &str) -> Option<&str> {
        let exactly = |text: &Option<String>| text.as_deref().map(str::trim) == Some(code_or_name);
        let roughly = |text: &Option<String>| {
            text.as_deref()
                .is_some_and(|text| text.trim().eq_ignore_ascii_case(code_or_name))
        };
        let features = || self.features.iter();
        features()
            .find(|feature| exactly(&feature.code))
            .or_else(|| features().find(|feature| exactly(&feature.name)))
            .or_else(|| features().find(|feature| roughly(&feature.code)))
            .and_then(|feature| feature.value.as_deref())
            .map(str::trim)
    }

    /// The series, trimmed and in capitals; empty if unknown.
    #[must_use]
    pub fn series_key(&self) -> String {
        let series = self.series.as_deref().unwrap_or_default();
        series.trim().to_uppercase()
    }
}

/// The cars of an account.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VehicleListAnswer {
    /// In the order of the cloud (`vinList`).
    #[serde(rename = "vinList", deserialize_with = "crate::scale::nested")]
    pub vehicles: Vec<VehicleInfo>,
}

from_json!(VehicleListAnswer);

/// `GET /vehicle/list`.
#[derive(Debug, Clone, Copy)]
pub struct VehicleList;

impl Endpoint for VehicleList {
    type Answer = Vec<VehicleInfo>;

    fn name(&self) -> &'static str {
        "vehicle list"
    }

    fn method(&self) -> Method {
        Method::Get
    }

    fn path(&self) -> String {
        "/vehicle/list".to_owned()
    }

    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        Some(crate::india::Asked::Vehicles)
    }

    fn read(&self, data: Option<&str>) -> Result<Vec<VehicleInfo>, DecodeError> {
        Ok(endpoint::required::<VehicleListAnswer>(data)?.vehicles)
    }
}
