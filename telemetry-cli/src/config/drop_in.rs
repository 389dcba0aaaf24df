//! What a drop-in command publishes.

use std::collections::BTreeMap;

use crate::cli::HaConfig;
use crate::event::DeviceId;

/// The messages of another program, in place of the unified topics and of
/// discovery.
#[derive(Clone, Debug)]
pub enum DropIn {
    /// `jbd-bms-mqtt`
    JbdBmsMqtt(MergedJson),
    /// `bluetti-monitor`
    BluettiMonitor,
    /// `bluetti-mqtt`
    BluettiMqtt(BluettiTopics),
    /// `bmw-mqtt`
    BmwMqtt(BmwMessages),
}

/// The topics of stations.
#[derive(Clone, Debug)]
pub struct BluettiTopics {
    /// What Home Assistant is told about.
    pub home_assistant: HaConfig,
    /// Whether commands are ignored.
    pub read_only: bool,
    /// What tells this process apart from others at the same broker.
    pub process: DeviceId,
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
