//! A list of messages that cannot be read.

use std::time::Duration;

use saic_ismart::simulator::{Activity, Faults};

use super::{Program, Simulated, car};
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_list_that_fails_is_asked_for_once_a_time() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--messages-request-interval", "1"]);
    watcher.wait_for(&car("available"), "online").await;
    let faults = Faults {
        server_error: 1.0,
        ..Faults::default()
    };
    cloud.lock().saic.0.set_faults(faults);
    let before = cloud.requests();
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The original asks for page after page without end or pause: thousands.
    let asked = cloud.requests() - before;
    assert!(asked < 60, "{asked}");
    assert!(running.stop().success());
}
