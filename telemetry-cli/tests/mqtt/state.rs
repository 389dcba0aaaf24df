//! The latest state, whatever happens to the connection.

use super::*;

#[tokio::test]
async fn everything_is_retained_and_the_status_comes_last() {
    let broker = broker().await;
    let mut watcher = Watcher::new(broker).await;
    let gateway = Gateway::start(broker);
    gateway.read(80.0);
    watcher.wait_for(STATUS, "online").await;
    watcher.wait_for(SOC, "80").await;
    let at = |topic: &str| watcher.log.iter().position(|(t, ..)| t == topic).unwrap();
    assert!(at(CONFIG) < at(STATE) && at(STATE) < at(AVAILABILITY));
    assert!(at(AVAILABILITY) < at(STATUS));
    assert_eq!(watcher.last[AVAILABILITY], "online");
    assert_eq!(watcher.qos[SOC], QoS::AtLeastOnce);
    assert_eq!(watcher.last["telemetry/jbd-pack/cell_voltages_v/4"], "3.3");

    // Fewer cells, and no state of charge any more.
    let mut less = reading(0.0, 3);
    less.values.set(&battery::SOC_PERCENT, None);
    gateway.hub.read(less);
    watcher.wait_for(SOC, "").await;
    watcher
        .wait_for("telemetry/jbd-pack/cell_voltages_v/4", "")
        .await;
    let kept = retained(broker).await;
    assert!(!kept.contains_key(SOC));
    assert_eq!(kept["telemetry/jbd-pack/cell_voltages_v/3"], "3.3");
    let state: serde_json::Value = serde_json::from_str(&kept[STATE]).unwrap();
    assert!(state["soc_percent"].is_null() && state["cell_min_v"] == 3.3);

    assert_eq!(gateway.stop().await, Exit::Stopped);
    watcher.wait_for(STATUS, "offline").await;
    assert_eq!(watcher.last[AVAILABILITY], "offline");
    assert_eq!(retained(broker).await[STATUS], "offline");
}

#[tokio::test]
async fn a_cut_link_brings_the_last_will_and_then_everything_again() {
    for real in [false, true] {
        let mosquitto = real.then(Mosquitto::open);
        let address = match &mosquitto {
            Some(mosquitto) => mosquitto.address(),
            None => broker().await,
        };
        let link = Link::to(address).await;
        let mut watcher = Watcher::new(address).await;
        let gateway = Gateway::start(link.address);
        gateway.read(80.0);
        watcher.wait_for(SOC, "80").await;
        watcher.wait_for(STATUS, "online").await;
        link.cut();
        watcher.wait_for(STATUS, "offline").await;
        gateway.read(79.0);
        watcher.wait_for(STATUS, "online").await;
        assert_eq!(watcher.last[SOC], "79");
        let configs = watcher.log.iter().filter(|(t, ..)| t == CONFIG).count();
        assert_eq!(configs, 2, "once per connection");
        assert_eq!(gateway.stop().await, Exit::Stopped);
    }
}

#[tokio::test]
async fn a_broker_that_lost_everything_gets_everything_again() {
    let mut mosquitto = Mosquitto::open();
    let gateway = Gateway::start(mosquitto.address());
    gateway.read(80.0);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    watcher.wait_for(STATUS, "online").await;
    mosquitto.kill();
    gateway.read(42.0);
    mosquitto.restart();
    let mut watcher = Watcher::new(mosquitto.address()).await;
    watcher.wait_for(STATUS, "online").await;
    let kept = retained(mosquitto.address()).await;
    assert_eq!(kept[SOC], "42");
    assert!(kept[CONFIG].contains("cell_voltages_v_4"));
    assert_eq!(gateway.stop().await, Exit::Stopped);
}

