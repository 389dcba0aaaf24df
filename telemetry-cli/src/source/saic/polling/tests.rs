use super::*;

const INTERVALS: Intervals = Intervals {
    cloud: Duration::from_secs(60),
    driving: Duration::from_secs(30),
    charging: Duration::from_secs(300),
    parked: Duration::from_secs(86_400),
};

const ALL: Questions = Questions {
    status: true,
    charging: true,
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000 + seconds)
}

fn plan() -> Plan {
    Plan::new(INTERVALS, true, 600, State::default())
}

fn parked(seconds: i64) -> Signs {
    Signs {
        at: Some(at(seconds)),
        charging: Some(false),
        running: Some(false),
        climate: Some(false),
        odometer_deci_km: Some(1000),
        soc_percent: Some(60),
        locked: Some(true),
    }
}

/// Asked and answered at 0: it is parked.
fn settled() -> Plan {
    let mut plan = plan();
    plan.cloud_asked(at(0));
    plan.asked(at(0));
    plan.told_status(parked(0), Some(12.6), at(0));
    plan.told_charging(false, false, at(0));
    plan.satisfied();
    plan
}

/// When the car is asked next, if the cloud tells nothing new.
fn next_question(plan: &Plan) -> i64 {
    let mut plan = plan.clone();
    let mut now = plan.state.asked_at.unwrap_or(at(0));
    loop {
        match plan.next_action(now) {
            Action::Cloud => plan.cloud_asked(now),
            Action::Car(_) => return (now - at(0)).num_seconds(),
            Action::Wait(until) => now = until,
        }
    }
}

#[test]
fn the_cloud_comes_first_and_the_car_at_once_if_nothing_is_known() {
    let mut plan = plan();
    assert_eq!(plan.next_action(at(0)), Action::Cloud);
    plan.cloud_asked(at(0));
    assert_eq!(plan.next_action(at(0)), Action::Car(ALL));
}

#[test]
fn a_parked_car_is_asked_once_a_day() {
    assert_eq!(next_question(&settled()), 86_400);
    // A report without news is none; a percent is lost by standing around.
    let mut plan = settled();
    assert!(!plan.reported(parked(14_400)));
    let less = Signs {
        soc_percent: Some(59),
        ..parked(28_800)
    };
    assert!(!plan.reported(less));
    assert_eq!(next_question(&plan), 86_400);
}

#[test]
fn whatever_it_does_makes_it_worth_a_question() {
    let signs: [fn(&mut Signs); 6] = [
        |signs| signs.charging = Some(true),
        |signs| signs.running = Some(true),
        |signs| signs.climate = Some(true),
        |signs| signs.odometer_deci_km = Some(1001),
        |signs| signs.soc_percent = Some(50),
        |signs| signs.locked = Some(false),
    ];
    for change in signs {
        let mut plan = settled();
        let mut signs = parked(600);
        change(&mut signs);
        assert!(plan.reported(signs), "{signs:?}");
        assert_eq!(plan.next_action(at(600)), Action::Cloud);
        plan.cloud_asked(at(600));
        assert_eq!(plan.next_action(at(600)), Action::Car(ALL), "{signs:?}");
        // The same report again is no news.
        assert!(!plan.reported(signs));
    }
    let mut plan = settled();
    plan.started();
    assert_eq!(next_question(&plan), 30);
}

#[test]
fn a_pulled_cable_shows_in_no_report_and_is_asked_for() {
    let mut plan = settled();
    plan.told_charging(false, true, at(0));
    // That is the echo of our own question.
    assert!(!plan.reported(parked(30)));
    assert!(plan.reported(parked(600)));
}

#[test]
fn a_weak_battery_is_spared_unless_the_car_runs() {
    let mut plan = settled();
    plan.told_status(parked(0), Some(11.5), at(0));
    let unlocked = Signs {
        locked: Some(false),
        ..parked(600)
    };
    plan.reported(unlocked);
    assert_eq!(next_question(&plan), 86_400);
    plan.started();
    assert_eq!(next_question(&plan), 30);
}

#[test]
fn a_silent_car_is_left_alone_after_three_questions() {
    let mut plan = settled();
    plan.give_sign();
    let mut asked = Vec::new();
    for _ in 0..4 {
        let time = next_question(&plan);
        asked.push(time);
        plan.asked(at(time));
        plan.failed();
    }
    assert_eq!(asked, [30, 330, 930, 87_330]);
    // A sign of life is worth the next one.
    plan.give_sign();
    assert!(next_question(&plan) <= 87_330 + 86_400);
    assert_eq!(plan.left(at(0)), 595);
}

#[test]
fn doubtful_reports_in_a_row_are_settled_by_the_car() {
    let mut plan = settled();
    plan.doubted();
    plan.doubted();
    assert_eq!(next_question(&plan), 86_400);
    plan.doubted();
    assert_eq!(next_question(&plan), 30);
}

#[test]
fn a_day_has_no_more_questions_than_its_budget_restarts_included() {
    let driving = Signs {
        running: Some(true),
        ..parked(0)
    };
    let mut plan = Plan::new(INTERVALS, true, 10, State::default());
    let (mut now, mut count) = (at(0), 0);
    while now < at(86_400) {
        match plan.next_action(now) {
            Action::Cloud => plan.cloud_asked(now),
            Action::Car(_) => {
                plan.asked(now);
                plan.told_status(driving, None, now);
                plan.satisfied();
                count += 1;
                let text = serde_json::to_string(plan.state()).unwrap();
                let state = serde_json::from_str(&text).unwrap();
                plan = Plan::new(INTERVALS, true, 10, state);
            }
            Action::Wait(until) => now = until,
        }
    }
    assert!((8..=10).contains(&count), "{count}");
}

