//! Whole days of a car, and the exact times at which it is asked.

use super::tests::at;
use super::*;

/// What a car does from a time on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Parked,
    Driving,
    Charging,
    Asleep,
}

/// When the car was asked, and when only the cloud.
#[derive(Debug, Default, PartialEq)]
struct Polls {
    live: Vec<i64>,
    probes: Vec<i64>,
}

/// The times of all polls of the car until `end`.
fn polls(refresh: &mut Refresh, plan: &[(i64, Doing)], end: i64) -> Vec<i64> {
    all_polls(refresh, plan, end).live
}

/// The times of all polls until `end`. A message comes a minute after each
/// start of the engine, and a wallbox speaks three seconds after each plug.
fn all_polls(refresh: &mut Refresh, plan: &[(i64, Doing)], end: i64) -> Polls {
    let doing = |now: i64| {
        plan.iter()
            .rev()
            .find(|(from, _)| *from <= now)
            .map_or(Doing::Parked, |(_, doing)| *doing)
    };
    let mut polls = Polls::default();
    let mut now = 0;
    while now <= end {
        if plan.contains(&(now - 60, Doing::Driving)) {
            refresh.activity(at(now));
        }
        if plan.contains(&(now - 3, Doing::Charging)) {
            refresh.station_changed(at(now));
        }
        if refresh.next_poll(at(now)).is_some_and(|due| due <= at(now)) {
            if refresh.is_probe(at(now)) && doing(now) == Doing::Asleep {
                polls.probes.push(now);
                refresh.poll_begins(at(now));
                refresh.probe_failed(at(now));
            } else {
                polls.live.push(now);
                poll(refresh, doing(now), now);
            }
        }
        now += 1;
    }
    polls
}

fn poll(refresh: &mut Refresh, doing: Doing, now: i64) {
    refresh.poll_begins(at(now));
    if doing == Doing::Asleep {
        refresh.poll_failed(Failed::Car, at(now));
        return;
    }
    refresh.status(doing == Doing::Driving, at(now));
    refresh.charge_data(
        ChargeState {
            charging: doing == Doing::Charging,
            feeding: false,
            charge: Charge {
                power_kw: Some(if doing == Doing::Charging {
                    -7.061
                } else {
                    0.0
                }),
                capacity_kwh: Some(64.0),
                remaining_s: 9000,
                min_percent: 1.0,
            },
        },
        at(now),
    );
    refresh.poll_succeeded(at(now));
}

const DAY: i64 = 86_400;

#[test]
fn a_parked_car_is_asked_while_it_might_have_just_stopped_and_then_once_a_day() {
    let mut refresh = Refresh::new(at(0));
    assert_eq!(
        polls(&mut refresh, &[], 3 * DAY),
        // The first answer says that it is off: ten minutes from there.
        [10, 130, 250, 370, 490, 490 + DAY, 490 + 2 * DAY]
    );
}

#[test]
fn a_restarted_gateway_does_not_wake_a_parked_car() {
    let mut refresh = Refresh::new(at(0));
    polls(&mut refresh, &[], 3600);
    let json = serde_json::to_string(&refresh).unwrap();
    let mut restored: Refresh = serde_json::from_str(&json).unwrap();
    restored.restarted(at(3600));
    assert_eq!(restored.next_poll(at(3600)), Some(at(490 + DAY)));
}

#[test]
fn a_commute_is_followed_every_half_minute() {
    let mut refresh = Refresh::new(at(0));
    let plan = [
        (25_200, Doing::Driving),
        (25_500, Doing::Parked),
        (61_200, Doing::Driving),
        (61_440, Doing::Parked),
    ];
    assert_eq!(
        polls(&mut refresh, &plan, DAY),
        [
            10, 130, 250, 370, 490, // as it may have just stopped
            25_260, 25_290, 25_320, 25_350, 25_380, 25_410, 25_440, 25_470, // drives
            25_500, 25_620, 25_740, 25_860, 25_980, // has stopped
            61_260, 61_290, 61_320, 61_350, 61_380, 61_410, // drives
            61_440, 61_560, 61_680, 61_800, 61_920, // has stopped
        ]
    );
}

#[test]
fn a_night_at_the_charger_has_a_poll_for_each_percent() {
    let mut refresh = Refresh::new(at(0));
    // Plugged in at 2000; full at 4000.
    let plan = [(2000, Doing::Charging), (4000, Doing::Parked)];
    let mut times = polls(&mut refresh, &plan, DAY);
    times.retain(|time| *time > 1000);
    assert_eq!(
        times,
        [
            2003, 2330, 2657, 2984, 3311, 3638, 3965, // charges
            4292, 4412, 4532, 4652, 4772, // has ended, and may start again
        ]
    );
}

#[test]
fn a_car_without_signal_is_woken_ever_more_rarely_until_a_message_comes() {
    let mut refresh = Refresh::new(at(0));
    let plan = [
        (0, Doing::Asleep),
        (40_000, Doing::Driving),
        (40_100, Doing::Parked),
    ];
    let polls = all_polls(&mut refresh, &plan, 50_000);
    assert_eq!(
        polls.live,
        [
            10, 40, 100, 220, 460, 940, 2740, 5440, 9940, 18_040, 34_240, // silent
            40_060, 40_090, // drives
            40_120, 40_240, 40_360, 40_480, 40_600, // has stopped
        ]
    );
    // In between the cloud is asked, so that something happens every 15 minutes.
    let silent: Vec<_> = (940..40_000).step_by(900).collect();
    let of_both = |time: &i64| polls.live.contains(time) != polls.probes.contains(time);
    assert!(silent.iter().all(of_both), "{polls:?}");
    assert_eq!(polls.probes.len() + 6, silent.len());
}

#[test]
fn a_silent_car_is_asked_as_soon_as_the_cloud_has_heard_of_it() {
    let mut refresh = Refresh::new(at(0));
    let plan = [(0, Doing::Asleep), (20_000, Doing::Parked)];
    let times = polls(&mut refresh, &plan, 20_000 + DAY);
    let since = times.iter().position(|time| *time >= 20_000).unwrap();
    // The next quarter of an hour, and not hours later.
    assert_eq!(times[since..], [20_740, 20_860, 20_980, 21_100, 21_220][..]);
}

#[test]
fn a_pause_asks_nothing() {
    let mut refresh = Refresh::new(at(0));
    refresh.set_mode(Mode::Off);
    assert_eq!(polls(&mut refresh, &[(500, Doing::Driving)], DAY), [0; 0]);
}
