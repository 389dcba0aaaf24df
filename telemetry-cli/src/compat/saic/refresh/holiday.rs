//! While its owner is away, a car is asked rarely, whatever it does.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Phase, Refresh};

/// Two polls that nobody asked for are at least so far apart.
const APART: TimeDelta = TimeDelta::hours(12);

impl Refresh {
    /// Whether its owner is away.
    pub fn is_holiday(&self) -> bool {
        self.holiday
    }

    /// Its owner goes away, or is back: then the usual rules decide at once.
    pub fn set_holiday(&mut self, holiday: bool) {
        self.holiday = holiday;
    }

    /// Which rule decides on the next poll, and when it is due. A holiday makes
    /// no poll earlier, and holds up none that somebody asked for.
    pub(super) fn rule(&self, now: DateTime<Utc>) -> Option<(Phase, DateTime<Utc>)> {
        let asked = self.last_success.max(self.last_failure);
        let asked = asked.filter(|_| self.holiday && !self.mode.is_single());
        let earliest = asked.map_or(now, |asked| now.max(asked + APART));
        // As things will stand then.
        let (phase, due) = self.usual(earliest)?;
        match now < earliest && due <= earliest {
            true => Some((Phase::Holiday, earliest)),
            false => Some((phase, due)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, parked};
    use super::super::{ChargeState, Failed, Mode, Period};
    use super::*;
    use crate::compat::saic::charging_interval::Charge;

    const HALF_A_DAY: i64 = 43_200;

    /// What happens at 2000 s to a car that answered at 1000 s; when it is asked
    /// next on a holiday and otherwise, and by which rule on a holiday.
    #[test]
    fn a_holiday_spaces_polls_that_nobody_asked_for() {
        type Event = fn(&mut Refresh);
        let charges: Event = |refresh| {
            let charge = Charge {
                power_kw: Some(-7.0),
                capacity_kwh: Some(64.0),
                remaining_s: 9000,
                min_percent: 1.0,
            };
            let state = ChargeState {
                charging: true,
                feeding: false,
                charge,
            };
            refresh.charge_data(state, at(2000));
            refresh.poll_succeeded(at(2000));
        };
        let rows: [(&str, Event, i64, i64, Phase); 7] = [
            ("nothing", |_| {}, 87_400, 87_400, Phase::Inactive),
            (
                "its doors open",
                |refresh| refresh.activity(at(2000)),
                1000 + HALF_A_DAY,
                2000,
                Phase::Holiday,
            ),
            (
                "a wallbox speaks",
                |refresh| refresh.station_changed(at(2000)),
                1000 + HALF_A_DAY,
                2000,
                Phase::Holiday,
            ),
            (
                "it is not reached",
                |refresh| refresh.poll_failed(Failed::Car, at(2000)),
                2000 + HALF_A_DAY,
                2030,
                Phase::Holiday,
            ),
            (
                "it charges",
                charges,
                2000 + HALF_A_DAY,
                2330,
                Phase::Holiday,
            ),
            (
                "a shorter period is set",
                |refresh| refresh.set_period(Period::Inactive, 3600),
                1000 + HALF_A_DAY,
                4600,
                Phase::Holiday,
            ),
            (
                "somebody wants a poll",
                |refresh| refresh.set_mode(Mode::Force),
                2000,
                2000,
                Phase::Force,
            ),
        ];
        for (what, event, away, at_home, phase) in rows {
            let mut refresh = parked();
            event(&mut refresh);
            assert_eq!(refresh.next_poll(at(2000)), Some(at(at_home)), "{what}");
            refresh.set_holiday(true);
            assert_eq!(refresh.next_poll(at(2000)), Some(at(away)), "{what}");
            assert_eq!(refresh.phase(at(2000)), phase, "{what}");
            // It survives a restart, and its end is its end.
            let json = serde_json::to_string(&refresh).unwrap();
            let mut restored: Refresh = serde_json::from_str(&json).unwrap();
            assert!(restored.is_holiday(), "{what}");
            assert_eq!(restored.next_poll(at(2000)), Some(at(away)), "{what}");
            restored.set_holiday(false);
            assert_eq!(restored.next_poll(at(2000)), Some(at(at_home)), "{what}");
        }
        let mut off = parked();
        off.set_mode(Mode::Off);
        off.set_holiday(true);
        assert_eq!(
            (off.next_poll(at(2000)), off.phase(at(2000))),
            (None, Phase::Off)
        );
    }
}
