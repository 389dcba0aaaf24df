//! Home Assistant: taking over from the original, and its birth message.

use std::net::SocketAddr;
use std::time::Duration;

use saic_ismart::simulator::Activity;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::{LWT, Program, Simulated, VIN, car, tell};
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
        "switch/VIN_mg/VIN_window_driver",
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
    const MIGRATE: &str = r#"{"migrate_discovery":true}"#;
    for topic in &old[1..3] {
        assert!(place(topic, |text| text == MIGRATE) < announced);
        assert!(place(topic, str::is_empty) > announced);
    }
    // Cars move no single window: that switch has no successor, and goes.
    let is_kept = |(topic, text, _): &(String, String, bool)| *topic == old[3] && text == MIGRATE;
    assert!(!watcher.log.iter().any(is_kept));
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
    let series = car("info/series");
    watcher
        .wait_until("everything again", |watcher| {
            watcher.last.contains_key(&document) && watcher.last.contains_key(&series)
        })
        .await;
    assert!(running.stop().success());
}

/// A way to the broker that opens late, and can be cut.
struct Passage {
    port: u16,
    open: tokio::task::JoinHandle<()>,
}

impl Passage {
    async fn open(port: u16, broker: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("a free port");
        let open = tokio::spawn(async move {
            // They end with it.
            let mut ways = tokio::task::JoinSet::new();
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = TcpStream::connect(broker).await.expect("the broker");
                ways.spawn(async move { copy_bidirectional(&mut from, &mut to).await });
            }
        });
        Self { port, open }
    }

    async fn cut(self, broker: SocketAddr) -> Self {
        self.open.abort();
        // The port is free when it has ended.
        let _ = self.open.await;
        Self::open(self.port, broker).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_of_the_original_are_handed_over_also_if_the_broker_comes_late() {
    let cloud = Simulated::doing(Activity::Parked).await;
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let old = format!("homeassistant/sensor/{VIN}_mg/{VIN}_soc/config");
    watcher.publish(&old, r#"{"name":"old"}"#, true).await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    let program = Program::new(&cloud, &format!("tcp://127.0.0.1:{port}"));
    let running = program.start(&[]);
    // The first poll is long after the car is known.
    while cloud.live_calls() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let passage = Passage::open(port, broker.address()).await;
    let gone = |watcher: &Watcher| watcher.last[&old].is_empty();
    watcher.wait_until("the old topic is emptied", gone).await;
    let document = format!("homeassistant/device/{VIN}_mg/config");
    let place = |wanted: &str, payload: fn(&str) -> bool| {
        let found = watcher
            .log
            .iter()
            .position(|(topic, text, _)| topic == wanted && payload(text));
        found.unwrap_or_else(|| panic!("{wanted}: {:?}", watcher.log))
    };
    let handed_over = place(&old, |text| text.contains("migrate_discovery"));
    let announced = place(&document, |text| text.starts_with('{'));
    assert!(handed_over < announced && announced < place(&old, str::is_empty));

    // A reconnect hands nothing over once more.
    let passage = passage.cut(broker.address()).await;
    watcher.wait_for(LWT, "offline").await;
    watcher.log.clear();
    watcher.wait_for(LWT, "online").await;
    watcher
        .wait_until("announced again", |watcher| {
            watcher.log.iter().any(|(topic, ..)| *topic == document)
        })
        .await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(tell(&mut watcher, "refresh/mode", "off").await, "Success");
    assert!(
        !watcher.log.iter().any(|(topic, ..)| *topic == old),
        "{:?}",
        watcher.log
    );

    // What the broker has back from a backup is.
    watcher.publish(&old, r#"{"name":"old"}"#, true).await;
    let _passage = passage.cut(broker.address()).await;
    watcher.wait_until("it is emptied again", gone).await;
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
