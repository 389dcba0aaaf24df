//! What happens inside the pack over time.

use super::board::Board;
use super::config::{Load, PackConfig};
use super::random::Random;

const STEP_MS: u64 = 1000;
/// Nobody waits for a pack to live through more steps than this at once.
const MOST_STEPS: u64 = 1_000_000;

const CELL_RESISTANCE_MOHM: f64 = 0.8;
const WARM_UP_S: f64 = 900.0;
/// 0.1 °C above ambient at 100 A.
const HEAT_AT_100_A: f64 = 150.0;

/// Open circuit voltage of an LFP cell over its state of charge.
const CURVE: [(f64, f64); 9] = [
    (0.0, 2600.0),
    (0.05, 3000.0),
    (0.1, 3150.0),
    (0.2, 3220.0),
    (0.4, 3280.0),
    (0.6, 3300.0),
    (0.8, 3330.0),
    (0.95, 3360.0),
    (1.0, 3450.0),
];

#[derive(Debug, Clone)]
pub(super) struct Battery {
    load: Load,
    offsets_mv: Vec<f64>,
    ambient_deci_c: f64,
    nominal_mah: f64,
    pub(super) remaining_mah: f64,
    current_ma: f64,
    discharged_mah: f64,
    heat_deci_c: f64,
    cells_mv: Vec<f64>,
    noise: Random,
    started_ms: Option<u64>,
    lived_ms: u64,
    hundred: bool,
    probe_count: u8,
}

/// What a pack measures at one moment, rounded as its answers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Terminal voltage, mV.
    pub pack_voltage_mv: u32,
    /// Current, mA, positive while charging.
    pub current_ma: i32,
    /// Charge left, mAh.
    pub remaining_capacity_mah: u32,
    /// Capacity, mAh.
    pub nominal_capacity_mah: u32,
    /// State of charge, percent.
    pub soc_percent: u8,
    /// mV per cell.
    pub cell_voltages_mv: Vec<u16>,
    /// 0.1 °C per probe.
    pub temperatures_deci_c: Vec<i16>,
    /// Protection bits.
    pub protection: u16,
    /// Whether the charge MOSFET conducts.
    pub charge_on: bool,
    /// Whether the discharge MOSFET conducts.
    pub discharge_on: bool,
}

impl Battery {
    pub(super) fn new(config: &PackConfig, seed: u64) -> Self {
        let nominal_mah = f64::from(config.nominal_capacity_mah);
        let cell_count = usize::from(config.cell_count.clamp(1, 32));
        let mut offsets_mv: Vec<f64> = config
            .cell_offsets_mv
            .iter()
            .map(|&mv| f64::from(mv))
            .collect();
        offsets_mv.resize(cell_count, 0.0);
        let mut battery = Self {
            load: config.load.clone(),
            offsets_mv,
            ambient_deci_c: f64::from(config.ambient_deci_c),
            nominal_mah,
            remaining_mah: nominal_mah * f64::from(config.initial_soc_percent.min(100)) / 100.0,
            current_ma: 0.0,
            discharged_mah: 0.0,
            heat_deci_c: 0.0,
            cells_mv: Vec::new(),
            noise: Random::new(seed ^ 0x6E6F_6973_6521),
            started_ms: None,
            lived_ms: 0,
            hundred: config.hundred_milliamp_units,
            probe_count: config.probe_count,
        };
        battery.measure_cells();
        battery
    }

    /// Lives until `now_ms`, in steps of a second whatever the calls are, so that
    /// asking more often changes nothing.
    pub(super) fn advance(&mut self, now_ms: u64, board: &mut Board) {
        let started_ms = *self.started_ms.get_or_insert(now_ms);
        let until_ms = now_ms.saturating_sub(started_ms);
        let steps = until_ms.saturating_sub(self.lived_ms) / STEP_MS;
        if steps > MOST_STEPS {
            self.lived_ms += (steps - MOST_STEPS) * STEP_MS;
        }
        while self.lived_ms + STEP_MS <= until_ms {
            self.lived_ms += STEP_MS;
            self.live_a_second(board);
        }
    }

