//! Whole days with the simulated cloud in memory: how often a car is woken.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use saic_ismart::http::Response;
use saic_ismart::simulator::{Activity, Cloud, CloudConfig, HttpRequest, InProcess, Peer, Phase};
use saic_ismart::{Client, Credentials, Region, Relogin};
use telemetry_cli::cli::{Cli, Command};
use telemetry_cli::compat::saic::account::Account;
use telemetry_cli::compat::saic::gateway::Cars;
use telemetry_cli::compat::saic::shared::Shared;
use telemetry_cli::compat::saic::{Options, client};
use telemetry_cli::config::Environment;
use telemetry_cli::sink::mqtt::session::{Outgoing, Speaker};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// 2026-11-20 08:00 UTC.
pub(super) const EPOCH_MS: u64 = 1_795_161_600_000;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// A cloud that notes when a car is asked for its status, in seconds: each
/// question once, and not each look for its answer.
pub(super) struct Noting {
    pub(super) cloud: Cloud,
    live: Vec<u64>,
    cached: Vec<u64>,
}

impl Peer for Noting {
    fn handle(&mut self, request: &HttpRequest, now_ms: u64) -> Response {
        let path = request.target.split('?').next().unwrap_or_default();
        let is_question = |(name, value): &(String, String)| {
            name.eq_ignore_ascii_case("event-id") && value == "0"
        };
        let seconds = (now_ms - EPOCH_MS) / 1000;
        if path.ends_with("/vehicle/status") && request.headers.iter().any(is_question) {
            self.live.push(seconds);
        } else if path.ends_with("/vehicle/status/cache") {
            self.cached.push(seconds);
        }
        self.cloud.handle(request, now_ms)
    }
}

pub(super) type Simulated = InProcess<Noting>;

pub(super) fn cloud(plan: &[(Activity, f64)]) -> Simulated {
    let mut config = CloudConfig::default();
    let phase = |(activity, minutes): &(Activity, f64)| Phase {
        activity: *activity,
        minutes: *minutes,
    };
    config.cars[0].plan = plan.iter().map(phase).collect();
    let noting = Noting {
        cloud: Cloud::new(config, 7),
        live: Vec::new(),
        cached: Vec::new(),
    };
    InProcess::starting_at(noting, EPOCH_MS)
}

fn options(flags: &str) -> Options {
    let words = format!("saic-mqtt-gateway --console -u demo@example.com -p demo-password {flags}");
    let cli = Cli::of(words.split_whitespace().map(Into::into).collect()).expect("flags");
    let Command::SaicMqttGateway(args) = cli.command else {
        panic!("{cli:?}");
    };
    Options::new(&args, &Environment::default()).expect("options")
}

/// The gateway lives for a while, with what the one before it has left.
pub(super) async fn live<P: Peer + 'static>(
    cloud: &InProcess<P>,
    directory: &TempDir,
    flags: &str,
    time: Duration,
) {
    live_with(cloud, directory, flags, time, Cars::default()).await;
}

/// The same with its cars in reach. What it says, topics and payloads.
pub(super) async fn live_with<P: Peer + 'static>(
    cloud: &InProcess<P>,
    directory: &TempDir,
    flags: &str,
    time: Duration,
    cars: Cars,
) -> Vec<(String, String)> {
    // Whichever test is first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (speaker, mut outgoing) = Speaker::new();
    let state = Some(directory.path().to_path_buf());
    let mut shared = Shared::new(options(flags), speaker, state).expect("HTTPS");
    let clock = cloud.clone();
    shared.clock = Arc::new(move || {
        DateTime::from_timestamp_millis(i64::try_from(clock.now_ms()).expect("a time"))
            .expect("a time")
    });
    let clock = cloud.clone();
    let credentials = Credentials::email("demo@example.com", "demo-password");
    let client = Client::builder(Region::Europe, credentials)
        .transport(cloud.clone())
        .clock(move || i64::try_from(clock.now_ms()).expect("a time"))
        .relogin(Relogin::After(Duration::from_secs(900)))
        .token_store(client::store(&shared))
        .build()
        .expect("a client");
    let shutdown = CancellationToken::new();
    let account = Account::new(shared, client, cars, shutdown.clone());
    let account = tokio::spawn(account.run());
    let drain = tokio::spawn(async move {
        let mut said = Vec::new();
        while let Some(one) = outgoing.recv().await {
            if let Outgoing::Hold { topic, payload, .. } | Outgoing::Tell { topic, payload, .. } =
                one
            {
                said.push((topic, payload));
            }
        }
        said
    });
    tokio::time::sleep(time).await;
    shutdown.cancel();
    account.await.expect("no panic");
    drain.await.expect("no panic")
}

