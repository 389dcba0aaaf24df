//! Who is logged in, and how often somebody logs in.

#[path = "support/simulated.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use saic_ismart::http::{Request, Response, Sending, Transport};
use saic_ismart::message::ChangeMessages;
use saic_ismart::simulator::{Activity, CloudConfig, Faults, InProcess};
use saic_ismart::vehicle::AlarmKind;
use saic_ismart::{
    Client, Credentials, Error, FileTokenStore, LoginError, MemoryTokenStore, MessageGroup, Region,
    Relogin, TokenStore,
};
use support::{client, client_as, cloud, cloud_with, demo};
use tokio::time::sleep;

/// Counts requests.
#[derive(Clone)]
struct Counting {
    cloud: InProcess,
    requests: Arc<AtomicUsize>,
}

impl Counting {
    fn new(cloud: &InProcess) -> Self {
        Self {
            cloud: cloud.clone(),
            requests: Arc::default(),
        }
    }

    fn count(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Transport for Counting {
    fn send(&self, request: Request) -> Sending<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.cloud.send(request);
        // As long as a real one takes.
        Box::pin(async move {
            sleep(Duration::from_millis(80)).await;
            answer.await
        })
    }
}

fn wrong_password(cloud: &InProcess) -> (Client, Counting) {
    let counting = Counting::new(cloud);
    let credentials = Credentials::email("demo@example.com", "wrong-password");
    let client = client_as(credentials, cloud)
        .transport(counting.clone())
        .build()
        .unwrap();
    (client, counting)
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_tried_once() {
    let cloud = cloud_with(Activity::Parked);
    let (client, counting) = wrong_password(&cloud);
    for _ in 0..5 {
        let error = client.vehicles().await.unwrap_err();
        let wrong = matches!(
            &error,
            Error::Login(LoginError::WrongPassword { code: 15_019, .. })
        );
        assert!(
            wrong && error.needs_login() && !error.is_retryable(),
            "{error:?}"
        );
        assert!(error.to_string().contains("4 attempts left"), "{error}");
        assert!(!format!("{error:?}").contains("wrong-password"));
    }
    assert_eq!(counting.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_locked_account_is_told_apart() {
    let cloud = cloud_with(Activity::Parked);
    for _ in 0..5 {
        wrong_password(&cloud).0.vehicles().await.unwrap_err();
    }
    let client = client(&cloud);
    for _ in 0..3 {
        let error = client.vehicles().await.unwrap_err();
        assert!(
            matches!(error, Error::Login(LoginError::Locked { code: 15_033, .. })),
            "{error:?}"
        );
    }
    sleep(Duration::from_secs(24 * 3600)).await;
    // Only the user's wish tries again.
    assert!(client.vehicles().await.unwrap_err().needs_login());
    client.login().await.unwrap();
    assert!(client.vehicles().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn logins_that_cannot_work() {
    let cloud = cloud_with(Activity::Parked);
    let login = async |credentials| {
        let client = client_as(credentials, &cloud).build().unwrap();
        client.login().await.unwrap_err()
    };
    let stranger = login(Credentials::email("nobody@example.com", "x")).await;
    let unknown = matches!(
        stranger,
        Error::Login(LoginError::NotRegistered {
            code: 1_000_036,
            ..
        })
    );
    assert!(unknown && stranger.needs_login(), "{stranger:?}");
    let phone = login(Credentials::phone("33", "3330000000", "x")).await;
    let code = matches!(
        phone,
        Error::Login(LoginError::CountryCode {
            code: 1_000_020,
            ..
        })
    );
    assert!(code, "{phone:?}");
}

#[tokio::test(start_paused = true)]
async fn by_phone() {
    let config = CloudConfig {
        user: "3330000000".to_owned(),
        ..CloudConfig::default()
    };
    let cloud = cloud(config);
    let credentials = Credentials::phone("+49", "333 000-0000", "demo-password");
    let client = client_as(credentials, &cloud).build().unwrap();
    assert_eq!(client.vehicles().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_calls_share_one_login() {
    let cloud = cloud_with(Activity::Parked);
    let counting = Counting::new(&cloud);
    let client = client_as(demo(), &cloud)
        .transport(counting.clone())
        .relogin(Relogin::AtOnce)
        .build()
        .unwrap();
    let all = async || {
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.timezone().await.map(drop) })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    };
    all().await;
    assert_eq!((cloud.cloud().logins(), counting.count()), (1, 21));
    // All find the session ended at the same time.
    cloud.cloud().log_in_elsewhere();
    all().await;
    assert_eq!(
        (cloud.cloud().logins(), counting.count()),
        (2, 21 + 20 + 1 + 20)
    );
}

#[tokio::test(start_paused = true)]
async fn the_other_device_keeps_the_account_for_a_while() {
    let cloud = cloud_with(Activity::Parked);
    let counting = Counting::new(&cloud);
    let client = client_as(demo(), &cloud)
        .transport(counting.clone())
        .build()
        .unwrap();
    client.vehicles().await.unwrap();
    cloud.cloud().log_in_elsewhere();
    let error = client.vehicles().await.unwrap_err();
    let quarter = Some(Duration::from_secs(900));
    assert!(
        matches!(error, Error::Login(LoginError::LoggedInElsewhere { .. })),
        "{error:?}"
    );
    assert_eq!(error.retry_after(), quarter);
    assert!(error.is_retryable() && !error.needs_login());
    let asked = counting.count();
    sleep(Duration::from_secs(600)).await;
    let left = client.vehicles().await.unwrap_err().retry_after().unwrap();
    assert!((299..=300).contains(&left.as_secs()), "{left:?}");
    assert_eq!(counting.count(), asked);
    sleep(Duration::from_secs(301)).await;
    assert!(client.vehicles().await.is_ok());
    assert_eq!(cloud.cloud().logins(), 2);
    // A command takes the account at once.
    cloud.cloud().log_in_elsewhere();
    let car = client.vehicles().await;
    assert!(car.is_err());
    // Nobody waits for tidying up.
    let tidied = client
        .change_messages(&ChangeMessages::DeleteAll(MessageGroup::News))
        .await;
    let car = client.vehicle_by_vin("LSJDEMO0000000001");
    let switched = car.set_alarm_switches(&[(AlarmKind::Fault, true)]).await;
    assert!(tidied.is_err() && switched.is_err());
    assert_eq!(cloud.cloud().logins(), 2);
    client
        .vehicle_by_vin("LSJDEMO0000000001")
        .lock()
        .await
        .unwrap();
    assert_eq!(cloud.cloud().logins(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_on_when_the_session_ends_in_its_middle() {
    let cloud = cloud_with(Activity::Parked);
    let client = client_as(demo(), &cloud)
        .relogin(Relogin::AtOnce)
        .build()
        .unwrap();
    client.login().await.unwrap();
    sleep(Duration::from_secs(3600)).await;
    let car = client.vehicle_by_vin("LSJDEMO0000000001");
    let waiting = tokio::spawn(async move { car.unlock().await });
    sleep(Duration::from_secs(10)).await;
    cloud.cloud().log_in_elsewhere();
    assert!(waiting.await.unwrap().is_ok());
    // The command was given once.
    let cloud = cloud.cloud();
    assert_eq!((cloud.live_calls(), cloud.logins()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn never_means_never() {
    let cloud = cloud_with(Activity::Parked);
    let client = client_as(demo(), &cloud)
        .relogin(Relogin::Never)
        .build()
        .unwrap();
    client.login().await.unwrap();
    let car = client.vehicle_by_vin("LSJDEMO0000000001");
    let waiting = tokio::spawn(async move { car.unlock().await });
    sleep(Duration::from_secs(1)).await;
    cloud.cloud().log_in_elsewhere();
    // The command was accepted before: it may be carried out.
    let error = waiting.await.unwrap().unwrap_err();
    assert!(error.may_have_taken_effect(), "{error:?}");
    assert!(error.to_string().contains("another device"), "{error}");
    let car = client.vehicle_by_vin("LSJDEMO0000000001");
    for error in [
        car.lock().await.unwrap_err(),
        car.cached_status().await.unwrap_err(),
    ] {
        let elsewhere = LoginError::LoggedInElsewhere { retry_after: None };
        assert!(
            matches!(&error, Error::Login(reason) if *reason == elsewhere),
            "{error:?}"
        );
        assert!(!error.may_have_taken_effect());
    }
    assert_eq!(cloud.cloud().logins(), 1);
    client.login().await.unwrap();
    car.lock().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_is_renewed() {
    let config = CloudConfig {
        token_lifetime_s: 3600,
        ..CloudConfig::default()
    };
    let cloud = cloud(config);
    let counting = Counting::new(&cloud);
    let store = Arc::new(MemoryTokenStore::default());
    let client = client_as(demo(), &cloud)
        .transport(counting.clone())
        .token_store(Shared(Arc::clone(&store)))
        .build()
        .unwrap();
    client.timezone().await.unwrap();
    let first = store.load().await.unwrap().unwrap();
    sleep(Duration::from_secs(44 * 60)).await;
    client.timezone().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 1);
    sleep(Duration::from_secs(2 * 60)).await;
    client.timezone().await.unwrap();
    // By its refresh token: two requests, no password.
    assert_eq!((cloud.cloud().logins(), counting.count()), (2, 5));
    let second = store.load().await.unwrap().unwrap();
    assert!(second.expires_at_ms > first.expires_at_ms);
    // A refresh token that is not accepted is no end: the password is.
    cloud.cloud().log_in_elsewhere();
    sleep(Duration::from_secs(3600)).await;
    client.timezone().await.unwrap();
    assert_eq!(counting.count(), 8);
}

struct Shared(Arc<MemoryTokenStore>);

impl TokenStore for Shared {
    fn load(&self) -> saic_ismart::token::Storing<'_, Option<saic_ismart::Token>> {
        self.0.load()
    }

    fn save<'a>(&'a self, token: &'a saic_ismart::Token) -> saic_ismart::token::Storing<'a, ()> {
        self.0.save(token)
    }

    fn clear(&self) -> saic_ismart::token::Storing<'_, ()> {
        self.0.clear()
    }
}

#[tokio::test]
async fn a_restart_needs_no_login() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = cloud_with(Activity::Parked);
    let path = dir.path().join("saic.json");
    let restarted = |credentials| {
        client_as(credentials, &cloud)
            .token_store(FileTokenStore::new(&path))
            .build()
            .unwrap()
    };
    for _ in 0..3 {
        restarted(demo()).vehicles().await.unwrap();
    }
    assert_eq!(cloud.cloud().logins(), 1);
    // A session that ended is forgotten, in the file too.
    cloud.cloud().log_in_elsewhere();
    restarted(demo()).vehicles().await.unwrap_err();
    assert!(!path.exists());
    restarted(demo()).vehicles().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 2);
    // The session of somebody else is not used.
    let other = Credentials::email("nobody@example.com", "demo-password");
    let error = restarted(other).vehicles().await.unwrap_err();
    assert!(
        matches!(error, Error::Login(LoginError::NotRegistered { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_read_costs_no_login() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = cloud_with(Activity::Parked);
    // A directory is no file.
    let client = client_as(demo(), &cloud)
        .token_store(FileTokenStore::new(dir.path()))
        .build()
        .unwrap();
    assert!(matches!(client.vehicles().await, Err(Error::Store(_))));
    assert_eq!(cloud.cloud().logins(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_outage_at_login_is_no_wrong_password() {
    let cloud = cloud_with(Activity::Parked);
    let client = client(&cloud);
    for faults in [
        Faults {
            unavailable: 1.0,
            ..Faults::default()
        },
        Faults {
            server_error: 1.0,
            ..Faults::default()
        },
        Faults {
            web_page: 1.0,
            ..Faults::default()
        },
    ] {
        cloud.cloud().set_faults(faults);
        let error = client.vehicles().await.unwrap_err();
        assert!(error.is_retryable() && !error.needs_login(), "{error:?}");
    }
    cloud.cloud().set_faults(Faults::default());
    assert!(client.vehicles().await.is_ok());
}

/// Answers a number of requests in place of the cloud.
struct Instead {
    cloud: InProcess,
    left: AtomicUsize,
    status: u16,
    body: &'static str,
}

impl Transport for Instead {
    fn send(&self, request: Request) -> Sending<'_> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            return self.cloud.send(request);
        }
        self.left.store(left - 1, Ordering::Relaxed);
        let answer = Response {
            status: self.status,
            headers: Vec::new(),
            body: self.body.as_bytes().to_vec(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_not_heard_is_no_wrong_password() {
    let page = "<html>403 Forbidden</html>";
    let often = r#"{"code":8,"message":"too frequent (71)"}"#;
    for (status, body) in [
        (403, page),
        (403, ""),
        (401, "no"),
        (429, page),
        (200, often),
    ] {
        let cloud = cloud_with(Activity::Parked);
        let disturbed = Instead {
            cloud: cloud.clone(),
            left: AtomicUsize::new(1),
            status,
            body,
        };
        let client = client_as(demo(), &cloud)
            .transport(disturbed)
            .build()
            .unwrap();
        let error = client.vehicles().await.unwrap_err();
        assert!(error.is_retryable() && !error.needs_login(), "{error:?}");
        assert!(client.vehicles().await.is_ok(), "{status} {body}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let credentials = Credentials::email("driver@example.com", "hunter2-hunter2");
    let builder = Client::builder(Region::Europe, credentials.clone()).device_id("device-7");
    let client = Client::new(Region::Europe, credentials.clone()).unwrap();
    let car = client.vehicle_by_vin("LSJDEMO0000000001");
    let shown = format!("{credentials:?} {builder:?} {client:?} {car:?}");
    for secret in ["hunter2", "driver@", "device-7", "LSJDEMO0000000001"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Client>();
    check::<saic_ismart::Vehicle>();
    check::<Error>();
}

/// Two programs of one user that keep their session in one place: a login of
/// one serves the other, at once and without a second login.
#[tokio::test(start_paused = true)]
async fn a_session_is_shared_by_programs_that_keep_it_in_one_place() {
    let cloud = cloud_with(Activity::Parked);
    let store = Arc::new(MemoryTokenStore::default());
    let program = || {
        let shared = Shared(Arc::clone(&store));
        client_as(demo(), &cloud)
            .token_store(shared)
            .build()
            .unwrap()
    };
    let (gateway, command) = (program(), program());
    gateway.vehicles().await.unwrap();
    command.login().await.unwrap();
    gateway.vehicles().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 2);

    // While the gateway leaves the account to a phone, the user takes it back.
    cloud.cloud().log_in_elsewhere();
    let error = gateway.vehicles().await.unwrap_err();
    assert!(matches!(
        error,
        Error::Login(LoginError::LoggedInElsewhere { .. })
    ));
    command.login().await.unwrap();
    gateway.vehicles().await.unwrap();
    assert_eq!(cloud.cloud().logins(), 3);
}
