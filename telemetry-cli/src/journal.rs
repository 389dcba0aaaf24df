//! The journal (work in progress).

use std::sync::Arc;

use crate::event::{Device, Reading};

/// Handle on the journal.
#[derive(Clone, Debug)]
pub struct Journal {}

impl Journal {
    /// Remembers a device's description.
    pub fn describe(&self, _device: Arc<Device>) {}

    /// Takes a reading.
    pub fn append(&self, _reading: Arc<Reading>) {}
}
