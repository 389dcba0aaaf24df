//! Whole days with the simulated cloud in memory: how often a car is woken.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use saic_ismart::simulator::{Activity, Cloud, CloudConfig, InProcess, Phase};
use saic_ismart::{Client, Credentials, Region, Relogin};
use telemetry_cli::cli::{Cli, Command};
use telemetry_cli::compat::saic::account::Account;
use telemetry_cli::compat::saic::gateway::Cars;
use telemetry_cli::compat::saic::shared::Shared;
use telemetry_cli::compat::saic::{Options, client};
use telemetry_cli::config::Environment;
use telemetry_cli::sink::mqtt::session::Speaker;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// 2026-11-20 08:00 UTC.
pub(super) const EPOCH_MS: u64 = 1_795_161_600_000;

pub(super) const DAY: Duration = Duration::from_secs(86_400);

fn cloud(plan: &[(Activity, f64)]) -> InProcess {
    let mut config = CloudConfig::default();
    let phase = |(activity, minutes): &(Activity, f64)| Phase {
        activity: *activity,
        minutes: *minutes,
    };
    config.cars[0].plan = plan.iter().map(phase).collect();
    InProcess::starting_at(Cloud::new(config, 7), EPOCH_MS)
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
pub(super) async fn live(cloud: &InProcess, directory: &TempDir, flags: &str, time: Duration) {
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
    let account = Account::new(shared, client, Cars::default(), shutdown.clone());
    let account = tokio::spawn(account.run());
    let drain = tokio::spawn(async move { while outgoing.recv().await.is_some() {} });
    tokio::time::sleep(time).await;
    shutdown.cancel();
    account.await.expect("no panic");
    drain.await.expect("no panic");
}

/// Calls to the car in a day of such phases.
async fn calls(plan: &[(Activity, f64)], flags: &str) -> u64 {
    let cloud = cloud(plan);
    let directory = tempfile::tempdir().expect("temporary directory");
    live(&cloud, &directory, flags, DAY).await;
    assert_eq!(cloud.cloud().logins(), 1);
    cloud.cloud().live_calls()
}

const PARKED: (Activity, f64) = (Activity::Parked, 1e6);

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
    assert_eq!(cloud.cloud().live_calls(), 10);
    assert_eq!(cloud.cloud().logins(), 1);
    // Without memory, as the original, each of them counts as a shutdown.
    let forgetful = self::cloud(&[PARKED]);
    for _ in 0..24 {
        let directory = tempfile::tempdir().expect("temporary directory");
        live(&forgetful, &directory, "", DAY / 24).await;
    }
    assert_eq!(forgetful.cloud().live_calls(), 240);
    assert_eq!(forgetful.cloud().logins(), 24);
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
    let calls = calls(&plan, "").await;
    // Twice 20 minutes every half minute and a call's time, and the grace times.
    assert_eq!(calls, 150);
}

#[tokio::test(start_paused = true)]
async fn a_night_at_the_charger_costs_a_poll_for_each_percent() {
    let plan = [(Activity::Charging { kw: 7.2 }, 600.0), PARKED];
    let calls = calls(&plan, "").await;
    // From 54 to the target of 80 percent, and the grace time after it.
    assert_eq!(calls, 62);
}
