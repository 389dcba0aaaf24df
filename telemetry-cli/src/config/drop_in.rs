//! What a drop-in command publishes.

use std::collections::BTreeMap;

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
    /// `bmw-mqtt`
    BmwMqtt(BmwMessages),
}

/// One message for each reading of each car.
#[derive(Clone, Debug)]
pub struct BmwMessages {
    /// The topic; `{name}` and `{vin}` stand for those of the car.
    pub topic: String,
    /// Distances have their unit beside them.
    pub value_pairs: bool,
    /// What the environment calls each car, by VIN in capitals.
    pub names: BTreeMap<String, String>,
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
