use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::containers::segment;
use super::value::Value;
use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::http::Response;
use crate::types::Vin;

/// One value as the cloud or the stream sends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Datum {
    /// Text, number or boolean as it came; `None` for null.
    #[serde(default, deserialize_with = "scalar")]
    pub value: Option<serde_json::Value>,
    /// Unit as it came.
    #[serde(default, deserialize_with = "lenient::text")]
    pub unit: Option<String>,
    /// When the car measured it, which may be hours ago.
    #[serde(default, deserialize_with = "lenient::time")]
    pub timestamp: Option<DateTime<Utc>>,
}

impl Datum {
    /// The value in the type that the catalogue gives the key; `None` where the
    /// car says that it does not know.
    #[must_use]
    pub fn typed(&self, key: &str) -> Option<Value> {
        Value::typed(key, self.value.as_ref()?)
    }
}

fn scalar<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok((!value.is_null()).then_some(value))
}

/// What the cloud has stored about a vehicle: a snapshot, minutes behind at best.
/// Source: `GET /customers/vehicles/{vin}/telematicData`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TelematicData {
    /// Key and value. Keys that were asked for and never reported may be missing.
    #[serde(default, rename = "telematicData", deserialize_with = "lenient_map")]
    pub values: BTreeMap<String, Datum>,
}

impl TelematicData {
    /// Reads the JSON answer.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is no JSON object.
    pub fn read(body: &[u8]) -> Result<Self, DecodeError> {
        model(body)
    }
}

/// Members that are no value are left out.
pub(super) fn lenient_map<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, Datum>, D::Error> {
    let serde_json::Value::Object(members) = serde_json::Value::deserialize(from)? else {
        return Ok(BTreeMap::new());
    };
    let readable = members
        .into_iter()
        .filter_map(|(key, member)| Some((key, serde_json::from_value(member).ok()?)));
    Ok(readable.collect())
}

/// Reads a vehicle through a container.
pub(super) struct GetTelematicData<'a> {
    pub(super) vin: &'a Vin,
    pub(super) container: &'a str,
}

impl Endpoint for GetTelematicData<'_> {
    type Answer = TelematicData;

    fn name(&self) -> &'static str {
        "telematic data"
    }

    fn path(&self) -> String {
        let container = segment(self.container);
        format!(
            "/customers/vehicles/{}/telematicData?containerId={container}",
            self.vin
        )
    }

    fn vin(&self) -> Option<&Vin> {
        Some(self.vin)
    }

    fn read(&self, response: &Response) -> Result<TelematicData, DecodeError> {
        TelematicData::read(&response.body)
    }
}