    fn live_a_second(&mut self, board: &mut Board) {
        let wanted_ma = self.load.current_ma(self.lived_ms);
        let full = self.remaining_mah >= self.nominal_mah;
        let empty = self.remaining_mah <= 0.0;
        self.current_ma = match wanted_ma {
            ma if ma > 0.0 && (full || !board.charge_on()) => 0.0,
            ma if ma < 0.0 && (empty || !board.discharge_on()) => 0.0,
            ma => ma,
        };
        let moved_mah = self.current_ma / 3600.0;
        self.remaining_mah = (self.remaining_mah + moved_mah).clamp(0.0, self.nominal_mah);
        self.discharged_mah += (-moved_mah).max(0.0);
        if self.discharged_mah >= self.nominal_mah {
            self.discharged_mah -= self.nominal_mah;
            board.count_cycle();
        }
        let aim = HEAT_AT_100_A * (self.current_ma / 100_000.0).powi(2);
        self.heat_deci_c += (aim - self.heat_deci_c) / WARM_UP_S;
        self.measure_cells();
        self.bleed(board);
        let snapshot = self.snapshot(board);
        board.protect(&snapshot, self.lived_ms);
    }

    fn measure_cells(&mut self) {
        let soc = self.remaining_mah / self.nominal_mah.max(1.0);
        let open_mv = open_circuit_mv(soc);
        let drop_mv = self.current_ma * CELL_RESISTANCE_MOHM / 1000.0;
        self.cells_mv.clear();
        for &offset in &self.offsets_mv {
            let noise = self.noise.fraction() * 2.0 - 1.0;
            self.cells_mv
                .push((open_mv + drop_mv + offset + noise).clamp(0.0, 5000.0));
        }
    }

    fn bleed(&mut self, board: &mut Board) {
        let lowest = self.cells_mv.iter().copied().fold(f64::MAX, f64::min);
        let mut bits = 0;
        for (cell, &mv) in self.cells_mv.iter().enumerate() {
            if board.bleeds(mv, mv - lowest) {
                bits |= 1 << cell;
                self.offsets_mv[cell] -= 0.001;
            }
        }
        board.balancing = bits;
    }

    pub(super) fn snapshot(&self, board: &Board) -> Snapshot {
        let unit = if self.hundred { 100.0 } else { 10.0 };
        let rounded = |value: f64| (value / unit).round() * unit;
        let cell_voltages_mv: Vec<u16> =
            self.cells_mv.iter().map(|&mv| mv.round() as u16).collect();
        let sum_mv: u32 = cell_voltages_mv.iter().map(|&mv| u32::from(mv)).sum();
        let soc = self.remaining_mah / self.nominal_mah.max(1.0);
        let probe = self.ambient_deci_c + self.heat_deci_c;
        Snapshot {
            pack_voltage_mv: sum_mv / 10 * 10,
            current_ma: rounded(self.current_ma) as i32,
            remaining_capacity_mah: rounded(self.remaining_mah) as u32,
            nominal_capacity_mah: rounded(self.nominal_mah) as u32,
            soc_percent: (soc * 100.0).round() as u8,
            cell_voltages_mv,
            temperatures_deci_c: (0..self.probe_count)
                .map(|index| (probe - f64::from(index) * 4.0).round() as i16)
                .collect(),
            protection: board.protection(),
            charge_on: board.charge_on(),
            discharge_on: board.discharge_on(),
        }
    }

    /// Derives the charge from the voltage, as boards do on request.
    pub(super) fn recompute_charge(&mut self) {
        let mean = self.cells_mv.iter().sum::<f64>() / self.cells_mv.len().max(1) as f64;
        let soc = (0..=100)
            .map(|percent| f64::from(percent) / 100.0)
            .min_by(|a, b| {
                let distance = |soc: f64| (open_circuit_mv(soc) - mean).abs();
                distance(*a).total_cmp(&distance(*b))
            })
            .unwrap_or(0.0);
        self.remaining_mah = soc * self.nominal_mah;
    }
}

fn open_circuit_mv(soc: f64) -> f64 {
    let mut below = CURVE[0];
    for above in CURVE {
        if soc <= above.0 {
            let span = (above.0 - below.0).max(f64::EPSILON);
            return below.1 + (above.1 - below.1) * (soc - below.0).max(0.0) / span;
        }
        below = above;
    }
    below.1
}
