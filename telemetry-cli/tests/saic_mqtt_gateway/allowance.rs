//! A car takes few commands until somebody drives it.

use saic_ismart::simulator::{Activity, CloudConfig, Phase};

use super::{Program, Simulated, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

const MINUTE: f64 = 1.0;

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_used_up_are_told_until_the_car_is_driven() {
    let mut config = CloudConfig::default();
    let phase = |activity, minutes| Phase { activity, minutes };
    config.cars[0].command_allowance = Some(1);
    config.cars[0].plan = vec![
        phase(Activity::Parked, MINUTE),
        phase(Activity::Driving { kmh: 50.0 }, 1e6),
    ];
    let cloud = Simulated::with(config).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--messages-request-interval", "1"]);
    watcher.wait_for(&car("commands/usedUp"), "False").await;
    // Whoever sends it retained does not send it to the next start, too.
    let set = car("doors/locked/set");
    watcher.publish(&set, "True", true).await;
    watcher
        .wait_for(&car("doors/locked/result"), "Success")
        .await;
    watcher.wait_for(&set, "").await;
    assert!(!retained(broker.address()).await.contains_key(&set));

    let result = tell(&mut watcher, "doors/locked", "True").await;
    assert!(
        result.starts_with("Failed: return code: 8, message: "),
        "{result}"
    );
    assert!(result.contains("start the car with its key"), "{result}");
    watcher.wait_for(&car("commands/usedUp"), "True").await;
    let event = &watcher.last[&car("events/command_limit_reached")];
    assert!(
        event.contains(r#""event_type":"command_limit_reached""#)
            && event.contains(r#""command":"doors/locked/set""#),
        "{event}"
    );
    assert!(
        !retained(broker.address())
            .await
            .contains_key(&car("events/command_limit_reached"))
    );

    watcher.wait_for(&car("commands/usedUp"), "False").await;
    watcher.wait_for(&car("drivetrain/running"), "True").await;
    assert!(running.stop().success());
}
