use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use crate::types::Vin;

/// Charging power of every car, kW.
pub(super) const POWER_KW: f64 = 11.0;
/// What it takes per kilometre, kWh, and how fast it goes.
pub(super) const KWH_PER_KM: f64 = 0.18;
const KM_PER_MINUTE: f64 = 1.0;
/// Minutes of a round: a trip, then the cable, then rest.
const ROUND_MIN: i64 = 720;
const TRIP_MIN: i64 = 40;
/// Charges and trips that are remembered.
const KEPT: usize = 60;
/// A car that was not looked at for longer starts anew.
const LONGEST: TimeDelta = TimeDelta::days(7);

/// What drives a simulated car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Battery.
    Electric,
    /// Battery and fuel.
    PluginHybrid,
    /// Fuel.
    Combustion,
}

/// A car that drives forty minutes twice a day and charges after that.
#[derive(Debug, Clone)]
pub struct Car {
    /// The vehicle.
    pub vin: Vin,
    /// `BMW`, `BMW_I`, `MINI`.
    pub brand: String,
    /// Name of the model.
    pub model: String,
    /// What drives it.
    pub drive: Drive,
    /// Energy of the full battery, kWh.
    pub capacity_kwh: f64,
    /// Charge target, percent.
    pub target_percent: f64,
    pub(super) soc_percent: f64,
    pub(super) odometer_km: f64,
    pub(super) latitude: f64,
    pub(super) locked: bool,
    pub(super) climate: bool,
    /// Whether somebody has stopped charging.
    pub(super) held: bool,
    pub(super) at: Option<DateTime<Utc>>,
    /// The newest last.
    pub(super) charges: Vec<Stretch>,
    pub(super) trips: Vec<Stretch>,
}

/// A charge or a trip: from when to when, and the state of charge meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) from_percent: f64,
    pub(super) to_percent: f64,
}

impl Stretch {
    pub(super) fn minutes(&self) -> i64 {
        (self.to - self.from).num_minutes()
    }
}

/// One more minute of a charge or a trip, or a new one.
fn extend(stretches: &mut Vec<Stretch>, at: DateTime<Utc>, from_percent: f64, to_percent: f64) {
    let from = at - TimeDelta::minutes(1);
    match stretches.last_mut().filter(|last| last.to == from) {
        Some(last) => (last.to, last.to_percent) = (at, to_percent),
        None => stretches.push(Stretch {
            from,
            to: at,
            from_percent,
            to_percent,
        }),
    }
    if stretches.len() > KEPT {
        stretches.remove(0);
    }
}

impl Car {
    /// A battery car at half charge.
    #[must_use]
    pub fn new(vin: Vin, brand: &str, model: &str) -> Self {
        Self {
            vin,
            brand: brand.to_owned(),
            model: model.to_owned(),
            drive: Drive::Electric,
            capacity_kwh: 80.7,
            target_percent: 80.0,
            soc_percent: 50.0,
            odometer_km: 12_345.0,
            latitude: 51.5,
            locked: true,
            climate: false,
            held: false,
            at: None,
            charges: Vec::new(),
            trips: Vec::new(),
        }
    }

    /// With another drive.
    #[must_use]
    pub fn with_drive(mut self, drive: Drive) -> Self {
        self.drive = drive;
        if drive == Drive::PluginHybrid {
            self.capacity_kwh = 12.0;
        }
        self
    }

