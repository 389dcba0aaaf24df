//! `saic-mqtt-gateway`: the Python gateway between the cloud of MG cars and an
//! MQTT broker.
//!
//! What is pure has no clock and no network: [`options`], [`topics`],
//! [`command`], [`refresh`], [`entities`], [`messages`], the messages to
//! [`abrp`] and [`osmand`]. [`car`] and [`account`] are the tasks that use it,
//! [`gateway`] starts them.

pub use gateway::run;
pub use options::Options;

pub mod abrp;
pub mod account;
pub mod allowance;
pub mod announcer;
pub mod capacity;
pub mod car;
pub mod charging_interval;
pub mod charging_station;
pub mod client;
pub mod command;
pub mod complaint;
mod console;
pub mod dotenv;
pub mod drive;
pub mod entities;
pub mod extra;
pub mod freshness;
pub mod garage;
pub mod gateway;
pub mod hybrid;
pub mod mapping;
pub mod messages;
pub mod missing;
pub mod names;
pub mod options;
pub mod osmand;
pub mod pace;
pub mod raw;
pub mod refresh;
pub mod reply;
pub mod shared;
pub mod telemetry;
pub mod temperature;
pub mod text;
pub mod topics;
pub mod trip;

/// The name of the command.
pub const NAME: &str = "saic-mqtt-gateway";
