//! The client against the simulated CarData, in process, on a paused clock.

mod support;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bimmer::cardata::soc::SocEstimator;
use bimmer::cardata::{Client, ClientId, Overview, RECOMMENDED_KEYS, Telemetry};
use bimmer::http::{Request, Sending, Transport};
use bimmer::simulator::{Car, CarDataCloud, Drive};
use bimmer::token::Storing;
use bimmer::{Error, LoginError, MemoryTokenStore, Token, TokenStore, TransportError, Vin};
use support::simulated::{Link, Time};

const CLIENT: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn vin(number: u32) -> Vin {
    Vin::new(&format!("WBA11AA000123450{number}")).unwrap()
}

struct Setup {
    cloud: Arc<Mutex<CarDataCloud>>,
    time: Time,
    state: tempfile::TempDir,
}

impl Setup {
    fn new(seed: u64) -> Self {
        let cars = vec![
            Car::new(vin(1), "BMW_I", "i4 eDrive40"),
            Car::new(vin(2), "MINI", "Countryman").with_drive(Drive::PluginHybrid),
        ];
        Self {
            cloud: Arc::new(Mutex::new(CarDataCloud::new(CLIENT, cars, seed))),
            time: Time::new(),
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn link(&self) -> Link<CarDataCloud> {
        Link {
            cloud: self.cloud.clone(),
            time: self.time,
            handle: CarDataCloud::handle,
        }
    }

    fn client_in(&self, directory: &Path) -> Client {
        self.client_by(directory, self.link())
    }

    fn client_by(&self, directory: &Path, way: impl Transport) -> Client {
        Client::builder(ClientId::new(&CLIENT.to_uppercase()).unwrap())
            .transport(way)
            .token_store(bimmer::FileTokenStore::new(directory.join("token.json")))
            .state_file(directory.join("state.json"))
            .clock(self.time.clock())
            .build()
            .unwrap()
    }

    fn client(&self) -> Client {
        self.client_in(self.state.path())
    }

    async fn logged_in(&self) -> Client {
        let client = self.client();
        let cloud = self.cloud.clone();
        client
            .login(|code| assert!(cloud.lock().unwrap().confirm(&code.user_code)))
            .await
            .unwrap();
        client
    }
}

#[tokio::test(start_paused = true)]
async fn from_login_to_values() {
    let setup = Setup::new(1);
    let client = setup.client();
    assert!(matches!(
        client.mappings().await,
        Err(Error::Login(LoginError::NotLoggedIn))
    ));
    let pending = client.begin_login().await.unwrap();
    assert!(
        pending
            .verification_url_complete
            .contains(&pending.user_code)
    );
    // The user takes his time.
    let cloud = setup.cloud.clone();
    let code = pending.user_code.clone();
    let user = async move {
        tokio::time::sleep(Duration::from_secs(42)).await;
        assert!(cloud.lock().unwrap().confirm(&code));
    };
    let (token, ()) = tokio::join!(client.finish_login(pending), user);
    assert_eq!(
        token.unwrap().gcid.as_deref(),
        Some(setup.cloud.lock().unwrap().gcid())
    );

    let mappings = client.mappings().await.unwrap();
    assert_eq!(bimmer::cardata::primary_vins(&mappings), [vin(1), vin(2)]);
    let basic = client.basic_data(&vin(1)).await.unwrap();
    assert_eq!(
        (
            basic.name_of(&vin(1)).as_str(),
            basic.brand_of(&vin(1)).as_str()
        ),
        ("i4 eDrive40", "bmw")
    );
    let mut car = Telemetry::new();
    car.apply_rest(
        &client
            .telematic_data(&vin(1), RECOMMENDED_KEYS)
            .await
            .unwrap(),
        setup.time.now(),
    );
    let seen = Overview::of(&car, setup.time.now());
    assert_eq!(seen.soc_percent.unwrap().value, 50.0);
    assert_eq!(seen.odometer_km.unwrap().value, 12_345.0);
    assert_eq!(client.image(&vin(1)).await.unwrap(), None);
    assert_eq!(client.location_settings(&vin(1)).await.unwrap(), []);
    let tyres = client
        .tyre_diagnosis(&vin(1))
        .await
        .unwrap()
        .mounted
        .unwrap();
    assert_eq!(
        tyres
            .front_left
            .unwrap()
            .tyre_wear
            .unwrap()
            .status_color
            .as_deref(),
        Some("GREEN")
    );
    let other = client.basic_data(&vin(9)).await.unwrap_err();
    assert!(
        other.to_string().contains("main user") && !other.to_string().contains("A000"),
        "{other}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_wrong_client_id_is_told_apart() {
    let setup = Setup::new(1);
    let handle = CarDataCloud::handle;
    let other = "99999999-89ab-cdef-0123-456789abcdef";
    let client = Client::builder(ClientId::new(other).unwrap())
        .transport(Link {
            cloud: setup.cloud.clone(),
            time: setup.time,
            handle,
        })
        .build()
        .unwrap();
    let error = client.begin_login().await.unwrap_err();
    assert!(
        matches!(&error, Error::Login(LoginError::UnknownClient { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("portal"));
    assert!(ClientId::new("my client").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_code_that_the_server_loses_is_asked_for_again() {
    let setup = Setup::new(7);
    setup.cloud.lock().unwrap().faults.lose_code = 1.0;
    let client = setup.client();
    let mut shown = 0;
    let cloud = setup.cloud.clone();
    let token = client
        .login(|code| {
            shown += 1;
            let mut cloud = cloud.lock().unwrap();
            cloud.confirm(&code.user_code);
            if shown == 3 {
                cloud.faults.lose_code = 0.0;
            }
        })
        .await;
    assert!(token.is_ok());
    assert_eq!(shown, 3);
}

#[tokio::test(start_paused = true)]
async fn exactly_one_container_of_ours() {
    let setup = Setup::new(3);
    setup
        .cloud
        .lock()
        .unwrap()
        .add_foreign_container("somebody else");
    let client = setup.logged_in().await;
    let names = || {
        setup
            .cloud
            .lock()
            .unwrap()
            .container_names()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let first = client
        .ensure_container(&["vehicle.isMoving"])
        .await
        .unwrap();
    assert_eq!(
        client
            .ensure_container(&["vehicle.isMoving"])
            .await
            .unwrap(),
        first
    );
    let second = client.ensure_container(RECOMMENDED_KEYS).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(names(), ["somebody else", "bimmer"]);
    // Somebody deletes it: it is made again, once.
    let before = setup.cloud.lock().unwrap().calls_used();
    drop(client);
    let other = setup.client();
    assert_eq!(
        other.ensure_container(RECOMMENDED_KEYS).await.unwrap(),
        second
    );
    assert_eq!(setup.cloud.lock().unwrap().calls_used(), before);
    // Too many keys: the reduced set is used instead.
    setup.cloud.lock().unwrap().faults.most_keys = 20;
    let more = [RECOMMENDED_KEYS, &["vehicle.trip.segment.end.time"]].concat();
    other.ensure_container(&more).await.unwrap();
    assert_eq!(names(), ["somebody else", "bimmer"]);
    let data = other.telematic_data(&vin(1), &more).await.unwrap();
    assert!(
        data.values
            .contains_key("vehicle.drivetrain.batteryManagement.header")
    );
    assert!(!data.values.contains_key("vehicle.isMoving"));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_restarts_for_ever_keeps_its_quota() {
    let setup = Setup::new(4);
    drop(setup.logged_in().await);
    let mut refused = 0;
    for _ in 0..60 {
        let client = setup.client();
        match client.telematic_data(&vin(1), RECOMMENDED_KEYS).await {
            Ok(_) => {}
            Err(error) if error.is_quota() => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    // Two calls to find the container; the 51st is not even sent.
    assert_eq!(setup.cloud.lock().unwrap().calls_used(), 50);
    assert_eq!(refused, 12);
    assert_eq!(setup.client().remaining_calls().await.unwrap(), 0);
    tokio::time::advance(Duration::from_secs(24 * 3600 + 60)).await;
    assert_eq!(setup.client().remaining_calls().await.unwrap(), 50);
    setup
        .client()
        .telematic_data(&vin(2), RECOMMENDED_KEYS)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once() {
    let setup = Setup::new(5);
    let client = setup.logged_in().await;
    let first = client.token().await.unwrap();
    setup.cloud.lock().unwrap().faults.refuse_token = 1.0;
    let error = client.mappings().await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 401, .. }),
        "{error}"
    );
    setup.cloud.lock().unwrap().faults.refuse_token = 0.0;
    client.mappings().await.unwrap();
    assert_ne!(client.token().await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn sessions_outlive_months_and_restarts() {
    let setup = Setup::new(6);
    drop(setup.logged_in().await);
    for _ in 0..12 {
        tokio::time::advance(Duration::from_secs(7 * 24 * 3600)).await;
        setup.client().mappings().await.unwrap();
    }
    // Not used for more than 14 days: the user is asked, and no storm of requests follows.
    tokio::time::advance(Duration::from_secs(15 * 24 * 3600)).await;
    let client = setup.client();
    for _ in 0..20 {
        let error = client.mappings().await.unwrap_err();
        assert!(error.needs_login() && !error.is_retryable(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_backup_needs_a_login() {
    let setup = Setup::new(8);
    let client = setup.logged_in().await;
    let old = client.token().await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    client.mappings().await.unwrap();
    let restored = Client::builder(ClientId::new(CLIENT).unwrap())
        .transport(Link {
            cloud: setup.cloud.clone(),
            time: setup.time,
            handle: CarDataCloud::handle,
        })
        .token_store(MemoryTokenStore::with(old))
        .clock(setup.time.clock())
        .build()
        .unwrap();
    let error = restored.mappings().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::SessionEnded { .. })),
        "{error}"
    );
    client.mappings().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_callers_renew_once() {
    let setup = Setup::new(9);
    let client = setup.logged_in().await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    let calls = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.token().await.unwrap() })
    });
    let mut tokens = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        tokens.push(call.await.unwrap());
    }
    assert!(tokens.iter().all(|token| *token == tokens[0]));
}

#[tokio::test(start_paused = true)]
async fn the_server_may_fail_and_its_clock_be_wrong() {
    let setup = Setup::new(10);
    setup.cloud.lock().unwrap().faults.clock_skew = chrono::TimeDelta::minutes(3);
    let client = setup.logged_in().await;
    setup.cloud.lock().unwrap().faults.unavailable = 1.0;
    let error = client.mappings().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    setup.cloud.lock().unwrap().faults.unavailable = 0.0;
    client.mappings().await.unwrap();
    // Each of them is one of 50, whatever came of it.
    assert_eq!(client.remaining_calls().await.unwrap(), 48);
}

/// Fails so many times before it lets requests to the API through.
struct Flaky {
    link: Link<CarDataCloud>,
    failures: Mutex<Vec<TransportError>>,
}

impl Transport for Flaky {
    fn send(&self, request: Request) -> Sending<'_> {
        if request.url.contains("/customers/")
            && let Some(failure) = self.failures.lock().unwrap().pop()
        {
            return Box::pin(async { Err(failure) });
        }
        self.link.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_is_repeated_and_costs_nothing() {
    let failure = |not_sent| TransportError {
        not_sent,
        message: "connection lost".to_owned(),
    };
    for (failures, answered, left) in [
        (vec![failure(true); 3], true, 49),
        (vec![failure(true); 4], false, 50),
        (vec![failure(false)], false, 49),
        (vec![failure(false), failure(true)], false, 49),
    ] {
        let setup = Setup::new(12);
        drop(setup.logged_in().await);
        let flaky = Flaky {
            link: setup.link(),
            failures: Mutex::new(failures),
        };
        let client = setup.client_by(setup.state.path(), flaky);
        assert_eq!(client.mappings().await.is_ok(), answered);
        assert_eq!(client.remaining_calls().await.unwrap(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn an_estimate_follows_a_charge_and_says_so() {
    let setup = Setup::new(11);
    let client = setup.logged_in().await;
    let mut car = Telemetry::new();
    let mut estimator = SocEstimator::new("i4 eDrive40");
    car.apply_rest(
        &client
            .telematic_data(&vin(1), RECOMMENDED_KEYS)
            .await
            .unwrap(),
        setup.time.now(),
    );
    estimator.observe(&car, setup.time.now());
    let reported = estimator.estimate(setup.time.now()).unwrap();
    assert!(!reported.is_estimate);
    for _ in 0..10 {
        tokio::time::advance(Duration::from_secs(60)).await;
        estimator.observe(&car, setup.time.now());
    }
    let estimate = estimator.estimate(setup.time.now()).unwrap();
    assert!(estimate.is_estimate);
    car.apply_rest(
        &client
            .telematic_data(&vin(1), RECOMMENDED_KEYS)
            .await
            .unwrap(),
        setup.time.now(),
    );
    let now = Overview::of(&car, setup.time.now())
        .soc_percent
        .unwrap()
        .value;
    assert!(
        now > 51.0 && (estimate.soc_percent - now).abs() < 1.0,
        "{estimate:?} {now}"
    );
    estimator.observe(&car, setup.time.now());
    assert_eq!(
        estimator.estimate(setup.time.now()).unwrap().reported_at,
        car.newest()
    );
}

/// A network in which answers take their time.
struct Slow<T>(T);

impl<T: Transport> Transport for Slow<T> {
    fn send(&self, request: Request) -> Sending<'_> {
        let sending = self.0.send(request);
        Box::pin(async move {
            let answer = sending.await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            answer
        })
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_does_not_lose_the_session() {
    let setup = Setup::new(12);
    setup.logged_in().await;
    tokio::time::advance(Duration::from_secs(3600)).await;
    let slow = |link: Link<CarDataCloud>| {
        let file = setup.state.path().join("token.json");
        Client::builder(ClientId::new(CLIENT).unwrap())
            .transport(Slow(link))
            .token_store(bimmer::FileTokenStore::new(file))
            .clock(setup.time.clock())
            .build()
            .unwrap()
    };
    let client = slow(Link {
        cloud: setup.cloud.clone(),
        time: setup.time,
        handle: CarDataCloud::handle,
    });
    let begun = tokio::time::timeout(Duration::from_secs(1), client.token()).await;
    assert!(begun.is_err(), "the answer takes longer");
    client.settle().await.unwrap();
    // Also for the next start.
    setup.client().token().await.unwrap();
    client.token().await.unwrap();
}

/// A disk that is full until it is not.
#[derive(Clone, Default)]
struct Full {
    token: Arc<MemoryTokenStore>,
    full: Arc<AtomicBool>,
}

impl TokenStore for Full {
    fn load(&self) -> Storing<'_, Option<Token>> {
        self.token.load()
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        match self.full.load(Ordering::SeqCst) {
            true => Box::pin(async { Err(std::io::Error::other("full")) }),
            false => self.token.save(token),
        }
    }

    fn clear(&self) -> Storing<'_, ()> {
        self.token.clear()
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_stored_is_stored_later() {
    let setup = Setup::new(13);
    let store = Full::default();
    store
        .save(&setup.logged_in().await.token().await.unwrap())
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    let start = || {
        Client::builder(ClientId::new(CLIENT).unwrap())
            .transport(Link {
                cloud: setup.cloud.clone(),
                time: setup.time,
                handle: CarDataCloud::handle,
            })
            .token_store(store.clone())
            .clock(setup.time.clock())
            .build()
            .unwrap()
    };
    let client = start();
    store.full.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let error = client.token().await.unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
    }
    assert!(matches!(client.settle().await, Err(Error::Store(_))));
    store.full.store(false, Ordering::SeqCst);
    client.settle().await.unwrap();
    let token = client.token().await.unwrap();
    assert_eq!(start().token().await.unwrap(), token);
}
