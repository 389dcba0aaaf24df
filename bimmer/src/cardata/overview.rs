use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::odometer::KM_PER_MILE;
use super::telemetry::{Entry, Telemetry, keys};
use super::value::Value;
use crate::types::Position;

/// A charging power without news is zero after this: the car sends no closing zero.
const POWER_HOLDS: TimeDelta = TimeDelta::minutes(15);
const LITRES_PER_GALLON: f64 = 3.785_411_784;
const METRES_PER_FOOT: f64 = 0.3048;

/// State of the charging socket in the letters of IEC 61851.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum IecStatus {
    /// Not connected.
    A,
    /// Connected, not charging.
    B,
    /// Charging.
    C,
}

/// What the cabin climate does while the car is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum ClimateActivity {
    /// Heats.
    Heating,
    /// Cools.
    Cooling,
    /// Blows.
    Ventilation,
    /// Clears the windows.
    Defrost,
    /// Does nothing.
    Off,
}

/// The usual values of a vehicle, each with the time of its measurement, in the
/// units of their names whatever the car is set to. `None` is unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// State of charge as the car reports it, percent.
    pub soc_percent: Option<Timed<f64>>,
    /// Charge target, percent.
    pub target_soc_percent: Option<Timed<f64>>,
    /// Health of the high-voltage battery, percent.
    pub soh_percent: Option<Timed<f64>>,
    /// What the full battery holds, kWh.
    pub battery_capacity_kwh: Option<Timed<f64>>,
    /// Charging state in CarData's words, as `CHARGINGACTIVE`.
    pub charging_status: Option<Timed<String>>,
    /// State of the socket.
    pub iec_status: Option<IecStatus>,
    /// Whether a plug is in.
    pub plugged_in: Option<Timed<bool>>,
    /// Charging power, W. Zero when charging is over or no news came for 15 minutes.
    pub charging_power_w: Option<Timed<f64>>,
    /// AC voltage, V.
    pub charging_voltage_v: Option<Timed<f64>>,
    /// AC current, A.
    pub charging_current_a: Option<Timed<f64>>,
    /// AC phases, 1 to 3.
    pub charging_phases: Option<Timed<u8>>,
    /// Whether it is direct current.
    pub is_dc: Option<Timed<bool>>,
    /// Limit of the AC current, A.
    pub charge_current_limit_a: Option<Timed<f64>>,
    /// When charging will end.
    pub charging_ends_at: Option<DateTime<Utc>>,
    /// Electric range, km.
    pub range_km: Option<Timed<f64>>,
    /// Range with fuel alone, km.
    pub fuel_range_km: Option<Timed<f64>>,
    /// Range with all there is, km.
    pub total_range_km: Option<Timed<f64>>,
    /// Tank, percent.
    pub fuel_percent: Option<Timed<f64>>,
    /// Tank, litres.
    pub fuel_l: Option<Timed<f64>>,
    /// Odometer, km.
    pub odometer_km: Option<Timed<f64>>,
    /// Whether the car says that it moves.
    pub moving: Option<Timed<bool>>,
    /// Ignition or engine on. The catalogue has the labels of the two keys
    /// crossed, so either counts.
    pub running: Option<Timed<bool>>,
    /// Whether all doors are locked.
    pub locked: Option<Timed<bool>>,
    /// Where it is.
    pub position: Option<Timed<Position>>,
    /// Direction, degrees from north.
    pub heading_deg: Option<Timed<f64>>,
    /// Height, m.
    pub altitude_m: Option<Timed<f64>>,
    /// Cabin climate while parked.
    pub climate: Option<Timed<ClimateActivity>>,
    /// Whether the high-voltage battery is heated.
    pub battery_heating: Option<Timed<bool>>,
    /// 12 V battery, V.
    pub aux_battery_voltage_v: Option<Timed<f64>>,
    /// Front left, front right, rear left, rear right, kPa.
    pub tyre_pressures_kpa: [Option<Timed<f64>>; 4],
    /// The newest measurement of those above.
    pub last_update: Option<DateTime<Utc>>,
}

/// A value and when it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timed<T> {
    /// The value.
    pub value: T,
    /// When the car measured it.
    pub at: Option<DateTime<Utc>>,
}

impl<T> Timed<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Timed<U> {
        Timed {
            value: change(self.value),
            at: self.at,
        }
    }

    /// How old it is; `None` if the car did not tell.
    #[must_use]
    pub fn age(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.at.map(|at| now - at)
    }
}

