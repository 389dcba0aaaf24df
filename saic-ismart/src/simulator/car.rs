use super::config::{Activity, CarConfig};
use super::random::Random;

/// Battery and cabin change slowly: steps of this length are exact enough.
const STEP_S: f64 = 20.0;
/// kWh per 100 km.
const CONSUMPTION: f64 = 16.5;
/// Of the energy taken from the grid, what reaches the battery.
const EFFICIENCY: f64 = 0.9;
/// Draws while climate runs, kW.
const CLIMATE_KW: f64 = 1.5;
/// Remote climate ends by itself.
const CLIMATE_S: f64 = 1_800.0;
/// So does the front defroster.
const DEFROST_S: f64 = 600.0;
/// The car reports to the cloud by itself after this time.
const REPORT_S: f64 = 4.0 * 3_600.0;
const EARTH_DEG_PER_KM: f64 = 1.0 / 111.2;

/// A car that lives: state and its course in time, in real units.
#[derive(Debug, Clone)]
pub(super) struct Car {
    pub(super) config: CarConfig,
    pub(super) energy_kwh: f64,
    pub(super) odometer_km: f64,
    pub(super) place_deg: (f64, f64),
    pub(super) heading_deg: f64,
    pub(super) speed_kmh: f64,
    pub(super) interior_c: f64,
    pub(super) exterior_c: f64,
    pub(super) aux_v: f64,
    /// Into the battery, kW; negative while it is discharged.
    pub(super) power_kw: f64,
    /// From an AC charger, kW.
    pub(super) grid_kw: f64,
    pub(super) locked: bool,
    pub(super) boot_open: bool,
    /// Driver, passenger, rear left, rear right, sunroof.
    pub(super) panes_open: [bool; 5],
    pub(super) climate: u8,
    pub(super) climate_target_c: f64,
    /// Front left, front right, rear left, rear right.
    pub(super) seats: [u8; 4],
    pub(super) steering_wheel: bool,
    pub(super) rear_window: bool,
    pub(super) horn_or_lights: bool,
    pub(super) charging_stopped: bool,
    pub(super) v2x: bool,
    pub(super) cable_locked: bool,
    pub(super) target_code: u8,
    pub(super) limit_code: u8,
    pub(super) v2x_floor_code: u8,
    /// Mode, start hour, start minute, end hour, end minute.
    pub(super) schedule: [u8; 5],
    pub(super) battery_heating: bool,
    /// Start as Unix time in ms, 0 for none; and whether it is on.
    pub(super) heating_schedule: (u64, bool),
    pub(super) journey: u32,
    pub(super) journey_km: f64,
    pub(super) since_charge_km: f64,
    pub(super) since_charge_kwh: f64,
    pub(super) last_charge_kwh: f64,
    pub(super) charge_started_s: u64,
    pub(super) charge_ended_s: u64,
    pub(super) signal: bool,
    pub(super) commands_since_drive: u32,
    phase: usize,
    phase_s: f64,
    idle_s: f64,
    climate_s: f64,
    report_s: f64,
    random: Random,
}

/// What happened on its own, for messages and for the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    Started,
    Reported,
}

impl Car {
    pub(super) fn new(config: CarConfig, seed: u64) -> Self {
        let energy_kwh = config.battery_kwh * config.soc_percent / 100.0;
        Self {
            energy_kwh,
            odometer_km: config.odometer_km,
            place_deg: config.place_deg,
            heading_deg: 90.0,
            speed_kmh: 0.0,
            interior_c: 17.0,
            exterior_c: 12.0,
            aux_v: 12.8,
            power_kw: 0.0,
            grid_kw: 0.0,
            locked: true,
            boot_open: false,
            panes_open: [false; 5],
            climate: 0,
            climate_target_c: 22.0,
            seats: [0; 4],
            steering_wheel: false,
            rear_window: false,
            horn_or_lights: false,
            charging_stopped: false,
            v2x: false,
            cable_locked: true,
            target_code: 5,
            limit_code: 4,
            v2x_floor_code: 1,
            schedule: [2, 0, 0, 0, 0],
            battery_heating: false,
            heating_schedule: (0, false),
            journey: 514,
            journey_km: 0.0,
            since_charge_km: 0.0,
            since_charge_kwh: 0.0,
            last_charge_kwh: energy_kwh,
            charge_started_s: 0,
            charge_ended_s: 0,
            signal: true,
            commands_since_drive: 0,
            phase: 0,
            phase_s: 0.0,
            idle_s: 0.0,
            climate_s: 0.0,
            report_s: 0.0,
            random: Random::new(seed),
            config,
        }
    }

