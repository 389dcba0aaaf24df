use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::capacity::{usable_kwh, usual_kwh_per_km};
use super::charging::{ChargeKind, ChargingSession};
use super::driving::{DrivingSession, learned_rate};
use super::efficiency::Efficiency;
use super::phases::PhaseGuess;
use crate::cardata::overview::{Overview, Timed};
use crate::cardata::telemetry::{Telemetry, keys};

/// A wallbox's own reading holds for so long.
const METER_HOLDS: TimeDelta = TimeDelta::seconds(120);
/// Reports of phases just before the begin of a charge belong to it.
const PHASE_LEAD: TimeDelta = TimeDelta::seconds(10);
/// So long after its end, a report of the car still closes a charge.
const CLOSING: TimeDelta = TimeDelta::minutes(15);
/// An estimate that the car does not confirm ends after this.
const LONGEST: TimeDelta = TimeDelta::hours(24);
/// A trip without news for so long is over.
const TRIP_ENDS: TimeDelta = TimeDelta::hours(4);

/// Where a state of charge is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SocSource {
    /// The car reported it.
    Reported,
    /// Computed from the charging power.
    Charging,
    /// Computed from the distance.
    Driving,
}

/// A state of charge that says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SocEstimate {
    /// Percent.
    pub soc_percent: f64,
    /// Whether it was computed; otherwise the car reported it.
    pub is_estimate: bool,
    /// Where it is from.
    pub source: SocSource,
    /// When the car last reported the state of charge.
    pub reported_at: Option<DateTime<Utc>>,
}

/// What was learned about one vehicle; worth keeping.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Learning {
    /// How much energy arrives while charging.
    pub efficiency: Efficiency,
    /// Consumption, kWh per km.
    pub kwh_per_km: Option<f64>,
    /// Trips that is learned from.
    pub trips: u32,
    /// Phases of the last charge.
    pub phases: Option<u8>,
}

#[derive(Debug, Clone)]
enum Activity {
    Idle,
    Charging {
        session: Box<ChargingSession>,
        phases: PhaseGuess,
        since: DateTime<Utc>,
        ended: Option<DateTime<Utc>>,
    },
    Driving {
        session: DrivingSession,
        heard: DateTime<Utc>,
    },
}

/// Follows one vehicle and fills the gaps between its reports.
#[derive(Debug, Clone)]
pub struct SocEstimator {
    model: String,
    capacity_kwh: Option<f64>,
    learning: Learning,
    activity: Activity,
    reported: Option<Timed<f64>>,
    meter: Option<(f64, DateTime<Utc>)>,
}

