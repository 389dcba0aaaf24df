use chrono::{DateTime, TimeDelta, Utc};

use super::efficiency::{Condition, Efficiency};
use super::phases::Drawn;

/// Voltages from here on are between two phases.
const LINE_TO_LINE_V: f64 = 250.0;
const SQRT_3: f64 = 1.732;
/// A gap in the reports counts as this at most.
const LONGEST_GAP_S: f64 = 600.0;
/// A step of the state of charge tells the power only over so long a time.
const SHORTEST_STEP_S: f64 = 300.0;
/// A charge of less teaches nothing, percent.
const LEAST_GAIN: f64 = 5.0;

/// Nothing is learned if more of the energy was counted wrongly.
const WRONG_PART: f64 = 0.05;

/// Kind of current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChargeKind {
    /// Alternating, at home or in a street.
    Ac,
    /// Direct, at a fast charger.
    Dc,
}

/// One charge, followed by power and time. Times must not go backwards.
#[derive(Debug, Clone)]
pub struct ChargingSession {
    kind: ChargeKind,
    capacity_kwh: f64,
    target_percent: Option<f64>,
    is_plugin_hybrid: bool,
    efficiency: Efficiency,
    condition: Option<Condition>,
    started_soc: f64,
    /// A percentage that the car reported, and when.
    anchor: f64,
    anchored_at: DateTime<Utc>,
    /// Net energy since the anchor, up to `counted_to`, kWh.
    net_kwh: f64,
    counted_to: DateTime<Utc>,
    /// Net energy of the whole charge, kWh.
    all_kwh: f64,
    /// That part of it that was counted with a wrong number of phases.
    wrong_kwh: f64,
    /// What the whole charge has drawn, and the factor of its phases.
    gross_kwh: f64,
    aux_used_kwh: f64,
    factor: Option<f64>,
    power_kw: Option<f64>,
    aux_kw: f64,
    highest: f64,
    stopped: bool,
}

impl ChargingSession {
    /// A charge that begins now at this state of charge, percent. `capacity_kwh`
    /// is what the full battery holds.
    #[must_use]
    pub fn start(
        kind: ChargeKind,
        capacity_kwh: f64,
        soc_percent: f64,
        now: DateTime<Utc>,
        efficiency: Efficiency,
    ) -> Self {
        Self {
            kind,
            capacity_kwh,
            target_percent: None,
            is_plugin_hybrid: false,
            efficiency,
            condition: (kind == ChargeKind::Dc).then_some(Condition::DC),
            started_soc: soc_percent,
            anchor: soc_percent,
            anchored_at: now,
            net_kwh: 0.0,
            counted_to: now,
            all_kwh: 0.0,
            wrong_kwh: 0.0,
            gross_kwh: 0.0,
            aux_used_kwh: 0.0,
            factor: None,
            power_kw: None,
            aux_kw: 0.0,
            highest: soc_percent,
            stopped: false,
        }
    }

    /// Where charging will stop, percent.
    #[must_use]
    pub const fn with_target(mut self, percent: Option<f64>) -> Self {
        self.target_percent = percent;
        self
    }

    /// A plug-in hybrid: the car's own number is followed downwards as well, and
    /// BMW's prediction is left aside.
    #[must_use]
    pub const fn of_plugin_hybrid(mut self, is_plugin_hybrid: bool) -> Self {
        self.is_plugin_hybrid = is_plugin_hybrid;
        self
    }

    /// Voltage, current and phases of alternating current, and what the car
    /// itself uses meanwhile.
    pub fn ac(&mut self, volts: f64, amperes: f64, phases: u8, aux_kw: f64, now: DateTime<Utc>) {
        let factor = match phases {
            0 | 1 => 1.0,
            _ if volts >= LINE_TO_LINE_V => SQRT_3,
            _ => f64::from(phases.min(3)),
        };
        self.condition = Some(Condition::ac(phases, volts, amperes));
        self.power(volts * amperes / 1000.0 * factor, aux_kw, now);
        self.factor = Some(factor);
    }

    /// Power from the socket, and what the car itself uses meanwhile, kW.
    pub fn power(&mut self, power_kw: f64, aux_kw: f64, now: DateTime<Utc>) {
        if self.stopped || !power_kw.is_finite() || power_kw < 0.0 {
            return;
        }
        let aux_kw = if aux_kw.is_finite() {
            aux_kw.max(0.0)
        } else {
            0.0
        };
        if let Some(before) = self.power_kw {
            self.count((before + power_kw) / 2.0, aux_kw, now);
        }
        self.counted_to = self.counted_to.max(now);
        self.power_kw = Some(power_kw);
        self.aux_kw = aux_kw;
    }