    pub(super) fn activity(&self) -> Activity {
        let phase = self.config.plan.get(self.phase);
        phase.map_or(Activity::Parked, |phase| phase.activity)
    }

    pub(super) fn soc_percent(&self) -> f64 {
        100.0 * self.energy_kwh / self.config.battery_kwh.max(0.1)
    }

    pub(super) fn range_km(&self) -> f64 {
        self.energy_kwh / CONSUMPTION * 100.0
    }

    pub(super) fn is_driving(&self) -> bool {
        matches!(self.activity(), Activity::Driving { .. })
    }

    pub(super) fn is_plugged_ac(&self) -> bool {
        matches!(self.activity(), Activity::Charging { .. }) && self.config.has_plug
    }

    pub(super) fn is_plugged_dc(&self) -> bool {
        matches!(self.activity(), Activity::FastCharging { .. }) && self.config.has_plug
    }

    pub(super) fn is_charging(&self) -> bool {
        (self.is_plugged_ac() || self.is_plugged_dc())
            && !self.charging_stopped
            && !self.v2x
            && self.soc_percent() < self.target_percent()
    }

    pub(super) fn target_percent(&self) -> f64 {
        30.0 + 10.0 * f64::from(self.target_code.clamp(1, 7))
    }

    /// Minutes until the target at the present power.
    pub(super) fn minutes_to_target(&self) -> Option<f64> {
        let missing =
            self.config.battery_kwh * (self.target_percent() - self.soc_percent()) / 100.0;
        (self.is_charging() && self.power_kw > 0.1).then(|| missing / self.power_kw * 60.0)
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.signal && self.activity() != Activity::OutOfReach
    }

    pub(super) fn is_asleep(&self) -> bool {
        self.idle_s >= self.config.sleeps_after_s
    }

    /// A remote call woke it up, which costs the 12 V battery.
    pub(super) fn wake(&mut self) {
        if self.is_asleep() {
            self.aux_v -= 0.4;
        }
        self.idle_s = 0.0;
    }

    pub(super) fn start_climate(&mut self, status: u8, target_c: Option<f64>) {
        self.climate = status;
        self.climate_s = if status == 5 { DEFROST_S } else { CLIMATE_S };
        if let Some(target_c) = target_c {
            self.climate_target_c = target_c;
        }
    }

    /// Lets time pass until `now_s`, Unix time, at so many seconds of the car in
    /// one of the clock. Says what happened, and when.
    pub(super) fn advance(
        &mut self,
        elapsed_s: f64,
        pace: f64,
        now_s: u64,
    ) -> Vec<(Happening, u64)> {
        let mut happenings = Vec::new();
        // Whoever leaves a simulator alone for days gets one day.
        let mut left_s = (elapsed_s * pace).clamp(0.0, 86_400.0);
        while left_s > 0.0 {
            let step_s = left_s.min(STEP_S);
            left_s -= step_s;
            let at_s = now_s.saturating_sub((left_s / pace) as u64);
            self.step(step_s, at_s, &mut happenings);
        }
        happenings
    }

