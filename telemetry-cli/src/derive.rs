//! Values that follow from measured ones: power, cell extremes, stored energy,
//! remaining time, energy counters. A value that the device reports itself is
//! left as it is.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::event::{DeviceKind, Reading};
use crate::metric::battery;
use crate::value::Value;

/// Below this current a remaining time would be noise.
const IDLE_A: f64 = 0.1;

/// From here on a battery counts as full.
const FULL: f64 = 0.99;

/// Time constant of the mean current behind remaining times.
const SMOOTHING_S: f64 = 60.0;

/// What has to be remembered of a device between its readings.
#[derive(Debug, Default)]
pub struct Derived {
    energy_in_kwh: f64,
    energy_out_kwh: f64,
    last: Option<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: DateTime<Utc>,
    power_w: f64,
    mean_current_a: f64,
}

impl Derived {
    /// Goes on with the totals of `restored`, the last reading of an earlier
    /// run.
    pub fn new(restored: Option<&Reading>) -> Self {
        let total = |metric| {
            restored
                .and_then(|reading| reading.values.number(metric))
                .unwrap_or(0.0)
        };
        Self {
            energy_in_kwh: total(&battery::ENERGY_IN_KWH),
            energy_out_kwh: total(&battery::ENERGY_OUT_KWH),
            last: None,
        }
    }

    /// Adds to `reading` what follows from it. Energy is integrated over gaps
    /// of at most `max_gap`.
    pub fn apply(&mut self, reading: &mut Reading, max_gap: Duration) {
        if reading.kind == DeviceKind::Battery {
            cell_extremes(reading);
            self.battery(reading, max_gap);
        }
    }

    fn battery(&mut self, reading: &mut Reading, max_gap: Duration) {
        let values = &mut reading.values;
        let voltage = values.number(&battery::PACK_VOLTAGE_V);
        let current = values.number(&battery::CURRENT_A);
        let remaining = values.number(&battery::REMAINING_CAPACITY_AH);

        if let (Some(voltage), Some(remaining)) = (voltage, remaining)
            && values.get(&battery::STORED_ENERGY_KWH).is_none()
        {
            let energy = voltage * remaining / 1000.0;
            values.set(&battery::STORED_ENERGY_KWH, Value::from(energy));
        }
        if let (Some(voltage), Some(current)) = (voltage, current)
            && values.get(&battery::POWER_W).is_none()
        {
            values.set(&battery::POWER_W, Value::from(voltage * current));
        }
        if let (Some(power_w), Some(current)) = (values.number(&battery::POWER_W), current) {
            let sample = self.integrate(reading.measured_at, power_w, current, max_gap);
            remaining_time(reading, sample.mean_current_a);
        }
        let values = &mut reading.values;
        values.set(&battery::ENERGY_IN_KWH, Value::from(self.energy_in_kwh));
        values.set(&battery::ENERGY_OUT_KWH, Value::from(self.energy_out_kwh));
    }

    /// Trapezoids between two samples; each side of zero counts for itself.
    fn integrate(
        &mut self,
        at: DateTime<Utc>,
        power_w: f64,
        current_a: f64,
        max_gap: Duration,
    ) -> Sample {
        let mut mean_current_a = current_a;
        if let Some(last) = self.last
            && let Ok(gap) = (at - last.at).to_std()
            && gap <= max_gap
        {
            let (charged, discharged) = areas(last.power_w, power_w);
            let hours = gap.as_secs_f64() / 3600.0;
            self.energy_in_kwh += charged * hours / 1000.0;
            self.energy_out_kwh += discharged * hours / 1000.0;
            if last.mean_current_a.signum() == current_a.signum() {
                let weight = (-gap.as_secs_f64() / SMOOTHING_S).exp();
                mean_current_a = weight * last.mean_current_a + (1.0 - weight) * current_a;
            }
        }
        let sample = Sample {
            at,
            power_w,
            mean_current_a,
        };
        self.last = Some(sample);
        sample
    }
}

/// Mean positive and mean negative height of a straight line from `a` to `b`.
fn areas(a: f64, b: f64) -> (f64, f64) {
    if a.signum() == b.signum() || a == 0.0 || b == 0.0 {
        let mean = f64::midpoint(a, b);
        return (mean.max(0.0), (-mean).max(0.0));
    }
    let crossing = a.abs() / (a.abs() + b.abs());
    let (first, second) = (a.abs() / 2.0 * crossing, b.abs() / 2.0 * (1.0 - crossing));
    if a > 0.0 {
        (first, second)
    } else {
        (second, first)
    }
}

