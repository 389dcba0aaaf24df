//! From what a device can be told to the entities that tell it.

use serde_json::{Map, Value, json};

use super::component::{Components, Maker};
use crate::control::{Control, Form};
use crate::metric::{self, Metric};

/// What a button of a number sends, where the number shows nowhere.
const PRESSED: f64 = 10.0;

impl Maker<'_> {
    /// The controls of the device. One that is not allowed is removed: Home
    /// Assistant would keep what is merely left out.
    pub(super) fn controls(&self) -> Components {
        let offers = self.device.controls.iter();
        offers
            .map(|offer| {
                let (platform, keys) = self.control(offer.control, &offer.form);
                let keys = match offer.allowed {
                    true => Value::Object(keys),
                    false => json!({ "platform": platform }),
                };
                (self.key(offer.control), keys)
            })
            .collect()
    }

    /// Where a value shows, its sensor has the name already.
    fn key(&self, control: &Control) -> String {
        let shown = metric::catalogue(self.device.kind);
        match shown.iter().any(|metric| metric.key == control.name) {
            true => format!("set_{}", control.name),
            false => control.name.to_owned(),
        }
    }

    fn control(&self, control: &Control, form: &Form) -> (&'static str, Map<String, Value>) {
        let topic = self.names.topics.set(&self.device.id, control.key);
        let state = |metric: &Metric| format!("{{{{ value_json.{} }}}}", metric.key);
        let (platform, title, own) = match (form, control.metric) {
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
            (Form::Lock, metric) => (
                "lock",
                control.title.to_owned(),
                json!({
                    "payload_lock": "lock",
                    "payload_unlock": "unlock",
                    "state_locked": "True",
                    "state_unlocked": "False",
                    "value_template": metric.map(state),
                }),
            ),
            (Form::Button, _) => (
                "button",
                control.title.to_owned(),
                json!({ "payload_press": "press" }),
            ),
            (Form::Select(options), metric) => (
                "select",
                control.title.to_owned(),
                json!({
                    "options": options,
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
        let mut keys = self.common(platform, &self.key(control), &title);
        keys.insert("command_topic".into(), topic.into());
        if *form != Form::Lock {
            keys.insert("entity_category".into(), "config".into());
        }
        if let Value::Object(own) = own {
            keys.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
        }
        (platform, keys)
    }
}