    fn step(&mut self, step_s: f64, now_s: u64, happenings: &mut Vec<(Happening, u64)>) {
        self.phase_s += step_s;
        let length_s = self
            .config
            .plan
            .get(self.phase)
            .map_or(f64::INFINITY, |p| p.minutes * 60.0);
        if self.phase_s >= length_s {
            self.phase = (self.phase + 1) % self.config.plan.len();
            self.phase_s = 0.0;
            self.phase_begins(now_s, happenings);
        }
        self.report_s += step_s;
        if self.report_s >= REPORT_S {
            self.report_s = 0.0;
            happenings.push((Happening::Reported, now_s));
        }
        let hours = step_s / 3_600.0;
        self.power_kw = 0.0;
        self.grid_kw = 0.0;
        self.speed_kmh = 0.0;
        let was_charging = self.is_charging();
        match self.activity() {
            Activity::Driving { kmh } => self.drive(kmh, hours),
            Activity::Charging { kw } if was_charging => {
                let amperes = [6.0, 8.0, 16.0, 32.0][usize::from(self.limit_code.clamp(1, 4)) - 1];
                self.grid_kw = kw.min(amperes * 0.23);
                self.power_kw = self.grid_kw * EFFICIENCY;
            }
            Activity::FastCharging { kw } if was_charging => {
                let taper = ((100.0 - self.soc_percent()) / 40.0).clamp(0.1, 1.0);
                self.power_kw = kw * taper;
            }
            _ if self.v2x => self.power_kw = -2.2,
            _ => {}
        }
        self.climate_for(step_s);
        self.energy_kwh =
            (self.energy_kwh + self.power_kw * hours).clamp(0.0, self.config.battery_kwh);
        if was_charging && !self.is_charging() {
            self.charge_ended_s = now_s;
            self.last_charge_kwh = self.energy_kwh;
        }
        let busy = self.is_driving() || was_charging || self.climate > 0;
        self.idle_s = if busy { 0.0 } else { self.idle_s + step_s };
        let rest_v = if busy { 14.1 } else { 12.7 };
        self.aux_v += (rest_v - self.aux_v) * (step_s / 300.0).min(1.0);
    }

    fn phase_begins(&mut self, now_s: u64, happenings: &mut Vec<(Happening, u64)>) {
        self.idle_s = 0.0;
        self.v2x = false;
        self.charging_stopped = false;
        self.horn_or_lights = false;
        self.locked = !self.is_driving();
        match self.activity() {
            Activity::Driving { .. } => {
                self.journey += 1;
                self.journey_km = 0.0;
                self.boot_open = false;
                self.panes_open = [false; 5];
                self.commands_since_drive = 0;
                happenings.push((Happening::Started, now_s));
            }
            Activity::Charging { .. } | Activity::FastCharging { .. } => {
                self.charge_started_s = now_s;
                self.charge_ended_s = 0;
                self.since_charge_km = 0.0;
                self.since_charge_kwh = 0.0;
                self.journey_km = 0.0;
            }
            _ => {}
        }
        self.report_s = 0.0;
        happenings.push((Happening::Reported, now_s));
    }

    fn drive(&mut self, kmh: f64, hours: f64) {
        if self.energy_kwh < 0.5 {
            return;
        }
        self.speed_kmh = kmh * self.random.between(0.6, 1.4);
        let km = self.speed_kmh * hours;
        let kwh = km * CONSUMPTION / 100.0;
        self.power_kw = -self.speed_kmh * CONSUMPTION / 100.0;
        self.odometer_km += km;
        self.journey_km += km;
        self.since_charge_km += km;
        self.since_charge_kwh += kwh;
        self.heading_deg = (self.heading_deg + self.random.between(-20.0, 22.0)).rem_euclid(360.0);
        let (sin, cos) = self.heading_deg.to_radians().sin_cos();
        let (latitude, longitude) = self.place_deg;
        let narrowing = latitude.to_radians().cos().max(0.1);
        self.place_deg = (
            (latitude + km * cos * EARTH_DEG_PER_KM).clamp(-85.0, 85.0),
            (longitude + km * sin * EARTH_DEG_PER_KM / narrowing + 540.0).rem_euclid(360.0) - 180.0,
        );
    }

    fn climate_for(&mut self, step_s: f64) {
        if self.climate > 0 {
            self.climate_s -= step_s;
            self.power_kw -= CLIMATE_KW;
            if self.climate_s <= 0.0 {
                self.climate = 0;
            }
        }
        let goal_c = if self.climate > 1 || self.is_driving() {
            self.climate_target_c
        } else {
            self.exterior_c + 2.0
        };
        self.interior_c += (goal_c - self.interior_c) * (step_s / 600.0).min(1.0);
        self.exterior_c += self.random.between(-0.05, 0.05);
        self.exterior_c = self.exterior_c.clamp(-15.0, 38.0);
    }
}
