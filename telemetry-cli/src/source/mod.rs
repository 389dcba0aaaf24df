//! Sources: what produces events. They know no sink.

use std::sync::Arc;

use crate::control::Controls;
use crate::database::Database;
use crate::hub::Hub;
use crate::radio::Radio;
use crate::stats::Stats;

pub mod gateway;
pub mod jbd;

/// What sources work with.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where events go.
    pub hub: Hub,
    /// Where Bluetooth links come from.
    pub radio: Radio,
    /// Where polls and failures are counted.
    pub stats: Stats,
    /// Where commands come from.
    pub controls: Controls,
    /// Where daily budgets outlive a restart.
    pub database: Arc<Database>,
}
