//! How often a car that charges is asked: each time that a share of its battery
//! has come in.

use super::refresh::Periods;

/// What is known of a charge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Charge {
    /// kW, negative while charging.
    pub power_kw: Option<f64>,
    /// Of the battery.
    pub capacity_kwh: Option<f64>,
    /// Until it is done.
    pub remaining_s: u32,
    /// The share, percent.
    pub min_percent: f64,
}

impl Charge {
    /// Of a battery that feeds something: as long as it lasts, it loses as it
    /// would gain.
    pub fn backwards(self) -> Self {
        Self {
            power_kw: self.power_kw.map(|power| -power),
            remaining_s: 0,
            ..self
        }
    }
}

/// Less than this is no charge to count on.
const LEAST_KW: f64 = 1.0;

/// For a battery of unknown size.
const FIXED_S: f64 = 300.0;

/// Seconds between two polls, before limits; nothing if the power says nothing.
pub fn interval_s(charge: Charge) -> Option<f64> {
    let power = charge.power_kw.filter(|power| *power < -LEAST_KW)?;
    let step = match charge.capacity_kwh.filter(|kwh| *kwh > 0.0) {
        Some(capacity) => (charge.min_percent * 36.0 * capacity / power.abs()).ceil(),
        None => FIXED_S,
    };
    Some(match charge.remaining_s {
        0 => step,
        remaining => step.min(f64::from(remaining)),
    })
}

/// The interval as a period: 0 is none.
pub fn clamped(interval_s: f64, periods: &Periods) -> u32 {
    // Also if it is no number.
    if interval_s.is_nan() || interval_s <= 0.0 {
        return 0;
    }
    let seconds = interval_s.round_ties_even() as u32;
    seconds.min(periods.inactive()).max(periods.active())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_battery_takes_its_time() {
        for (power_kw, capacity_kwh, remaining_s, min_percent, seconds) in [
            (-7.061, Some(64.0), 9000, 1.0, Some(327.0)),
            (-7.061, Some(64.0), 120, 1.0, Some(120.0)),
            // The original forgets the share here: 326.3.
            (-7.061, Some(64.0), 0, 2.0, Some(653.0)),
            (-50.0, Some(64.0), 1800, 1.0, Some(47.0)),
            (-11.0, Some(77.0), 9000, 0.1, Some(26.0)),
            // The original does not look at all: 0.
            (-1.2, None, 9000, 1.0, Some(300.0)),
            (-0.9, Some(64.0), 9000, 1.0, None),
            (7.0, Some(64.0), 9000, 1.0, None),
        ] {
            let charge = Charge {
                power_kw: Some(power_kw),
                capacity_kwh,
                remaining_s,
                min_percent,
            };
            assert_eq!(interval_s(charge), seconds, "{charge:?}");
        }
        let unknown = Charge {
            power_kw: None,
            capacity_kwh: None,
            remaining_s: 0,
            min_percent: 1.0,
        };
        assert_eq!(interval_s(unknown), None);
    }

    #[test]
    fn periods_stay_within_their_limits() {
        let periods = Periods::default();
        for (seconds, period) in [
            (0.0, 0),
            (-5.0, 0),
            (f64::NAN, 0),
            (10.0, 30),
            (29.5, 30),
            (327.2, 327),
            (1e6, 86_400),
            (f64::INFINITY, 86_400),
        ] {
            assert_eq!(clamped(seconds, &periods), period, "{seconds}");
        }
    }
}
