//! What is published, and what commands do.

use std::time::Duration;

use saic_ismart::simulator::{Activity, Faults};
use tokio::net::TcpStream;

use super::{CAR, LWT, Program, Simulated, VIN, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

#[tokio::test(flavor = "multi_thread")]
async fn a_car_is_published_and_obeys() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);

    watcher.wait_for(LWT, "online").await;
    watcher.wait_for(&car("available"), "online").await;
    for (topic, payload) in [
        ("commands/usedUp", "False"),
        ("refresh/holiday", "False"),
        ("info/series", "EH32 S"),
        ("refresh/mode", "periodic"),
        ("refresh/period/active", "30"),
        ("refresh/period/inActive", "86400"),
        ("refresh/period/afterShutdown", "120"),
        ("refresh/period/inActiveGrace", "600"),
        ("drivetrain/running", "False"),
        ("drivetrain/charging", "True"),
        ("drivetrain/chargerConnected", "True"),
        ("drivetrain/hvBatteryActive", "True"),
        ("drivetrain/totalBatteryCapacity", "64.0"),
        ("bms/chargeStatus", "CHARGING_1"),
        ("climate/remoteTemperature", "22"),
        ("climate/remoteClimateState", "off"),
        ("refresh/freshness", "live"),
        ("refresh/reachability", "awake"),
        ("refresh/pollingPhase", "charging"),
    ] {
        watcher.wait_for(&car(topic), payload).await;
    }
    let number = |watcher: &Watcher, topic: &str| -> f64 {
        let text = &watcher.last[&car(topic)];
        assert!(text.contains('.'), "{topic}: {text}");
        text.parse().expect("a number")
    };
    assert!((54.0..60.0).contains(&number(&watcher, "drivetrain/soc")));
    assert!(number(&watcher, "drivetrain/power") < -1.0);
    assert!(number(&watcher, "drivetrain/mileage") > 20_000.0);
    let time = |watcher: &Watcher, topic: &str| {
        let text = &watcher.last[&car(topic)];
        chrono::DateTime::parse_from_rfc3339(text).expect("a time")
    };
    watcher
        .wait_until("a time of the next update", |watcher| {
            time(watcher, "refresh/nextUpdate") > time(watcher, "refresh/lastUpdate")
        })
        .await;
    let document = format!("homeassistant/device/{VIN}_mg/config");
    watcher
        .wait_until("a document", |watcher| watcher.last.contains_key(&document))
        .await;

    assert_eq!(
        tell(&mut watcher, "drivetrain/socTarget", "70").await,
        "Success"
    );
    watcher.wait_for(&car("drivetrain/socTarget"), "70").await;
    assert_eq!(
        tell(&mut watcher, "drivetrain/socTarget", "85").await,
        "Failed: Error setting SoC target: Unknown target battery percentage: 85"
    );
    let error = &watcher.last[&car("events/command_error")];
    assert!(
        error.contains(r#""command":"drivetrain/socTarget/set""#),
        "{error}"
    );
    assert_eq!(
        tell(&mut watcher, "climate/remoteTemperature", "21.0").await,
        "Success"
    );
    watcher
        .wait_for(&car("climate/remoteTemperature"), "21")
        .await;
    assert_eq!(
        tell(&mut watcher, "climate/remoteClimateState", "on").await,
        "Success"
    );
    watcher
        .wait_for(&car("climate/remoteClimateState"), "on")
        .await;
    assert_eq!(tell(&mut watcher, "doors/locked", "False").await, "Success");
    watcher.wait_for(&car("doors/locked"), "False").await;
    assert_eq!(
        tell(&mut watcher, "windows/driver", "True").await,
        "Failed: Unsupported topic windows/driver/set"
    );

    // Who asks for another car hears that, too.
    let nowhere = car("doors/locked").replace(VIN, "LSJDEMO0000000009");
    watcher
        .publish(&format!("{nowhere}/set"), "True", false)
        .await;
    watcher
        .wait_for(
            &format!("{nowhere}/result"),
            "Failed: there is no such car in the account",
        )
        .await;

    // What the broker had kept is heard as fresh by those who have subscribed.
    watcher
        .publish(&format!("{CAR}/doors/locked/set"), "True", true)
        .await;
    watcher.wait_for(&car("doors/locked"), "True").await;
    assert!(running.stop().success());
    watcher.wait_for(LWT, "offline").await;
    assert_eq!(cloud.logins(), 1);
}