impl SocEstimator {
    /// For a vehicle of this model, as the basic data name it.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            capacity_kwh: None,
            learning: Learning::default(),
            activity: Activity::Idle,
            reported: None,
            meter: None,
        }
    }

    /// Usable energy of the battery, kWh, where the user knows better.
    #[must_use]
    pub fn with_capacity_kwh(mut self, capacity_kwh: f64) -> Self {
        self.capacity_kwh = Some(capacity_kwh).filter(|kwh| *kwh > 0.0);
        self
    }

    /// What was learned before.
    #[must_use]
    pub fn with_learning(mut self, learning: Learning) -> Self {
        self.learning = learning;
        self
    }

    /// What is learned so far.
    #[must_use]
    pub const fn learning(&self) -> &Learning {
        &self.learning
    }

    /// A wallbox measures this power, kW. It overrules the car for two minutes.
    pub fn meter(&mut self, power_kw: f64, now: DateTime<Utc>) {
        self.meter = Some((power_kw, now));
        if let Activity::Charging {
            session,
            ended: None,
            ..
        } = &mut self.activity
        {
            session.power(power_kw, 0.0, now);
        }
    }

    /// Looks at what is known about the vehicle now. To be called after each
    /// change, and every half minute or so while it charges.
    pub fn observe(&mut self, telemetry: &Telemetry, now: DateTime<Utc>) {
        let overview = Overview::of(telemetry, now);
        let Some(soc) = overview.soc_percent else {
            return;
        };
        let is_new = self.reported.is_none_or(|reported| reported != soc);
        self.reported = Some(soc);
        let is_charging = overview.is_charging();
        let moves = overview.moving.is_some_and(|moving| moving.value) && !is_charging;
        let has_tank = overview.fuel_percent.is_some() || overview.fuel_l.is_some();
        self.follow(is_new, soc, is_charging, moves, &overview, now);
        match &mut self.activity {
            Activity::Charging {
                session,
                phases,
                since,
                ended: None,
            } => {
                let metered = self.meter.is_some_and(|(_, at)| now - at <= METER_HOLDS);
                if !metered {
                    let told = feed(session, telemetry, &overview, *since, phases, now);
                    let guessed = Some(phases.phases()).filter(|phases| *phases > 1);
                    self.learning.phases = told.or(guessed);
                }
                session.tick(now);
            }
            Activity::Idle if is_charging => {
                let Some(capacity_kwh) = self.capacity(&overview) else {
                    return;
                };
                let kind = match overview.is_dc {
                    Some(Timed { value: true, .. }) => ChargeKind::Dc,
                    _ => ChargeKind::Ac,
                };
                let since = overview
                    .charging_status
                    .as_ref()
                    .and_then(|status| status.at);
                let efficiency = self.learning.efficiency.clone();
                let session =
                    ChargingSession::start(kind, capacity_kwh, soc.value, now, efficiency)
                        .with_target(overview.target_soc_percent.map(|target| target.value))
                        .of_plugin_hybrid(has_tank);
                let mut session = Box::new(session);
                let since = since.unwrap_or(now);
                let mut phases = PhaseGuess::new(self.learning.phases);
                let told = feed(&mut session, telemetry, &overview, since, &phases, now);
                self.learning.phases = told.or(self.learning.phases);
                if let Some(drawn) = session.drawn() {
                    phases.reported(soc.value, drawn, capacity_kwh);
                }
                self.activity = Activity::Charging {
                    session,
                    phases,
                    since,
                    ended: None,
                };
            }
            Activity::Idle if moves && !has_tank => {
                let Some(capacity_kwh) = self.capacity(&overview) else {
                    return;
                };
                let rate = self.learning.kwh_per_km;
                let rate = rate.unwrap_or_else(|| usual_kwh_per_km(&self.model));
                let km = overview.odometer_km.map(|odometer| odometer.value);
                let session = DrivingSession::start(capacity_kwh, rate, soc.value, km);
                self.activity = Activity::Driving {
                    session,
                    heard: now,
                };
            }
            _ => {}
        }
    }

    /// Carries an activity on, or ends it.
    fn follow(
        &mut self,
        is_new: bool,
        soc: Timed<f64>,
        is_charging: bool,
        moves: bool,
        overview: &Overview,
        now: DateTime<Utc>,
    ) {
        let mut over = false;
        match &mut self.activity {
            Activity::Idle => {}
            Activity::Charging {
                session,
                phases,
                since,
                ended,
            } => {
                if !is_charging && ended.is_none() {
                    session.stop();
                    *ended = Some(now);
                }
                if is_new && ended.is_none() {
                    session.tick(now);
                    session.reported(soc.value, now);
                    if told_phases(overview, *since).is_none()
                        && let Some(drawn) = session.drawn()
                        && phases.reported(soc.value, drawn, session.capacity_kwh())
                    {
                        session.phases_were_wrong();
                    }
                }
                if let Some(ended) = *ended {
                    // The first report after the end tells what the charge has brought.
                    if is_new && let Some((condition, part)) = session.measured(soc.value) {
                        self.learning.efficiency.learn(condition, part);
                    }
                    over = is_new || now - ended > CLOSING || is_charging;
                }
            }
            Activity::Driving { session, heard } => {
                if let Some(odometer) = overview.odometer_km {
                    session.odometer(odometer.value);
                }
                if let Some(position) = overview.position {
                    session.gps(position.value);
                }
                if is_new {
                    session.reported(soc.value);
                    if !moves && let Some((rate, km)) = session.measured(soc.value) {
                        let old = self.learning.kwh_per_km.unwrap_or(rate);
                        let trips = self.learning.trips;
                        self.learning.kwh_per_km = Some(learned_rate(old, trips, rate, km));
                        self.learning.trips += 1;
                    }
                }
                if moves || is_new {
                    *heard = now;
                }
                over = is_charging || (!moves && is_new) || now - *heard > TRIP_ENDS;
            }
        }
        if over {
            self.activity = Activity::Idle;
        }
    }

    fn capacity(&self, overview: &Overview) -> Option<f64> {
        let reported = overview.battery_capacity_kwh.map(|capacity| capacity.value);
        let known = self
            .capacity_kwh
            .or(reported)
            .or_else(|| usable_kwh(&self.model));
        known.filter(|kwh| *kwh > 0.0)
    }

    /// The state of charge now, marked as what it is. `None` before the first report.
    #[must_use]
    pub fn estimate(&self, now: DateTime<Utc>) -> Option<SocEstimate> {
        let reported = self.reported?;
        let too_old = reported.at.is_some_and(|at| now - at > LONGEST);
        let (soc_percent, source) = match &self.activity {
            _ if too_old => (reported.value, SocSource::Reported),
            Activity::Idle => (reported.value, SocSource::Reported),
            Activity::Charging { session, .. } => (session.predicted(now), SocSource::Charging),
            Activity::Driving { session, .. } => (session.predicted(), SocSource::Driving),
        };
        let same = (soc_percent - reported.value).abs() < 0.005;
        Some(SocEstimate {
            soc_percent,
            is_estimate: !same,
            source: if same { SocSource::Reported } else { source },
            reported_at: reported.at,
        })
    }
}

/// Passes the newest power on to a charge. Tells the phases if the car does.
fn feed(
    session: &mut ChargingSession,
    telemetry: &Telemetry,
    overview: &Overview,
    since: DateTime<Utc>,
    guess: &PhaseGuess,
    now: DateTime<Utc>,
) -> Option<u8> {
    let number = |key| telemetry.get(key)?.value.as_ref()?.as_f64();
    let current = |at: Option<DateTime<Utc>>| at.is_none_or(|at| at >= since);
    let aux_kw = number(keys::AUX_POWER).unwrap_or(0.0);
    let phases = told_phases(overview, since);
    let assumed = phases.unwrap_or(guess.phases());
    let (volts, amperes) = (overview.charging_voltage_v, overview.charging_current_a);
    let is_dc = overview.is_dc.is_some_and(|dc| dc.value);
    match volts.zip(amperes) {
        Some((volts, amperes)) if !is_dc && current(volts.at) && current(amperes.at) => {
            session.ac(volts.value, amperes.value, assumed, aux_kw, now);
        }
        _ => {
            let power = overview.charging_power_w.filter(|power| current(power.at));
            if let Some(power) = power.filter(|power| power.value > 0.0) {
                session.power(power.value / 1000.0, aux_kw, now);
            }
        }
    }
    phases
}

/// The phases that the car tells of this charge. BMW sets the count back to one
/// at the end of each.
fn told_phases(overview: &Overview, since: DateTime<Utc>) -> Option<u8> {
    let phases = overview.charging_phases?;
    let lead = if phases.value > 1 {
        PHASE_LEAD
    } else {
        TimeDelta::zero()
    };
    let fresh = phases.at.is_none_or(|at| at >= since - lead);
    fresh.then_some(phases.value)
}
