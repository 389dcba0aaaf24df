//! Sinks: what consumes events. They know no source.

use crate::control::Controls;
use crate::event::DeviceId;
use crate::hub::Hub;
use crate::journal::Journal;
use crate::stats::Stats;

pub mod home_assistant;
pub mod mariadb;
pub mod mqtt;
mod peer;
mod pem;
pub mod stdout;
pub mod table;

/// What sinks work with.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where events come from.
    pub hub: Hub,
    /// What they are stored in, if they are.
    pub journal: Option<Journal>,
    /// Where commands go.
    pub controls: Controls,
    /// Where failures are counted.
    pub stats: Stats,
    /// The device that stands for the gateway.
    pub gateway: DeviceId,
    /// What people call the gateway.
    pub gateway_name: String,
}
