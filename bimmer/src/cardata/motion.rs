use chrono::{DateTime, TimeDelta, Utc};

use crate::types::Position;

/// A parked car whose fix is further away than this drives.
const ESCAPE_M: f64 = 70.0;
/// Fixes that are this close are the same place.
const PARK_M: f64 = 35.0;
/// So many fixes of one place, over so long a time, are a parked car.
const PARK_FIXES: usize = 3;
const PARK_TIME: TimeDelta = TimeDelta::seconds(90);
/// Fixes that make the centre of a parking place.
const MOST_FIXES: usize = 10;
/// Without a fix for so long, the last verdict ends.
const SILENCE: TimeDelta = TimeDelta::minutes(5);
/// A door opened while driving ends the trip after this.
const DOOR_GRACE: TimeDelta = TimeDelta::seconds(30);
/// A rise of the odometer means driving for so long.
const ODOMETER_HOLDS: TimeDelta = TimeDelta::minutes(7);

/// Finds out whether a car drives from what it reports anyway, because it often
/// reports its motion late or not at all. Times must not go backwards.
#[derive(Debug, Clone, Default)]
pub struct MotionDetector {
    anchor: Option<Position>,
    /// Fixes around the anchor. While driving, those after it.
    fixes: Vec<(Position, DateTime<Utc>)>,
    driving: bool,
    last_fix: Option<DateTime<Utc>>,
    doors_locked: Option<bool>,
    unlocked_at: Option<DateTime<Utc>>,
    charging: bool,
    odometer_km: Option<f64>,
    odometer_rose: Option<DateTime<Utc>>,
}

impl MotionDetector {
    /// A position.
    pub fn gps(&mut self, position: Position, at: DateTime<Utc>) {
        self.last_fix = Some(at);
        let Some(anchor) = self.anchor else {
            self.anchor = Some(position);
            self.fixes = vec![(position, at)];
            return;
        };
        let away = anchor.distance_m(position);
        if self.driving {
            self.while_driving(position, at, away);
        } else if away > ESCAPE_M {
            // Somebody may have moved it by hand, or the fix was bad before.
            self.driving = self.unlocked_at.is_none();
            self.anchor = Some(position);
            self.fixes = if self.driving {
                Vec::new()
            } else {
                vec![(position, at)]
            };
        } else if away <= PARK_M {
            self.add(position, at);
            self.anchor = centre(&self.fixes).or(self.anchor);
        }
    }

    fn while_driving(&mut self, position: Position, at: DateTime<Utc>, away: f64) {
        if away > PARK_M {
            self.anchor = Some(position);
            self.fixes.clear();
            return;
        }
        self.add(position, at);
        let oldest = self.fixes.first().map(|fix| fix.1);
        let long_enough = oldest.is_some_and(|oldest| at - oldest >= PARK_TIME);
        if self.fixes.len() >= PARK_FIXES && long_enough {
            self.park();
        }
    }

    fn park(&mut self) {
        self.driving = false;
        self.unlocked_at = None;
        self.anchor = centre(&self.fixes).or(self.anchor);
    }

    fn add(&mut self, position: Position, at: DateTime<Utc>) {
        if self.fixes.len() == MOST_FIXES {
            self.fixes.remove(0);
        }
        self.fixes.push((position, at));
    }

    /// The odometer, km.
    pub fn odometer(&mut self, km: f64, at: DateTime<Utc>) {
        if self.odometer_km.is_some_and(|before| km > before) {
            self.odometer_rose = Some(at);
        }
        self.odometer_km = Some(km);
    }

    /// The lock, in CarData's words: `locked`, `secured`, `selectiveLocked`, `unlocked`.
    pub fn doors(&mut self, state: &str, at: DateTime<Utc>) {
        let word = state.to_ascii_lowercase().replace(['-', '_'], "");
        let locked = matches!(word.as_str(), "locked" | "secured" | "selectivelocked");
        if self.doors_locked == Some(true) && !locked {
            self.unlocked_at = Some(at);
        } else if locked {
            self.unlocked_at = None;
        }
        self.doors_locked = Some(locked);
    }

    /// Whether it charges; a car on the cable does not drive.
    pub fn charging(&mut self, is_charging: bool) {
        self.charging = is_charging;
        if is_charging && self.driving {
            self.park();
        }
    }

    /// Whether the car drives at this time; `None` if nothing tells.
    pub fn is_moving(&mut self, now: DateTime<Utc>) -> Option<bool> {
        if self.charging {
            return Some(false);
        }
        if self.driving && self.unlocked_at.is_some_and(|at| now - at > DOOR_GRACE) {
            self.park();
        }
        if self.last_fix.is_some_and(|fix| now - fix <= SILENCE) {
            return Some(self.driving);
        }
        let rose = self
            .odometer_rose
            .is_some_and(|rose| now - rose <= ODOMETER_HOLDS);
        rose.then_some(true)
    }
}

fn centre(fixes: &[(Position, DateTime<Utc>)]) -> Option<Position> {
    let count = fixes.len() as f64;
    let mean = |part: fn(&Position) -> f64| {
        fixes
            .iter()
            .map(|(position, _)| part(position))
            .sum::<f64>()
            / count
    };
    Position::new(
        mean(|position| position.latitude),
        mean(|position| position.longitude),
    )
}