/// Reads the entries of a vehicle, and remembers the newest one used.
struct Reader<'a> {
    telemetry: &'a Telemetry,
    newest: Option<DateTime<Utc>>,
}

impl<'a> Reader<'a> {
    fn entry(&mut self, key: &str) -> Option<(&'a Entry, &'a Value)> {
        let entry = self.telemetry.get(key)?;
        let value = entry.value.as_ref()?;
        self.newest = self.newest.max(entry.timestamp);
        Some((entry, value))
    }

    fn number(&mut self, key: &str) -> Option<Timed<f64>> {
        let (entry, value) = self.entry(key)?;
        Some(Timed {
            value: value.as_f64()?,
            at: entry.timestamp,
        })
    }

    fn word(&mut self, key: &str) -> Option<Timed<&'a str>> {
        let (entry, value) = self.entry(key)?;
        Some(Timed {
            value: value.as_str()?,
            at: entry.timestamp,
        })
    }

    fn boolean(&mut self, key: &str) -> Option<Timed<bool>> {
        let (entry, value) = self.entry(key)?;
        Some(Timed {
            value: value.as_bool()?,
            at: entry.timestamp,
        })
    }

    fn km(&mut self, key: &str) -> Option<Timed<f64>> {
        self.converted(key, "mi", KM_PER_MILE)
    }

    /// A number, multiplied if it came in this unit.
    fn converted(&mut self, key: &str, unit: &str, factor: f64) -> Option<Timed<f64>> {
        let is_other = self.telemetry.get(key)?.unit.as_deref() == Some(unit);
        Some(
            self.number(key)?
                .map(|value| if is_other { value * factor } else { value }),
        )
    }

    fn plug(&mut self, key: &str) -> Option<Timed<bool>> {
        let (entry, value) = self.entry(key)?;
        let value = match value {
            Value::Bool(value) => *value,
            Value::Text(word) => word.to_ascii_uppercase().starts_with("CONNECT"),
            Value::Number(_) => return None,
        };
        Some(Timed {
            value,
            at: entry.timestamp,
        })
    }
}

impl Overview {
    /// Reads what is known at this time.
    #[must_use]
    pub fn of(telemetry: &Telemetry, now: DateTime<Utc>) -> Self {
        let mut read = Reader {
            telemetry,
            newest: None,
        };
        let charging_status = read
            .word(keys::STATUS)
            .or_else(|| read.word(keys::HV_STATUS));
        let active = charging_status.is_some_and(|status| is_charging(status.value));
        let soc = state_of_charge(&mut read, charging_status);
        let plugged_in = [
            keys::PORT_STATUS,
            keys::PORT_PLUGGED,
            keys::PORT_COMBINED,
            keys::CONNECTOR,
        ]
        .into_iter()
        .filter_map(|key| read.plug(key))
        .reduce(|best, next| if next.at > best.at { next } else { best });
        let fuel_percent = read.number(keys::FUEL_LEVEL);
        let fuel_l = read.converted(keys::FUEL, "gal", LITRES_PER_GALLON);
        // Battery cars report an empty tank.
        let has_tank = [fuel_percent, fuel_l]
            .into_iter()
            .flatten()
            .any(|fuel| fuel.value > 0.0);
        let ranges = Ranges::read(&mut read, soc.is_some(), has_tank);
        let power = read.number(keys::POWER).map(|power| {
            let holds = power.at.is_none_or(|at| now - at <= POWER_HOLDS);
            power.map(|watts| if active && holds { watts } else { 0.0 })
        });
        let capacity = [keys::MAX_ENERGY, keys::BATTERY_SIZE]
            .into_iter()
            .filter_map(|key| read.number(key))
            .find(|capacity| capacity.value > 0.0);
        let minutes = read
            .number(keys::MINUTES_LEFT)
            .filter(|left| active && left.value > 0.0);
        let ends_at = minutes.and_then(|left| {
            let left_s = TimeDelta::try_seconds((left.value * 60.0) as i64)?;
            left.at?.checked_add_signed(left_s)
        });
        let running = [keys::ENGINE_ACTIVE, keys::IGNITION_ON]
            .into_iter()
            .filter_map(|key| read.boolean(key))
            .reduce(|one, other| Timed {
                value: one.value || other.value,
                at: one.at.max(other.at),
            });
        let pressures = [
            keys::TYRE_FRONT_LEFT,
            keys::TYRE_FRONT_RIGHT,
            keys::TYRE_REAR_LEFT,
            keys::TYRE_REAR_RIGHT,
        ];
        Self {
            soc_percent: soc,
            target_soc_percent: read.number(keys::SOC_TARGET),
            soh_percent: read.number(keys::SOH),
            battery_capacity_kwh: capacity,
            iec_status: iec_status(telemetry),
            plugged_in,
            charging_power_w: power,
            charging_voltage_v: read.number(keys::AC_VOLTAGE),
            charging_current_a: read.number(keys::AC_CURRENT),
            charging_phases: phases(&mut read),
            is_dc: read
                .word(keys::METHOD)
                .map(|kind| kind.map(|kind| kind.contains("DC"))),
            charge_current_limit_a: read.number(keys::AC_LIMIT),
            charging_ends_at: ends_at,
            range_km: ranges.electric,
            fuel_range_km: ranges.fuel,
            total_range_km: ranges.total,
            fuel_percent: fuel_percent.filter(|_| has_tank),
            fuel_l: fuel_l.filter(|_| has_tank),
            odometer_km: read.number(keys::ODOMETER),
            moving: read.boolean(keys::MOVING),
            running,
            locked: locked(&mut read),
            position: telemetry.position().map(|(value, at)| Timed { value, at }),
            heading_deg: read.number(keys::HEADING),
            altitude_m: read.converted(keys::ALTITUDE, "ft", METRES_PER_FOOT),
            climate: climate(&mut read),
            battery_heating: read
                .word(keys::BATTERY_HEATING)
                .map(|state| state.map(|state| !state.contains("OFF"))),
            aux_battery_voltage_v: read.number(keys::AUX_VOLTAGE),
            tyre_pressures_kpa: pressures.map(|key| read.number(key)),
            charging_status: charging_status.map(|status| status.map(str::to_owned)),
            last_update: read.newest,
        }
    }

