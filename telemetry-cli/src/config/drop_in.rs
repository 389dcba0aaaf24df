//! What a drop-in command publishes.

use crate::cli::HaConfig;

/// The messages of another program, in place of the unified topics and of
/// discovery.
#[derive(Clone, Debug)]
pub enum DropIn {
    /// `jbd-bms-mqtt`
    JbdBmsMqtt(MergedJson),
    /// `bluetti-monitor`
    BluettiMonitor,
    /// `bluetti-mqtt`
    BluettiMqtt {
        /// What Home Assistant is told about.
        home_assistant: HaConfig,
        /// Whether commands are ignored.
        read_only: bool,
    },
}

/// One message for each reading, with all its values.
#[derive(Clone, Debug)]
pub struct MergedJson {
    /// The topic of all of them.
    pub topic: String,
    /// QoS 1 instead of 0.
    pub at_least_once: bool,
    /// The broker keeps the last one.
    pub retain: bool,
}