/// What was shown of the target.
fn targets(watcher: &Watcher) -> Vec<String> {
    let log = watcher.log.iter();
    log.filter(|(topic, ..)| *topic == car("drivetrain/socTarget"))
        .map(|(_, payload, _)| payload.clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_shown_at_once_and_taken_back_if_it_fails() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher.wait_for(&car("available"), "online").await;
    watcher.wait_for(&car("drivetrain/socTarget"), "80").await;
    // A setting of the gateway needs no poll.
    let kwh = "drivetrain/totalBatteryCapacity";
    assert_eq!(tell(&mut watcher, kwh, "61.5").await, "Success");
    watcher.wait_for(&car(kwh), "61.5").await;

    // What does not even reach the cloud has certainly not been done.
    let address = cloud.address;
    drop(cloud);
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    watcher.log.clear();
    let result = tell(&mut watcher, "drivetrain/socTarget", "90").await;
    assert!(result.starts_with("Failed: "), "{result}");
    watcher.wait_for(&car("drivetrain/socTarget"), "80").await;
    assert_eq!(targets(&watcher), ["90", "80"]);
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_that_may_have_come_true_stays_until_the_car_is_heard() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    watcher.wait_for(&car("available"), "online").await;
    watcher.wait_for(&car("drivetrain/socTarget"), "80").await;

    let faults = Faults {
        unavailable: 1.0,
        ..Faults::default()
    };
    cloud.lock().saic.0.set_faults(faults);
    watcher.log.clear();
    let result = tell(&mut watcher, "drivetrain/socTarget", "90").await;
    assert!(result.starts_with("Failed: return code: 6, "), "{result}");
    assert!(
        result.ends_with("; the car may have obeyed all the same: it is asked"),
        "{result}"
    );
    assert_eq!(targets(&watcher), ["90"]);
    cloud.lock().saic.0.set_faults(Faults::default());
    assert_eq!(tell(&mut watcher, "refresh/mode", "force").await, "Success");
    watcher.wait_for(&car("drivetrain/socTarget"), "80").await;
    assert_eq!(targets(&watcher), ["90", "80"]);
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_had_kept_moves_no_car() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    for (command, payload) in [
        ("doors/locked", "False"),
        ("refresh/mode", "force"),
        ("refresh/period/inActive", "7200"),
        ("refresh/mode", "off"),
    ] {
        watcher
            .publish(&car(&format!("{command}/set")), payload, true)
            .await;
    }
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--read-only"]);
    watcher.wait_for(&car("refresh/mode"), "off").await;
    watcher
        .wait_for(&car("refresh/period/inActive"), "7200")
        .await;
    // A fresh one does, unless the gateway is read only.
    let result = tell(&mut watcher, "doors/locked", "False").await;
    assert!(
        result.starts_with("Failed: this gateway is read only"),
        "{result}"
    );
    assert_eq!(
        tell(&mut watcher, "refresh/mode", "periodic").await,
        "Success"
    );
    watcher.wait_for(&car("available"), "online").await;
    assert!(running.stop().success());
    // Settings stay for the next start, and what never counted is left alone.
    let kept = retained(broker.address()).await;
    assert_eq!(kept[&car("refresh/period/inActive/set")], "7200");
    assert_eq!(kept[&car("refresh/mode/set")], "off");
    // A single poll that was kept is answered, and does nothing.
    watcher
        .publish(&car("refresh/mode/set"), "force", true)
        .await;
    let calls = cloud.live_calls();
    watcher.last.clear();
    let running = program.start(&[]);
    watcher
        .wait_for(&car("refresh/mode/result"), "Success")
        .await;
    watcher.wait_for(&car("refresh/mode"), "periodic").await;
    assert_eq!(cloud.live_calls(), calls);
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn hybrid_polling_shows_what_the_cloud_had_kept() {
    let cloud = Simulated::doing(Activity::OutOfReach).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&["--polling", "hybrid"]);
    for (topic, payload) in [
        ("refresh/freshness", "cached"),
        ("drivetrain/mileage", "20481.5"),
        ("drivetrain/soc", "54.0"),
        ("drivetrain/running", "False"),
        ("doors/locked", "True"),
    ] {
        watcher.wait_for(&car(topic), payload).await;
    }
    // Nobody has asked the car for it.
    assert!(!watcher.last.contains_key(&car("available")));
    assert!(watcher.last.contains_key(&car("refresh/lastUpdate")));
    assert!(running.stop().success());
}
