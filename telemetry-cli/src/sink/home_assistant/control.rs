//! From what a device can be told to the entities that tell it.

use serde_json::{Map, Value, json};

use super::component::{Components, Maker};
use crate::control::{Control, Form};

/// What a button of a number sends, where the number shows nowhere.
const PRESSED: f64 = 10.0;

impl Maker<'_> {
    /// The controls of the device. One that is not allowed is removed: Home
    /// Assistant would keep what is merely left out.
    pub(super) fn controls(&self) -> Components {
        let offers = self.device.controls.iter();
        offers
            .map(|offer| {
                let (platform, keys) = self.control(offer.control);
                let keys = match offer.allowed {
                    true => Value::Object(keys),
                    false => json!({ "platform": platform }),
                };
                (offer.control.name.to_owned(), keys)
            })
            .collect()
    }

    fn control(&self, control: &Control) -> (&'static str, Map<String, Value>) {
        let topic = self.names.topics.set(&self.device.id, control.key);
        let state = |metric: &crate::metric::Metric| format!("{{{{ value_json.{} }}}}", metric.key);
        let (platform, title, own) = match (control.form, control.metric) {
            (Form::Switch, metric) => (
                "switch",
                control.title.to_owned(),
                json!({
                    "payload_on": "true",
                    "payload_off": "false",
                    "state_on": "True",
                    "state_off": "False",
                    "value_template": metric.map(state),
                }),
            ),
            (
                Form::Number {
                    min,
                    max,
                    step,
                    unit,
                },
                Some(metric),
            ) => (
                "number",
                control.title.to_owned(),
                json!({
                    "min": min,
                    "max": max,
                    "step": step,
                    "unit_of_measurement": unit,
                    "value_template": state(metric),
                }),
            ),
            (Form::Number { unit, .. }, None) => (
                "button",
                format!("{} for {PRESSED} {unit}", control.title),
                json!({ "payload_press": PRESSED.to_string() }),
            ),
        };
        let mut keys = self.common(platform, control.name, &title);
        keys.insert("command_topic".into(), topic.into());
        keys.insert("entity_category".into(), "config".into());
        if let Value::Object(own) = own {
            keys.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
        }
        (platform, keys)
    }
}
