//! Several cars: they come and go.

use std::time::Duration;

use saic_ismart::simulator::{Activity, CloudConfig, Phase};
use telemetry_cli::cloud::saic::Saic;
use telemetry_cli::compat::saic::NAME;

use super::{CAR, Program, Simulated, VIN, car};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

const SECOND: &str = "LSJDEMO0000000002";

fn cars(vins: &[&str]) -> CloudConfig {
    let mut config = CloudConfig::default();
    let mut one = config.cars.remove(0);
    one.plan = vec![Phase {
        activity: Activity::Parked,
        minutes: 1e6,
    }];
    for vin in vins {
        one.vin = (*vin).to_owned();
        config.cars.push(one.clone());
    }
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_car_that_comes_is_published_and_one_that_goes_is_removed() {
    let cloud = Simulated::with(cars(&[VIN])).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[
        "--account-refresh-interval",
        "2",
        "--messages-request-interval",
        "2",
        "--saic-relogin-delay",
        "1",
    ]);
    watcher.wait_for(&car("available"), "online").await;

    cloud.replace(Saic::new(cars(&[VIN, SECOND]), 7));
    let second = |topic: &str| format!("{}/{topic}", CAR.replace(VIN, SECOND));
    watcher.wait_for(&second("info/series"), "EH32 S").await;
    watcher.wait_for(&second("available"), "online").await;
    let document = format!("homeassistant/device/{SECOND}_mg/config");
    watcher
        .wait_until("its document", |watcher| {
            watcher.last.contains_key(&document)
        })
        .await;

    cloud.replace(Saic::new(cars(&[VIN]), 7));
    watcher.wait_for(&second("available"), "offline").await;
    watcher.wait_for(&document, "").await;
    let state = |vin| {
        program
            .directory
            .path()
            .join(format!("{NAME}/vehicle-{vin}.json"))
    };
    while state(SECOND).exists() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(state(VIN).exists());

    let mut other = cars(&[VIN]);
    other.cars[0].series = "MZS3E S".to_owned();
    cloud.replace(Saic::new(other, 7));
    watcher.wait_for(&car("info/series"), "MZS3E S").await;
    assert!(running.stop().success());
    let kept = retained(broker.address()).await;
    assert!(!kept.contains_key(&document));
    assert!(kept.contains_key(&document.replace(SECOND, VIN)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_car_that_goes_while_nobody_looks_is_removed_at_the_next_start() {
    let cloud = Simulated::with(cars(&[VIN, SECOND])).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    let second = format!("{}/available", CAR.replace(VIN, SECOND));
    watcher.wait_for(&second, "online").await;
    let document = format!("homeassistant/device/{SECOND}_mg/config");
    watcher
        .wait_until("its document", |watcher| {
            watcher.last.contains_key(&document)
        })
        .await;
    assert!(running.stop().success());

    cloud.replace(Saic::new(cars(&[VIN]), 7));
    // The other cloud knows no session: that counts as another device.
    let running = program.start(&[
        "--account-refresh-interval",
        "2",
        "--messages-request-interval",
        "2",
        "--saic-relogin-delay",
        "1",
    ]);
    watcher.wait_for(&second, "offline").await;
    watcher.wait_for(&document, "").await;
    assert!(running.stop().success());
    assert!(
        retained(broker.address())
            .await
            .contains_key(&document.replace(SECOND, VIN))
    );
}
