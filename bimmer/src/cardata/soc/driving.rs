use crate::types::Position;

/// A longer step between two fixes is a bad fix, m.
const LONGEST_STEP_M: f64 = 2000.0;
/// A shorter trip, or one that takes less, teaches nothing.
const LEAST_KM: f64 = 5.0;
const LEAST_DROP: f64 = 2.0;
const PLAUSIBLE: std::ops::RangeInclusive<f64> = 0.10..=0.40;
const SLOWEST_RATE: f64 = 0.2;
/// A trip this long counts in full.
const FULL_WEIGHT_KM: f64 = 30.0;

/// One trip, followed by distance. For battery cars only: a plug-in hybrid's
/// battery does not tell how far it went.
#[derive(Debug, Clone)]
pub struct DrivingSession {
    capacity_kwh: f64,
    kwh_per_km: f64,
    started_soc: f64,
    started_km: Option<f64>,
    anchor: f64,
    anchor_km: Option<f64>,
    km: Option<f64>,
    /// Summed steps since the anchor, for cars without odometer reports.
    gps_m: f64,
    last_fix: Option<Position>,
}

impl DrivingSession {
    /// A trip that begins at this state of charge, percent, and odometer, km.
    #[must_use]
    pub const fn start(
        capacity_kwh: f64,
        kwh_per_km: f64,
        soc_percent: f64,
        odometer_km: Option<f64>,
    ) -> Self {
        Self {
            capacity_kwh,
            kwh_per_km,
            started_soc: soc_percent,
            started_km: odometer_km,
            anchor: soc_percent,
            anchor_km: odometer_km,
            km: odometer_km,
            gps_m: 0.0,
            last_fix: None,
        }
    }

    /// The odometer, km.
    pub fn odometer(&mut self, km: f64) {
        self.started_km = self.started_km.or(Some(km));
        self.anchor_km = self.anchor_km.or(Some(km));
        self.km = Some(km);
    }

    /// A position.
    pub fn gps(&mut self, position: Position) {
        let step = self.last_fix.map_or(0.0, |last| last.distance_m(position));
        if step <= LONGEST_STEP_M {
            self.gps_m += step;
        }
        self.last_fix = Some(position);
    }

    /// The car reports its state of charge, percent.
    pub fn reported(&mut self, soc_percent: f64) {
        self.anchor = soc_percent;
        self.anchor_km = self.km;
        self.gps_m = 0.0;
    }

    /// The estimate, percent.
    #[must_use]
    pub fn predicted(&self) -> f64 {
        let driven = self
            .km
            .zip(self.anchor_km)
            .map_or(0.0, |(km, anchor)| km - anchor);
        let km = if driven > 0.0 {
            driven
        } else {
            self.gps_m / 1000.0
        };
        (self.anchor - km * self.kwh_per_km / self.capacity_kwh * 100.0).clamp(0.0, 100.0)
    }

    /// What the trip took, kWh per km, and its length, if it was long enough.
    #[must_use]
    pub fn measured(&self, soc_percent: f64) -> Option<(f64, f64)> {
        let km = self.km? - self.started_km?;
        let drop = self.started_soc - soc_percent;
        if km < LEAST_KM || drop < LEAST_DROP {
            return None;
        }
        let rate = drop / 100.0 * self.capacity_kwh / km;
        PLAUSIBLE.contains(&rate).then_some((rate, km))
    }
}

/// The next learned consumption: `old` and how many trips it comes from, and
/// what a trip took (see [`DrivingSession::measured`]).
#[must_use]
pub fn learned_rate(old: f64, trips: u32, measured: f64, km: f64) -> f64 {
    let weight = (km / FULL_WEIGHT_KM).clamp(0.0, 1.0);
    let rate = SLOWEST_RATE.max(1.0 / (f64::from(trips) + 1.0)) * weight;
    old + (measured - old) * rate
}
