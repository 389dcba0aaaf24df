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
    let capped = [
        30, 60, 120, 240, 480, 900, 900, 900, 900, 900, 900, 900, 900, 900,
    ];
    let (car, cloud) = (Failed::Car, Failed::Cloud);
    // Whoever is to blame, also in turns.
    for causes in [[car, car], [cloud, cloud], [car, cloud], [cloud, car]] {
        let mut refresh = parked();
        assert_eq!(refresh.error_period(), 30);
        for ((n, whose), expected) in (0..).zip(causes.into_iter().cycle()).zip(capped) {
            let now = 2000 + n;
            refresh.poll_begins(at(now));
            refresh.poll_failed(whose, at(now));
            assert_eq!(refresh.error_period(), expected, "{causes:?} {n}");
            assert_eq!(next(&refresh, now), Some(now + i64::from(expected)));
        }
        success(&mut refresh, 3030);
        assert_eq!(
            (refresh.error_period(), next(&refresh, 3030)),
            (30, Some(3030 + 86_400))
        );
    }
}

#[test]
fn a_silent_car_is_woken_as_rarely_as_by_the_original() {
    let mut refresh = parked();
    assert_eq!(refresh.silent_at(), None);
    let mut now = 2000;
    for wait in [
        30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 30_720, 61_440, 86_400, 86_400,
    ] {
        refresh.poll_begins(at(now));
        refresh.poll_failed(Failed::Car, at(now));
        assert_eq!(refresh.silent_at(), Some(at(now)));
        assert!(refresh.is_probe(at(now + wait - 1)), "{wait}");
        assert!(!refresh.is_probe(at(now + wait)), "{wait}");
        // Neither probes nor failures of the cloud change that.
        refresh.probe_failed(at(now + 1));
        refresh.poll_failed(Failed::Cloud, at(now + 2));
        assert!(refresh.is_probe(at(now + wait - 1)) && !refresh.is_probe(at(now + wait)));
        now += wait;
    }
    // Somebody wants it, or something happened: that wakes it at once.
    refresh.poll_begins(at(now));
    refresh.poll_failed(Failed::Car, at(now));
    assert!(refresh.is_probe(at(now + 900)));
    let mut forced = refresh.clone();
    forced.set_mode(Mode::Force);
    assert!(!forced.is_probe(at(now + 1)));
    refresh.activity(at(now + 1));
    assert!(!refresh.is_probe(at(now + 1)));
    assert_eq!(next(&refresh, now + 1), Some(now + 1));
    // A cloud that is away costs the car nothing: it is asked itself.
    let mut refresh = parked();
    refresh.poll_failed(Failed::Cloud, at(2000));
    assert!(!refresh.is_probe(at(2900)));
}

#[test]
fn what_happened_before_a_poll_began_asks_for_no_other() {
    for (happened, polled) in [
        (Some(1990), false),
        (Some(1995), false),
        // Clocks differ, and times are rounded.
        (Some(1996), true),
        (Some(2003), true),
        (Some(2007), true),
        (None, true),
    ] {
        let mut refresh = parked();
        refresh.poll_begins(at(2000));
        refresh.status(false, at(2005));
        refresh.poll_succeeded(at(2005));
        refresh.was_active(happened.map(at), at(2006));
        let due = if polled { 2006 } else { 2005 + 86_400 };
        assert_eq!(next(&refresh, 2006), Some(due), "{happened:?}");
        if !polled {
            assert_eq!(refresh.last_activity(), at(happened.unwrap()));
        }
        // It is asked once, whatever the clock says meanwhile.
        refresh.poll_begins(at(1500));
        refresh.poll_succeeded(at(1505));
        assert_eq!(next(&refresh, 1505), Some(1505 + 86_400));
    }
    // A poll that failed heard nothing.
    let mut refresh = parked();
    refresh.poll_begins(at(2000));
    refresh.poll_failed(Failed::Car, at(2005));
    refresh.was_active(Some(at(1990)), at(2006));
    assert_eq!(next(&refresh, 2006), Some(2006));
    // What arrives in the very moment of an answer is not lost.
    let mut refresh = parked();
    success(&mut refresh, 2000);
    refresh.activity(at(2000));
    assert_eq!(next(&refresh, 2000), Some(2000));
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
        refresh.poll_begins(at(2000 + n));
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
    assert!(!refresh.no_charge_data(false, at(2000 + 1799)));
    assert!(refresh.is_charging());
    let mut unplugged = refresh.clone();
    assert!(refresh.no_charge_data(false, at(2000 + 1800)));
    assert!(!refresh.no_charge_data(false, at(2000 + 1801)));
    refresh.poll_succeeded(at(2000 + 1800));
    assert!(!refresh.is_charging() && !refresh.is_hv_active());
    // The car says meanwhile that it does not charge.
    assert!(unplugged.no_charge_data(true, at(2327)));
    unplugged.poll_succeeded(at(2327));
    assert!(!unplugged.is_charging() && !unplugged.is_hv_active());
    assert_eq!(
        (unplugged.charging_period(), next(&unplugged, 2327)),
        (0, Some(2327 + 86_400))
    );
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
    /// asking costs nothing, and no failure is waited out longer than a quarter
    /// of an hour or the active period, nor shorter than that.
    #[test]
    fn what_is_due_stays_due(
        events in proptest::collection::vec((0u8..11, 0i64..100_000), 0..40),
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
                    let _ = refresh.no_charge_data(wait % 2 == 0, time);
                }
                6 => refresh.set_mode(Mode::ALL[usize::try_from(wait % 4).unwrap()]),
                7 => refresh.station_changed(time),
                8 => refresh.probe_failed(time),
                9 => refresh.set_holiday(wait % 2 == 0),
                _ => refresh.status(wait % 2 == 0, time),
            }
            let (active, error) = (refresh.periods.active(), refresh.error_period());
            proptest::prop_assert!(error >= active && error <= active.max(900), "{:?}", refresh);
            if let Some(due) = refresh.next_poll(time) {
                if refresh.phase(time) == Phase::ErrorRecovery {
                    proptest::prop_assert!(due <= time + TimeDelta::seconds(error.max(10).into()));
                }
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
