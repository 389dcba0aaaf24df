use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, lenient, model};
use crate::error::DecodeError;
use crate::http::Response;
use crate::types::Vin;

/// A vehicle of the account. Source: `GET /customers/vehicles/mappings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mapping {
    /// The vehicle.
    pub vin: Vin,
    /// Since when it belongs to the account.
    #[serde(default, rename = "mappedSince", deserialize_with = "lenient::time")]
    pub mapped_since: Option<DateTime<Utc>>,
    /// `PRIMARY` or `SECONDARY`, as it came.
    #[serde(default, rename = "mappingType", deserialize_with = "lenient::text")]
    pub mapping_type: Option<String>,
}

impl Mapping {
    /// Whether CarData gives this account the vehicle's data: only the main
    /// user gets them. A mapping without a type counts as one.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        let kind = self.mapping_type.as_deref();
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("PRIMARY"))
    }
}

/// The vehicles whose data the account gets.
#[must_use]
pub fn primary_vins(mappings: &[Mapping]) -> Vec<Vin> {
    let ours = mappings.iter().filter(|mapping| mapping.is_primary());
    ours.map(|mapping| mapping.vin.clone()).collect()
}

/// Lists the vehicles of the account.
pub(super) struct GetMappings;

impl Endpoint for GetMappings {
    type Answer = Vec<Mapping>;

    fn name(&self) -> &'static str {
        "vehicle mappings"
    }

    fn path(&self) -> String {
        "/customers/vehicles/mappings".to_owned()
    }

    fn read(&self, response: &Response) -> Result<Vec<Mapping>, DecodeError> {
        read_mappings(&response.body)
    }
}

/// Reads the answer. The specification has a single object, the server sends a
/// list, and a list inside an object has been seen as well.
///
/// # Errors
///
/// [`DecodeError`] if it is none of these.
pub fn read_mappings(body: &[u8]) -> Result<Vec<Mapping>, DecodeError> {
    #[derive(Deserialize)]
    struct List {
        #[serde(deserialize_with = "lenient::list")]
        mappings: Vec<Mapping>,
    }
    let document: serde_json::Value = model(body)?;
    Ok(match document {
        serde_json::Value::Array(_) => {
            lenient::list(document).map_err(|_| DecodeError::Missing("the list of vehicles"))?
        }
        serde_json::Value::Object(ref members) if members.contains_key("mappings") => {
            model::<List>(body)?.mappings
        }
        serde_json::Value::Null => Vec::new(),
        _ => vec![model(body)?],
    })
}
