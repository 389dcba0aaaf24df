//! Commands from the broker to a pack and back.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_switched_and_paused_through_the_broker() {
    let mosquitto = Mosquitto::open();
    let computer = Computer::blank();
    computer.configure(&format!(
        "[mqtt]\nurl = 'tcp://{}'\n\
         [[jbd]]\nname = 'House battery'\ninterval = '5s'\n\
         [jbd.allow]\ncharge_mosfet = true\n",
        mosquitto.address()
    ));
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    let gateway = start(&computer);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let mosfet = topic(1, "charge_mosfet_on");
    watcher.wait_for(&mosfet, "true").await;
    watcher.wait_for("telemetry/status", "online").await;

    let result = format!("{mosfet}/result");
    let (set, ok) = (
        format!("{mosfet}/set"),
        r#"{"error":null,"id":null,"ok":true}"#,
    );
    for (word, state) in [("off", "false"), ("ON", "true")] {
        watcher.last.remove(&result);
        watcher.publish(&set, word, false).await;
        watcher.wait_for(&result, ok).await;
        assert_eq!(watcher.last[&mosfet], state, "told before the result");
    }
    // Not allowed, nonsense, and a topic that does not exist.
    for (key, word, why) in [
        ("discharge_mosfet_on", "off", "is not allowed"),
        ("charge_mosfet_on", "perhaps", "is not `on` or `off`"),
        ("fuel", "1", "nothing that can be set"),
    ] {
        let result = topic(1, &format!("{key}/result"));
        watcher.last.remove(&result);
        watcher
            .publish(&topic(1, &format!("{key}/set")), word, false)
            .await;
        watcher
            .wait_until(why, |watcher| {
                let answer = watcher.last.get(&result);
                answer.is_some_and(|answer| answer.contains(why))
            })
            .await;
    }

    // The link is held; a pause lets a phone in.
    assert!(bluez.with(|service| service.is_connected(1)));
    let pause = topic(1, "bluetooth_pause");
    watcher.publish(&format!("{pause}/set"), "10", false).await;
    watcher.wait_for(&format!("{pause}/result"), ok).await;
    // At once, and not after three readings that did not come.
    watcher.wait_for(&topic(1, "availability"), "offline").await;
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while bluez.with(|service| service.is_connected(1)) {
        assert!(std::time::Instant::now() < end, "still connected");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    watcher.last.remove(&format!("{pause}/result"));
    watcher.publish(&format!("{pause}/set"), "0", false).await;
    watcher.wait_for(&format!("{pause}/result"), ok).await;
    let before = watcher.log.len();
    watcher
        .wait_until("another reading", |watcher| {
            watcher.log[before..].iter().any(|(t, ..)| *t == state(1))
        })
        .await;
    assert!(gateway.stop().success(), "{}", log(&computer));
}