/// Calls to the car in a day of such phases.
async fn calls(plan: &[(Activity, f64)], flags: &str) -> u64 {
    let cloud = cloud(plan);
    let directory = tempfile::tempdir().expect("temporary directory");
    live(&cloud, &directory, flags, DAY).await;
    assert_eq!(cloud.cloud().cloud.logins(), 1);
    cloud.cloud().cloud.live_calls()
}

pub(super) const PARKED: (Activity, f64) = (Activity::Parked, 1e6);

/// Two calls a poll: the status and the charging data.
#[tokio::test(start_paused = true)]
async fn a_parked_car_is_woken_five_times_and_then_once_a_day() {
    assert_eq!(calls(&[PARKED], "").await, 10);
    assert_eq!(calls(&[PARKED], "--polling hybrid").await, 10);
}

#[tokio::test(start_paused = true)]
async fn restarts_cost_a_parked_car_nothing() {
    let cloud = cloud(&[PARKED]);
    let directory = tempfile::tempdir().expect("temporary directory");
    for _ in 0..24 {
        live(&cloud, &directory, "", DAY / 24).await;
    }
    assert_eq!(cloud.cloud().cloud.live_calls(), 10);
    assert_eq!(cloud.cloud().cloud.logins(), 1);
    // Without memory, as the original, each of them counts as a shutdown.
    let forgetful = self::cloud(&[PARKED]);
    for _ in 0..24 {
        let directory = tempfile::tempdir().expect("temporary directory");
        live(&forgetful, &directory, "", DAY / 24).await;
    }
    assert_eq!(forgetful.cloud().cloud.live_calls(), 240);
    assert_eq!(forgetful.cloud().cloud.logins(), 24);
}

/// What the gateway holds about the car, as its state has it.
fn held(directory: &TempDir, topic: &str) -> Option<String> {
    let path = directory.path().join("vehicle-LSJDEMO0000000001.json");
    let state = std::fs::read(path).expect("a state");
    let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
    state[1]["held"][topic].as_str().map(Into::into)
}

#[tokio::test(start_paused = true)]
async fn a_car_that_is_silent_for_half_a_day_is_likely_asleep() {
    let cloud = cloud(&[PARKED]);
    let directory = tempfile::tempdir().expect("temporary directory");
    let reachability = || held(&directory, "refresh/reachability");
    live(&cloud, &directory, "", DAY * 11 / 24).await;
    assert_eq!(reachability().as_deref(), Some("awake"));
    live(&cloud, &directory, "", DAY * 2 / 24).await;
    assert_eq!(reachability().as_deref(), Some("likely_asleep"));
    live(&cloud, &directory, "", DAY * 12 / 24).await;
    assert_eq!(
        reachability().as_deref(),
        Some("awake"),
        "asked after a day"
    );
}

/// The times at which the car is asked in a day of such phases.
async fn times(plan: &[(Activity, f64)], flags: &str) -> Vec<u64> {
    let cloud = cloud(plan);
    let directory = tempfile::tempdir().expect("temporary directory");
    live(&cloud, &directory, flags, DAY).await;
    let noted = cloud.cloud();
    // The status and the charging data.
    assert_eq!(noted.cloud.live_calls(), 2 * noted.live.len() as u64);
    noted.live.clone()
}

const DRIVE: (Activity, f64) = (Activity::Driving { kmh: 50.0 }, 5.0);

