//! A day of two cars, with a restart every ten minutes: what it costs, and how
//! old the values are. On a clock of its own, the cloud in this process.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;

use bimmer::cardata::stream::{Ending, StreamMessage};
use bimmer::cardata::{ClientId, Timed};
use bimmer::http::{Request, Sending, Transport};
use bimmer::simulator::{Car, CarDataCloud, Delivery};
use bimmer::{FileTokenStore, Token};

use super::*;
use crate::cloud::bmw::CLIENT_ID;
use crate::database::Database;
use crate::event::DeviceId;
use crate::hub::Hub;
use crate::lock::lock;
use crate::metric::vehicle;

const STEP: TimeDelta = TimeDelta::seconds(30);
const RESTART: TimeDelta = TimeDelta::minutes(10);
const DAY: TimeDelta = TimeDelta::hours(24);

const BMW: &str = "WBA00SIM000000001";
const MINI: &str = "WMW00SIM000000004";

/// The cloud and the time of day.
struct World {
    cloud: Mutex<CarDataCloud>,
    time: Mutex<DateTime<Utc>>,
    /// Nothing sensible is said of the car with this VIN.
    broken: Option<&'static str>,
}

impl World {
    /// With a BMW and a MINI, from the beginning of a day.
    fn new() -> Self {
        let car = |vin: &str, brand| Car::new(Vin::new(vin).unwrap(), brand, "i4 eDrive40");
        let cars = vec![car(BMW, "BMW_I"), car(MINI, "MINI")];
        Self {
            cloud: Mutex::new(CarDataCloud::new(CLIENT_ID, cars, 1)),
            time: Mutex::new(DateTime::from_timestamp(1_772_323_200, 0).unwrap()),
            broken: None,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        *lock(&self.time)
    }
}

struct Way(Arc<World>);

impl Transport for Way {
    fn send(&self, request: Request) -> Sending<'_> {
        let mut answer = lock(&self.0.cloud).handle(&request, self.0.now());
        if self.0.broken.is_some_and(|vin| request.url.contains(vin)) {
            answer.body = b"<html>".to_vec();
        }
        Box::pin(async move { Ok(answer) })
    }
}

/// A start of the program.
async fn start(world: &Arc<World>, directory: &Path) -> Account {
    let config = Bmw {
        client_id: Some(CLIENT_ID.to_owned()),
        ..Bmw::default()
    };
    let clock = |world: Arc<World>| move || world.now();
    let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
        .transport(Way(world.clone()))
        .clock(clock(world.clone()))
        .token_store(FileTokenStore::new(account::token_file(&config, directory)))
        .state_file(account::file(&config, directory, "quota.json").unwrap())
        .build()
        .unwrap();
    let database = Database::open(Some(&directory.join("telemetry.sqlite")))
        .await
        .unwrap();
    let context = Context {
        hub: Hub::new(None, Duration::from_secs(300), vec![]),
        database: Arc::new(database),
        state_dir: Some(directory.to_path_buf()),
        ..Context::brief(crate::radio::Radio::Simulated(crate::radio::Air::demo()))
            .await
            .unwrap()
    };
    let clock = Arc::new(clock(world.clone()));
    let account = Account::with(config, context, "bmw", client, clock)
        .await
        .unwrap();
    account.client.token().await.unwrap();
    for vin in account.vins() {
        account.announce(&vin);
        account.tell(&vin, world.now());
    }
    account
}

async fn log_in(world: &Arc<World>, directory: &Path) {
    let config = Bmw {
        client_id: Some(CLIENT_ID.to_owned()),
        ..Bmw::default()
    };
    account::file(&config, directory, "token").unwrap();
    let time = world.clone();
    let client = Client::builder(ClientId::new(CLIENT_ID).unwrap())
        .transport(Way(world.clone()))
        .clock(move || time.now())
        .token_store(FileTokenStore::new(account::token_file(&config, directory)))
        .build()
        .unwrap();
    let pending = client.begin_login().await.unwrap();
    assert!(lock(&world.cloud).confirm(&pending.user_code));
    tokio::time::pause();
    client.finish_login(pending).await.unwrap();
    tokio::time::resume();
}

/// Everything that is due at this moment. Each question takes a second.
async fn step(world: &World, account: &mut Account) {
    for _ in 0..8 {
        let now = world.now();
        match account.next_errand(now).await.unwrap() {
            Ok(errand) => {
                *lock(&world.time) = now + TimeDelta::seconds(1);
                let answer = errand.await;
                account.take(answer, Instant::now()).await.unwrap();
            }
            Err(time) if time > now => break,
            Err(_) => {}
        }
    }
}

/// What the stream has to say to this connection.
fn listen(world: &World, account: &mut Account, connection: u64) {
    loop {
        let delivery = lock(&world.cloud).poll(connection, world.now());
        match delivery {
            Some(Delivery::Publish { topic, payload }) => {
                let message = StreamMessage::decode(payload.as_bytes()).unwrap();
                let payload = payload.into_bytes();
                let event = StreamEvent::Message {
                    topic,
                    payload,
                    message,
                };
                account.streamed(Ok(event)).unwrap();
            }
            Some(Delivery::Close) => {
                let event = StreamEvent::Disconnected {
                    ending: Ending::Closed,
                    retry_in: Duration::from_secs(5),
                };
                account.streamed(Ok(event)).unwrap();
            }
            None => break,
        }
    }
    account.publish();
}

