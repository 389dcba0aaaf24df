//! Readings that cannot be true.

use saic_ismart::simulator::{Activity, Faults};

use super::{Program, Simulated, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

/// Asks the car, and waits until it has answered.
async fn ask(watcher: &mut Watcher) {
    let state = car("refresh/lastVehicleState");
    watcher.last.remove(&state);
    assert_eq!(tell(watcher, "refresh/mode", "force").await, "Success");
    watcher
        .wait_until("a poll", |watcher| watcher.last.contains_key(&state))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temperature_that_jumps_is_shown_only_the_second_time() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher.wait_for(&car("available"), "online").await;
    let inside = |watcher: &Watcher| -> i32 {
        let text = &watcher.last[&car("climate/interiorTemperature")];
        text.parse().expect("a temperature")
    };
    let before = inside(&watcher);
    let faults = |temperature_jump| Faults {
        temperature_jump,
        ..Faults::default()
    };
    cloud.lock().saic.0.set_faults(faults(1.0));
    ask(&mut watcher).await;
    assert!((inside(&watcher) - before).abs() < 5, "{before}");
    ask(&mut watcher).await;
    assert!(inside(&watcher) - before > 30, "{before}");
    assert!(running.stop().success());
}
