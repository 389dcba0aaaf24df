use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::cardata::telematics::{Datum, lenient_map};
use crate::endpoint::{lenient, model};
use crate::error::DecodeError;
use crate::types::Vin;

/// No message is nearly as long.
const LONGEST: usize = 1 << 20;

/// One message of the stream: some values of one vehicle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamMessage {
    /// The vehicle.
    pub vin: Vin,
    /// The account.
    #[serde(default, rename = "entityId", deserialize_with = "lenient::text")]
    pub gcid: Option<String>,
    /// When it was sent. The values have times of their own, which may be hours older.
    #[serde(default, deserialize_with = "lenient::time")]
    pub timestamp: Option<DateTime<Utc>>,
    /// Key and value; unknown keys as well.
    #[serde(default, deserialize_with = "lenient_map")]
    pub data: BTreeMap<String, Datum>,
}

impl StreamMessage {
    /// Reads the payload of a publication.
    ///
    /// ```
    /// use bimmer::cardata::stream::StreamMessage;
    ///
    /// let payload = br#"{"vin": "WBA11AA0001234501", "data": {
    ///     "vehicle.isMoving": {"timestamp": "2026-03-01T10:04:59Z", "value": "ASN_isFalse"}}}"#;
    /// let message = StreamMessage::decode(payload)?;
    /// assert_eq!(message.data.len(), 1);
    /// # Ok::<(), bimmer::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is no JSON object with a VIN.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        if payload.len() > LONGEST {
            return Err(DecodeError::Missing("an end of the message within 1 MiB"));
        }
        model(payload)
    }
}