    /// Lets time pass. Tells the times at which something has changed.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) -> bool {
        let now = now.trunc_subsecs(0);
        let before = self.at.filter(|at| now - *at <= LONGEST && now >= *at);
        let Some(mut at) = before else {
            self.at = Some(now);
            return true;
        };
        let mut changed = false;
        while now - at >= TimeDelta::minutes(1) {
            at += TimeDelta::minutes(1);
            changed |= self.minute(at);
        }
        self.at = Some(at);
        changed
    }

    fn minute(&mut self, at: DateTime<Utc>) -> bool {
        if self.is_driving(at) {
            self.odometer_km += KM_PER_MINUTE;
            self.latitude += 0.009
                * if at.timestamp() / 60 % 2 == 0 {
                    1.0
                } else {
                    -1.0
                };
            let taken = KM_PER_MINUTE * KWH_PER_KM / self.capacity_kwh * 100.0;
            let before = self.soc_percent;
            self.soc_percent = (before - taken).max(5.0);
            extend(&mut self.trips, at, before, self.soc_percent);
            self.held = false;
            return true;
        }
        if self.is_charging(at) {
            let gain = POWER_KW / 60.0 * 0.9 / self.capacity_kwh * 100.0;
            let before = self.soc_percent;
            self.soc_percent = (before + gain).min(self.target_percent);
            extend(&mut self.charges, at, before, self.soc_percent);
            return true;
        }
        false
    }

    fn minute_of_round(at: DateTime<Utc>) -> i64 {
        (at.timestamp() / 60).rem_euclid(ROUND_MIN)
    }

    pub(super) fn is_driving(&self, at: DateTime<Utc>) -> bool {
        Self::minute_of_round(at) < TRIP_MIN
    }

    pub(super) fn is_plugged(&self, at: DateTime<Utc>) -> bool {
        self.drive != Drive::Combustion && !self.is_driving(at)
    }

    pub(super) fn is_charging(&self, at: DateTime<Utc>) -> bool {
        self.is_plugged(at) && !self.held && self.soc_percent < self.target_percent
    }

    pub(super) fn range_km(&self) -> f64 {
        (self.soc_percent / 100.0 * self.capacity_kwh / KWH_PER_KM).round()
    }

    pub(super) fn fuel_range_km(&self) -> f64 {
        if self.drive == Drive::Electric {
            0.0
        } else {
            420.0
        }
    }

    /// Key, value and unit of what CarData knows about it.
    pub(super) fn values(&self, at: DateTime<Utc>) -> Vec<(&'static str, String, &'static str)> {
        let status = match (self.is_plugged(at), self.is_charging(at), self.held) {
            (_, true, _) => "CHARGINGACTIVE",
            (true, _, false) => "CHARGINGENDED",
            _ => "NOCHARGING",
        };
        let plug = if self.is_plugged(at) {
            "CONNECTED"
        } else {
            "DISCONNECTED"
        };
        let moving = if self.is_driving(at) {
            "ASN_isTrue"
        } else {
            "ASN_isFalse"
        };
        let mut values = vec![
            (
                "vehicle.vehicle.travelledDistance",
                format!("{:.0}", self.odometer_km),
                "km",
            ),
            ("vehicle.isMoving", moving.to_owned(), ""),
            (
                "vehicle.cabin.infotainment.navigation.currentLocation.latitude",
                format!("{:.6}", self.latitude),
                "degrees",
            ),
            (
                "vehicle.cabin.infotainment.navigation.currentLocation.longitude",
                "7.250000".to_owned(),
                "degrees",
            ),
            (
                "vehicle.drivetrain.lastRemainingRange",
                format!("{:.0}", self.range_km() + self.fuel_range_km()),
                "km",
            ),
            (
                "vehicle.cabin.door.status",
                if self.locked { "secured" } else { "unlocked" }.to_owned(),
                "",
            ),
        ];
        if self.drive != Drive::Electric {
            values.push(("vehicle.drivetrain.fuelSystem.level", "60".to_owned(), "%"));
        }
        if self.drive == Drive::Combustion {
            return values;
        }
        let power = if self.is_charging(at) {
            POWER_KW * 1000.0
        } else {
            0.0
        };
        values.extend([
            (
                "vehicle.drivetrain.batteryManagement.header",
                format!("{:.0}", self.soc_percent),
                "%",
            ),
            (
                "vehicle.powertrain.electric.battery.stateOfCharge.target",
                format!("{:.0}", self.target_percent),
                "percent",
            ),
            (
                "vehicle.drivetrain.electricEngine.charging.status",
                status.to_owned(),
                "",
            ),
            ("vehicle.body.chargingPort.status", plug.to_owned(), ""),
            (
                "vehicle.drivetrain.electricEngine.kombiRemainingElectricRange",
                format!("{:.0}", self.range_km()),
                "km",
            ),
            (
                "vehicle.powertrain.electric.battery.charging.power",
                format!("{power:.0}"),
                "W",
            ),
            (
                "vehicle.drivetrain.batteryManagement.maxEnergy",
                format!("{:.1}", self.capacity_kwh),
                "kWh",
            ),
        ]);
        values
    }
}
