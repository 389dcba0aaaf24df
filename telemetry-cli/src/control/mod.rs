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

use std::borrow::Cow;

use crate::metric::Metric;
use crate::value::Value;

pub use desk::{Controls, Refusal};
pub use inbox::{Inbox, Request};

pub mod battery;
pub mod bluetooth;
pub mod clock;
mod desk;
mod inbox;
pub mod power_station;
pub mod vehicle;

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
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// On or off.
    Switch,
    /// Locked or unlocked, which is true or false.
    Lock,
    /// Something is done once. The value is always true.
    Button,
    /// One of these words.
    Select(Cow<'static, [&'static str]>),
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
    /// Times of day, or `off`; a text.
    Times(clock::Times),
}

impl PartialEq for Control {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Control {}

/// A control of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Which.
    pub control: &'static Control,
    /// What this device takes: the control's own form, or a narrower one.
    pub form: Form,
    /// Whether the configuration lets it through.
    pub allowed: bool,
    /// Where its effect shows among the extras of a reading, if it has no
    /// metric.
    pub extra: Option<&'static str>,
}

impl Offer {
    /// The control as it stands in its table.
    pub fn new(control: &'static Control, allowed: bool) -> Self {
        Self {
            control,
            form: control.form.clone(),
            allowed,
            extra: None,
        }
    }

    /// The same for a control whose effect shows only under this name among
    /// the extras of a reading.
    #[must_use]
    pub fn with_extra(mut self, name: &'static str) -> Self {
        self.extra = Some(name);
        self
    }

    /// The same for a device that takes less, or only these options.
    #[must_use]
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }
}

impl Control {
    /// Whether `word` means this control, as topic level or by its name.
    pub fn is(&self, word: &str) -> bool {
        self.key == word || self.name == word
    }
}

impl Form {
    /// What `text` asks for. Tolerant as people and programs write it:
    /// `on`, ` True `, `1`; `21`, `21.0`.
    ///
    /// # Errors
    /// What would be right instead.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self {
            Self::Switch => switch(text).map(Value::Bool),
            Self::Lock => locked(text).map(Value::Bool),
            Self::Button => pressed(text).then_some(Value::Bool(true)),
            Self::Select(options) => {
                let mut options = options.iter();
                let option = options.find(|option| option.eq_ignore_ascii_case(text));
                option.map(|option| Value::from(*option))
            }
            Self::Number { min, max, step, .. } => {
                number(text, *min, *max, *step).map(Value::Float)
            }
            Self::Times(times) => times.parse(text).map(Value::Text),
        };
        value.ok_or_else(|| format!("`{}` is not {}", shortened(text), self.expected()))
    }

    /// What it takes, in words.
    pub fn expected(&self) -> String {
        match self {
            Self::Switch => "`on` or `off`".to_owned(),
            Self::Lock => "`lock` or `unlock`".to_owned(),
            Self::Button => "`press`".to_owned(),
            Self::Select(options) => format!("one of `{}`", options.join("`, `")),
            Self::Number {
                min,
                max,
                step,
                unit,
            } => format!("a number of {unit} from {min} to {max} in steps of {step}"),
            Self::Times(times) => times.expected().to_owned(),
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

fn locked(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "lock" | "locked" => Some(true),
        "unlock" | "unlocked" => Some(false),
        _ => switch(text),
    }
}

fn pressed(text: &str) -> bool {
    text.eq_ignore_ascii_case("press") || switch(text) == Some(true)
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
            assert_eq!(
                battery::CHARGE_MOSFET.form.parse(text),
                Ok(Value::Bool(true))
            );
        }
        for text in ["off", "false", "0"] {
            assert_eq!(
                battery::CHARGE_MOSFET.form.parse(text),
                Ok(Value::Bool(false))
            );
        }
        for text in ["5", "5.0", " 5 "] {
            assert_eq!(bluetooth::PAUSE.form.parse(text), Ok(Value::Float(5.0)));
        }
        for (text, locked) in [("LOCK", true), ("unlocked", false), ("on", true)] {
            assert_eq!(Form::Lock.parse(text), Ok(Value::Bool(locked)));
        }
        assert_eq!(Form::Button.parse("PRESS"), Ok(Value::Bool(true)));
        let modes = Form::Select(Cow::Borrowed(&["standard", "silent"]));
        assert_eq!(modes.parse(" Silent "), Ok(Value::from("silent")));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let refusal = |control: &Control, text: &str| control.form.parse(text).unwrap_err();
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
        assert_eq!(
            Form::Lock.parse("open").unwrap_err(),
            "`open` is not `lock` or `unlock`"
        );
        assert_eq!(
            Form::Button.parse("off").unwrap_err(),
            "`off` is not `press`"
        );
        assert_eq!(
            Form::Select(Cow::Borrowed(&["standard", "silent"]))
                .parse("turbo")
                .unwrap_err(),
            "`turbo` is not one of `standard`, `silent`"
        );
        let long = "x".repeat(100_000);
        assert!(refusal(&battery::CHARGE_MOSFET, &long).len() < 100);
    }

    #[test]
    fn a_row_shows_where_its_metric_does() {
        let rows = [
            battery::ALL,
            bluetooth::ALL,
            power_station::ALL,
            vehicle::ALL,
        ];
        for control in rows.into_iter().flatten() {
            if let Some(metric) = control.metric {
                assert_eq!(control.key, metric.key);
            }
            assert!(control.is(control.key) && control.is(control.name));
        }
    }
}
