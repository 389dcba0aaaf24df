//! The last trip.

use saic_ismart::simulator::{Activity, CloudConfig, Phase};

use super::{Program, Simulated, car};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_published_when_it_has_ended() {
    let mut config = CloudConfig::default();
    let phase = |activity, minutes| Phase { activity, minutes };
    config.cars[0].plan = vec![
        phase(Activity::Parked, 0.4),
        phase(Activity::Driving { kmh: 180.0 }, 0.4),
        phase(Activity::Parked, 1e6),
    ];
    let cloud = Simulated::with(config).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    watcher
        .publish(&car("refresh/period/active/set"), "5", true)
        .await;
    let running = program.start(&["--messages-request-interval", "1"]);
    watcher.wait_for(&car("available"), "online").await;
    let number = |watcher: &Watcher, topic: &str| -> f64 {
        watcher.last[&car(topic)].parse().expect("a number")
    };
    let before = number(&watcher, "drivetrain/mileage");
    assert!(!watcher.last.contains_key(&car("lastTrip/distance")));
    watcher.wait_for(&car("drivetrain/running"), "True").await;
    watcher
        .wait_until("a trip", |watcher| {
            watcher.last.contains_key(&car("lastTrip/efficiency"))
        })
        .await;
    let driven = number(&watcher, "drivetrain/mileage") - before;
    let distance = number(&watcher, "lastTrip/distance");
    assert!(
        distance > 0.1 && (distance - driven).abs() < 0.06,
        "{distance} {driven}"
    );
    assert!((0.0..2.0).contains(&number(&watcher, "lastTrip/energy")));
    let time = |topic: &str| {
        let text = &watcher.last[&car(topic)];
        chrono::DateTime::parse_from_rfc3339(text).expect("a time")
    };
    let length = time("lastTrip/endTime") - time("lastTrip/startTime");
    assert!(length > chrono::TimeDelta::zero(), "{length}");
    assert!(running.stop().success());

    // A restart knows it.
    let mut broker = broker;
    broker.kill();
    broker.restart();
    let mut watcher = Watcher::new(broker.address()).await;
    let running = program.start(&[]);
    watcher
        .wait_for(&car("lastTrip/distance"), &format!("{distance:?}"))
        .await;
    assert!(running.stop().success());
}
