use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::odometer::Odometer;
use super::stream::StreamMessage;
use super::telematics::{Datum, TelematicData};
use super::value::{Value, normal_unit};
use crate::types::Position;

/// Keys kept per vehicle. The catalogue has 295; unknown ones are kept as well.
const MOST_KEYS: usize = 2000;
const LONGEST_KEY: usize = 300;
/// A measurement from further ahead than this is a wrong clock.
const FUTURE: TimeDelta = TimeDelta::hours(24);
/// Latitude and longitude that are this close in time are one position.
const PAIR: TimeDelta = TimeDelta::seconds(2);

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Asked for.
    Rest,
    /// Sent by itself.
    Stream,
}

/// A value with its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The value; `None` where the car says that it does not know.
    pub value: Option<Value>,
    /// Unit as it came, in its usual sign; the catalogue's where it came without.
    pub unit: Option<String>,
    /// When the car measured it.
    pub timestamp: Option<DateTime<Utc>>,
    /// When it arrived here.
    pub received: DateTime<Utc>,
    /// Which way it came.
    pub source: Source,
}

impl Entry {
    /// How old the measurement is.
    #[must_use]
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        now - self.timestamp.unwrap_or(self.received)
    }
}

/// All that is known about one vehicle, merged from REST and stream: the newest
/// measurement of each key wins, whichever way and in whatever order it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Telemetry {
    entries: BTreeMap<String, Entry>,
    odometer: Odometer,
    odometer_at: Option<DateTime<Utc>>,
    position: Option<(Position, Option<DateTime<Utc>>)>,
}

impl Telemetry {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the answer of a REST call. Tells how many values are new.
    pub fn apply_rest(&mut self, data: &TelematicData, received: DateTime<Utc>) -> usize {
        self.apply_all(&data.values, Source::Rest, received)
    }

    /// Takes a message of the stream. Tells how many values are new.
    pub fn apply_stream(&mut self, message: &StreamMessage, received: DateTime<Utc>) -> usize {
        self.apply_all(&message.data, Source::Stream, received)
    }

    fn apply_all(
        &mut self,
        values: &BTreeMap<String, Datum>,
        source: Source,
        received: DateTime<Utc>,
    ) -> usize {
        let mut new = 0;
        for (key, datum) in values {
            new += usize::from(self.apply(key, datum, source, received));
        }
        new
    }

    /// Takes one value. Tells whether it is accepted: it is not older than what
    /// is known, and the odometer does not leap.
    pub fn apply(
        &mut self,
        key: &str,
        datum: &Datum,
        source: Source,
        received: DateTime<Utc>,
    ) -> bool {
        if datum.value.is_none() && datum.timestamp.is_none() {
            return false;
        }
        let known = self.entries.get(key);
        if known.is_none() && (self.entries.len() >= MOST_KEYS || key.len() > LONGEST_KEY) {
            return false;
        }
        let latest = received.checked_add_signed(FUTURE).unwrap_or(received);
        let timestamp = datum
            .timestamp
            .map(|time| if time > latest { received } else { time });
        if known.is_some_and(|known| known.timestamp > timestamp) {
            return false;
        }
        let mut value = datum.typed(key);
        let mut unit = datum.unit.as_deref().and_then(normal_unit).or_else(|| {
            let row = super::descriptor::Descriptor::of(key)?;
            row.unit.map(str::to_owned)
        });
        if key == keys::ODOMETER
            && let Some(reading) = value.as_ref().and_then(Value::as_f64)
        {
            let Some(km) = self.odometer.accept(reading, unit.as_deref()) else {
                return false;
            };
            value = Some(Value::Number(km));
            unit = Some("km".to_owned());
            self.odometer_at = timestamp;
        }
        let entry = Entry {
            value,
            unit,
            timestamp,
            received,
            source,
        };
        self.entries.insert(key.to_owned(), entry);
        if key == keys::LATITUDE || key == keys::LONGITUDE {
            self.pair_position();
        }
        true
    }

    /// Latitude and longitude come in messages of their own; halves of
    /// different times are no place.
    fn pair_position(&mut self) {
        let (Some(latitude), Some(longitude)) = (
            self.entries.get(keys::LATITUDE),
            self.entries.get(keys::LONGITUDE),
        ) else {
            return;
        };
        let number = |entry: &Entry| entry.value.as_ref().and_then(Value::as_f64);
        let Some((north, east)) = number(latitude).zip(number(longitude)) else {
            self.position = None;
            return;
        };
        let apart = match (latitude.timestamp, longitude.timestamp) {
            (Some(one), Some(other)) => (one - other).abs() > PAIR,
            (one, other) => one != other,
        };
        if let (false, Some(position)) = (apart, Position::new(north, east)) {
            self.position = Some((position, latitude.timestamp.max(longitude.timestamp)));
        }
    }

    /// The entry of a key, known to the catalogue or not.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// All entries by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// The last position whose halves belong together, and its time.
    #[must_use]
    pub const fn position(&self) -> Option<(Position, Option<DateTime<Utc>>)> {
        self.position
    }

    /// The newest measurement of all.
    #[must_use]
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.entries
            .values()
            .filter_map(|entry| entry.timestamp)
            .max()
    }

    /// Keys whose measurement is not older than this.
    pub fn fresh(&self, max_age: TimeDelta, now: DateTime<Utc>) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        entries
            .filter(move |(_, e)| e.age(now) <= max_age)
            .map(|(key, _)| key.as_str())
    }
}

