use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::charging::ChargeKind;

const DEFAULT_AC: f64 = 0.90;
const DEFAULT_DC: f64 = 0.93;
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.40..=0.98;
/// Samples after which one that is far off is rejected.
const SETTLED: u32 = 5;
const HISTORY: usize = 10;
const SLOWEST_RATE: f64 = 0.2;

const VOLTAGES: [u16; 3] = [250, 410, 810];
const CURRENTS: [u16; 5] = [6, 11, 16, 32, 64];

/// How a car was charged, roughly: phases, class of voltage, class of current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    phases: u8,
    voltage: u16,
    current: u16,
}

impl Condition {
    /// Direct current, whatever its voltage.
    pub const DC: Self = Self {
        phases: 0,
        voltage: 410,
        current: 0,
    };

    /// Alternating current of these values, V and A.
    #[must_use]
    pub fn ac(phases: u8, voltage_v: f64, current_a: f64) -> Self {
        Self {
            phases,
            voltage: nearest(&VOLTAGES, voltage_v),
            current: nearest(&CURRENTS, current_a),
        }
    }

    /// As `3_250_16`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}_{}_{}", self.phases, self.voltage, self.current)
    }
}

fn nearest(classes: &[u16], value: f64) -> u16 {
    let distance = |class: &u16| (f64::from(*class) - value).abs();
    let nearest = classes
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.copied().unwrap_or_default()
}

/// What was learned about one condition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Energy that arrives in the battery per energy from the socket.
    pub efficiency: f64,
    /// Charges it was learned from.
    pub samples: u32,
    history: Vec<f64>,
}

/// How much of the energy arrives in the battery, learned charge by charge.
/// To be kept per vehicle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Efficiency {
    learned: BTreeMap<String, Learned>,
}

impl Efficiency {
    /// What was learned about a condition.
    #[must_use]
    pub fn learned(&self, condition: Condition) -> Option<&Learned> {
        self.learned.get(&condition.key())
    }

    /// The best guess: learned, else the mean of what was learned about
    /// alternating current, else 0.90 (AC) or 0.93 (DC).
    #[must_use]
    pub fn expected(&self, kind: ChargeKind, condition: Option<Condition>) -> f64 {
        if let Some(learned) = condition.and_then(|condition| self.learned(condition)) {
            return learned.efficiency;
        }
        if kind == ChargeKind::Dc {
            return DEFAULT_DC;
        }
        let ac = self
            .learned
            .iter()
            .filter(|(key, _)| !key.starts_with("0_"));
        let (sum, samples) = ac.fold((0.0, 0.0), |(sum, samples), (_, learned)| {
            let weight = f64::from(learned.samples);
            (sum + learned.efficiency * weight, samples + weight)
        });
        if samples > 0.0 {
            sum / samples
        } else {
            DEFAULT_AC
        }
    }

    /// Takes a measured value. Tells whether it is believed.
    pub fn learn(&mut self, condition: Condition, measured: f64) -> bool {
        if !PLAUSIBLE.contains(&measured) {
            return false;
        }
        let known = self.learned.entry(condition.key()).or_default();
        let believed = known.samples < SETTLED || within_two_sigma(&known.history, measured);
        if known.history.len() == HISTORY {
            known.history.remove(0);
        }
        known.history.push(measured);
        if believed {
            let rate = SLOWEST_RATE.max(1.0 / f64::from(known.samples + 1));
            known.efficiency += (measured - known.efficiency) * rate;
            known.samples += 1;
        }
        believed
    }
}

fn within_two_sigma(history: &[f64], value: f64) -> bool {
    let count = history.len() as f64;
    let mean = history.iter().sum::<f64>() / count;
    let variance = history
        .iter()
        .map(|past| (past - mean).powi(2))
        .sum::<f64>()
        / count;
    (value - mean).abs() <= 2.0 * variance.sqrt()
}