    /// Whether the charging state is one of charging.
    #[must_use]
    pub fn is_charging(&self) -> bool {
        self.charging_status
            .as_ref()
            .is_some_and(|status| is_charging(&status.value))
    }
}

fn is_charging(status: &str) -> bool {
    matches!(
        status.to_ascii_uppercase().as_str(),
        "CHARGINGACTIVE" | "CHARGING_ACTIVE" | "CHARGING" | "CHARGING_IN_PROGRESS"
    )
}

fn state_of_charge(read: &mut Reader<'_>, status: Option<Timed<&str>>) -> Option<Timed<f64>> {
    let header = read.number(keys::SOC_HEADER);
    let reported = header.or_else(|| read.number(keys::SOC_DISPLAYED));
    // BMW's own prediction while charging, if it is of this charge and newer.
    let since = status
        .filter(|status| is_charging(status.value))
        .and_then(|status| status.at);
    if let Some(since) = since
        && let Some(level) = read.number(keys::SOC_LEVEL)
        && level.at >= Some(since)
        && reported.is_none_or(|reported| level.at > reported.at)
    {
        return Some(level);
    }
    reported.or_else(|| read.number(keys::SOC_TRIP_END))
}

fn phases(read: &mut Reader<'_>) -> Option<Timed<u8>> {
    let word = read.word(keys::PHASES)?;
    let count = word.value.split('-').next()?.parse().ok()?;
    (1..=3).contains(&count).then(|| word.map(|_| count))
}

fn locked(read: &mut Reader<'_>) -> Option<Timed<bool>> {
    let newest = [keys::DOOR_STATUS, keys::DOOR_LOCK]
        .into_iter()
        .filter_map(|key| read.word(key))
        .reduce(|best, next| if next.at > best.at { next } else { best })?;
    let word = newest.value.to_ascii_uppercase().replace(['-', '_'], "");
    let value = match word.as_str() {
        "LOCKED" | "SECURED" => true,
        "UNLOCKED" | "SELECTIVELOCKED" => false,
        _ => return None,
    };
    Some(newest.map(|_| value))
}

