//! `bluetti-mqtt` with a real Mosquitto: states, commands, discovery and what the
//! original left behind.

use std::collections::BTreeMap;
use std::process::Stdio;

use rumqttc::QoS;
use serde_json::Value;
use telemetry_cli::cli::{BluettiMqttArgs, Cli, Command};
use telemetry_cli::compat::bluetti::mqtt::config;
use telemetry_cli::config::Environment;
use telemetry_cli::gateway::Gateway;
use telemetry_cli::radio::{Air, Radio};
use tokio_util::sync::CancellationToken;

use crate::mosquitto::Mosquitto;
use crate::running::Running;
use crate::scene::{AC300_ADDRESS, Scene};
use crate::watcher::{Watcher, retained};

/// A simulated AC300.
const STATION: &str = "AC3002237000000001";
const DEVICE: &str = "AC300-2237000000001";
const SERIAL: &str = "2237000000001";
/// Whether the process that reads this one is there.
const STATUS: &str = "bluetti/status/ac3002237000000001";

fn parsed(broker: &Mosquitto, more: &[&str]) -> BluettiMqttArgs {
    let port = broker.address().port().to_string();
    let words = ["bluetti-mqtt", "--broker", "127.0.0.1", "--port", &port];
    let words = words.iter().chain(more).map(Into::into);
    match Cli::of(words.collect()).unwrap().command {
        Command::BluettiMqtt(args) => args,
        other => panic!("{other:?}"),
    }
}

/// The gateway of these arguments, and what ends it.
async fn start(args: &BluettiMqttArgs) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let config = config(args, &Environment::default()).unwrap();
    let gateway = Gateway::open(config, Radio::Simulated(Air::demo()), None);
    let gateway = gateway.await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { gateway.run(shutdown).await.unwrap() }
    });
    (shutdown, running)
}

fn state(field: &str) -> String {
    format!("bluetti/state/{DEVICE}/{field}")
}

/// The original's entities of an AC300, by unique id.
fn originals(which: &[&str]) -> BTreeMap<String, (String, Value)> {
    let text = include_str!("../data/bluetti-discovery.json").replace("2236000123456", SERIAL);
    let all: Value = serde_json::from_str(&text).unwrap();
    let mut entities = BTreeMap::new();
    for which in which {
        for (topic, payload) in all[which].as_object().unwrap() {
            let id = payload["unique_id"].as_str().unwrap().to_owned();
            entities.insert(id, (topic.clone(), payload.clone()));
        }
    }
    entities
}

