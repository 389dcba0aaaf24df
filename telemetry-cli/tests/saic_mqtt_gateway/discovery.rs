//! Home Assistant: taking over from the original, and its birth message.

use saic_ismart::simulator::Activity;

use super::{Program, Simulated, VIN, car, tell};
use crate::mosquitto::Mosquitto;
use crate::watcher::{Watcher, retained};

#[tokio::test(flavor = "multi_thread")]
async fn entities_of_the_original_are_handed_over() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let old: Vec<_> = [
        "sensor/x_mg/y",
        "sensor/VIN_mg/VIN_soc",
        "lock/VIN_mg/VIN_doors_lock",
    ]
    .map(|topic| format!("homeassistant/{}/config", topic.replace("VIN", VIN)))
    .to_vec();
    for topic in &old {
        watcher.publish(topic, r#"{"name":"old"}"#, true).await;
    }
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    let emptied = |watcher: &Watcher| old[1..].iter().all(|topic| watcher.last[topic].is_empty());
    watcher.wait_until("old topics are emptied", emptied).await;

    let document = format!("homeassistant/device/{VIN}_mg/config");
    let place = |wanted: &str, payload: fn(&str) -> bool| {
        let found = watcher
            .log
            .iter()
            .position(|(topic, text, _)| topic == wanted && payload(text));
        found.unwrap_or_else(|| panic!("{wanted}: {:?}", watcher.log))
    };
    let announced = place(&document, |text| text.starts_with('{'));
    for topic in &old[1..] {
        assert!(place(topic, |text| text == r#"{"migrate_discovery":true}"#) < announced);
        assert!(place(topic, str::is_empty) > announced);
    }
    let kept = retained(broker.address()).await;
    assert_eq!(kept[&old[0]], r#"{"name":"old"}"#, "another car's");
    assert!(!kept.contains_key(&old[1]) && kept.contains_key(&document));
    let gateway = &kept["homeassistant/device/demo_example_com_gw/config"];
    assert!(
        gateway.contains("demo_example_com_account_last_login"),
        "{gateway}"
    );

    // Home Assistant starts, and has forgotten everything.
    watcher.last.clear();
    watcher
        .publish("homeassistant/status", "online", false)
        .await;
    let lwt = format!("{}/info/series", super::CAR);
    watcher
        .wait_until("everything again", |watcher| {
            watcher.last.contains_key(&document) && watcher.last.contains_key(&lwt)
        })
        .await;
    assert!(running.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_car_reports_to_have_is_announced_and_obeys() {
    let cloud = Simulated::doing(Activity::Charging { kw: 7.2 }).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let program = Program::new(&cloud, &format!("tcp://{}", broker.address()));
    let running = program.start(&[]);
    let document = format!("homeassistant/device/{VIN}_mg/config");
    watcher
        .wait_until("a document with all of it", |watcher| {
            watcher.last.get(&document).is_some_and(|text| {
                text.contains("_heated_steering_wheel") && text.contains("\"mdi:battery-charging\"")
            })
        })
        .await;
    for (command, payload, state) in [
        ("windows/all", "open", "open"),
        ("windows/all", "close", "closed"),
        ("climate/heatedSteeringWheel", "on", "on"),
        ("climate/heatedSeatsRearLeftLevel", "3", "3"),
    ] {
        assert_eq!(tell(&mut watcher, command, payload).await, "Success");
        watcher.wait_for(&car(command), state).await;
    }
    // The simulated car has none.
    let refused = tell(&mut watcher, "windows/sunRoof", "True").await;
    assert!(
        refused.starts_with("Failed: This car has no sunroof"),
        "{refused}"
    );
    assert!(!watcher.last[&document].contains("_sun_roof"));
    assert!(running.stop().success());
}
