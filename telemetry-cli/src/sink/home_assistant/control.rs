//! From what a device can be told to the entities that tell it.

use serde_json::{Map, Value, json};

use super::component::{Components, Maker};
use crate::control::{Control, Form, Offer};
use crate::metric;

/// What a button of a number sends, where the number shows nowhere.
const PRESSED: f64 = 10.0;

impl Maker<'_> {
    /// The controls of the device. One that is not allowed is removed: Home
    /// Assistant would keep what is merely left out.
    pub(super) fn controls(&self) -> Components {
        let offers = self.device.controls.iter();
        offers
            .map(|offer| {
                let (platform, keys) = self.control(offer);
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

    fn control(&self, offer: &Offer) -> (&'static str, Map<String, Value>) {
        let Offer {
            control,
            form,
            extra,
            ..
        } = offer;
        let topic = self.names.topics.set(&self.device.id, control.key);
        let metric = control.metric.map(|metric| metric.key.to_owned());
        let extra = extra.map(|name| format!("extra['{name}'] | default(none)"));
        let place = metric.or(extra);
        let state = place.map(|place| state(&place, form));
        let (platform, title, own) = match (form, state) {
            (Form::Switch, state) => (
                "switch",
                control.title.to_owned(),
                json!({
                    "payload_on": "true",
                    "payload_off": "false",
                    "state_on": "True",
                    "state_off": "False",
                    "value_template": state,
                }),
            ),
            (Form::Lock, state) => (
                "lock",
                control.title.to_owned(),
                json!({
                    "payload_lock": "lock",
                    "payload_unlock": "unlock",
                    "state_locked": "True",
                    "state_unlocked": "False",
                    "value_template": state,
                }),
            ),
            (Form::Button, _) => (
                "button",
                control.title.to_owned(),
                json!({ "payload_press": "press" }),
            ),
            (Form::Select(options), state) => (
                "select",
                control.title.to_owned(),
                json!({
                    "options": options,
                    "value_template": state,
                }),
            ),
            (
                Form::Number {
                    min,
                    max,
                    step,
                    unit,
                },
                Some(state),
            ) => (
                "number",
                control.title.to_owned(),
                json!({
                    "min": min,
                    "max": max,
                    "step": step,
                    "unit_of_measurement": unit,
                    "value_template": state,
                }),
            ),
            (Form::Times(times), state) => (
                "text",
                control.title.to_owned(),
                json!({ "pattern": times.pattern(), "value_template": state }),
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

/// The template of a control that shows at `place`. Home Assistant logs an error
/// for every state that is no option or beyond the range: those are unknown.
fn state(place: &str, form: &Form) -> String {
    let value = format!("value_json.{place}");
    match form {
        Form::Select(options) => {
            format!(
                "{{% set v = {value} %}}{{{{ v if v in {} else none }}}}",
                json!(options)
            )
        }
        Form::Number { min, max, .. } => format!(
            "{{% set v = {value} %}}{{{{ v if v is number and {min} <= v <= {max} else none }}}}"
        ),
        Form::Switch | Form::Lock | Form::Button | Form::Times(_) => format!("{{{{ {value} }}}}"),
    }
}
