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
    let mut now = at(0);
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
    assert_eq!(count, 10);
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