#[tokio::test(start_paused = true)]
async fn a_commute_is_followed_every_half_minute() {
    let plan = [
        (Activity::Parked, 120.0),
        DRIVE,
        (Activity::Parked, 480.0),
        DRIVE,
        PARKED,
    ];
    assert_eq!(
        times(&plan, "").await,
        [
            10, 139, 271, 400, 530, // as it may have just stopped
            // The message comes with the start: a call takes nine seconds.
            7200, 7239, 7278, 7320, 7360, 7399, 7438, 7477, // drives
            7516, 7646, 7775, 7904, 8033, // has stopped
            36_300, 36_339, 36_378, 36_417, 36_456, 36_496, 36_538, 36_577, // drives
            36_620, 36_749, 36_882, 37_011, 37_140, // has stopped
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn two_drives_are_followed() {
    let drive = (Activity::Driving { kmh: 50.0 }, 20.0);
    let plan = [
        (Activity::Parked, 120.0),
        drive,
        (Activity::Parked, 480.0),
        drive,
        PARKED,
    ];
    // Twice 20 minutes every half minute and a call's time, and the grace times.
    assert_eq!(calls(&plan, "").await, 150);
}

#[tokio::test(start_paused = true)]
async fn a_night_at_the_charger_costs_a_poll_for_each_percent() {
    let plan = [(Activity::Charging { kw: 7.2 }, 600.0), PARKED];
    // From 54 to the target of 80 percent, and the grace time after it.
    assert_eq!(
        times(&plan, "").await,
        [
            10, 375, 740, 1105, 1470, 1836, 2201, 2573, 2941, 3310, 3675, 4040, 4405, 4771, 5139,
            5508, 5873, 6238, 6603, 6969, 7337, 7702, 8068, 8433, 8801,
            9167, // a percent each
            9236, 9365, 9494, 9623, 9756, // has ended, and may start again
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_parked_car_is_asked_at_these_times() {
    assert_eq!(times(&[PARKED], "").await, [10, 139, 271, 400, 530]);
    // Another course of the same dice: each look at the cache is a throw.
    assert_eq!(
        times(&[PARKED], "--polling hybrid").await,
        [10, 139, 268, 400, 530]
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_car_is_woken_rarely_and_found_within_a_quarter_of_an_hour() {
    let cloud = cloud(&[PARKED]);
    let directory = tempfile::tempdir().expect("temporary directory");
    cloud.cloud().cloud.set_signal(0, false);
    live(&cloud, &directory, "", DAY / 4).await;
    let (woken, looks) = {
        let noted = cloud.cloud();
        (noted.live.clone(), noted.cached.clone())
    };
    // The original's pauses, and the minute that a call waits for the car.
    assert_eq!(
        woken,
        [10, 97, 215, 392, 690, 1227, 3085, 5842, 10_400, 18_557]
    );
    // Waking it or not, the cloud is asked each quarter of an hour.
    let mut asked = [woken, looks].concat();
    asked.sort_unstable();
    let longest = asked.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest <= Some(960), "{asked:?}");
    assert!(asked.last() > Some(&20_000));

    // It comes home at 21600, and reports every four hours by itself.
    cloud.cloud().cloud.set_signal(0, true);
    live(&cloud, &directory, "", DAY / 4).await;
    let woken = cloud.cloud().live[10..].to_vec();
    assert_eq!((woken.len(), woken[0]), (5, 29_415));
    // A call takes some seconds, more or less.
    for pair in woken.windows(2) {
        assert!((120..180).contains(&(pair[1] - pair[0])), "{woken:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn polls_wait_while_the_phone_has_the_account() {
    let cloud = cloud(&[PARKED]);
    let directory = tempfile::tempdir().expect("temporary directory");
    let phone = cloud.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(200)).await;
        phone.cloud().cloud.log_in_elsewhere();
    });
    live(&cloud, &directory, "", DAY / 24).await;
    assert_eq!(cloud.cloud().cloud.logins(), 2);
    // A look for messages finds out at 240 s, and another one logs in.
    assert_eq!(cloud.cloud().live, [10, 139, 1140]);
}
