//! While the owner is away.

use saic_ismart::simulator::Activity;

use super::{Program, Simulated, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

#[tokio::test(flavor = "multi_thread")]
async fn a_holiday_outlives_a_restart_and_holds_up_nobody() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher
        .wait_for(&car("refresh/pollingPhase"), "charging")
        .await;
    let usual = watcher.last[&car("refresh/nextUpdate")].clone();
    assert_eq!(
        tell(&mut watcher, "refresh/holiday", "true").await,
        "Success"
    );
    for (topic, payload) in [
        ("refresh/holiday", "True"),
        ("refresh/mode", "periodic"),
        ("refresh/pollingPhase", "holiday"),
    ] {
        watcher.wait_for(&car(topic), payload).await;
    }
    let later = watcher.last[&car("refresh/nextUpdate")].clone();
    let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).expect("a time");
    let delay = time(&later) - time(&usual);
    assert!(delay > chrono::TimeDelta::hours(11), "{usual} {later}");
    assert!(running.stop().success());

    let calls = cloud.live_calls();
    let mut watcher = Watcher::new(broker.address()).await;
    let running = program.start(&[]);
    watcher
        .wait_for(&car("refresh/pollingPhase"), "holiday")
        .await;
    watcher.wait_for(&car("refresh/nextUpdate"), &later).await;
    let mode = car("refresh/mode");
    watcher
        .wait_until("the new gateway speaks", |watcher| {
            let mut log = watcher.log.iter();
            log.any(|(topic, _, retained)| *topic == mode && !retained)
        })
        .await;
    assert_eq!(cloud.live_calls(), calls);
    // Somebody who wants something gets it.
    let state = car("refresh/lastVehicleState");
    watcher.last.remove(&state);
    assert_eq!(
        tell(&mut watcher, "drivetrain/socTarget", "90").await,
        "Success"
    );
    watcher.wait_for(&car("drivetrain/socTarget"), "90").await;
    watcher
        .wait_until("a poll", |watcher| watcher.last.contains_key(&state))
        .await;
    assert_eq!(
        tell(&mut watcher, "refresh/holiday", "off").await,
        "Success"
    );
    watcher.wait_for(&car("refresh/holiday"), "False").await;
    watcher
        .wait_for(&car("refresh/pollingPhase"), "charging")
        .await;
    assert!(running.stop().success());
    // A setting that somebody leaves on the broker stays there.
    watcher
        .publish(&car("refresh/holiday/set"), "True", true)
        .await;
    let mut watcher = Watcher::new(broker.address()).await;
    let running = program.start(&[]);
    watcher.wait_for(&car("refresh/holiday"), "True").await;
    assert!(running.stop().success());
    assert_eq!(
        retained(broker.address()).await[&car("refresh/holiday/set")],
        "True"
    );
}
