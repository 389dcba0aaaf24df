//! Charges whose phases the car does not tell: the estimate finds out.

use bimmer::cardata::Telemetry;
use bimmer::cardata::soc::{Learning, SocEstimator};
use bimmer::cardata::stream::StreamMessage;
use bimmer::types::parse_time;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value as Json, json};

const CAPACITY_KWH: f64 = 80.0;

fn begin() -> DateTime<Utc> {
    parse_time("2026-03-01T10:00:00Z").unwrap()
}

/// A battery car that reports nothing but what it is told to.
struct Car {
    telemetry: Telemetry,
    estimator: SocEstimator,
    now: DateTime<Utc>,
    soc: f64,
    reported: f64,
}

impl Car {
    fn new(estimator: SocEstimator) -> Self {
        Self {
            telemetry: Telemetry::new(),
            estimator: estimator.with_capacity_kwh(CAPACITY_KWH),
            now: begin(),
            soc: 10.0,
            reported: 10.0,
        }
    }

    fn say(&mut self, values: &[(&str, Json)]) {
        let at = self.now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let data: Map<String, Json> = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!({"timestamp": at, "value": value})))
            .collect();
        let message = json!({"vin": "WBA11AA0001234501", "timestamp": at, "data": data});
        let message = StreamMessage::decode(message.to_string().as_bytes()).unwrap();
        self.telemetry.apply_stream(&message, self.now);
        self.estimator.observe(&self.telemetry, self.now);
    }

    fn plug_in(&mut self) {
        self.say(&[
            ("vehicle.drivetrain.batteryManagement.header", json!(10)),
            (
                "vehicle.drivetrain.electricEngine.charging.status",
                json!("CHARGINGACTIVE"),
            ),
            (
                "vehicle.drivetrain.electricEngine.charging.acVoltage",
                json!(230),
            ),
            (
                "vehicle.drivetrain.electricEngine.charging.acAmpere",
                json!(16),
            ),
        ]);
    }

    /// Charges for so long on so many phases, and reports each full step.
    fn charge(&mut self, minutes: u32, phases: f64, step_percent: f64) {
        for _ in 0..2 * minutes {
            self.now += TimeDelta::seconds(30);
            let kwh = 230.0 * 16.0 / 1000.0 * phases / 120.0;
            self.soc += kwh * 0.9 / CAPACITY_KWH * 100.0;
            if self.soc - self.reported >= step_percent {
                self.reported = self.soc.floor();
                let soc = json!(self.reported);
                self.say(&[("vehicle.drivetrain.batteryManagement.header", soc)]);
            }
            self.estimator.observe(&self.telemetry, self.now);
        }
    }

    /// How far the estimate is off, percent.
    fn error(&self) -> f64 {
        self.estimator.estimate(self.now).unwrap().soc_percent - self.soc
    }
}

#[test]
fn three_phases_are_found() {
    let mut car = Car::new(SocEstimator::new("i4 eDrive40"));
    car.plug_in();
    // 12.4 percent an hour; the first steps are taken for one phase.
    car.charge(100, 3.0, 9.0);
    assert_eq!(car.estimator.learning().phases, Some(3));
    // Now the estimate is right between two reports.
    car.charge(30, 3.0, 9.0);
    assert!(car.error().abs() < 1.0, "{}", car.error());
}

#[test]
fn before_that_the_estimate_lags_and_one_phase_stays_one() {
    let mut car = Car::new(SocEstimator::new("i4 eDrive40"));
    car.plug_in();
    car.charge(40, 3.0, 9.0);
    assert!(car.error() < -4.0, "{}", car.error());
    let mut car = Car::new(SocEstimator::new("i4 eDrive40"));
    car.plug_in();
    car.charge(300, 1.0, 9.0);
    assert_eq!(car.estimator.learning().phases, None);
    assert!(car.error().abs() < 1.0, "{}", car.error());
}

#[test]
fn the_phases_of_the_last_charge_hold_until_they_are_refuted() {
    let mut learning = Learning::default();
    learning.phases = Some(3);
    let estimator = || SocEstimator::new("i4 eDrive40").with_learning(learning.clone());
    let mut car = Car::new(estimator());
    car.plug_in();
    car.charge(30, 3.0, 9.0);
    assert!(car.error().abs() < 1.0, "{}", car.error());
    let mut car = Car::new(estimator());
    car.plug_in();
    car.charge(300, 1.0, 9.0);
    assert_ne!(car.estimator.learning().phases, Some(3));
}