fn connect(world: &World, token: &Token, connection: u64) {
    let mut cloud = lock(&world.cloud);
    let gcid = cloud.gcid();
    let password = token.id_token.as_ref().unwrap().expose();
    assert_eq!(cloud.connect(connection, gcid, password, world.now()), 0);
    assert_eq!(cloud.subscribe(connection, &format!("{gcid}/+")), 1);
}

const VALUES: [&str; 7] = [
    "soc", "range", "odometer", "plug", "charging", "place", "lock",
];

/// The age of each value in minutes, of the car where it is older.
fn ages(account: &Account, now: DateTime<Utc>) -> [Option<i64>; 7] {
    let mut oldest = [None; 7];
    for telemetry in account.cars.values() {
        let overview = Overview::of(telemetry, now);
        fn age<T>(timed: Option<&Timed<T>>, now: DateTime<Utc>) -> Option<i64> {
            timed
                .and_then(|timed| timed.age(now))
                .map(|age| age.num_minutes())
        }
        let ages = [
            age(overview.soc_percent.as_ref(), now),
            age(overview.range_km.as_ref(), now),
            age(overview.odometer_km.as_ref(), now),
            age(overview.plugged_in.as_ref(), now),
            age(overview.charging_status.as_ref(), now),
            age(overview.position.as_ref(), now),
            age(overview.locked.as_ref(), now),
        ];
        for (oldest, age) in oldest.iter_mut().zip(ages) {
            *oldest = (*oldest).max(age);
        }
    }
    oldest
}

struct Outcome {
    table: String,
    calls: usize,
    restarts: u32,
    oldest: i64,
}

async fn day(with_stream: bool) -> Outcome {
    let world = Arc::new(World::new());
    let morning = world.now();
    let directory = tempfile::tempdir().unwrap();
    log_in(&world, directory.path()).await;
    let mut table = String::from("hour  REST calls  oldest of both cars, minutes\n");
    let _ = writeln!(
        table,
        "                  {}",
        VALUES.map(|name| format!("{name:>9}")).concat()
    );
    let mut outcome = Outcome {
        table,
        calls: 0,
        restarts: 0,
        oldest: 0,
    };
    let mut account = start(&world, directory.path()).await;
    let mut worst = [0; 7];
    let mut connection = 0;
    let mut now = morning;
    while now < morning + DAY {
        let since = now - morning;
        if since > TimeDelta::zero() && since.num_seconds() % RESTART.num_seconds() == 0 {
            outcome.restarts += 1;
            // Every other one is a kill: nothing is written down.
            if outcome.restarts.is_multiple_of(2) {
                account.save().unwrap();
            }
            account = start(&world, directory.path()).await;
            connection = 0;
        }
        step(&world, &mut account).await;
        if with_stream {
            if connection == 0 {
                connection = u64::from(outcome.restarts) + 1;
                let token = account.client.token().await.unwrap();
                connect(&world, &token, connection);
            }
            listen(&world, &mut account, connection);
        }
        for (worst, age) in worst.iter_mut().zip(ages(&account, now)) {
            *worst = (*worst).max(age.unwrap_or(i64::MAX));
        }
        now += STEP;
        *lock(&world.time) = now;
        if (now - morning).num_seconds() % 7200 == 0 {
            outcome.calls = lock(&world.cloud).calls_used();
            let ages = worst.map(|age| format!("{age:>9}")).concat();
            let hour = (now - morning).num_hours();
            let _ = writeln!(outcome.table, "{hour:>4}  {:>10}  {ages}", outcome.calls);
            outcome.oldest = outcome.oldest.max(worst.into_iter().max().unwrap());
            worst = [0; 7];
        }
    }
    // What was found survived every restart.
    let own = account.client.account_state().await.unwrap();
    assert_eq!(own.budget.used(now - STEP), outcome.calls);
    let known = account.context.hub.snapshot();
    let ids: Vec<_> = known.iter().map(|known| known.device.id.clone()).collect();
    assert_eq!(ids, [BMW, MINI].map(|vin| DeviceId::new(&[vin])));
    outcome
}

#[tokio::test]
async fn a_car_that_cannot_be_read_is_no_harm_to_the_other() {
    let world = Arc::new(World {
        broken: Some(BMW),
        ..World::new()
    });
    let directory = tempfile::tempdir().unwrap();
    log_in(&world, directory.path()).await;
    let mut account = start(&world, directory.path()).await;
    for _ in 0..6 {
        step(&world, &mut account).await;
        let later = world.now() + TimeDelta::hours(1);
        *lock(&world.time) = later;
    }
    let known = |vin| account.telemetry(&Vin::new(vin).unwrap()).is_some();
    assert_eq!((known(BMW), known(MINI)), (false, true));
    let calls = lock(&world.cloud).calls_used();
    assert!(calls <= 12, "{calls} calls in six hours");
}

