//! Whole days of cars, with the simulated cloud in process, and what they
//! cost: questions to the car are what its 12 V battery pays for.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::VehicleStatus;
use saic_ismart::http::{Request, Response, Sending, Transport};
use saic_ismart::simulator::{Activity, CarConfig, Cloud, CloudConfig, InProcess, Phase};

use super::account::{Account, Clock, Step};
use super::builder;
use super::error::SaicError;
use super::memory::Files;
use super::polling::Questions;
use crate::config::Saic;
use crate::metric::vehicle;
use crate::radio::{Air, Radio};
use crate::source::Context;
use crate::value::Value;

/// 2023-11-14T22:13:20Z
pub(super) const START_MS: u64 = 1_700_000_000_000;

const DAY: TimeDelta = TimeDelta::days(1);

pub(super) fn phase(activity: Activity, minutes: f64) -> Phase {
    Phase { activity, minutes }
}

pub(super) fn parked() -> Vec<Phase> {
    vec![phase(Activity::Parked, 1440.0)]
}

/// Comes home and is plugged in for eight hours; it is full, to its target,
/// after a bit more than three.
fn charging() -> Vec<Phase> {
    vec![
        phase(Activity::Parked, 450.0),
        phase(Activity::Driving { kmh: 54.0 }, 30.0),
        phase(Activity::Charging { kw: 7.2 }, 480.0),
        phase(Activity::Parked, 480.0),
    ]
}

/// To work and back, an hour each.
fn driving() -> Vec<Phase> {
    vec![
        phase(Activity::Parked, 420.0),
        phase(Activity::Driving { kmh: 54.0 }, 60.0),
        phase(Activity::Parked, 480.0),
        phase(Activity::Driving { kmh: 54.0 }, 60.0),
        phase(Activity::Parked, 420.0),
    ]
}

/// An account on a simulated cloud, both on tokio's clock.
pub(super) struct Bench {
    pub(super) cloud: InProcess,
    pub(super) context: Context,
    pub(super) config: Saic,
    files: Option<Files>,
}

impl Bench {
    pub(super) async fn new(plan: Vec<Phase>) -> Self {
        let car = CarConfig {
            plan,
            ..CarConfig::default()
        };
        Self::with_cars(vec![car]).await
    }

    pub(super) async fn with_cars(cars: Vec<CarConfig>) -> Self {
        let config = CloudConfig {
            cars,
            ..CloudConfig::default()
        };
        let password = "demo-password".to_owned().into();
        Self {
            cloud: InProcess::starting_at(Cloud::new(config, 7), START_MS),
            context: Context::brief(Radio::Simulated(Air::default()))
                .await
                .unwrap(),
            config: Saic::new("demo@example.com".to_owned(), password),
            files: None,
        }
    }

    /// What is learnt outlives the account.
    pub(super) fn keeping(mut self, directory: &std::path::Path) -> Self {
        self.files = Some(Files::of(&self.config, directory).unwrap());
        self
    }

    pub(super) fn account(&self) -> Account {
        self.account_by(self.cloud.clone())
    }

    /// Over another way to the cloud.
    pub(super) fn account_by(&self, way: impl Transport) -> Account {
        let (cloud, clock) = (self.cloud.clone(), self.cloud.clone());
        let mut builder = builder(&self.config)
            .unwrap()
            .transport(way)
            .clock(move || i64::try_from(cloud.now_ms()).unwrap());
        if let Some(files) = &self.files {
            builder = builder.token_store(saic_ismart::FileTokenStore::new(files.token()));
        }
        let clock: Clock = Arc::new(move || at(clock.now_ms()));
        Account::new(
            self.config.clone(),
            self.context.clone(),
            "saic",
            builder.build().unwrap(),
            clock,
            self.files.clone(),
        )
    }

    pub(super) fn value(&self, metric: &'static crate::metric::Metric) -> Option<Value> {
        let known = self.context.hub.snapshot().remove(0);
        known.reading?.values.get(metric).cloned()
    }
}

pub(super) fn at(ms: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(i64::try_from(ms).unwrap()).unwrap()
}

/// Lets `account` do what it would until `end`; how many steps that were, and
/// how many of them were questions to the car.
pub(super) async fn live(account: &mut Account, end: DateTime<Utc>) -> (u32, u32) {
    let (mut steps, mut questions) = (0, 0);
    while account.now() < end {
        match account.next(account.now()) {
            Step::Wait(until) => {
                let wait = until.min(end) - account.now();
                tokio::time::sleep(wait.to_std().unwrap()).await;
            }
            step => {
                steps += 1;
                questions += u32::from(matches!(step, Step::Car(..)));
                account.perform(step).await.unwrap();
            }
        }
    }
    (steps, questions)
}

/// Calls to the car in a day, and requests that the cloud answers by itself.
async fn a_day(plan: Vec<Phase>) -> (u64, u32) {
    let bench = Bench::new(plan).await;
    let mut account = bench.account();
    let end = account.now() + DAY;
    let (steps, questions) = live(&mut account, end).await;
    let calls = bench.cloud.cloud().live_calls();
    (calls, steps - questions)
}