fn climate(read: &mut Reader<'_>) -> Option<Timed<ClimateActivity>> {
    let word = read
        .word(keys::COMFORT)
        .or_else(|| read.word(keys::PRECONDITIONING))?;
    let upper = word.value.to_ascii_uppercase();
    let activity = match upper.strip_prefix("COMFORT_").unwrap_or(&upper) {
        "HEATING" => ClimateActivity::Heating,
        "COOLING" => ClimateActivity::Cooling,
        "VENTILATION" => ClimateActivity::Ventilation,
        "DEFROST" => ClimateActivity::Defrost,
        _ => ClimateActivity::Off,
    };
    Some(word.map(|_| activity))
}

struct Ranges {
    electric: Option<Timed<f64>>,
    fuel: Option<Timed<f64>>,
    total: Option<Timed<f64>>,
}

impl Ranges {
    /// The instrument's one number means different things by drive train.
    fn read(read: &mut Reader<'_>, has_battery: bool, has_tank: bool) -> Self {
        let shown = read
            .km(keys::RANGE_SHOWN)
            .or_else(|| read.km(keys::RANGE_CHARGING));
        let last = read.km(keys::RANGE_LAST);
        if !has_tank {
            let electric = shown.or_else(|| last.filter(|last| last.value > 0.0));
            return Self {
                electric,
                fuel: None,
                total: electric,
            };
        }
        if !has_battery {
            return Self {
                electric: None,
                fuel: last,
                total: last,
            };
        }
        let fuel = last.zip(shown).map(|(last, shown)| Timed {
            value: (last.value - shown.value).max(0.0),
            at: last.at.max(shown.at),
        });
        Self {
            electric: shown,
            fuel,
            total: last,
        }
    }
}

fn iec_status(telemetry: &Telemetry) -> Option<IecStatus> {
    let word = |key| telemetry.get(key)?.value.as_ref()?.as_str();
    let status = word(keys::STATUS).or_else(|| word(keys::HV_STATUS));
    match status {
        Some(
            "INITIALIZATION"
            | "CHARGINGPAUSED"
            | "CHARGINGENDED"
            | "WAITING_FOR_CHARGING"
            | "FINISHED_FULLY_CHARGED"
            | "FINISHED_NOT_FULL",
        ) => return Some(IecStatus::B),
        Some("CHARGINGACTIVE" | "CHARGING") => return Some(IecStatus::C),
        _ => {}
    }
    // Also an unknown state of the plug is an answer: not connected.
    let port = [keys::PORT_STATUS, keys::PORT_COMBINED];
    let port = port.into_iter().find_map(|key| telemetry.get(key));
    match port.map(|port| port.value.as_ref().and_then(Value::as_str)) {
        Some(Some("CONNECTED")) => Some(IecStatus::B),
        Some(_) => Some(IecStatus::A),
        None => None,
    }
}

/// The charging state in the words of the app API (`CHARGING`, `PLUGGED_IN`, …),
/// for consumers that know those.
#[must_use]
pub fn legacy_status(overview: &Overview) -> Option<&'static str> {
    let status = overview.charging_status.as_ref()?;
    let plug = overview.plugged_in.as_ref();
    // The car may forget to report the end when the plug is pulled.
    let pulled_since = plug.is_some_and(|plug| !plug.value && plug.at > status.at);
    let plugged = plug.is_some_and(|plug| plug.value);
    let soc = overview.soc_percent.map(|soc| soc.value);
    let target = overview.target_soc_percent.map(|target| target.value);
    Some(match status.value.as_str() {
        _ if pulled_since => "NOT_CHARGING",
        word if is_charging(word) => "CHARGING",
        "INITIALIZATION" | "CHARGINGPAUSED" | "WAITING_FOR_CHARGING" if plugged => {
            "WAITING_FOR_CHARGING"
        }
        "CHARGINGENDED" => match (soc, target) {
            (Some(soc), _) if soc >= 100.0 => "FULLY_CHARGED",
            (Some(soc), Some(target)) if soc >= target => "TARGET_REACHED",
            _ => "FINISHED_NOT_FULL",
        },
        "FINISHED_FULLY_CHARGED" => "FINISHED_FULLY_CHARGED",
        "FINISHED_NOT_FULL" => "FINISHED_NOT_FULL",
        "CHARGINGERROR" | "ERROR" => "ERROR",
        "NOCHARGING" | "NOT_CHARGING" if plugged => "PLUGGED_IN",
        "NOCHARGING"
        | "NOT_CHARGING"
        | "INITIALIZATION"
        | "CHARGINGPAUSED"
        | "WAITING_FOR_CHARGING" => "NOT_CHARGING",
        _ => "UNKNOWN",
    })
}
