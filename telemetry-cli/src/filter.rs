//! The change filter: which readings are worth storing.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::event::Reading;

/// Which readings of a device are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those that differ from the last stored one, and one per heartbeat.
    #[default]
    Changes,
    /// All.
    All,
    /// None.
    Nothing,
}

/// Decides for the readings of one device, in their order.
#[derive(Debug)]
pub struct Filter {
    keep: Keep,
    heartbeat: Duration,
    last: Option<Arc<Reading>>,
}

impl Filter {
    /// A filter that has seen nothing: the first reading passes.
    pub fn new(keep: Keep, heartbeat: Duration) -> Self {
        Self {
            keep,
            heartbeat,
            last: None,
        }
    }

    /// True if `reading` is to be stored; remembers it then.
    pub fn passes(&mut self, reading: &Arc<Reading>) -> bool {
        let worth = match (&self.last, self.keep) {
            (_, Keep::Nothing) => false,
            (None, _) | (_, Keep::All) => true,
            (Some(last), Keep::Changes) => {
                let age = (reading.fetched_at - last.fetched_at).to_std();
                // A clock that was set back counts as a heartbeat.
                age.map_or(true, |age| age >= self.heartbeat)
                    || !reading.values.alike(&last.values)
                    || reading.extra != last.extra
            }
        };
        if worth {
            self.last = Some(reading.clone());
        }
        worth
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::*;
    use crate::event::{DeviceId, DeviceKind};
    use crate::metric::battery;
    use crate::value::Value;

    fn reading(seconds: i64, soc: f64) -> Arc<Reading> {
        let time = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut reading = Reading::new(DeviceId::new(&["pack"]), DeviceKind::Battery, time);
        reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
        reading
            .values
            .set(&battery::TIME_TO_EMPTY_S, Value::from(seconds));
        Arc::new(reading)
    }

    fn passed(keep: Keep, readings: &[(i64, f64)]) -> Vec<bool> {
        let mut filter = Filter::new(keep, Duration::from_secs(300));
        readings
            .iter()
            .map(|(seconds, soc)| filter.passes(&reading(*seconds, *soc)))
            .collect()
    }

    #[test]
    fn changes_and_heartbeats_pass() {
        let readings = [(0, 80.0), (30, 80.0), (60, 79.0), (90, 79.0), (360, 79.0)];
        assert_eq!(
            passed(Keep::Changes, &readings),
            [true, false, true, false, true]
        );
        assert_eq!(passed(Keep::All, &readings), [true; 5]);
        assert_eq!(passed(Keep::Nothing, &readings), [false; 5]);
    }

    #[test]
    fn a_clock_set_back_does_not_silence_a_device() {
        assert_eq!(passed(Keep::Changes, &[(900, 80.0), (0, 80.0)]), [true; 2]);
    }
}
