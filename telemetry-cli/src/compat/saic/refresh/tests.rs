use super::*;

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// A parked car that answered at 1000 s, after it had been shut down at 0.
pub(super) fn parked() -> Refresh {
    let mut refresh = Refresh::new(at(0));
    success(&mut refresh, 1000);
    refresh.last_shutdown = at(0);
    refresh
}

fn success(refresh: &mut Refresh, seconds: i64) {
    refresh.poll_begins(at(seconds));
    refresh.status(false, at(seconds));
    refresh.poll_succeeded(at(seconds));
}

fn next(refresh: &Refresh, now: i64) -> Option<i64> {
    refresh.next_poll(at(now)).map(|time| time.timestamp())
}

#[test]
fn the_first_poll_waits_for_settings() {
    let refresh = Refresh::new(at(0));
    assert_eq!(next(&refresh, 0), Some(10));
    assert_eq!(refresh.mode(), Mode::Periodic);
}

#[test]
fn failures_are_waited_out_ever_longer() {
    let periods = |whose| {
        let mut refresh = parked();
        assert_eq!(refresh.error_period(), 30);
        (0..14)
            .map(|n| {
                refresh.poll_failed(whose, at(2000 + n));
                let period = refresh.error_period();
                assert_eq!(next(&refresh, 2000 + n), Some(2000 + n + i64::from(period)));
                period
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        periods(Failed::Car),
        [
            30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440, 86_400, 86_400
        ]
    );
    assert_eq!(
        periods(Failed::Cloud),
        [
            30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900, 900, 900, 900
        ]
    );
    let mut refresh = parked();
    for n in 0..10 {
        refresh.poll_failed(Failed::Car, at(2000 + n));
    }
    refresh.poll_failed(Failed::Cloud, at(3000));
    assert_eq!(refresh.error_period(), 30, "another cause begins anew");
    success(&mut refresh, 3030);
    assert_eq!(
        (refresh.error_period(), next(&refresh, 3030)),
        (30, Some(3030 + 86_400))
    );
}

#[test]
fn the_mode_comes_before_all_rules() {
    let mut refresh = parked();
    refresh.set_mode(Mode::Off);
    assert_eq!(
        (next(&refresh, 10_000), refresh.phase(at(10_000))),
        (None, Phase::Off)
    );
    refresh.activity(at(10_001));
    assert_eq!(next(&refresh, 10_001), None);
    // Exactly one poll, and off again.
    refresh.set_mode(Mode::Force);
    refresh.set_mode(Mode::Force);
    assert_eq!(
        (next(&refresh, 10_002), refresh.phase(at(10_002))),
        (Some(10_002), Phase::Force)
    );
    success(&mut refresh, 10_002);
    assert_eq!((refresh.mode(), next(&refresh, 10_003)), (Mode::Off, None));
    // A mode that is set meanwhile is not undone.
    refresh.set_mode(Mode::Force);
    refresh.set_mode(Mode::Periodic);
    refresh.poll_begins(at(10_004));
    assert_eq!(refresh.mode(), Mode::Periodic);
}

#[test]
fn somebody_who_waits_for_a_charge_gets_the_grace_time() {
    let mut refresh = parked();
    refresh.set_mode(Mode::ChargingDetection);
    assert_eq!(
        (next(&refresh, 50_000), refresh.phase(at(50_000))),
        (Some(50_000), Phase::ChargingDetection)
    );
    success(&mut refresh, 50_000);
    assert_eq!(
        (refresh.mode(), next(&refresh, 50_000)),
        (Mode::Periodic, Some(50_120))
    );
    assert_eq!(refresh.phase(at(50_001)), Phase::AfterShutdown);
}

#[test]
fn an_activity_asks_at_once_even_after_failures() {
    let mut refresh = parked();
    assert_eq!(next(&refresh, 2000), Some(1000 + 86_400));
    refresh.activity(at(2000));
    assert_eq!(
        (next(&refresh, 2000), refresh.phase(at(2000))),
        (Some(2000), Phase::Active)
    );
    for n in 0..10 {
        refresh.poll_failed(Failed::Car, at(2000 + n));
    }
    assert_eq!(refresh.phase(at(3000)), Phase::ErrorRecovery);
    refresh.activity(at(3000));
    assert_eq!(next(&refresh, 3000), Some(3000));
}

#[test]
fn periods_count_from_when_they_are_set() {
    let mut refresh = parked();
    for (period, seconds) in [(Period::Inactive, 7200), (Period::Active, 60)] {
        refresh.set_period(period, seconds);
    }
    assert_eq!(next(&refresh, 2000), Some(8200));
    refresh.set_hv_active(true, at(2000));
    success(&mut refresh, 2000);
    refresh.status(true, at(2001));
    refresh.poll_succeeded(at(2001));
    assert_eq!(
        (next(&refresh, 2001), refresh.error_period()),
        (Some(2061), 60)
    );
}

fn charge(power_kw: f64, charging: bool) -> ChargeState {
    ChargeState {
        charging,
        feeding: false,
        charge: Charge {
            power_kw: Some(power_kw),
            capacity_kwh: Some(64.0),
            remaining_s: 9000,
            min_percent: 1.0,
        },
    }
}

#[test]
fn a_charge_sets_its_own_pace() {
    let mut refresh = parked();
    refresh.charge_data(charge(-7.061, true), at(2000));
    refresh.poll_succeeded(at(2000));
    assert_eq!(refresh.charging_period(), 327);
    assert_eq!(
        (next(&refresh, 2000), refresh.phase(at(2000))),
        (Some(2327), Phase::Charging)
    );
    // Nothing flows for a moment: the pace stays.
    refresh.charge_data(charge(-0.5, true), at(2327));
    assert_eq!(refresh.charging_period(), 327);
    refresh.set_period(Period::Active, 400);
    assert_eq!(refresh.charging_period(), 400);
    // The end counts as a shutdown: phases may switch.
    refresh.charge_data(charge(0.0, false), at(2700));
    refresh.poll_succeeded(at(2700));
    assert_eq!(
        (refresh.charging_period(), refresh.phase(at(2700))),
        (0, Phase::AfterShutdown)
    );
    assert!(!refresh.is_hv_active());
}

#[test]
fn a_car_that_feeds_something_is_asked_as_if_it_charged() {
    let feeds = |power_kw| ChargeState {
        feeding: true,
        ..charge(power_kw, false)
    };
    for (state, due, phase) in [
        // A percent of 64 kWh at 2.2 kW; the other way round it is the same.
        (feeds(2.2), 1048, Phase::Charging),
        (charge(-2.2, true), 1048, Phase::Charging),
        // Nothing flows yet.
        (feeds(0.1), 30, Phase::Active),
        (charge(-0.1, true), 30, Phase::Active),
        (charge(2.2, false), 86_400, Phase::Inactive),
    ] {
        let mut refresh = parked();
        refresh.charge_data(state, at(2000));
        refresh.poll_succeeded(at(2000));
        assert_eq!(
            (next(&refresh, 2000), refresh.phase(at(2000))),
            (Some(2000 + due), phase),
            "{state:?}"
        );
        assert_eq!(refresh.is_charging(), state.charging);
    }
    let mut refresh = parked();
    refresh.charge_data(feeds(2.2), at(2000));
    refresh.poll_succeeded(at(2000));
    // The end counts as that of a charge.
    refresh.charge_data(charge(0.0, false), at(3000));
    refresh.poll_succeeded(at(3000));
    assert_eq!(
        (refresh.charging_period(), refresh.phase(at(3000))),
        (0, Phase::AfterShutdown)
    );
}

#[test]
fn a_charge_that_nobody_can_see_ends() {
    let mut refresh = parked();
    refresh.charge_data(charge(-7.0, true), at(2000));
    refresh.poll_succeeded(at(2000));
    assert!(!refresh.no_charge_data(at(2000 + 1799)));
    assert!(refresh.is_charging());
    assert!(refresh.no_charge_data(at(2000 + 1800)));
    assert!(!refresh.no_charge_data(at(2000 + 1801)));
    refresh.poll_succeeded(at(2000 + 1800));
    assert!(!refresh.is_charging() && !refresh.is_hv_active());
}

#[test]
fn a_wallbox_wakes_the_gateway() {
    let mut refresh = parked();
    refresh.station_changed(at(2000));
    assert_eq!(
        (refresh.is_charging(), next(&refresh, 2000)),
        (true, Some(2000))
    );
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut refresh = parked();
    refresh.set_mode(Mode::Off);
    refresh.set_period(Period::Inactive, 7200);
    refresh.set_mode(Mode::Periodic);
    let json = serde_json::to_string(&refresh).unwrap();
    let mut restored: Refresh = serde_json::from_str(&json).unwrap();
    restored.restarted(at(2000));
    assert_eq!(next(&restored, 2000), Some(1000 + 7200));
    // What was due meanwhile waits for settings.
    let mut restored: Refresh = serde_json::from_str(&json).unwrap();
    restored.restarted(at(100_000));
    assert_eq!(next(&restored, 100_000), Some(100_010));
    // A clock that was set back does not stop the polls.
    let mut restored: Refresh = serde_json::from_str(&json).unwrap();
    restored.restarted(at(-500_000));
    assert_eq!(next(&restored, -500_000), Some(-500_000 + 120));
}

proptest::proptest! {
    /// Whatever happens: a poll that is due is due at its time and after it,
    /// and asking costs nothing.
    #[test]
    fn what_is_due_stays_due(
        events in proptest::collection::vec((0u8..10, 0i64..100_000), 0..40),
        periods in proptest::array::uniform4(0u32..500_000),
    ) {
        let mut refresh = Refresh::new(at(0));
        for (period, seconds) in Period::ALL.into_iter().zip(periods) {
            refresh.set_period(period, seconds);
        }
        let mut now = 0;
        for (event, wait) in events {
            now += wait;
            let time = at(now);
            match event {
                0 => refresh.activity(time),
                1 => refresh.poll_failed(Failed::Car, time),
                2 => refresh.poll_failed(Failed::Cloud, time),
                3 => success(&mut refresh, now),
                4 => refresh.charge_data(charge(-7.0, wait % 2 == 0), time),
                5 => {
                    let _ = refresh.no_charge_data(time);
                }
                6 => refresh.set_mode(Mode::ALL[usize::try_from(wait % 4).unwrap()]),
                7 => refresh.station_changed(time),
                8 => refresh.set_holiday(wait % 2 == 0),
                _ => refresh.status(wait % 2 == 0, time),
            }
            if let Some(due) = refresh.next_poll(time) {
                let later = refresh.next_poll(due.max(time));
                proptest::prop_assert!(later.is_some_and(|later| later <= due.max(time)), "{:?}", refresh);
            }
        }
    }
}

#[test]
fn each_answer_of_a_car_that_drives_is_its_last_activity() {
    let mut refresh = parked();
    for now in [2000, 2030] {
        refresh.status(true, at(now));
        refresh.poll_succeeded(at(now));
        assert_eq!(refresh.last_activity(), at(now));
        // That asks for no other poll.
        assert_eq!(next(&refresh, now), Some(now + 30));
    }
    success(&mut refresh, 2060);
    assert_eq!(refresh.last_activity(), at(2030));
}
