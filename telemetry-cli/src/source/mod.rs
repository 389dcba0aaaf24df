//! Sources: what produces events. They know no sink.

use std::sync::Arc;

use crate::database::Database;
use crate::hub::Hub;
use crate::radio::Radio;
use crate::stats::Stats;

pub mod gateway;
pub mod jbd;
pub mod recognition;

/// What sources work with.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where events go.
    pub hub: Hub,
    /// Where Bluetooth links come from.
    pub radio: Radio,
    /// Where polls and failures are counted.
    pub stats: Stats,
    /// Where daily budgets outlive a restart.
    pub database: Arc<Database>,
}
