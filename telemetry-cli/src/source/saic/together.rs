//! Questions, commands and calls that fail, beside one another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use saic_ismart::http::{Request, Sending, Transport};
use saic_ismart::simulator::{Activity, CarConfig, InProcess};
use saic_ismart::{Error, LoginError, TransportError};

use super::account::Account;
use super::days::{Bench, Instead, START_MS, at, live, phase};
use super::error::SaicError;
use crate::control::vehicle as row;
use crate::event::Reading;
use crate::lock::lock;
use crate::metric::vehicle;
use crate::value::Value;

const FIRST: &str = "lsjdemo0000000001";
const SECOND: &str = "lsjdemo0000000002";

const CHARGING_DATA: &str = "/vehicle/charging/mgmtData";
const HEATING_SCHEDULE: &str = "/charging/batteryHeating?";

/// A way to the cloud on which nothing comes back from these endpoints.
struct Swallows(InProcess, &'static str);

impl Transport for Swallows {
    fn send(&self, request: Request) -> Sending<'_> {
        match request.url.contains(self.1) {
            true => Box::pin(async {
                let _ = self.0.send(request).await;
                std::future::pending().await
            }),
            false => self.0.send(request),
        }
    }
}

/// A way to the cloud that can be cut.
struct Cut(InProcess, Arc<AtomicBool>);

impl Transport for Cut {
    fn send(&self, request: Request) -> Sending<'_> {
        match self.1.load(Ordering::Relaxed) {
            true => Box::pin(async {
                Err(TransportError {
                    not_sent: true,
                    message: "no route".to_owned(),
                })
            }),
            false => self.0.send(request),
        }
    }
}

/// When each question to a car was put, and how it ends in the address.
type Log = Arc<Mutex<Vec<(DateTime<Utc>, String)>>>;

/// A way to the cloud that writes down the questions to cars.
struct Watched(InProcess, Log);

impl Transport for Watched {
    fn send(&self, request: Request) -> Sending<'_> {
        let is_first = request
            .headers
            .iter()
            .all(|(name, value)| !name.eq_ignore_ascii_case("event-id") || value == "0");
        if is_first && request.url.contains("/vehicle/status?") {
            lock(&self.1).push((at(self.0.now_ms()), request.url.clone()));
        }
        self.0.send(request)
    }
}

fn car(vin: &str, activity: Activity) -> CarConfig {
    CarConfig {
        vin: vin.to_ascii_uppercase(),
        plan: vec![phase(activity, 1440.0)],
        ..CarConfig::default()
    }
}

fn reading(bench: &Bench, id: &str) -> Arc<Reading> {
    let known = bench.context.hub.snapshot();
    let mut known = known.into_iter();
    let known = known.find(|known| known.device.id.as_str() == id);
    known.and_then(|known| known.reading).expect("it was read")
}

async fn runs_for(account: &mut Account, minutes: u64) {
    let wait = Duration::from_secs(60 * minutes);
    let _ = tokio::time::timeout(wait, account.run()).await;
}

/// The rest of what the car says is there, and stays up to date.
async fn without_charging_data(way: impl FnOnce(&Bench) -> Account) {
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Charging { kw: 7.2 })]).await;
    let bench = bench.keeping(directory.path());
    // What was known before stays.
    let mut before = bench.account();
    let soon = at(START_MS) + TimeDelta::minutes(3);
    live(&mut before, soon).await;
    let ends = bench.value(&vehicle::CHARGING_ENDS_AT);
    assert!(ends.is_some());
    before.save();

    let mut account = way(&bench);
    let later = account.now() + TimeDelta::hours(2);
    let (_, questions) = live(&mut account, later).await;
    let reading = reading(&bench, FIRST);
    assert!(later - reading.measured_at < TimeDelta::minutes(6));
    assert_eq!(reading.extra.get("trouble"), None);
    assert_eq!(
        reading.values.get(&vehicle::LOCKED),
        Some(&Value::from(true))
    );
    assert_eq!(bench.value(&vehicle::CHARGING_ENDS_AT), ends);
    // At the pace of the charge, neither more nor less.
    assert!((21..=27).contains(&questions), "{questions}");
}