/// The keys that this crate itself reads.
pub(super) mod keys {
    macro_rules! keys {
        ($($name:ident = $key:literal;)+) => {
            $(pub(crate) const $name: &str = $key;)+
            #[cfg(test)]
            pub(crate) const ALL: &[&str] = &[$($key),+];
        };
    }
    keys! {
        ODOMETER = "vehicle.vehicle.travelledDistance";
        LATITUDE = "vehicle.cabin.infotainment.navigation.currentLocation.latitude";
        LONGITUDE = "vehicle.cabin.infotainment.navigation.currentLocation.longitude";
        ALTITUDE = "vehicle.cabin.infotainment.navigation.currentLocation.altitude";
        HEADING = "vehicle.cabin.infotainment.navigation.currentLocation.heading";
        SOC_HEADER = "vehicle.drivetrain.batteryManagement.header";
        SOC_DISPLAYED = "vehicle.powertrain.electric.battery.stateOfCharge.displayed";
        SOC_LEVEL = "vehicle.drivetrain.electricEngine.charging.level";
        SOC_TRIP_END = "vehicle.trip.segment.end.drivetrain.batteryManagement.hvSoc";
        SOC_TARGET = "vehicle.powertrain.electric.battery.stateOfCharge.target";
        SOH = "vehicle.powertrain.electric.battery.stateOfHealth.displayed";
        MAX_ENERGY = "vehicle.drivetrain.batteryManagement.maxEnergy";
        BATTERY_SIZE = "vehicle.drivetrain.batteryManagement.batterySizeMax";
        STATUS = "vehicle.drivetrain.electricEngine.charging.status";
        HV_STATUS = "vehicle.drivetrain.electricEngine.charging.hvStatus";
        PORT_STATUS = "vehicle.body.chargingPort.status";
        PORT_COMBINED = "vehicle.body.chargingPort.combinedStatus";
        PORT_PLUGGED = "vehicle.powertrain.tractionBattery.charging.port.anyPosition.isPlugged";
        CONNECTOR = "vehicle.drivetrain.electricEngine.charging.connectorStatus";
        RANGE_SHOWN = "vehicle.drivetrain.electricEngine.kombiRemainingElectricRange";
        RANGE_CHARGING = "vehicle.drivetrain.electricEngine.remainingElectricRange";
        RANGE_LAST = "vehicle.drivetrain.lastRemainingRange";
        FUEL_LEVEL = "vehicle.drivetrain.fuelSystem.level";
        FUEL = "vehicle.drivetrain.fuelSystem.remainingFuel";
        MOVING = "vehicle.isMoving";
        ENGINE_ACTIVE = "vehicle.drivetrain.engine.isActive";
        IGNITION_ON = "vehicle.drivetrain.engine.isIgnitionOn";
        DOOR_STATUS = "vehicle.cabin.door.status";
        DOOR_LOCK = "vehicle.cabin.door.lock.status";
        COMFORT = "vehicle.cabin.hvac.preconditioning.status.comfortState";
        PRECONDITIONING = "vehicle.vehicle.preConditioning.activity";
        BATTERY_HEATING = "vehicle.powertrain.electric.battery.preconditioning.state";
        POWER = "vehicle.powertrain.electric.battery.charging.power";
        AC_VOLTAGE = "vehicle.drivetrain.electricEngine.charging.acVoltage";
        AC_CURRENT = "vehicle.drivetrain.electricEngine.charging.acAmpere";
        AC_LIMIT = "vehicle.powertrain.electric.battery.charging.acLimit.selected";
        PHASES = "vehicle.drivetrain.electricEngine.charging.phaseNumber";
        METHOD = "vehicle.drivetrain.electricEngine.charging.method";
        MINUTES_LEFT = "vehicle.drivetrain.electricEngine.charging.timeRemaining";
        AUX_POWER = "vehicle.vehicle.avgAuxPower";
        AUX_VOLTAGE = "vehicle.electricalSystem.battery.voltage";
        TYRE_FRONT_LEFT = "vehicle.chassis.axle.row1.wheel.left.tire.pressure";
        TYRE_FRONT_RIGHT = "vehicle.chassis.axle.row1.wheel.right.tire.pressure";
        TYRE_REAR_LEFT = "vehicle.chassis.axle.row2.wheel.left.tire.pressure";
        TYRE_REAR_RIGHT = "vehicle.chassis.axle.row2.wheel.right.tire.pressure";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cardata::descriptor::Descriptor;

    #[test]
    fn the_keys_are_in_the_catalogue() {
        let lists = [
            keys::ALL,
            super::super::RECOMMENDED_KEYS,
            super::super::REDUCED_KEYS,
        ];
        for key in lists.into_iter().flatten() {
            assert!(Descriptor::of(key).is_some(), "{key}");
        }
    }

    #[test]
    fn halves_of_different_places_are_no_place() {
        let at = |second: i64| DateTime::from_timestamp(1_772_359_200 + second, 0);
        let mut telemetry = Telemetry::new();
        let mut put = |key, value: f64, second| {
            let datum = Datum {
                value: Some(value.into()),
                unit: None,
                timestamp: at(second),
            };
            assert!(telemetry.apply(key, &datum, Source::Stream, at(1000).unwrap()));
            telemetry
                .position()
                .map(|(position, _)| (position.latitude, position.longitude))
        };
        assert_eq!(put(keys::LATITUDE, 51.0, 0), None);
        assert_eq!(put(keys::LONGITUDE, 7.0, 1), Some((51.0, 7.0)));
        assert_eq!(put(keys::LATITUDE, 52.0, 60), Some((51.0, 7.0)));
        assert_eq!(put(keys::LONGITUDE, 8.0, 60), Some((52.0, 8.0)));
    }
}
