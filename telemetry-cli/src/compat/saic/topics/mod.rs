//! What is published about a car, below the prefix of the car: from the SDK's
//! values to the original's topics and texts. A value that the car does not
//! know is not published: the last one stays.

use serde::Serialize;

use super::text;

pub use charging::charging;
pub use info::info;
pub use message::message;
pub use status::{cached, status};
pub use trip::{TripFacts, last_trip};

pub mod charging;
pub mod info;
pub mod message;
pub mod status;
pub mod trip;

/// What Home Assistant takes for unknown, where the last text would be wrong.
pub const UNKNOWN: &str = "None";

/// One topic and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Below the prefix of the car.
    pub topic: String,
    /// In the original's form.
    pub text: String,
    /// Sent also if nothing has changed: who reads it counts on that.
    pub always: bool,
}

/// Topics with their texts, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publications(pub Vec<Publication>);

impl Publications {
    /// A text that is always sent.
    pub fn text(&mut self, topic: &str, text: impl Into<String>) {
        self.push(topic, text.into(), true);
    }

    /// A text that is sent when it has changed.
    pub fn setting(&mut self, topic: &str, text: impl Into<String>) {
        self.push(topic, text.into(), false);
    }

    /// True or false, if known.
    pub fn flag(&mut self, topic: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.text(topic, text::boolean(value));
        }
    }

    /// A number with a fraction, if known.
    pub fn float(&mut self, topic: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.text(topic, text::float(value));
        }
    }

    /// A whole number, if known.
    pub fn int(&mut self, topic: &str, value: Option<impl Into<i64>>) {
        if let Some(value) = value {
            self.text(topic, value.into().to_string());
        }
    }

    /// A JSON object.
    pub fn json(&mut self, topic: &str, value: &impl Serialize) {
        self.text(topic, text::json(value));
    }

    /// Without what `drop` names.
    pub fn without(mut self, drop: impl Fn(&Publication) -> bool) -> Self {
        self.0.retain(|publication| !drop(publication));
        self
    }

    fn push(&mut self, topic: &str, text: String, always: bool) {
        self.0.push(Publication {
            topic: topic.to_owned(),
            text,
            always,
        });
    }
}

#[cfg(test)]
mod tests;