#[tokio::test(start_paused = true)]
async fn charging_data_that_fail_leave_the_status() {
    without_charging_data(|bench| {
        let refusal = r#"{"code":7,"message":"not for this car"}"#.to_owned();
        bench.account_by(Instead(bench.cloud.clone(), vec![(CHARGING_DATA, refusal)]))
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn charging_data_that_hang_leave_the_status() {
    without_charging_data(|bench| bench.account_by(Swallows(bench.cloud.clone(), CHARGING_DATA)))
        .await;
}

#[tokio::test(start_paused = true)]
async fn no_charging_data_hold_a_question_up_for_long() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Charging { kw: 7.2 })]).await;
    let mut account = bench.account_by(Swallows(bench.cloud.clone(), CHARGING_DATA));
    account.list().await.unwrap();
    let all = super::polling::Questions {
        status: true,
        charging: true,
    };
    let began = account.now();
    account.ask(0, all).await.unwrap();
    let took = account.now() - began;
    assert!(
        (TimeDelta::seconds(20)..TimeDelta::seconds(60)).contains(&took),
        "{took}"
    );
    assert!(bench.value(&vehicle::SOC_PERCENT).is_some());
}

/// While one car takes its time with a command, the other is asked as ever.
#[tokio::test(start_paused = true)]
async fn a_command_to_one_car_leaves_the_other_its_questions() {
    let cars = vec![
        car(FIRST, Activity::Parked),
        car(SECOND, Activity::Driving { kmh: 54.0 }),
    ];
    let bench = Bench::with_cars(cars).await;
    let log = Log::default();
    let mut account = bench.account_by(Watched(bench.cloud.clone(), log.clone()));
    runs_for(&mut account, 5).await;
    bench.cloud.cloud().set_signal(0, false);
    lock(&log).clear();

    let began = account.now();
    let told = bench.context.controls.send(FIRST, "lock_doors", "press");
    let told = tokio::select! {
        told = told => told.unwrap_err().to_string(),
        exit = account.run() => panic!("{exit:?}"),
    };
    let took = account.now() - began;
    assert!(told.contains("does not answer"), "{told}");
    assert!(took > TimeDelta::seconds(55), "{took}");
    let log = lock(&log);
    let hash = account.cars[1].vehicle.vin().hash();
    let times = log.iter().filter(|(_, url)| url.contains(&hash));
    let times: Vec<_> = times.map(|(time, _)| *time).collect();
    let ends = [began - TimeDelta::seconds(40)];
    let all: Vec<_> = ends
        .into_iter()
        .chain(times)
        .chain([account.now()])
        .collect();
    for pair in all.windows(2) {
        assert!(pair[1] - pair[0] < TimeDelta::seconds(75), "{all:?}");
    }
    assert!(all.len() > 3, "{all:?}");
}

/// A question that is under way when another car is told something is neither
/// lost nor put again.
#[tokio::test(start_paused = true)]
async fn a_question_under_way_survives_a_command_to_another_car() {
    let undisturbed = sleeper(false).await;
    assert!(!undisturbed.is_empty());
    assert_eq!(sleeper(true).await, undisturbed);
}

/// When a sleeping car is asked, seconds after the user demands it.
async fn sleeper(with_command: bool) -> Vec<i64> {
    let cars = vec![car(FIRST, Activity::Parked), car(SECOND, Activity::Parked)];
    let bench = Bench::with_cars(cars).await;
    let log = Log::default();
    let mut account = bench.account_by(Watched(bench.cloud.clone(), log.clone()));
    runs_for(&mut account, 30).await;
    lock(&log).clear();
    let before = reading(&bench, SECOND).measured_at;
    account.cars[1].plan.demand();
    let began = account.now();
    let controls = bench.context.controls.clone();
    let tell = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if with_command {
            controls.send(FIRST, "lock_doors", "press").await.unwrap();
        }
    };
    tokio::select! {
        () = tell => {}
        exit = account.run() => panic!("{exit:?}"),
    }
    runs_for(&mut account, 3).await;
    assert!(reading(&bench, SECOND).measured_at > before);
    let hash = account.cars[1].vehicle.vin().hash();
    let log = lock(&log);
    let ours = log.iter().filter(|(_, url)| url.contains(&hash));
    ours.map(|(time, _)| (*time - began).num_seconds())
        .collect()
}

