//! What is asked and what comes back, without a network: each endpoint is a
//! value that knows its path and body and reads its answer.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::envelope::ContentType;
use crate::error::DecodeError;
use crate::vin::Vin;

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Commands.
    Post,
    /// Changes of account data.
    Put,
}

impl Method {
    /// In capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// How a call reaches its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The cloud answers by itself.
    Cloud,
    /// The car is woken up and answers; one polls by event id.
    Car,
}

/// One call: what is sent, and how its answer is read.
pub trait Endpoint {
    /// What comes back.
    type Answer;

    /// In words, for messages.
    fn name(&self) -> &'static str;

    /// HTTP method.
    fn method(&self) -> Method;

    /// Path below the base URL with a leading slash, and the query as it goes
    /// over the wire.
    fn path(&self) -> String;

    /// What the body is.
    fn content_type(&self) -> ContentType {
        ContentType::Json
    }

    /// The body in plain text, empty for none.
    fn body(&self) -> String {
        String::new()
    }

    /// Whether the car or the cloud answers.
    fn reach(&self) -> Reach {
        Reach::Cloud
    }

    /// Whether the call changes something. Such a call is never sent twice.
    fn is_command(&self) -> bool {
        self.method() != Method::Get
    }

    /// Whether the account is taken over for it while another device has it,
    /// which logs that device out. What nobody waits for can wait.
    fn takes_over(&self) -> bool {
        self.is_command()
    }

    /// What is asked for in India, `None` if that is not offered there.
    #[cfg(feature = "india")]
    fn india(&self) -> Option<crate::india::Asked> {
        None
    }

    /// The vehicle concerned.
    fn vin(&self) -> Option<&Vin> {
        None
    }

    /// Reads the JSON text of `data`, `None` if the answer has no data.
    ///
    /// # Errors
    ///
    /// [`DecodeError::NoData`] where data is needed, [`DecodeError::Json`] with
    /// the path of the field where it has another shape.
    fn read(&self, data: Option<&str>) -> Result<Self::Answer, DecodeError>;
}

/// The frame around every answer: `{"code", "message", "data"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The vendor's number: 0 is success, −1 stands for none.
    pub code: i64,
    /// The vendor's words.
    pub message: String,
    /// JSON text of `data`; `None` if missing or null.
    pub data: Option<String>,
}

impl Answer {
    /// Reads the frame.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Json`] if `text` is no JSON object.
    pub fn read(text: &str) -> Result<Self, DecodeError> {
        #[derive(Deserialize)]
        #[serde(default)]
        #[derive(Default)]
        struct Frame<'a> {
            #[serde(deserialize_with = "crate::scale::integer")]
            code: Option<i64>,
            #[serde(deserialize_with = "crate::scale::text")]
            message: Option<String>,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }
        let frame: Frame<'_> = serde_json::from_str(text).map_err(|error| DecodeError::Json {
            path: ".".to_owned(),
            message: error.to_string(),
        })?;
        let data = frame.data.map(RawValue::get).filter(|data| *data != "null");
        Ok(Self {
            code: frame.code.unwrap_or(-1),
            message: frame.message.unwrap_or_default(),
            data: data.map(str::to_owned),
        })
    }
}

/// Reads JSON into a model. With the feature `trace-unknown-fields`, what no
/// model knows is reported through `tracing`.
///
/// # Errors
///
/// [`DecodeError::Json`] with the path of the field.
pub(crate) fn model<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    #[cfg(not(feature = "trace-unknown-fields"))]
    let read = T::deserialize(tracked);
    #[cfg(feature = "trace-unknown-fields")]
    let read = serde_ignored::deserialize(tracked, |path| {
        // Each `.?` is a value that may be missing, as all may.
        let field = path.to_string().replace(".?", "");
        tracing::warn!(model = std::any::type_name::<T>(), field, "unknown field");
    });
    let value = read.map_err(|error: serde_json::Error| DecodeError::Json {
        path: track.path().to_string(),
        message: error.to_string(),
    })?;
    json.end().map_err(|error| DecodeError::Json {
        path: ".".to_owned(),
        message: error.to_string(),
    })?;
    Ok(value)
}

/// As [`model`], of data that must not be missing.
pub(crate) fn required<T: DeserializeOwned>(data: Option<&str>) -> Result<T, DecodeError> {
    model(data.ok_or(DecodeError::NoData)?)
}

/// As [`model`], where missing data means that everything is unknown.
pub(crate) fn optional<T: DeserializeOwned + Default>(
    data: Option<&str>,
) -> Result<T, DecodeError> {
    data.map_or_else(|| Ok(T::default()), model)
}

/// `path?vin=…` with the VIN as the cloud wants it.
pub(crate) fn with_vin(path: &str, vin: &Vin) -> String {
    format!("{path}?vin={}", vin.hash())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let read = |text| Answer::read(text).unwrap();
        let ok = read(r#"{"code":0,"message":"success","data":{"a":1}}"#);
        assert_eq!((ok.code, ok.data.as_deref()), (0, Some(r#"{"a":1}"#)));
        assert_eq!(read(r#"{"code":0,"data":null}"#).data, None);
        assert_eq!(read(r#"{"code":"4"}"#).code, 4);
        assert_eq!(read(r#"{"msg":"x"}"#).code, -1);
        assert_eq!(read(r#"{"code":8,"message":null}"#).message, "");
        assert!(Answer::read("oops").is_err());
        assert!(Answer::read("[]").is_err() || read("[]").code == -1);
    }
}
