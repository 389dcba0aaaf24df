//! Commands and their results.

use super::*;

/// A source that carries out what it likes: charging, but not discharging.
fn obey(gateway: &Gateway) {
    let mut device = pack("jbd-pack");
    device.controls = [
        &control::battery::CHARGE_MOSFET,
        &control::battery::DISCHARGE_MOSFET,
        &control::bluetooth::PAUSE,
    ]
    .map(|control| Offer::new(control, *control != control::battery::DISCHARGE_MOSFET))
    .into();
    let inbox = gateway.controls.inbox("jbd");
    gateway.controls.offer(&device, &inbox);
    let handling = Handling {
        source: "jbd".to_owned(),
        interval: Duration::from_secs(30),
        keep: Keep::All,
    };
    gateway.hub.announce(device, handling);
    let hub = gateway.hub.clone();
    tokio::spawn(async move {
        loop {
            let request = inbox.next().await;
            let mut reading = reading(80.0, 4);
            reading
                .values
                .set(&battery::CHARGE_MOSFET_ON, request.value.clone());
            hub.read(reading);
            request.answer(Ok(()));
        }
    });
}

#[tokio::test]
async fn a_command_is_carried_out_and_its_result_published() {
    const TOPIC: &str = "telemetry/jbd-pack/charge_mosfet_on";
    let mosquitto = Mosquitto::open();
    let mut watcher = Watcher::new(mosquitto.address()).await;
    // Left there by somebody, long ago.
    let set = format!("{TOPIC}/set");
    watcher.publish(&set, "off", true).await;
    let gateway = Gateway::start(mosquitto.address());
    obey(&gateway);
    gateway.read(80.0);
    watcher.wait_for(STATUS, "online").await;

    let order = r#"{"id": "a1", "value": "OFF"}"#;
    watcher.publish(&set, order, false).await;
    let result = format!("{TOPIC}/result");
    let carried_out = r#"{"error":null,"id":"a1","ok":true}"#;
    watcher.wait_for(&result, carried_out).await;
    assert_eq!(watcher.last[TOPIC], "false", "before the result");
    let results = |watcher: &Watcher| watcher.log.iter().filter(|(t, ..)| *t == result).count();
    assert_eq!(results(&watcher), 1, "the retained one did nothing");

    // Not allowed: the state is said again, for whoever shows another one.
    let states = |watcher: &Watcher| watcher.log.iter().filter(|(t, ..)| t == STATE).count();
    let before = states(&watcher);
    let discharge = "telemetry/jbd-pack/discharge_mosfet_on";
    watcher
        .publish(&format!("{discharge}/set"), "off", false)
        .await;
    let result = format!("{discharge}/result");
    watcher
        .wait_until("a refusal and the state again", |watcher| {
            watcher.last.contains_key(&result) && states(watcher) > before
        })
        .await;
    assert!(watcher.last[&result].contains("`discharge_mosfet = true`"));
    let kept = retained(mosquitto.address()).await;
    assert!(!kept.keys().any(|topic| topic.ends_with("/result")));

    let config: serde_json::Value = serde_json::from_str(&kept[CONFIG]).unwrap();
    let switch = &config["cmps"]["charge_mosfet"];
    assert_eq!(switch["p"], "switch");
    assert_eq!(switch["cmd_t"], set);
    assert_eq!(switch["val_tpl"], "{{ value_json.charge_mosfet_on }}");
    let button = &config["cmps"]["bluetooth_pause"];
    assert_eq!(button["p"], "button");
    assert_eq!(button["cmd_t"], "telemetry/jbd-pack/bluetooth_pause/set");
    let pressed = button["pl_prs"].as_str().unwrap();
    assert!(control::bluetooth::PAUSE.form.parse(pressed).is_ok());
    // Removed, should it have been there.
    let removal = serde_json::json!({"p": "switch"});
    assert_eq!(config["cmps"]["discharge_mosfet"], removal);
    assert_eq!(gateway.stop().await, Exit::Stopped);
}
