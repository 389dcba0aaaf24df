//! What outlives the process, and the broker.

use saic_ismart::simulator::Activity;

use super::{LWT, Program, Simulated, VIN, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_wakes_no_car_logs_in_nowhere_and_knows_all_values() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let mut broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher.wait_for(&car("available"), "online").await;
    assert_eq!(tell(&mut watcher, "refresh/mode", "off").await, "Success");
    assert_eq!(
        tell(&mut watcher, "refresh/period/inActive", "7200").await,
        "Success"
    );
    let soc = watcher.last[&car("drivetrain/soc")].clone();
    assert!(running.stop().success());
    let (logins, calls) = (cloud.logins(), cloud.live_calls());
    assert_eq!(logins, 1);

    // Nothing is left on the broker.
    broker.kill();
    broker.restart();
    let mut watcher = Watcher::new(broker.address()).await;
    let mut running = program.start(&[]);
    watcher.wait_for(LWT, "online").await;
    watcher.wait_for(&car("drivetrain/soc"), &soc).await;
    watcher.wait_for(&car("refresh/mode"), "off").await;
    watcher
        .wait_for(&car("refresh/period/inActive"), "7200")
        .await;
    let document = format!("homeassistant/device/{VIN}_mg/config");
    watcher
        .wait_until("a document", |watcher| watcher.last.contains_key(&document))
        .await;
    assert_eq!(cloud.logins(), logins);
    assert_eq!(cloud.live_calls(), calls);

    // A power failure.
    running.kill();
    watcher.wait_for(LWT, "offline").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_lost_everything_gets_it_again() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let mut broker = Mosquitto::open();
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    let mut watcher = Watcher::new(broker.address()).await;
    watcher.wait_for(&car("available"), "online").await;
    broker.kill();
    broker.restart();
    let mut watcher = Watcher::new(broker.address()).await;
    for (topic, payload) in [("available", "online"), ("info/series", "EH32 S")] {
        watcher.wait_for(&car(topic), payload).await;
    }
    watcher.wait_for(LWT, "online").await;
    // Commands arrive again, too.
    assert_eq!(
        tell(&mut watcher, "refresh/period/active", "60").await,
        "Success"
    );
    assert!(running.stop().success());
}
