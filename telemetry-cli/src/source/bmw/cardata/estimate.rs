//! What the state of charge probably is between two reports of a car. It never
//! takes the place of what the car said: it stands beside it, and says what it is.

use std::collections::BTreeMap;

use bimmer::cardata::soc::{Learning, SocEstimator, SocSource};
use bimmer::cardata::{Overview, Telemetry};
use bimmer::types::Vin;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

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
        (learned, overview.is_charging() || moves)
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
