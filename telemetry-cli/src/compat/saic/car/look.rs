//! Hybrid polling: looking at what the cloud knows of a car.

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::{VehicleStatus, plausibility};

use super::super::freshness::Outcome;
use super::super::{hybrid, topics};
use super::Car;
use super::poll::correct;
use super::reason::reason;

/// What the car said longer ago is not worth showing.
const OLDEST: TimeDelta = TimeDelta::hours(24);

impl Car {
    /// Looks at what the cloud knows, which wakes no car. If something has
    /// happened, the car itself is asked.
    pub(super) async fn look(&mut self) {
        let now = self.shared.now();
        let interval = TimeDelta::from_std(self.shared.options.messages_interval);
        self.next_look = now + interval.unwrap_or(TimeDelta::seconds(60));
        let mut kept = match self.vehicle.cached_status().await {
            Ok(kept) => kept,
            Err(error) => {
                tracing::debug!("no cached status: {}", reason(&error));
                return;
            }
        };
        let known = self.cached.as_ref();
        if !plausibility::doubts(&kept, known, now).is_empty() {
            return;
        }
        if known.is_some_and(|known| hybrid::has_happened(known, &kept)) {
            self.refresh.activity(now);
        }
        if is_worth_showing(&kept, now) {
            correct(self.profile(), &mut kept.basic);
            self.memory.temperatures.check(&mut kept.basic, now);
            self.show_kept(&kept);
        }
        self.cached = Some(kept);
    }

    /// What the cloud knows is shown if it is newer than what is.
    fn show_kept(&mut self, kept: &VehicleStatus) {
        let reported_at = kept.status_at;
        if self.say_freshness(Outcome::Read { reported_at }).is_some() {
            let held = self.memory.held.get("drivetrain/soc");
            let soc = held.and_then(|soc| soc.parse().ok());
            self.say(topics::cached(kept, soc));
        }
    }
}

fn is_worth_showing(kept: &VehicleStatus, now: DateTime<Utc>) -> bool {
    kept.age(now).is_some_and(|age| age <= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_cloud_has_kept_for_a_day_is_not_shown() {
        let now = DateTime::from_timestamp(1_795_208_448, 0).unwrap();
        for (status_time, shown) in [
            (1_795_208_448, true),
            (1_795_208_448 - 86_400, true),
            (1_795_208_448 - 86_401, false),
            (0, false),
        ] {
            let json = format!(r#"{{"statusTime": {status_time}}}"#);
            let kept = VehicleStatus::from_json(&json).unwrap();
            assert_eq!(is_worth_showing(&kept, now), shown, "{status_time}");
        }
    }
}
