//! Controls of every device that is read over Bluetooth.

use super::{Control, Form};

/// Leaves the device alone for so many minutes, so that a phone can connect;
/// 0 goes on at once.
pub static PAUSE: Control = Control {
    key: "bluetooth_pause",
    name: "bluetooth_pause",
    title: "Pause Bluetooth",
    form: Form::Number {
        min: 0.0,
        max: 1440.0,
        step: 1.0,
        unit: "min",
    },
    metric: None,
    guarded: false,
};

/// Every row.
pub static ALL: &[&Control] = &[&PAUSE];