/// The defaults of the Python gateway as its documentation tells them: a poll
/// is a call for the status and one for charging. Second by second.
fn of_the_python_gateway(plan: &[Phase]) -> u64 {
    const ACTIVE: i64 = 30;
    const AFTER_SHUTDOWN: i64 = 120;
    const GRACE: i64 = 600;
    const INACTIVE: i64 = 86_400;
    /// Seconds for one percent of 64 kWh at what reaches the battery of 7.2 kW.
    const CHARGING: i64 = 356;
    /// From 47 % to the target of 80 %.
    const CHARGED_AFTER_MIN: f64 = 196.0;

    let activity = |second: i64| {
        let mut minute = second as f64 / 60.0;
        for phase in plan {
            if minute < phase.minutes {
                return (phase.activity, minute);
            }
            minute -= phase.minutes;
        }
        (Activity::Parked, minute)
    };
    let (mut polls, mut last_poll, mut last_activity) = (0, -INACTIVE, 0);
    let (mut from_car, mut charges, mut shutdown) = (true, false, 0);
    let mut was_driving = false;
    for second in 0..86_400 {
        let (now, minute) = activity(second);
        let drives = matches!(now, Activity::Driving { .. });
        // The start is a message, read once a minute.
        if drives && !was_driving && second % 60 == 0 {
            last_activity = second;
        }
        was_driving = drives;
        let since = second - last_poll;
        let due = if last_activity > last_poll {
            true
        } else if charges {
            since > CHARGING
        } else if from_car {
            since > ACTIVE
        } else if second < shutdown + GRACE {
            since > AFTER_SHUTDOWN
        } else {
            since > INACTIVE
        };
        if due {
            polls += 1;
            last_poll = second;
            charges = matches!(now, Activity::Charging { .. }) && minute < CHARGED_AFTER_MIN;
            if from_car && !drives {
                shutdown = second;
            }
            from_car = drives;
        }
    }
    2 * polls
}

#[tokio::test(start_paused = true)]
async fn what_a_day_costs() {
    println!("calls to the car in 24 hours, from a start that knows nothing");
    println!("| car      | here | Python gateway | requests that wake no car |");
    let mut table = Vec::new();
    for (name, plan) in [
        ("parked", parked()),
        ("charging", charging()),
        ("driving", driving()),
    ] {
        let python = of_the_python_gateway(&plan);
        let (calls, cloud) = a_day(plan).await;
        println!("| {name:<8} | {calls:>4} | {python:>14} | {cloud:>25} |");
        table.push((name, calls, python));
    }
    assert_eq!(
        table,
        [
            ("parked", 2, 10),
            ("charging", 120, 196),
            ("driving", 266, 498)
        ]
    );
}

/// What it does is noticed, whatever it costs.
#[tokio::test(start_paused = true)]
async fn a_day_is_noticed() {
    let bench = Bench::new(charging()).await;
    let mut account = bench.account();
    let hours = |hours: i64| at(START_MS) + TimeDelta::minutes(hours * 60 + 3);
    for (hour, state) in [
        (0, "not_connected"),
        (8, "charging"),
        (12, "complete"),
        (16, "not_connected"),
    ] {
        live(&mut account, hours(hour)).await;
        let now = bench.value(&vehicle::CHARGING_STATE);
        assert_eq!(now, Some(Value::from(state)), "after {hour} hours");
    }
    let charged = bench.value(&vehicle::ENERGY_CHARGED_KWH).unwrap();
    // From 47 to 80 percent of 64 kWh.
    assert!(
        (20.0..22.0).contains(&charged.as_f64().unwrap()),
        "{charged}"
    );

    let bench = Bench::new(driving()).await;
    let mut account = bench.account();
    for (hour, moves) in [(6_i64, false), (7, true), (8, false)] {
        live(&mut account, hours(hour)).await;
        let now = bench.value(&vehicle::MOVING);
        assert_eq!(now, Some(Value::from(moves)), "after {hour} hours");
    }
}

/// Restarts cost no questions, and no login.
#[tokio::test(start_paused = true)]
async fn a_restart_loop_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::new(parked()).await.keeping(directory.path());
    let start = at(START_MS);
    live(&mut bench.account(), start + TimeDelta::minutes(10)).await;
    let calls = bench.cloud.cloud().live_calls();
    assert!(calls > 0);
    let (mut steps, mut questions) = (0, 0);
    // Every five seconds for ten minutes.
    for restart in 1..=120 {
        let mut account = bench.account();
        let end = start + TimeDelta::minutes(10) + TimeDelta::seconds(5 * restart);
        let (some, asked) = live(&mut account, end).await;
        steps += some;
        questions += asked;
        // Killed: nothing is saved at the end.
    }
    assert_eq!(questions, 0);
    assert_eq!(bench.cloud.cloud().live_calls(), calls);
    assert_eq!(bench.cloud.cloud().logins(), 1);
    // Messages and the cache: hardly more than the twenty of ten minutes.
    assert!(steps <= 24, "{steps}");
}

