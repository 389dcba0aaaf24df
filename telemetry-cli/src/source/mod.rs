//! Sources: what produces events. They know no sink.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::control::Controls;
use crate::database::{Database, DatabaseError};
use crate::hub::Hub;
use crate::radio::Radio;
use crate::stats::Stats;

pub mod bluetooth;
pub mod bluetti;
pub mod bmw;
pub mod gateway;
pub mod jbd;
pub mod recognition;
pub mod saic;

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
    /// Where sessions outlive it; nowhere if nothing can be written.
    pub state_dir: Option<PathBuf>,
}

impl Context {
    /// For a command that reads devices and ends: nothing is stored.
    ///
    /// # Errors
    /// If there is no memory for a database.
    pub async fn brief(radio: Radio) -> Result<Self, DatabaseError> {
        Ok(Self {
            hub: Hub::new(None, Duration::ZERO, vec![]),
            radio,
            stats: Stats::default(),
            controls: Controls::default(),
            database: Arc::new(Database::open(None).await?),
            state_dir: None,
        })
    }
}