fn remaining_time(reading: &mut Reading, mean_current_a: f64) {
    let values = &mut reading.values;
    let Some(remaining) = values.number(&battery::REMAINING_CAPACITY_AH) else {
        return;
    };
    let seconds = |hours: f64| Value::from((hours * 3600.0).round() as i64);
    if mean_current_a < -IDLE_A {
        values.set(
            &battery::TIME_TO_EMPTY_S,
            seconds(remaining / -mean_current_a),
        );
    } else if mean_current_a > IDLE_A
        && let Some(nominal) = values.number(&battery::NOMINAL_CAPACITY_AH)
    {
        let missing = match remaining >= FULL * nominal {
            true => 0.0,
            false => nominal - remaining,
        };
        values.set(&battery::TIME_TO_FULL_S, seconds(missing / mean_current_a));
    }
}

fn cell_extremes(reading: &mut Reading) {
    let Some(Value::List(cells)) = reading.values.get(&battery::CELL_VOLTAGES_V) else {
        return;
    };
    let cells: Vec<f64> = cells.iter().filter_map(Value::as_f64).collect();
    let lowest = cells.iter().copied().reduce(f64::min);
    let highest = cells.iter().copied().reduce(f64::max);
    if let (Some(lowest), Some(highest)) = (lowest, highest) {
        let values = &mut reading.values;
        values.set(&battery::CELL_MIN_V, Value::from(lowest));
        values.set(&battery::CELL_MAX_V, Value::from(highest));
        values.set(&battery::CELL_DELTA_V, Value::from(highest - lowest));
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::event::DeviceId;

    const GAP: Duration = Duration::from_secs(60);

    fn reading(seconds: i64, volts: f64, amps: f64) -> Reading {
        let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let mut reading = Reading::new(DeviceId::new(&["pack"]), DeviceKind::Battery, at);
        let values = &mut reading.values;
        values.set(&battery::PACK_VOLTAGE_V, Value::from(volts));
        values.set(&battery::CURRENT_A, Value::from(amps));
        values.set(&battery::REMAINING_CAPACITY_AH, Value::from(50.0));
        values.set(&battery::NOMINAL_CAPACITY_AH, Value::from(100.0));
        reading
    }

    fn applied(derived: &mut Derived, mut reading: Reading) -> Reading {
        derived.apply(&mut reading, GAP);
        reading
    }

    fn number(reading: &Reading, metric: &'static crate::metric::Metric) -> f64 {
        reading.values.number(metric).unwrap()
    }

    #[test]
    fn a_minute_of_600_watts_is_ten_watt_hours() {
        let mut derived = Derived::default();
        applied(&mut derived, reading(0, 12.0, 50.0));
        let second = applied(&mut derived, reading(60, 12.0, 50.0));
        assert_eq!(number(&second, &battery::POWER_W), 600.0);
        assert!((number(&second, &battery::ENERGY_IN_KWH) - 0.01).abs() < 1e-9);
        assert_eq!(number(&second, &battery::ENERGY_OUT_KWH), 0.0);
        assert_eq!(number(&second, &battery::TIME_TO_FULL_S), 3600.0);
        assert!(second.values.get(&battery::TIME_TO_EMPTY_S).is_none());
    }

    #[test]
    fn a_change_of_sign_counts_on_both_sides() {
        let (charged, discharged) = areas(100.0, -300.0);
        assert!((charged - 12.5).abs() < 1e-9);
        assert!((discharged - 112.5).abs() < 1e-9);
        assert_eq!(areas(0.0, -10.0), (0.0, 5.0));
    }

    #[test]
    fn nothing_is_integrated_over_a_long_gap() {
        let mut derived = Derived::default();
        applied(&mut derived, reading(0, 12.0, -50.0));
        let late = applied(&mut derived, reading(61, 12.0, -50.0));
        assert_eq!(number(&late, &battery::ENERGY_OUT_KWH), 0.0);
        assert_eq!(number(&late, &battery::TIME_TO_EMPTY_S), 3600.0);
    }

    #[test]
    fn totals_go_on_after_a_restart() {
        let mut before = reading(0, 12.0, 50.0);
        before.values.set(&battery::ENERGY_IN_KWH, Value::from(7.5));
        let after = applied(&mut Derived::new(Some(&before)), reading(9, 12.0, 50.0));
        assert_eq!(number(&after, &battery::ENERGY_IN_KWH), 7.5);
    }

    #[test]
    fn an_absent_cell_has_no_part_in_the_extremes() {
        let mut reading = reading(0, 12.0, 0.0);
        let cells: Value = [Some(3.31), None, Some(3.35)].into_iter().collect();
        reading.values.set(&battery::CELL_VOLTAGES_V, cells);
        let reading = applied(&mut Derived::default(), reading);
        assert_eq!(number(&reading, &battery::CELL_MIN_V), 3.31);
        assert_eq!(number(&reading, &battery::CELL_MAX_V), 3.35);
    }
}
