//! Logins that the cloud refuses, with the simulated cloud in memory.

use saic_ismart::simulator::{Cloud, CloudConfig, InProcess};
use saic_ismart::{Client, Credentials, Error, Region};

use super::days::{DAY, EPOCH_MS, live};

fn cloud(password: &str) -> InProcess {
    let config = CloudConfig {
        password: password.to_owned(),
        ..CloudConfig::default()
    };
    InProcess::starting_at(Cloud::new(config, 7), EPOCH_MS)
}

/// Somebody logs in.
async fn log_in(cloud: &InProcess, password: &str) -> Result<(), Error> {
    let clock = cloud.clone();
    let credentials = Credentials::email("demo@example.com", password);
    Client::builder(Region::Europe, credentials)
        .transport(cloud.clone())
        .clock(move || i64::try_from(clock.now_ms()).expect("a time"))
        .build()?
        .login()
        .await
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_has_ended_keeps_nobody_out() {
    let cloud = cloud("demo-password");
    for _ in 0..5 {
        log_in(&cloud, "wrong").await.expect_err("a wrong password");
    }
    log_in(&cloud, "demo-password").await.expect_err("locked");
    let directory = tempfile::tempdir().expect("temporary directory");
    live(&cloud, &directory, "", DAY).await;
    assert_eq!(cloud.cloud().logins(), 1);
    assert!(cloud.cloud().live_calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_does_not_lock_the_account() {
    let cloud = cloud("another");
    let directory = tempfile::tempdir().expect("temporary directory");
    for _ in 0..3 {
        live(&cloud, &directory, "", DAY / 3 - DAY / 100).await;
    }
    assert_eq!(cloud.cloud().logins(), 0);
    log_in(&cloud, "another").await.expect("no lock");
}
