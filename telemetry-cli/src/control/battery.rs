//! Controls of battery packs.

use super::{Control, Form};
use crate::metric::battery;

/// Lets the pack be charged, or not.
pub static CHARGE_MOSFET: Control = Control {
    key: "charge_mosfet_on",
    name: "charge_mosfet",
    title: "Charge MOSFET",
    form: Form::Switch,
    metric: Some(&battery::CHARGE_MOSFET_ON),
    guarded: true,
};

/// Lets the pack be discharged, or cuts off everything that it feeds.
pub static DISCHARGE_MOSFET: Control = Control {
    key: "discharge_mosfet_on",
    name: "discharge_mosfet",
    title: "Discharge MOSFET",
    form: Form::Switch,
    metric: Some(&battery::DISCHARGE_MOSFET_ON),
    guarded: true,
};

/// Every row.
pub static ALL: &[&Control] = &[&CHARGE_MOSFET, &DISCHARGE_MOSFET];
