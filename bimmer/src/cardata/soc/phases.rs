use std::ops::RangeInclusive;

/// Steps of the state of charge that tell something, percent.
const LEAST_GAIN: f64 = 8.0;
/// What arrives of the energy from the socket, roughly.
const STORED: f64 = 0.90;
/// Factors that speak for three phases where one was assumed.
const THREE: RangeInclusive<f64> = 2.5..=4.5;
/// Factors that speak for one phase where three were assumed.
const ONE: f64 = 1.5;
/// Steps in a row that have to speak for three phases.
const STEPS: u8 = 2;

/// What a charge has drawn since its begin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// From the socket, as counted, kWh.
    pub gross_kwh: f64,
    /// Used by the car itself, kWh.
    pub aux_kwh: f64,
    /// What voltage times current was multiplied with.
    pub factor: f64,
}

/// How many phases a charge with alternating current runs on, where the car does
/// not tell: worked out from what the energy has brought.
#[derive(Debug, Clone)]
pub struct PhaseGuess {
    phases: u8,
    /// State of charge at the begin of the present step, and what was drawn by then.
    step: Option<(f64, Drawn)>,
    for_three: u8,
}

impl PhaseGuess {
    /// As the charge before, if that ran on more than one phase; else one.
    #[must_use]
    pub fn new(last: Option<u8>) -> Self {
        Self {
            phases: last.filter(|phases| *phases > 1).unwrap_or(1),
            step: None,
            for_three: 0,
        }
    }

    /// The guess.
    #[must_use]
    pub const fn phases(&self) -> u8 {
        self.phases
    }

    /// The car reports its state of charge, percent, after so much was drawn.
    /// Tells whether the guess has changed.
    pub fn reported(&mut self, soc_percent: f64, drawn: Drawn, capacity_kwh: f64) -> bool {
        let same = |begin: &Drawn| begin.factor == drawn.factor;
        let Some((soc, begin)) = self.step.filter(|(_, begin)| same(begin)) else {
            self.step = Some((soc_percent, drawn));
            return false;
        };
        let gain = soc_percent - soc;
        let gross_kwh = drawn.gross_kwh - begin.gross_kwh;
        if gain < LEAST_GAIN || gross_kwh <= 0.0 {
            return false;
        }
        self.step = Some((soc_percent, drawn));
        let stored_kwh = gain / 100.0 * capacity_kwh;
        let aux_kwh = drawn.aux_kwh - begin.aux_kwh;
        let needed = drawn.factor * (stored_kwh / STORED + aux_kwh) / gross_kwh;
        let before = self.phases;
        if self.phases > 1 {
            if needed <= ONE {
                self.phases = 1;
            }
        } else if THREE.contains(&needed) {
            self.for_three += 1;
            if self.for_three >= STEPS {
                self.phases = 3;
            }
        } else {
            self.for_three = 0;
        }
        if self.phases != before {
            self.for_three = 0;
            self.step = None;
        }
        self.phases != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY_KWH: f64 = 80.0;

    /// Reports after each `percent` of gain, at `phases` real ones where energy
    /// is counted with the guess. Tells the guess after each report.
    fn course(guess: &mut PhaseGuess, phases: f64, percent: f64, reports: usize) -> Vec<u8> {
        let mut gross_kwh = 0.0;
        let mut report = |soc: f64| {
            let factor = f64::from(guess.phases());
            guess.reported(
                soc,
                Drawn {
                    gross_kwh,
                    aux_kwh: 0.0,
                    factor,
                },
                CAPACITY_KWH,
            );
            let drawn = percent / 100.0 * CAPACITY_KWH / STORED;
            gross_kwh += drawn / phases * f64::from(guess.phases());
            guess.phases()
        };
        (0..reports)
            .map(|report_no| report(10.0 + percent * report_no as f64))
            .collect()
    }

    #[test]
    fn three_phases_are_found_after_two_steps() {
        let mut guess = PhaseGuess::new(None);
        assert_eq!(course(&mut guess, 3.0, 8.0, 4), [1, 1, 3, 3]);
        let mut guess = PhaseGuess::new(Some(1));
        assert_eq!(course(&mut guess, 3.0, 4.0, 6), [1, 1, 1, 1, 3, 3]);
    }

    #[test]
    fn one_phase_stays() {
        let mut guess = PhaseGuess::new(None);
        assert_eq!(course(&mut guess, 1.0, 8.0, 5), [1; 5]);
        assert_eq!(PhaseGuess::new(Some(3)).phases(), 3);
        // Two phases are no guess of ours.
        let mut guess = PhaseGuess::new(None);
        assert_eq!(course(&mut guess, 2.0, 8.0, 5), [1; 5]);
    }

    #[test]
    fn a_wrong_guess_is_withdrawn() {
        let mut guess = PhaseGuess::new(Some(3));
        assert_eq!(course(&mut guess, 1.0, 8.0, 3), [3, 1, 1]);
        let mut guess = PhaseGuess::new(Some(3));
        assert_eq!(course(&mut guess, 3.0, 8.0, 4), [3; 4]);
    }

    #[test]
    fn nothing_is_concluded_from_nothing() {
        let mut guess = PhaseGuess::new(None);
        let drawn = Drawn {
            gross_kwh: 0.0,
            aux_kwh: 0.0,
            factor: 1.0,
        };
        for soc in [10.0, 30.0, 50.0, f64::NAN, 90.0] {
            assert!(!guess.reported(soc, drawn, CAPACITY_KWH));
        }
    }
}