/// Between two reports the estimate goes on, beside what the car said.
#[tokio::test]
async fn an_estimate_stands_beside_what_the_car_said() {
    let world = Arc::new(World::new());
    // At midnight it drives; now it charges.
    let later = world.now() + TimeDelta::hours(1);
    *lock(&world.time) = later;
    let directory = tempfile::tempdir().unwrap();
    log_in(&world, directory.path()).await;
    for estimate_soc in [false, true] {
        let mut account = start(&world, directory.path()).await;
        account.config.estimate_soc = estimate_soc;
        let vin = Vin::new(BMW).unwrap();
        account.find_cars().await.unwrap();
        account.describe(&vin).await.unwrap();
        let data = account.client.telematic_data(&vin, RECOMMENDED_KEYS).await;
        account.answered(&vin, &data.unwrap(), world.now());
        let reading = |account: &Account| {
            account.tell(&vin, world.now());
            let known = account.context.hub.snapshot();
            let mut known = known.into_iter();
            let known = known.find(|known| known.device.id == DeviceId::new(&[BMW]));
            known.unwrap().reading.unwrap()
        };
        let soc = |reading: &Reading| reading.values.number(&vehicle::SOC_PERCENT).unwrap();
        let before = reading(&account);
        assert_eq!(before.extra.get("soc_estimated_percent"), None);
        for _ in 0..10 {
            let later = world.now() + TimeDelta::minutes(1);
            *lock(&world.time) = later;
            account.estimate();
        }
        let after = reading(&account);
        assert_eq!(soc(&after), soc(&before));
        let estimate = after.extra.get("soc_estimated_percent");
        assert_eq!(estimate.is_some(), estimate_soc);
        assert_eq!(account.estimate_at.is_some(), estimate_soc);
        if let Some(percent) = estimate {
            assert!(percent.as_f64().unwrap() > soc(&before), "{percent}");
            assert_eq!(after.extra["soc_estimated_from"], "charging");
            // Not for ever.
            account.estimate();
            assert!(account.estimate_at.is_some());
            let later = world.now() + TimeDelta::hours(24);
            *lock(&world.time) = later;
            account.estimate();
            assert_eq!(account.estimate_at, None);
        }
    }
}

/// Of a car whose main user is somebody else the stream alone tells.
#[tokio::test]
async fn a_car_that_is_not_listed_gets_no_turn() {
    let world = Arc::new(World::new());
    let directory = tempfile::tempdir().unwrap();
    log_in(&world, directory.path()).await;
    let mut account = start(&world, directory.path()).await;
    account.find_cars().await.unwrap();
    let other = Vin::new("WBA00SIM000000009").unwrap();
    let time = world.now().format("%Y-%m-%dT%H:%M:%SZ");
    let payload = format!(
        r#"{{"vin":"{other}","entityId":"e","topic":"t","timestamp":"{time}","data":{{"vehicle.vehicle.travelledDistance":{{"timestamp":"{time}","value":1000,"unit":"km"}}}}}}"#
    );
    let message = StreamMessage::decode(payload.as_bytes()).unwrap();
    let event = StreamEvent::Message {
        topic: "t".to_owned(),
        payload: payload.into_bytes(),
        message,
    };
    account.streamed(Ok(event)).unwrap();
    account.publish();
    let mut listed = [BMW, MINI].map(|vin| Vin::new(vin).unwrap()).to_vec();
    assert_eq!(account.asked_vins(), listed);
    listed.push(other.clone());
    listed.sort();
    assert_eq!(account.vins(), listed);
    assert!(account.telemetry(&other).is_some());

    // The weekly list takes it away only when the stream tells of it no more.
    for (silent_days, is_known) in [(29, true), (31, false)] {
        let silent_since = world.now() - TimeDelta::days(silent_days);
        let kept = &mut account.kept.data;
        kept.cars.get_mut(other.as_str()).unwrap().streamed_at = Some(silent_since);
        kept.mapped_at = None;
        account.find_cars().await.unwrap();
        assert_eq!(account.telemetry(&other).is_some(), is_known);
        let kept = account.kept.data.cars.contains_key(other.as_str());
        assert_eq!(kept, is_known, "{silent_days} days");
    }
}

#[tokio::test]
async fn by_rest_alone() {
    let outcome = day(false).await;
    println!(
        "REST alone, {} restarts\n{}",
        outcome.restarts, outcome.table
    );
    assert_eq!(outcome.restarts, 143);
    // 24 for the values; 1 for the list, 2 for what each is, 2 for the container.
    assert_eq!(outcome.calls, 24 + 5, "{}", outcome.table);
    // Two cars take turns, an hour apart; the last turn has to wait until the
    // first call of the day is a day old.
    assert!(outcome.oldest <= 180, "{}", outcome.table);
}

#[tokio::test]
async fn with_the_stream() {
    let outcome = day(true).await;
    println!(
        "with the stream, {} restarts\n{}",
        outcome.restarts, outcome.table
    );
    assert!(outcome.calls <= 29, "{}", outcome.table);
    // No older than the program ran: each start hears of everything.
    assert!(outcome.oldest <= 10, "{}", outcome.table);
}