#[tokio::test]
async fn restarts_while_readings_flow_end_in_the_last_state() {
    let mut mosquitto = Mosquitto::open();
    let gateway = Gateway::start(mosquitto.address());
    for round in 0..3 {
        for number in 0..400 {
            gateway.read(f64::from(number % 97));
            if number % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        if round < 2 {
            mosquitto.kill();
            gateway.read(1.0);
            mosquitto.restart();
        }
    }
    gateway.read(55.5);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    watcher.wait_for(STATUS, "online").await;
    watcher.wait_for(SOC, "55.5").await;
    assert_eq!(gateway.stop().await, Exit::Stopped);
    let kept = retained(mosquitto.address()).await;
    let state: serde_json::Value = serde_json::from_str(&kept[STATE]).unwrap();
    assert_eq!(state["soc_percent"], 55.5);
    assert_eq!(kept[SOC], "55.5");
    assert_eq!(kept[STATUS], "offline");
}

#[tokio::test]
async fn large_documents_pass_and_too_large_messages_cost_nothing() {
    let mosquitto = Mosquitto::open();
    let gateway = Gateway::start(mosquitto.address());
    gateway.hub.read(reading(80.0, 200));
    let mut watcher = Watcher::new(mosquitto.address()).await;
    watcher
        .wait_until("a large document", |watcher| {
            watcher.last.get(CONFIG).is_some_and(|c| c.len() > 40_000)
        })
        .await;
    let mut monster = reading(10.0, 4);
    monster.extra.insert("x".into(), "y".repeat(2 << 20).into());
    gateway.hub.read(monster);
    gateway.read(20.0);
    watcher.wait_for(SOC, "20").await;
    watcher
        .wait_until("the state after it", |watcher| {
            let state = watcher.last.get(STATE);
            state.is_some_and(|state| state.contains("\"soc_percent\":20"))
        })
        .await;
    watcher.wait_for(STATUS, "online").await;
    let lost = watcher
        .log
        .iter()
        .any(|(t, p, _)| t == STATUS && p == "offline");
    assert!(!lost, "the connection held");
    assert_eq!(gateway.stop().await, Exit::Stopped);
}

#[tokio::test]
async fn a_refused_login_asks_the_user() {
    let mosquitto = Mosquitto::with_login("telemetry", "right");
    let address = mosquitto.address();
    let config = |password: &str| {
        format!("url = 'tcp://{address}'\nuser = 'telemetry'\npassword = '{password}'")
    };
    let Exit::LoginNeeded(reason) = Gateway::with(&config("wr0ng")).exit().await else {
        panic!("login needed");
    };
    assert!(
        reason.contains("check mqtt.user and mqtt.password"),
        "{reason}"
    );
    assert!(!reason.contains("wr0ng"));

    let gateway = Gateway::with(&config("right"));
    let mut watcher = Watcher::login(address, "telemetry", "right").await;
    watcher.wait_for(STATUS, "online").await;
    assert_eq!(gateway.stop().await, Exit::Stopped);
}

#[tokio::test]
async fn a_wrong_configuration_is_fatal() {
    let missing = "url = 'tls://127.0.0.1'\nca = 'no-such-file.pem'";
    for (config, why) in [
        ("url = 'gopher://broker'", "gopher"),
        ("url = 'tcp://broker'\ntopic_prefix = 'a/#'", "topic_prefix"),
        (missing, "no-such-file.pem"),
    ] {
        let Exit::Fatal(reason) = Gateway::with(config).exit().await else {
            panic!("{config} is wrong");
        };
        assert!(reason.contains(why), "{reason}");
    }
}

#[tokio::test]
async fn nothing_that_was_said_before_the_end_is_lost() {
    let mosquitto = Mosquitto::open();
    let gateway = Gateway::start(mosquitto.address());
    let mut watcher = Watcher::new(mosquitto.address()).await;
    watcher.wait_for(STATUS, "online").await;
    for number in 0..100 {
        let id = format!("pack-{number}");
        gateway.hub.announce(
            pack(&id),
            Handling {
                source: "jbd".to_owned(),
                interval: Duration::from_secs(30),
                keep: Keep::All,
            },
        );
        let mut reading = reading(f64::from(number % 100), 4);
        reading.device = DeviceId::new(&[&id]);
        gateway.hub.read(reading);
    }
    // At once: most of it is still queued.
    assert_eq!(gateway.stop().await, Exit::Stopped);
    let kept = retained(mosquitto.address()).await;
    for number in 0..100 {
        let topic = format!("telemetry/pack-{number}/soc_percent");
        assert_eq!(kept[&topic], (number % 100).to_string());
        let availability = format!("telemetry/pack-{number}/availability");
        assert_eq!(kept[&availability], "offline");
        assert!(kept.contains_key(&format!("homeassistant/device/pack-{number}/config")));
    }
    assert_eq!(kept[STATUS], "offline");
}

#[tokio::test]
async fn home_assistant_is_told_everything_when_it_starts() {
    let broker = broker().await;
    let mut watcher = Watcher::new(broker).await;
    let gateway = Gateway::start(broker);
    gateway.read(80.0);
    watcher.wait_for(STATUS, "online").await;
    watcher.log.clear();
    // Twice in a row is once.
    watcher
        .publish("homeassistant/status", "online", false)
        .await;
    watcher
        .publish("homeassistant/status", "online", false)
        .await;
    watcher
        .wait_until("status again", |watcher| {
            watcher.log.iter().any(|(topic, ..)| topic == STATUS)
        })
        .await;
    let count = |wanted: &str| watcher.log.iter().filter(|(t, ..)| t == wanted).count();
    assert_eq!((count(CONFIG), count(STATE)), (1, 1));
    let at = |topic: &str| watcher.log.iter().position(|(t, ..)| t == topic).unwrap();
    assert!(at(CONFIG) < at(STATE));
    gateway.stop().await;
}
