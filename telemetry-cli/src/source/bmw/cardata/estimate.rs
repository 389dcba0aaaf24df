//! What the state of charge probably is between two reports of a car. It never
//! takes the place of what the car said: it stands beside it, and says what it is.

use std::collections::BTreeMap;
use std::time::Duration;

use bimmer::cardata::soc::{Learning, SocEstimator, SocSource};
use bimmer::cardata::{Overview, Telemetry};
use bimmer::types::Vin;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::Account;

/// A car that charges or drives without a word.
const AGAIN: Duration = Duration::from_secs(60);

/// A car that has been silent for longer does something else by now.
const LONGEST_SILENCE: TimeDelta = TimeDelta::hours(24);

/// One estimator for each car.
#[derive(Debug, Default)]
pub(super) struct Estimates(BTreeMap<Vin, SocEstimator>);

impl Estimates {
    /// Looks at what is known of a car, of which `learned` was learned before.
    /// Tells what is learned now, and whether to look again soon.
    pub(super) fn observe(
        &mut self,
        vin: &Vin,
        model: &str,
        learned: &Learning,
        telemetry: &Telemetry,
        now: DateTime<Utc>,
    ) -> (Learning, bool) {
        let new = || SocEstimator::new(model).with_learning(learned.clone());
        let estimator = self.0.entry(vin.clone()).or_insert_with(new);
        estimator.observe(telemetry, now);
        let overview = Overview::of(telemetry, now);
        let moves = overview.moving.is_some_and(|moving| moving.value);
        let learned = estimator.learning().clone();
        let newest = telemetry.newest();
        let is_fresh = newest.is_some_and(|at| now - at < LONGEST_SILENCE);
        (learned, is_fresh && (overview.is_charging() || moves))
    }

    /// What a car is has become known: it may have another battery.
    pub(super) fn forget(&mut self, vin: &Vin) {
        self.0.remove(vin);
    }

    /// Puts the estimate among the extras of a reading, if there is one.
    pub(super) fn put(&self, vin: &Vin, extra: &mut Map<String, Value>, now: DateTime<Utc>) {
        let Some(estimate) = self.0.get(vin).and_then(|of| of.estimate(now)) else {
            return;
        };
        if !estimate.is_estimate {
            return;
        }
        let source = match estimate.source {
            SocSource::Reported => "reported",
            SocSource::Charging => "charging",
            SocSource::Driving => "driving",
        };
        let percent = (estimate.soc_percent * 10.0).round() / 10.0;
        extra.insert("soc_estimated_percent".to_owned(), json!(percent));
        extra.insert("soc_estimated_from".to_owned(), json!(source));
        extra.insert("soc_reported_at".to_owned(), json!(estimate.reported_at));
    }
}

impl Account {
    /// Lets the state of charge be estimated, if that is asked for. Whether it
    /// changes while the car is silent.
    pub(super) fn observe(&mut self, vin: &Vin, now: DateTime<Utc>) -> bool {
        let model = self.brand_and_name(vin).1;
        let car = self.kept.data.cars.get_mut(vin.as_str());
        let (Some(car), Some(telemetry)) = (car, self.cars.get(vin)) else {
            return false;
        };
        if !self.config.estimate_soc {
            return false;
        }
        let estimates = &mut self.estimates;
        let (learned, goes_on) = estimates.observe(vin, &model, &car.learned, telemetry, now);
        car.learned = learned;
        if goes_on {
            let again = tokio::time::Instant::now() + AGAIN;
            self.estimate_at.get_or_insert(again);
        }
        goes_on
    }

    /// While a car charges or drives without a word.
    pub(super) fn estimate(&mut self) {
        self.estimate_at = None;
        let now = self.now();
        for vin in self.vins() {
            if !self.observe(&vin, now) {
                continue;
            }
            if let Some(reading) = self.reading(&vin, now) {
                self.context.hub.estimate(reading);
            }
        }
    }
}
