//! `saic-mqtt-gateway`: the Python gateway between the cloud of MG cars and an
//! MQTT broker.

pub use options::Options;

pub mod capacity;
pub mod charging_interval;
pub mod charging_station;
mod mapping;
pub mod options;
pub mod refresh;
pub mod text;
pub mod topics;
pub mod zone;

/// The name of the command.
pub const NAME: &str = "saic-mqtt-gateway";