/// The same car has one turn: the command comes first, and the question after it.
#[tokio::test(start_paused = true)]
async fn a_question_gives_way_to_a_command_to_its_car() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Parked)]).await;
    let mut account = bench.account();
    runs_for(&mut account, 30).await;
    bench.cloud.cloud().set_signal(0, false);
    account.cars[0].plan.demand();
    let controls = bench.context.controls.clone();
    let tell = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        bench.cloud.cloud().set_signal(0, true);
        controls.send(FIRST, "climate", "on").await
    };
    let began = account.now();
    tokio::select! {
        told = tell => told.unwrap(),
        exit = account.run() => panic!("{exit:?}"),
    }
    assert!(account.now() - began < TimeDelta::seconds(50));
    assert_eq!(
        bench.value(&vehicle::CLIMATE_ACTIVE),
        Some(Value::from(true))
    );
}

/// Whatever became of their answers, and of what waited for them.
#[tokio::test(start_paused = true)]
async fn all_questions_that_reach_a_car_are_counted() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Charging { kw: 7.2 })]).await;
    let mut account = bench.account_by(Swallows(bench.cloud.clone(), CHARGING_DATA));
    runs_for(&mut account, 30).await;
    let limit = bench.config.live_calls_per_day as usize;
    let spent = |account: &Account| limit - account.cars[0].plan.left(account.now());
    assert_eq!(spent(&account) as u64, bench.cloud.cloud().live_calls());
    account.cars[0].plan.demand();
    let controls = bench.context.controls.clone();
    // The status has been told by then, and the charging data are awaited.
    let tell = async {
        tokio::time::sleep(Duration::from_secs(15)).await;
        controls.send(FIRST, "lock_doors", "press").await
    };
    tokio::select! {
        told = tell => told.unwrap(),
        exit = account.run() => panic!("{exit:?}"),
    }
    runs_for(&mut account, 3).await;
    assert_eq!(spent(&account) as u64, bench.cloud.cloud().live_calls());
}

/// The cloud has stored the schedule: what it then fails to tell makes that no
/// failure.
#[tokio::test(start_paused = true)]
async fn a_schedule_that_cannot_be_read_back_is_no_failure() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Charging { kw: 7.2 })]).await;
    let mut account = bench.account();
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let known = account.cars[0].known.clone();
    for (path, control, wish) in [
        (CHARGING_DATA, &row::CHARGING_SCHEDULE, "22:00-06:00"),
        (HEATING_SCHEDULE, &row::HEATING_SCHEDULE, "06:30"),
    ] {
        let refusal = r#"{"code":7,"message":"not for this car"}"#.to_owned();
        let mut account = bench.account_by(Instead(bench.cloud.clone(), vec![(path, refusal)]));
        account.list().await.unwrap();
        account.cars[0].known = known.clone();
        let value = control.form.parse(wish).unwrap();
        account.tell(0, control, &value).await.expect(wish);
    }
}

/// What the cloud tells counts, if it tells something.
#[tokio::test(start_paused = true)]
async fn another_heating_schedule_than_the_wish_is_told() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Parked)]).await;
    let answer = r#"{"code":0,"data":{"startTime":0,"status":0}}"#.to_owned();
    let way = Instead(bench.cloud.clone(), vec![(HEATING_SCHEDULE, answer)]);
    let mut account = bench.account_by(way);
    account.list().await.unwrap();
    let heating = &row::HEATING_SCHEDULE;
    let value = |wish| heating.form.parse(wish).unwrap();
    let other = account.tell(0, heating, &value("06:30")).await.unwrap_err();
    assert_eq!(other.to_string(), "the car keeps another schedule: off");
    account.tell(0, heating, &value("off")).await.unwrap();
}

/// What never came to the cloud takes the account from nobody.
#[tokio::test(start_paused = true)]
async fn a_command_that_is_not_sent_leaves_the_account_to_the_other_device() {
    let bench = Bench::with_cars(vec![car(FIRST, Activity::Parked)]).await;
    let cut = Arc::new(AtomicBool::new(false));
    let mut account = bench.account_by(Cut(bench.cloud.clone(), cut.clone()));
    let soon = account.now() + TimeDelta::minutes(3);
    live(&mut account, soon).await;
    let elsewhere = LoginError::LoggedInElsewhere { retry_after: None };
    account.note_elsewhere(&SaicError::Cloud(Error::Login(elsewhere)));
    let press = Value::from(true);
    for is_cut in [true, false] {
        cut.store(is_cut, Ordering::Relaxed);
        for control in [&row::LOCK_DOORS, &row::REFRESH] {
            let told = account.tell(0, control, &press).await;
            assert_eq!(told.is_err(), is_cut, "{told:?}");
            assert_eq!(account.elsewhere(account.now()).is_some(), is_cut);
        }
    }
}
