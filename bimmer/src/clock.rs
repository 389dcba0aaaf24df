use std::sync::Arc;

use chrono::{DateTime, Utc};

/// Tells the time; another one than the system's serves tests.
pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

pub(crate) fn system() -> Clock {
    Arc::new(Utc::now)
}
