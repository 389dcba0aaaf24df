//! What changes while time passes: sun, load and charge.

use super::memory::Bank;
use crate::model::{Generation, Model};
use crate::register::{ControlId, ControlKind};

/// A station whose values change. Its battery has 2000 Wh; the sun comes and goes
/// in 20 minutes, the load in 3.
#[derive(Debug, Clone)]
pub(super) struct Life {
    model: Model,
    lived_ms: u64,
    charge_wh: f64,
    generation_wh: f64,
    ac_switch: Option<(u16, u16)>,
    dc_switch: Option<(u16, u16)>,
}

/// What a living [`Station`](super::Station) measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// State of charge, percent.
    pub soc_percent: u16,
    /// Sun, W.
    pub dc_input_power_w: u16,
    /// AC load, W; 0 while the output is off.
    pub ac_output_power_w: u16,
    /// DC load, W; 0 while the output is off.
    pub dc_output_power_w: u16,
    /// Energy of the sun so far, 0.1 kWh.
    pub generation_deci_kwh: u32,
}

const CAPACITY_WH: f64 = 2_000.0;
const SUN_PERIOD_S: f64 = 1_200.0;
const LOAD_PERIOD_S: f64 = 180.0;
/// The longest stretch that is computed in one step.
const STEP_MS: u64 = 60_000;

impl Life {
    pub(super) fn new(model: Model) -> Self {
        let switch = |id| {
            let control = model.control(id)?;
            match control.kind() {
                ControlKind::Switch { on, .. } => Some((control.register(), on)),
                _ => None,
            }
        };
        Self {
            model,
            lived_ms: 0,
            charge_wh: CAPACITY_WH * 0.7,
            generation_wh: 123_400.0,
            ac_switch: switch(ControlId::AcOutput),
            dc_switch: switch(ControlId::DcOutput),
        }
    }

    /// Lives up to a moment and shows it in the registers.
    pub(super) fn advance(&mut self, now_ms: u64, bank: &mut Bank) -> Snapshot {
        while self.lived_ms < now_ms {
            let step_ms = (now_ms - self.lived_ms).min(STEP_MS);
            self.lived_ms += step_ms;
            let hours = step_ms as f64 / 3_600_000.0;
            let sun_w = self.sun_w();
            let (ac_w, dc_w) = self.loads_w(bank);
            self.generation_wh += sun_w * hours;
            self.charge_wh += (sun_w - ac_w - dc_w) * hours;
            self.charge_wh = self.charge_wh.clamp(0.05 * CAPACITY_WH, CAPACITY_WH);
        }
        let snapshot = self.snapshot(bank);
        self.show(snapshot, bank);
        snapshot
    }

    fn snapshot(&self, bank: &Bank) -> Snapshot {
        let (ac_w, dc_w) = self.loads_w(bank);
        Snapshot {
            soc_percent: (100.0 * self.charge_wh / CAPACITY_WH) as u16,
            dc_input_power_w: self.sun_w() as u16,
            ac_output_power_w: ac_w as u16,
            dc_output_power_w: dc_w as u16,
            generation_deci_kwh: (self.generation_wh / 100.0) as u32,
        }
    }

    fn swing(&self, period_s: f64) -> f64 {
        (self.lived_ms as f64 / 1000.0 / period_s * std::f64::consts::TAU).sin()
    }

    fn sun_w(&self) -> f64 {
        260.0 + 240.0 * self.swing(SUN_PERIOD_S)
    }

    fn loads_w(&self, bank: &Bank) -> (f64, f64) {
        let is_on = |switch: Option<(u16, u16)>| {
            switch.is_none_or(|(register, on)| bank.get(self.model.unit(), register) == Some(on))
        };
        let load = |switch, mean: f64, size: f64| match is_on(switch) {
            true => mean + size * self.swing(LOAD_PERIOD_S),
            false => 0.0,
        };
        (
            load(self.ac_switch, 180.0, 90.0),
            load(self.dc_switch, 24.0, 6.0),
        )
    }

    fn show(&self, now: Snapshot, bank: &mut Bank) {
        let (low, high) = (
            (now.generation_deci_kwh & 0xFFFF) as u16,
            (now.generation_deci_kwh >> 16) as u16,
        );
        let charging = now.dc_input_power_w > now.ac_output_power_w + now.dc_output_power_w;
        let shown: &[(u16, u16)] = match self.model.generation() {
            Generation::First => &[
                (36, now.dc_input_power_w),
                (38, now.ac_output_power_w),
                (39, now.dc_output_power_w),
                (41, low),
                (42, high),
                (43, now.soc_percent),
            ],
            // A charger, not a station: pages of its own, its output counted the
            // other way round.
            Generation::Second if self.model == Model::CHARGER_2 => &[
                (15_534, now.dc_input_power_w),
                (15_538, now.dc_output_power_w.wrapping_neg()),
                (15_584, now.soc_percent),
            ],
            Generation::Second => &[
                (102, now.soc_percent),
                (103, if charging { 1 } else { 2 }),
                (140, now.dc_output_power_w),
                (142, now.ac_output_power_w),
                (144, now.dc_input_power_w),
                (154, low),
                (155, high),
                (1202, low),
                (1203, high),
            ],
            Generation::Tcp => &[
                (50_002, now.ac_output_power_w),
                (50_004, now.dc_input_power_w),
                (50_014, low),
                (50_015, high),
                (51_004, now.soc_percent),
            ],
        };
        for &(register, value) in shown {
            bank.set(self.model.unit(), register, value);
        }
    }
}
