//! From the last trip.

use super::super::text::{self, rounded};
use super::super::trip::Trip;
use super::charging::consumption;
use super::{Publications, UNKNOWN};

/// What of a car its trips depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TripFacts {
    /// It is charged at a plug: only then its battery is known well enough.
    pub has_plug: bool,
    /// It burns fuel.
    pub has_fuel: bool,
    /// Tank, litres.
    pub tank_l: Option<f64>,
}

/// The topics of the last trip.
pub fn last_trip(trip: &Trip, facts: TripFacts) -> Publications {
    let mut topics = Publications::default();
    let mut say = |name: &str, text: Option<String>| {
        let text = text.unwrap_or_else(|| UNKNOWN.to_owned());
        topics.setting(&format!("lastTrip/{name}"), text);
    };
    let number =
        |value: Option<f64>, decimals| value.map(|value| text::float(rounded(value, decimals)));
    say("startTime", trip.started_at.map(text::timestamp));
    say("endTime", Some(text::timestamp(trip.ended_at)));
    say("distance", number(Some(trip.distance_km), 1));
    if facts.has_plug {
        say("energy", number(trip.energy_kwh, 2));
        let efficiency = consumption(trip.energy_kwh, Some(trip.distance_km));
        say("efficiency", number(efficiency, 1));
    }
    if facts.has_fuel {
        say(
            "fuelPercentage",
            trip.fuel_percent.map(|percent| percent.to_string()),
        );
        let litres = trip.fuel_percent.zip(facts.tank_l);
        let litres = litres.map(|(percent, tank)| f64::from(percent) * tank / 100.0);
        say("fuel", number(litres, 1));
    }
    topics
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::super::super::trip::{Seen, Trips};
    use super::*;

    fn lines(kwh: f64, fuel: u8, facts: TripFacts) -> Vec<String> {
        let seen = |minutes: i64, running, odometer_km, energy_kwh, fuel_percent| Seen {
            at: DateTime::from_timestamp(1_795_208_400, 0).unwrap() + TimeDelta::minutes(minutes),
            period: TimeDelta::hours(1),
            running,
            charging: false,
            odometer_km: Some(odometer_km),
            energy_kwh: Some(energy_kwh),
            fuel_percent: Some(fuel_percent),
        };
        let mut trips = Trips::default();
        trips.seen(seen(0, true, 12_345.6, 34.43, 60));
        trips.seen(seen(30, false, 12_370.2, kwh, fuel));
        let published = last_trip(trips.last().unwrap(), facts);
        published
            .0
            .iter()
            .map(|one| format!("{} {}", one.topic, one.text))
            .collect()
    }

    #[test]
    fn the_last_trip_is_published_as_the_car_has_it() {
        let electric = TripFacts {
            has_plug: true,
            has_fuel: false,
            tank_l: None,
        };
        let hybrid = TripFacts {
            has_fuel: true,
            tank_l: Some(37.0),
            ..electric
        };
        let begin = [
            "lastTrip/startTime 2026-11-20T21:00:00+00:00",
            "lastTrip/endTime 2026-11-20T21:30:00+00:00",
            "lastTrip/distance 24.6",
        ];
        let with = |more: &[&'static str]| [&begin[..], more].concat();
        assert_eq!(
            lines(30.12, 0, electric),
            with(&["lastTrip/energy 4.31", "lastTrip/efficiency 17.5"])
        );
        assert_eq!(
            lines(33.93, 57, hybrid),
            with(&[
                "lastTrip/energy 0.5",
                "lastTrip/efficiency 2.0",
                "lastTrip/fuelPercentage 3",
                "lastTrip/fuel 1.1",
            ])
        );
        let no_plug = TripFacts {
            has_plug: false,
            tank_l: None,
            ..hybrid
        };
        assert_eq!(
            lines(0.0, 90, no_plug),
            with(&["lastTrip/fuelPercentage None", "lastTrip/fuel None"])
        );
    }
}
