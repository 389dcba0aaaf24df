//! Control: what a device can be told, and the way a command takes to it.
//!
//! The rows stand beside the [catalogue](crate::metric) of what a device
//! reports, one file per kind: a new command is one row here and one line in
//! the source that carries it out. Command topics, Home Assistant's switches
//! and the allow lists of the configuration derive from them.
//!
//! A source [offers](Offer) its rows with its description of a device and
//! takes [requests](Request) from its [`Inbox`]; sinks and commands send them
//! through [`Controls`]. What can hurt is refused until the configuration
//! allows it by name.

use crate::metric::Metric;
use crate::value::Value;

pub use desk::{Controls, Refusal};
pub use inbox::{Inbox, Request};

pub mod battery;
pub mod bluetooth;
mod desk;
mod inbox;

/// One thing that a device can be told. Rows are statics and compare by
/// identity.
#[derive(Debug)]
pub struct Control {
    /// Topic level; the key of [`Control::metric`] where there is one.
    pub key: &'static str,
    /// Name in the allow list and on the command line.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it takes.
    pub form: Form,
    /// Where its effect shows.
    pub metric: Option<&'static Metric>,
    /// It can hurt: off until allowed by name.
    pub guarded: bool,
}

/// What a control takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// On or off.
    Switch,
    /// A number.
    Number {
        /// Lowest.
        min: f64,
        /// Highest.
        max: f64,
        /// Multiples of this only, counted from the lowest.
        step: f64,
        /// Unit of measurement.
        unit: &'static str,
    },
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Control {}

/// A control of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub control: &'static Control,
    /// Whether the configuration lets it through.
    pub allowed: bool,
}

impl Control {
    /// Whether `word` means this control, as topic level or by its name.
    pub fn is(&self, word: &str) -> bool {
        self.key == word || self.name == word
    }

    /// What `text` asks for. Tolerant as people and programs write it:
    /// `on`, ` True `, `1`; `21`, `21.0`.
    ///
    /// # Errors
    /// What would be right instead.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self.form {
            Form::Switch => switch(text).map(Value::Bool),
            Form::Number { min, max, step, .. } => number(text, min, max, step).map(Value::Float),
        };
        value.ok_or_else(|| format!("`{}` is not {}", shortened(text), self.expected()))
    }

    /// What it takes, in words.
    pub fn expected(&self) -> String {
        match self.form {
            Form::Switch => "`on` or `off`".to_owned(),
            Form::Number {
                min,
                max,
                step,
                unit,
            } => format!("a number of {unit} from {min} to {max} in steps of {step}"),
        }
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn number(text: &str, min: f64, max: f64, step: f64) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let steps = (number - min) / step;
    let fits = (min..=max).contains(&number) && (steps - steps.round()).abs() < 1e-6;
    fits.then_some(number)
}

/// Enough of what somebody sent to recognise it.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        for text in ["on", "ON", " True ", "1"] {
            assert_eq!(battery::CHARGE_MOSFET.parse(text), Ok(Value::Bool(true)));
        }
        for text in ["off", "false", "0"] {
            assert_eq!(battery::CHARGE_MOSFET.parse(text), Ok(Value::Bool(false)));
        }
        for text in ["5", "5.0", " 5 "] {
            assert_eq!(bluetooth::PAUSE.parse(text), Ok(Value::Float(5.0)));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let refusal = |control: &Control, text: &str| control.parse(text).unwrap_err();
        assert_eq!(
            refusal(&battery::CHARGE_MOSFET, "maybe"),
            "`maybe` is not `on` or `off`"
        );
        for text in ["-1", "1441", "2.5", "NaN", "inf", "5 min", ""] {
            assert!(
                refusal(&bluetooth::PAUSE, text)
                    .ends_with("is not a number of min from 0 to 1440 in steps of 1"),
                "{text}"
            );
        }
        let long = "x".repeat(100_000);
        assert!(refusal(&battery::CHARGE_MOSFET, &long).len() < 100);
    }

    #[test]
    fn a_row_shows_where_its_metric_does() {
        for control in battery::ALL.iter().chain(bluetooth::ALL) {
            if let Some(metric) = control.metric {
                assert_eq!(control.key, metric.key);
            }
            assert!(control.is(control.key) && control.is(control.name));
        }
    }
}