    /// Time passes. To be called every half minute or so for alternating
    /// current, whose power does not change by itself.
    pub fn tick(&mut self, now: DateTime<Utc>) {
        if let (Some(power_kw), false) = (self.power_kw, self.stopped) {
            self.count(power_kw, self.aux_kw, now);
        }
    }

    fn count(&mut self, power_kw: f64, aux_kw: f64, now: DateTime<Utc>) {
        let hours = seconds(now - self.counted_to).clamp(0.0, LONGEST_GAP_S) / 3600.0;
        self.gross_kwh += power_kw * hours;
        self.aux_used_kwh += aux_kw * hours;
        let energy = (power_kw - aux_kw).max(0.0) * hours;
        self.net_kwh += energy;
        self.all_kwh += energy;
        self.counted_to = self.counted_to.max(now);
    }

    /// The car reports its state of charge, percent.
    pub fn reported(&mut self, soc_percent: f64, now: DateTime<Utc>) {
        let passed = seconds(now - self.anchored_at);
        let gain = soc_percent - self.anchor;
        if self.power_kw.is_none() && gain > 0.0 && passed >= SHORTEST_STEP_S {
            let stored_kwh = gain / 100.0 * self.capacity_kwh;
            let implied = stored_kwh / (passed / 3600.0 * self.efficiency());
            self.power_kw = Some(implied);
            self.counted_to = now;
            self.all_kwh += implied * passed / 3600.0;
        }
        let above = soc_percent > self.predicted(now);
        if above || (self.is_plugin_hybrid && self.kind == ChargeKind::Ac) {
            self.tick(now);
            self.anchor = soc_percent;
            self.anchored_at = now;
            self.highest = soc_percent;
            self.net_kwh = 0.0;
            self.counted_to = self.counted_to.max(now);
        }
    }

    /// BMW's own prediction arrives, percent. It is not used for plug-in hybrids.
    pub fn bmw_prediction(&mut self, soc_percent: f64, now: DateTime<Utc>) {
        if !self.is_plugin_hybrid && soc_percent > self.predicted(now) {
            self.reported(soc_percent, now);
        }
    }

    /// Charging has ended, some time after the last report of power: what might
    /// have flowed since then does not count.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    /// The estimate, percent.
    #[must_use]
    pub fn predicted(&self, now: DateTime<Utc>) -> f64 {
        let since = if self.stopped {
            0.0
        } else {
            seconds(now - self.counted_to)
        };
        let power_kw = (self.power_kw.unwrap_or(0.0) - self.aux_kw).max(0.0);
        let running = power_kw * since.clamp(0.0, LONGEST_GAP_S) / 3600.0;
        let gain = (self.net_kwh + running) * self.efficiency() / self.capacity_kwh * 100.0;
        let cap = self
            .target_percent
            .filter(|target| *target >= self.anchor)
            .unwrap_or(100.0);
        (self.anchor + gain).min(cap).min(100.0).max(self.highest)
    }

    /// Net energy since the last report that was followed, kWh.
    #[must_use]
    pub const fn net_kwh(&self) -> f64 {
        self.net_kwh
    }

    /// What the full battery holds, kWh.
    #[must_use]
    pub const fn capacity_kwh(&self) -> f64 {
        self.capacity_kwh
    }

    /// Power from the socket, kW; `None` before it is known.
    #[must_use]
    pub const fn power_kw(&self) -> Option<f64> {
        self.power_kw
    }

    /// What was drawn from voltage, current and phases so far; `None` if the
    /// power was told in another way.
    #[must_use]
    pub fn drawn(&self) -> Option<Drawn> {
        let factor = self.factor?;
        Some(Drawn {
            gross_kwh: self.gross_kwh,
            aux_kwh: self.aux_used_kwh,
            factor,
        })
    }

    /// The number of phases was wrong until now.
    pub const fn phases_were_wrong(&mut self) {
        self.wrong_kwh = self.all_kwh;
    }

    /// What this charge teaches, given the state of charge at its end: the
    /// condition and the part of the energy that arrived.
    #[must_use]
    pub fn measured(&self, soc_percent: f64) -> Option<(Condition, f64)> {
        let gain = soc_percent - self.started_soc;
        let condition = self
            .condition
            .filter(|_| gain >= LEAST_GAIN && self.all_kwh > 0.0)
            .filter(|_| self.wrong_kwh <= WRONG_PART * self.all_kwh)?;
        Some((condition, gain / 100.0 * self.capacity_kwh / self.all_kwh))
    }

    fn efficiency(&self) -> f64 {
        self.efficiency.expected(self.kind, self.condition)
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.num_milliseconds() as f64 / 1000.0
}