/// A way to the cloud on which these endpoints answer that.
pub(super) struct Instead(pub(super) InProcess, pub(super) Vec<(&'static str, String)>);

impl Transport for Instead {
    fn send(&self, request: Request) -> Sending<'_> {
        let mut answers = self.1.iter();
        let Some((_, body)) = answers.find(|(path, _)| request.url.contains(path)) else {
            return self.0.send(request);
        };
        let answer = Response {
            status: 200,
            body: body.clone().into_bytes(),
            ..Response::default()
        };
        Box::pin(async { Ok(answer) })
    }
}

/// Not every car and account has them; the car is asked all the same.
#[tokio::test(start_paused = true)]
async fn a_cloud_that_remembers_nothing_keeps_nobody_from_the_car() {
    let bench = Bench::new(driving()).await;
    let missing = ["/vehicle/status/cache", "/message/list"].map(|path| {
        (
            path,
            r#"{"code":36805,"message":"not within the scope"}"#.to_owned(),
        )
    });
    let mut account = bench.account_by(Instead(bench.cloud.clone(), missing.to_vec()));
    let end = account.now() + DAY;
    live(&mut account, end).await;
    assert!(bench.value(&vehicle::SOC_PERCENT).is_some());
}

/// When a charge ends was told by the car, and does not move while it is silent.
#[tokio::test(start_paused = true)]
async fn the_end_of_a_charge_stands_still() {
    let bench = Bench::new(vec![phase(Activity::Charging { kw: 7.2 }, 1440.0)]).await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let ends = |now| {
        let reading = account.cars[0].reading(now).unwrap();
        reading.values.get(&vehicle::CHARGING_ENDS_AT).cloned()
    };
    assert!(ends(soon).is_some());
    assert_eq!(ends(soon), ends(soon + TimeDelta::hours(5)));
}

/// What the cloud remembers of before the battery spoke does not count.
#[tokio::test(start_paused = true)]
async fn the_newest_state_of_charge_counts() {
    let bench = Bench::new(vec![phase(Activity::Charging { kw: 7.2 }, 1440.0)]).await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let between = account.now() + TimeDelta::seconds(1);
    let later = account.now() + TimeDelta::minutes(20);
    live(&mut account, later).await;
    let exact = bench.value(&vehicle::SOC_PERCENT);
    let remembered = format!(
        r#"{{"statusTime":{},"basicVehicleStatus":{{"mileage":204815,"extendedData1":50}}}}"#,
        between.timestamp()
    );
    let status = VehicleStatus::from_json(&remembered).unwrap();
    account.cars[0].known.cached = Some(Arc::new(status));
    account.emit(0);
    assert_eq!(bench.value(&vehicle::SOC_PERCENT), exact);
}

/// The cloud forgets cars now and then; and somebody shares the first one.
#[tokio::test(start_paused = true)]
async fn an_empty_list_takes_no_car_away_and_is_read_again_soon() {
    let bench = Bench::new(parked()).await;
    let mut account = bench.account();
    account.list().await.unwrap();
    let none = CloudConfig {
        cars: Vec::new(),
        ..CloudConfig::default()
    };
    *bench.cloud.cloud() = Cloud::new(none, 7);
    account.client.login().await.unwrap();
    account.list().await.unwrap();
    assert_eq!(account.cars.len(), 1);

    let mut newcomer = bench.account();
    newcomer.list().await.unwrap();
    assert!(newcomer.cars.is_empty());
    let soon = newcomer.now() + TimeDelta::minutes(16);
    assert_eq!(newcomer.next(soon), Step::List);
}

/// In place of a silent car the cloud repeats what that said long ago.
#[tokio::test(start_paused = true)]
async fn old_words_are_no_answer() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::new(parked()).await.keeping(directory.path());
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(30);
    live(&mut account, soon).await;
    account.save();
    let old = format!(
        r#"{{"code":0,"data":{{"statusTime":{},"basicVehicleStatus":{{"mileage":100,"lockStatus":0}}}}}}"#,
        (account.now() - TimeDelta::hours(3)).timestamp()
    );
    let odometer = bench.value(&vehicle::ODOMETER_KM);
    let way = Instead(bench.cloud.clone(), vec![("/vehicle/status?", old)]);
    let mut account = bench.account_by(way);
    let all = Questions {
        status: true,
        charging: true,
    };
    let before = bench.cloud.cloud().live_calls();
    account.ask(0, all).await.unwrap();
    // A car that sleeps is asked for nothing else.
    assert_eq!(bench.cloud.cloud().live_calls(), before);
    assert!(matches!(account.cars[0].error, Some(SaicError::Asleep)));
    assert_eq!(bench.value(&vehicle::ODOMETER_KM), odometer);
    assert_eq!(bench.value(&vehicle::LOCKED), Some(Value::from(true)));
}