/// Every entity of the original is in the document: same unique id, platform,
/// topics, unit and class.
fn assert_same(document: &str, which: &[&str]) {
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["device"]["identifiers"][0], SERIAL);
    assert_eq!(document["device"]["name"], format!("AC300 {SERIAL}"));
    let components = document["components"].as_object().unwrap();
    let originals = originals(which);
    for (id, (topic, payload)) in &originals {
        let component = components
            .values()
            .find(|component| component["unique_id"] == **id)
            .unwrap_or_else(|| panic!("no {id}"));
        let platform = topic.split('/').nth(1).unwrap();
        assert_eq!(component["platform"], platform);
        for (key, value) in payload.as_object().unwrap() {
            match key.as_str() {
                "device" => {}
                // Its name today.
                "object_id" => {
                    let object = value.as_str().unwrap().to_ascii_lowercase();
                    assert_eq!(
                        component["default_entity_id"],
                        format!("{platform}.{object}")
                    );
                }
                // A button shows nothing.
                "state_topic" if platform == "button" => {}
                "options" => {
                    let options = component[key].as_array().unwrap();
                    for option in value.as_array().unwrap() {
                        assert!(options.contains(option), "{id}: {option}");
                    }
                }
                _ => assert_eq!(&component[key], value, "{id}: {key}"),
            }
        }
    }
    assert_eq!(components.len(), originals.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn states_commands_and_entities_are_the_originals() {
    let broker = Mosquitto::open();
    let args = parsed(
        &broker,
        &["--interval", "1", "--ha-config", "advanced", STATION],
    );
    let mut watcher = Watcher::new(broker.address()).await;
    let (shutdown, running) = start(&args).await;
    let document = format!("homeassistant/device/bluetti_{SERIAL}/config");
    watcher
        .wait_until("announced, with a pack", |watcher| {
            let last = &watcher.last;
            last.contains_key(&document) && last.contains_key(&state("pack_details2"))
        })
        .await;
    assert_same(
        &watcher.last[&document],
        &["AC300 normal", "AC300 advanced, only the additional ones"],
    );
    let last = |watcher: &Watcher, field: &str| watcher.last[&state(field)].clone();
    assert_eq!(last(&watcher, "ac_output_on"), "ON");
    assert_eq!(last(&watcher, "ups_mode"), "STANDARD");
    assert_eq!(last(&watcher, "internal_ac_voltage"), "230.1");
    assert!(last(&watcher, "dc_input_voltage1").contains('.'));
    let details = last(&watcher, "pack_details1");
    assert!(
        details.starts_with(r#"{"status":"DISCHARGE","percent":"#),
        "{details}"
    );
    assert!(details.contains(r#","voltage":53."#), "{details}");
    assert!(details.contains(r#","voltages":[3."#), "{details}");
    assert_eq!(watcher.qos[&state("ups_mode")], QoS::AtMostOnce);
    assert_eq!(
        watcher.last[&format!("bluetti/availability/{DEVICE}")],
        "online"
    );

    // What made the original crash, or is nobody's.
    let command = |field: &str| format!("bluetti/command/{DEVICE}/{field}");
    for (topic, payload) in [
        (command("ups_mode"), "FOO"),
        (command("battery_range_start"), "12.5"),
        (command("led_mode"), "SOS"),
        (command("dc_input_power"), "1"),
        ("bluetti/command/AC300-1/ac_output_on".to_owned(), "ON"),
        ("bluetti/command/x".to_owned(), "\u{1F50B}"),
    ] {
        watcher.publish(&topic, payload, false).await;
    }
    for (field, payload, shown) in [
        ("ac_output_on", "OFF", "OFF"),
        ("ac_output_on", "ON", "ON"),
        // Anything else is off.
        ("dc_output_on", "on", "OFF"),
        ("ups_mode", "PV_PRIORITY", "PV_PRIORITY"),
        ("battery_range_start", "25", "25"),
        ("grid_charge_on", "OFF", "OFF"),
        ("split_phase_on", "ON", "ON"),
    ] {
        watcher.publish(&command(field), payload, false).await;
        watcher.wait_for(&state(field), shown).await;
    }

    // Told once, not with each reading.
    let availability = format!("bluetti/availability/{DEVICE}");
    let log = watcher.log.iter();
    let told = log.filter(|(topic, ..)| *topic == availability);
    assert_eq!(told.count(), 1);

    // Home Assistant starts anew: everything once more.
    let announced = |watcher: &Watcher| {
        let log = watcher.log.iter();
        log.filter(|(topic, ..)| *topic == document).count()
    };
    let before = announced(&watcher);
    watcher
        .publish("homeassistant/status", "online", false)
        .await;
    watcher
        .wait_until("announced again", |watcher| announced(watcher) > before)
        .await;

    shutdown.cancel();
    running.await.unwrap();
    watcher.wait_for(STATUS, "offline").await;
    // States are not kept, as in the original; the rest is.
    let kept = retained(broker.address()).await;
    // The next process says so once it has read it.
    assert_eq!(kept[&availability], "offline");
    let kept: Vec<_> = kept.into_keys().collect();
    assert_eq!(kept, [availability, STATUS.to_owned(), document.clone()]);
}

/// One for each adapter, say.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_leaves_the_stations_of_another_alone() {
    const OTHER: &str = "AC1802305000000002";
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let (first, running) = start(&parsed(&broker, &["--interval", "1", STATION])).await;
    let (second, other) = start(&parsed(&broker, &["--interval", "1", OTHER])).await;
    let documents = [SERIAL, "2305000000002"]
        .map(|serial| format!("homeassistant/device/bluetti_{serial}/config"));
    watcher
        .wait_until("both announced", |watcher| {
            documents.iter().all(|it| watcher.last.contains_key(it))
        })
        .await;
    first.cancel();
    running.await.unwrap();
    watcher.wait_for(STATUS, "offline").await;
    let document: Value = serde_json::from_str(&watcher.last[&documents[1]]).unwrap();
    for place in document["availability"].as_array().unwrap() {
        let topic = place["topic"].as_str().unwrap();
        assert_eq!(watcher.last[topic], "online", "{topic}");
    }
    second.cancel();
    other.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_original_announced_is_taken_over() {
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let originals = originals(&["AC300 normal"]);
    for (topic, payload) in originals.values() {
        watcher.publish(topic, payload.to_string(), true).await;
    }
    let args = parsed(&broker, &["--interval", "1", STATION]);
    let (shutdown, running) = start(&args).await;
    watcher
        .wait_until("the old ones cleared", |watcher| {
            let mut topics = originals.values().map(|(topic, _)| topic);
            topics.all(|topic| watcher.last.get(topic).is_some_and(String::is_empty))
        })
        .await;
    // First the old topic is told, then the document comes, then it is emptied.
    let document = format!("homeassistant/device/bluetti_{SERIAL}/config");
    let place = |topic: &str, payload: &str| {
        let mut log = watcher.log.iter();
        log.position(|(of, what, _)| of == topic && (what == payload || payload == "*"))
            .unwrap_or_else(|| panic!("no {topic} {payload}"))
    };
    let announced = place(&document, "*");
    for (topic, _) in originals.values() {
        assert!(place(topic, r#"{"migrate_discovery": true}"#) < announced);
        assert!(place(topic, "") > announced);
    }
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_of_the_original_go_where_nothing_can_be_switched() {
    let broker = Mosquitto::open();
    let mut watcher = Watcher::new(broker.address()).await;
    let old = |platform: &str, id: &str| format!("homeassistant/{platform}/{SERIAL}_{id}/config");
    let topics = [old("switch", "ac_output_on"), old("select", "ups_mode")];
    let originals = originals(&["AC300 normal"]);
    for (topic, payload) in originals
        .values()
        .filter(|(topic, _)| topics.contains(topic))
    {
        watcher.publish(topic, payload.to_string(), true).await;
    }
    let args = parsed(&broker, &["--interval", "1", "--read-only", STATION]);
    let (shutdown, running) = start(&args).await;
    watcher
        .wait_until("the old ones cleared", |watcher| {
            let mut topics = topics.iter();
            topics.all(|topic| watcher.last.get(topic).is_some_and(String::is_empty))
        })
        .await;
    shutdown.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_announced_or_taken_if_it_is_not_wanted() {
    let broker = Mosquitto::open();
    let more = [
        "--interval",
        "1",
        "--ha-config",
        "none",
        "--read-only",
        STATION,
    ];
    let mut watcher = Watcher::new(broker.address()).await;
    let (shutdown, running) = start(&parsed(&broker, &more)).await;
    watcher.wait_for(&state("ac_output_on"), "ON").await;
    watcher
        .publish(
            &format!("bluetti/command/{DEVICE}/ac_output_on"),
            "OFF",
            false,
        )
        .await;
    let states = |watcher: &Watcher| watcher.log.len();
    let before = states(&watcher);
    watcher
        .wait_until("three more readings", |watcher| {
            states(watcher) > before + 60
        })
        .await;
    assert_eq!(watcher.last[&state("ac_output_on")], "ON");
    assert!(
        !watcher
            .last
            .keys()
            .any(|topic| topic.starts_with("homeassistant/"))
    );
    shutdown.cancel();
    running.await.unwrap();
}

/// Over the Bluetooth service, through a link, with two stations.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_switches_a_station() {
    let broker = Mosquitto::open();
    let scene = Scene::new();
    let port = broker.address().port().to_string();
    let args = [
        "--broker",
        "127.0.0.1",
        "--port",
        &port,
        "--interval",
        "1",
        AC300_ADDRESS,
        crate::scene::AC200M,
    ];
    let mut watcher = Watcher::new(broker.address()).await;
    let running = Running::start(scene.tool("bluetti-mqtt", &args).stderr(Stdio::null()));
    let topic = |device: &str, kind: &str, field: &str| format!("bluetti/{kind}/{device}/{field}");
    let station = "AC300-2236000123456";
    watcher
        .wait_for(&topic(station, "state", "ac_output_on"), "ON")
        .await;
    let other = topic("AC200M-2105000654321", "state", "total_battery_percent");
    watcher
        .wait_until("the other one", |watcher| watcher.last.contains_key(&other))
        .await;
    watcher
        .publish(&topic(station, "command", "ac_output_on"), "OFF", false)
        .await;
    watcher
        .wait_for(&topic(station, "state", "ac_output_on"), "OFF")
        .await;
    assert_eq!(running.stop().code(), Some(0));
    let status = "bluetti/status/a4c138000001-ac200m2105000654321";
    watcher.wait_for(status, "offline").await;
}
