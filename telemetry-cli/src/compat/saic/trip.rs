//! The last trip: from the answer before the car was started to that after it
//! was switched off. Odometer and battery do not change while a car stands, so
//! that it does not matter how long before that was.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// What an answer says that trips are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// When it was so.
    pub at: DateTime<Utc>,
    /// Usually between two answers of a car that runs.
    pub period: TimeDelta,
    /// It is switched on.
    pub running: bool,
    /// It charges.
    pub charging: bool,
    /// Odometer.
    pub odometer_km: Option<f64>,
    /// In the battery.
    pub energy_kwh: Option<f64>,
    /// In the tank; none for a car without one.
    pub fuel_percent: Option<u8>,
}

/// A trip that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    /// When it began, if anybody knows.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// How far it was.
    pub distance_km: f64,
    /// Taken from the battery; negative downhill.
    pub energy_kwh: Option<f64>,
    /// Taken from the tank.
    pub fuel_percent: Option<u8>,
    /// In the battery before it: what was taken is not known yet.
    open_kwh: Option<f64>,
}

/// The trips of a car, as far as they are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trips {
    parked: Option<Mark>,
    under_way: Option<Start>,
    /// The car said then that it was started.
    said: Option<DateTime<Utc>>,
    last: Option<Trip>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Mark {
    at: DateTime<Utc>,
    odometer_km: f64,
    energy_kwh: Option<f64>,
    fuel_percent: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Start {
    from: Mark,
    started_at: Option<DateTime<Utc>>,
    running_at: DateTime<Utc>,
    /// The first answer after it, until one knows the odometer.
    stopped_at: Option<DateTime<Utc>>,
}

/// No trip is shorter.
const SHORTEST_KM: f64 = 0.1;

/// None of these cars is faster.
const FASTEST_KMH: f64 = 250.0;

/// After a longer silence, and one of two periods, the trip has ended when the
/// car was seen last.
const SILENCE: TimeDelta = TimeDelta::minutes(10);

/// kWh on 100 km: what else is missing was not used for driving alone.
const USUAL: std::ops::RangeInclusive<f64> = 5.0..=60.0;

impl Trips {
    /// The last one.
    pub fn last(&self) -> Option<&Trip> {
        self.last.as_ref()
    }

    /// The car has said that it was started.
    pub fn started(&mut self, at: DateTime<Utc>) {
        self.said = Some(at);
    }

    /// An answer of the car. True if the last trip is another one, or better known.
    pub fn seen(&mut self, seen: Seen) -> bool {
        if seen.running {
            self.runs(seen);
            return false;
        }
        if let Some(start) = &mut self.under_way {
            start.stopped_at.get_or_insert(seen.at);
        }
        let Some(mark) = mark(seen) else {
            return false;
        };
        let trip = match (self.under_way.take(), self.parked.replace(mark)) {
            (Some(start), _) => seen_trip(start, mark, SILENCE.max(seen.period * 2)),
            (None, Some(before)) => missed_trip(before, mark, self.said),
            (None, None) => None,
        };
        let is_new = trip.is_some();
        self.last = trip.or(self.last);
        self.complete(seen) || is_new
    }

    fn runs(&mut self, seen: Seen) {
        if let Some(start) = &mut self.under_way {
            start.running_at = start.running_at.max(seen.at);
            start.stopped_at = None;
            return;
        }
        let parked = self.parked.take();
        let Some(mut from) = parked.or_else(|| mark(seen)) else {
            return;
        };
        // It may have charged since, and be driven since.
        from.energy_kwh = match (from.energy_kwh, seen.energy_kwh) {
            (Some(before), Some(now)) => Some(before.max(now)),
            (before, now) => before.or(now),
        };
        let said = self.said.take();
        let said = said.filter(|said| (from.at..=seen.at).contains(said));
        self.under_way = Some(Start {
            from,
            started_at: Some(said.unwrap_or(seen.at)),
            running_at: seen.at,
            stopped_at: None,
        });
    }

    /// What the answer at the end did not know may be in a later one.
    fn complete(&mut self, seen: Seen) -> bool {
        let Some(trip) = &mut self.last else {
            return false;
        };
        if seen.charging {
            trip.open_kwh = None;
        }
        let Some((before, after)) = trip.open_kwh.zip(seen.energy_kwh) else {
            return false;
        };
        trip.open_kwh = None;
        trip.energy_kwh = Some(before - after);
        true
    }
}

fn mark(seen: Seen) -> Option<Mark> {
    Some(Mark {
        at: seen.at,
        odometer_km: seen.odometer_km?,
        energy_kwh: seen.energy_kwh,
        fuel_percent: seen.fuel_percent,
    })
}

fn seen_trip(start: Start, end: Mark, silence: TimeDelta) -> Option<Trip> {
    let stopped_at = start.stopped_at.unwrap_or(end.at);
    let ended_at = match stopped_at - start.running_at > silence {
        true => start.running_at,
        false => stopped_at,
    };
    Some(Trip {
        started_at: start.started_at,
        ended_at,
        // Amended as soon as it is known.
        open_kwh: start.from.energy_kwh.filter(|_| end.energy_kwh.is_none()),
        ..between(start.from, end)?
    })
}

/// Nobody saw it drive, but it has moved.
fn missed_trip(from: Mark, end: Mark, said: Option<DateTime<Utc>>) -> Option<Trip> {
    let trip = between(from, end)?;
    let usual = |kwh: &f64| USUAL.contains(&(kwh / trip.distance_km * 100.0));
    Some(Trip {
        started_at: said.filter(|said| (from.at..=end.at).contains(said)),
        energy_kwh: trip.energy_kwh.filter(usual),
        ..trip
    })
}

fn between(from: Mark, end: Mark) -> Option<Trip> {
    let distance_km = end.odometer_km - from.odometer_km;
    let hours = (end.at - from.at).num_seconds().max(0) as f64 / 3600.0;
    // A kilometre more, because times are rounded.
    let possible = SHORTEST_KM / 2.0..=hours * FASTEST_KMH + 1.0;
    if !possible.contains(&distance_km) {
        return None;
    }
    let fuel = from.fuel_percent.zip(end.fuel_percent);
    Some(Trip {
        started_at: None,
        ended_at: end.at,
        distance_km,
        energy_kwh: from
            .energy_kwh
            .zip(end.energy_kwh)
            .map(|(before, after)| before - after),
        // None if it was filled up on the way.
        fuel_percent: fuel.and_then(|(before, after)| before.checked_sub(after)),
        open_kwh: None,
    })
}

#[cfg(test)]
#[path = "trip_tests.rs"]
mod tests;