/// Drives for so many hours, charges for eight, and stands: the calls of the
/// day, the longest pauses while it drove and charged, minutes, and the calls
/// that were left at the end of the journey and of the day.
fn a_long_day(hours: i64) -> (usize, i64, i64, usize, usize) {
    let (journey, charge) = (hours * 3600, hours * 3600 + 8 * 3600);
    let mut plan = settled();
    let (mut now, mut asked) = (at(1), at(0));
    let (mut calls, mut pauses, mut left) = (0, [0, 0], 0);
    plan.started();
    while now < at(86_400) {
        let since = (now - at(0)).num_seconds();
        let signs = Signs {
            running: Some(since < journey),
            charging: Some((journey..charge).contains(&since)),
            ..parked(since)
        };
        if since < journey {
            left = plan.left(now);
        }
        for (longest, holds) in pauses.iter_mut().zip([signs.running, signs.charging]) {
            if holds == Some(true) {
                *longest = (now - asked).num_minutes().max(*longest);
            }
        }
        match plan.next_action(now) {
            Action::Cloud => {
                plan.cloud_asked(now);
                // The cloud remembers what it does every few minutes.
                if since % 600 < 60 {
                    plan.reported(signs);
                }
            }
            Action::Car(questions) => {
                asked = now;
                if questions.status {
                    plan.asked(now);
                    plan.told_status(signs, Some(12.6), now);
                    calls += 1;
                }
                if questions.charging {
                    plan.asked(now);
                    let charges = signs.charging == Some(true);
                    plan.told_charging(charges, charges, now);
                    calls += 1;
                }
                plan.satisfied();
            }
            Action::Wait(until) => now = until,
        }
    }
    (calls, pauses[0], pauses[1], left, plan.left(now))
}

/// However long it drives, it is never lost from sight, and the charge is seen.
#[test]
fn the_questions_of_a_day_last_for_all_of_it() {
    let hours = [1, 2, 4, 6, 10, 16];
    let days = hours.map(a_long_day);
    let expected = [
        (248, 0, 5, 467, 352),
        (380, 0, 5, 335, 220),
        (544, 1, 5, 171, 56),
        (570, 6, 13, 132, 30),
        (574, 30, 20, 117, 26),
        (575, 30, 33, 102, 25),
    ];
    assert_eq!(days, expected);
}

#[test]
fn charging_data_that_cannot_be_read_do_not_blind() {
    let charging = Signs {
        charging: Some(true),
        ..parked(1)
    };
    let mut plan = settled();
    plan.told_status(charging, None, at(1));
    plan.satisfied();
    plan.satisfied();
    let mut asked = Vec::new();
    for _ in 0..6 {
        let time = next_question(&plan);
        plan.cloud_asked(at(time));
        let Action::Car(questions) = plan.next_action(at(time)) else {
            panic!("it is due");
        };
        plan.asked(at(time));
        if questions.status {
            plan.told_status(charging, None, at(time));
        }
        if questions.charging {
            plan.charging_failed(at(time));
        }
        plan.satisfied();
        asked.push((time, questions.status, questions.charging));
    }
    // The status goes on at the pace of the charge; the rest is tried ever less.
    let expected = [
        (300, false, true),
        (600, true, true),
        (900, true, false),
        (1200, true, true),
        (1500, true, false),
        (1800, true, false),
    ];
    assert_eq!(asked, expected);
    plan.told_status(charging, None, at(10_000));
    plan.told_charging(true, true, at(10_000));
    plan.satisfied();
    let next = plan.questions(at(10_300));
    assert_eq!((next.status, next.charging), (false, true));
}

#[test]
fn any_order_of_events_leaves_the_budget_alone() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut plan = Plan::new(INTERVALS, true, 50, State::default());
    let mut asked = std::collections::VecDeque::new();
    let mut now = at(0);
    for _ in 0..20_000 {
        now += TimeDelta::seconds(random.i64(0..120));
        let signs = Signs {
            running: Some(random.bool()),
            charging: Some(random.bool()),
            soc_percent: Some(random.u8(0..=100)),
            at: Some(now),
            ..Signs::default()
        };
        match random.u8(0..6) {
            0 => drop(plan.reported(signs)),
            1 => plan.doubted(),
            2 => plan.started(),
            _ => match plan.next_action(now) {
                Action::Cloud => plan.cloud_asked(now),
                Action::Car(_) => {
                    plan.asked(now);
                    asked.push_back(now);
                    match random.bool() {
                        true => plan.failed(),
                        false => {
                            plan.told_status(signs, Some(12.0), now);
                            plan.told_charging(random.bool(), random.bool(), now);
                            plan.satisfied();
                        }
                    }
                }
                Action::Wait(until) => assert!(until > now),
            },
        }
        while asked
            .front()
            .is_some_and(|at| *at <= now - TimeDelta::days(1))
        {
            asked.pop_front();
        }
        assert!(asked.len() <= 50);
    }
}
