//! The MQTT sink against brokers: our own and a real Mosquitto.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use rumqttc::{LastWill, Packet, QoS};
use telemetry_cli::broker::Broker;
use telemetry_cli::config::{HomeAssistant, Mqtt};
use telemetry_cli::database::Database;
use telemetry_cli::event::{Device, DeviceId, DeviceKind, Reading};
use telemetry_cli::filter::Keep;
use telemetry_cli::hub::{Handling, Hub};
use telemetry_cli::journal::{Journal, Limits, Writer};
use telemetry_cli::metric::battery;
use telemetry_cli::sink::{Context, mqtt};
use telemetry_cli::stats::Stats;
use telemetry_cli::supervisor::{Exit, Task};
use telemetry_cli::value::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use support::link::Link;
use support::mosquitto::{Mosquitto, started, tool};
use support::watcher::{DEADLINE, Watcher, retained};

mod support {
    pub(crate) mod link;
    pub(crate) mod mosquitto;
    pub(crate) mod watcher;
}

const STATE: &str = "telemetry/jbd-pack/state";
const SOC: &str = "telemetry/jbd-pack/soc_percent";
const AVAILABILITY: &str = "telemetry/jbd-pack/availability";
const HISTORY: &str = "telemetry/jbd-pack/history";
const STATUS: &str = "telemetry/status";
const CONFIG: &str = "homeassistant/device/jbd-pack/config";

/// A gateway that is only this sink.
struct Gateway {
    hub: Hub,
    sink: JoinHandle<Exit>,
    shutdown: CancellationToken,
}

impl Gateway {
    fn start(broker: SocketAddr) -> Self {
        Self::with(&format!("url = 'tcp://{broker}'"))
    }

    fn with(config: &str) -> Self {
        Self::with_journal(config, None)
    }

    fn with_journal(config: &str, journal: Option<Journal>) -> Self {
        let config: Mqtt = toml::from_str(config).expect("valid");
        let hub = Hub::new(journal.clone(), Duration::from_secs(300), vec![]);
        hub.announce(
            pack("jbd-pack"),
            Handling {
                source: "jbd".to_owned(),
                interval: Duration::from_secs(30),
                keep: Keep::All,
            },
        );
        let shutdown = CancellationToken::new();
        let task = Task {
            name: "mqtt".to_owned(),
            shutdown: shutdown.clone(),
        };
        let context = Context {
            hub: hub.clone(),
            journal,
            stats: Stats::default(),
            gateway: DeviceId::new(&["gateway-home"]),
            gateway_name: "Home".to_owned(),
        };
        let sink = mqtt::run(config, HomeAssistant::default(), context, task);
        Self {
            hub,
            sink: tokio::spawn(sink),
            shutdown,
        }
    }

    fn read(&self, soc: f64) {
        self.hub.read(reading(soc, 4));
    }

    async fn stop(self) -> Exit {
        self.shutdown.cancel();
        self.exit().await
    }

    async fn exit(self) -> Exit {
        let exit = tokio::time::timeout(DEADLINE, self.sink).await;
        exit.expect("it ends").expect("it does not panic")
    }
}

fn pack(id: &str) -> Device {
    Device {
        name: "House battery".to_owned(),
        vendor: "JBD".to_owned(),
        ..Device::unknown(DeviceId::new(&[id]), DeviceKind::Battery)
    }
}

fn reading(soc: f64, cells: usize) -> Reading {
    let id = DeviceId::new(&["jbd-pack"]);
    let mut reading = Reading::new(id, DeviceKind::Battery, Utc::now());
    reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
    let voltages: Value = (0..cells).map(|_| Some(3.3)).collect();
    reading.values.set(&battery::CELL_VOLTAGES_V, voltages);
    reading
}

/// Our own broker; it ends with the test's runtime.
async fn broker() -> SocketAddr {
    let broker = Broker::bind("127.0.0.1:0").await.expect("a free port");
    let address = broker.local_addr();
    tokio::spawn(broker.run(CancellationToken::new()));
    address
}

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
    for number in 0..300 {
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
    for number in 0..300 {
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

#[tokio::test]
async fn the_history_misses_nothing() {
    const COUNT: usize = 1500;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("telemetry.sqlite");
    let database = Arc::new(Database::open(Some(&file)).await.unwrap());
    let limits = Limits {
        commit_interval: Duration::from_millis(5),
        max_age: Duration::from_secs(86_400),
        max_bytes: 1 << 30,
        history: None,
    };
    let consumers = [mqtt::CONSUMER.to_owned()].into();
    let journal = Journal::open(database, limits, consumers).await.unwrap();
    let writing = CancellationToken::new();
    let writer = tokio::spawn(Writer::new(journal.clone()).run(writing.clone()));

    let mosquitto = Mosquitto::open();
    let link = Link::to(mosquitto.address()).await;
    let config = format!("url = 'tcp://{}'\nhistory = true", link.address);
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let gateway = Gateway::with_journal(&config, Some(journal.clone()));
    for number in 0..COUNT {
        gateway.read(number as f64 / 16.0);
        if number % 100 == 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if number == 700 {
            watcher.wait_for(STATUS, "online").await;
            link.cut();
        }
    }
    // A restart of the sink in the middle.
    let has = |number: usize| {
        let text = format!("\"number\":{number},");
        move |watcher: &Watcher| watcher.last.get(HISTORY).is_some_and(|l| l.contains(&text))
    };
    watcher.wait_until("some of the history", has(300)).await;
    assert_eq!(gateway.stop().await, Exit::Stopped);
    let gateway = Gateway::with_journal(&config, Some(journal.clone()));
    watcher.wait_until("all of the history", has(COUNT)).await;
    let mut numbers = history(&watcher);
    let sent = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (1..=COUNT as i64).collect::<Vec<_>>());
    assert!(
        sent < COUNT + 400,
        "{sent} sent: again only what was not acknowledged"
    );
    assert_eq!(gateway.stop().await, Exit::Stopped);

    // Delivered is delivered.
    let backlog = journal.backlog().await.unwrap();
    assert_eq!(backlog, [("mqtt".to_owned(), 0)].into());
    writing.cancel();
    writer.await.unwrap();
}

/// Numbers of the history's entries, as they came.
fn history(watcher: &Watcher) -> Vec<i64> {
    let entries = watcher.log.iter().filter(|(t, ..)| t == HISTORY);
    entries
        .map(|(_, payload, retained)| {
            assert!(!retained);
            let json: serde_json::Value = serde_json::from_str(payload).unwrap();
            assert_eq!(json["device"]["id"], "jbd-pack");
            assert!(json["measured_at"].is_string() && json["gateway"].is_string());
            json["number"].as_i64().unwrap()
        })
        .collect()
}

mod embedded {
    use super::*;

    #[tokio::test]
    async fn it_works_with_mosquittos_tools() {
        let broker = broker().await;
        let (host, port) = (broker.ip().to_string(), broker.port().to_string());
        let publish = |topic: &'static str, more: &'static [&'static str]| {
            let (host, port) = (host.clone(), port.clone());
            tokio::task::spawn_blocking(move || {
                let status = tool("mosquitto_pub")
                    .args(["-h", &host, "-p", &port, "-t", topic])
                    .args(more)
                    .status();
                assert!(started(status).success());
            })
        };
        publish("a/über/1", &["-m", "retained", "-r", "-q", "1"])
            .await
            .unwrap();
        publish("a/b/2", &["-m", "gone", "-r"]).await.unwrap();
        publish("a/b/2", &["-n", "-r", "-q", "1"]).await.unwrap();
        let child = tool("mosquitto_sub")
            .args(["-h", &host, "-p", &port, "-t", "a/#", "-q", "1"])
            .args(["-v", "-C", "2", "-W", "60"])
            .stdout(Stdio::piped())
            .spawn();
        let child = started(child);
        let output = tokio::task::spawn_blocking(move || child.wait_with_output());
        // Until it has subscribed, this is repeated.
        while !output.is_finished() {
            publish("a/b/3", &["-m", "live", "-q", "1"]).await.unwrap();
        }
        let output = output.await.unwrap().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, "a/über/1 retained\na/b/3 live\n");
    }

    #[tokio::test]
    async fn wills_follow_an_ungraceful_end_only() {
        let broker = broker().await;
        let mut watcher = Watcher::new(broker).await;
        let will = |topic: &str| Some(LastWill::new(topic, "gone", QoS::AtLeastOnce, true));
        let polite = Watcher::connect(broker, "polite", 0, will("will/polite")).await;
        polite.leave().await;
        drop(Watcher::connect(broker, "rude", 0, will("will/rude")).await);
        watcher.wait_for("will/rude", "gone").await;
        assert!(!watcher.last.contains_key("will/polite"));

        // A second connection of the same client ends the first one.
        let mut first = Watcher::connect(broker, "twin", 0, will("will/twin")).await;
        let _second = Watcher::connect(broker, "twin", 0, None).await;
        watcher.wait_for("will/twin", "gone").await;
        while first.packet().await.is_some() {}
    }

    #[tokio::test]
    async fn a_silent_client_is_cut() {
        let broker = broker().await;
        let mut watcher = Watcher::new(broker).await;
        let mut connect = rumqttc::Connect::new("silent");
        connect.keep_alive = 1;
        connect.last_will = Some(LastWill::new("silent", "x", QoS::AtMostOnce, false));
        let mut socket = TcpStream::connect(broker).await.unwrap();
        let mut bytes = tokio_util::bytes::BytesMut::new();
        Packet::Connect(connect).write(&mut bytes, 1024).unwrap();
        socket.write_all(&bytes).await.unwrap();
        watcher.wait_for("silent", "x").await;
    }

    #[tokio::test]
    async fn garbage_costs_its_sender_the_connection_and_nothing_else() {
        let broker = broker().await;
        let mut watcher = Watcher::new(broker).await;
        let mut random = fastrand::Rng::with_seed(7);
        let mut connect = tokio_util::bytes::BytesMut::new();
        Packet::Connect(rumqttc::Connect::new(""))
            .write(&mut connect, 1024)
            .unwrap();
        for round in 0..400 {
            let mut socket = TcpStream::connect(broker).await.unwrap();
            if round % 2 == 0 {
                socket.write_all(&connect).await.unwrap();
            }
            let mut bytes = vec![0; random.usize(1..200)];
            random.fill(&mut bytes);
            // A plausible head, so that the parsers behind it are reached.
            bytes[0] = [0x10, 0x30, 0x32, 0x40, 0x82, 0xa2, 0xc0][random.usize(..7)];
            if bytes.len() > 2 && round % 3 != 0 {
                bytes[1] = (bytes.len() as u8).saturating_sub(2).min(127);
            }
            // It may be closed already.
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
        }
        watcher.publish("still/there", "yes", false).await;
        watcher.wait_for("still/there", "yes").await;
    }

    #[tokio::test]
    async fn a_packet_over_a_mebibyte_is_not_taken() {
        let broker = broker().await;
        let mut client = Watcher::connect(broker, "large", 0, None).await;
        client.publish("fits", vec![b'x'; 1_000_000], true).await;
        let mut publish = rumqttc::Publish::new("large", QoS::AtLeastOnce, vec![b'x'; 1 << 21]);
        publish.pkid = 9;
        client.try_send(&Packet::Publish(publish)).await;
        while client.packet().await.is_some() {}
        assert_eq!(retained(broker).await["fits"].len(), 1_000_000);
    }

    #[tokio::test]
    async fn pings_are_answered() {
        let broker = broker().await;
        let mut client = Watcher::connect(broker, "pinging", 0, None).await;
        client.send(&Packet::PingReq).await;
        assert_eq!(client.packet().await, Some(Packet::PingResp));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_burst_is_acknowledged_and_delivered_whole() {
        const COUNT: u16 = 2_000;
        let broker = broker().await;
        let mut client = Watcher::connect(broker, "fast", 0, None).await;
        let (mut acknowledged, mut delivered) = (Vec::new(), Vec::new());
        for number in 1..=COUNT {
            let payload = number.to_string().into_bytes();
            let mut publish = rumqttc::Publish::new("t/x", QoS::AtLeastOnce, payload);
            publish.pkid = number;
            client.send(&Packet::Publish(publish)).await;
            if number % 100 != 0 {
                continue;
            }
            while acknowledged.len() + delivered.len() < 2 * usize::from(number) {
                match client.packet().await.expect("the connection holds") {
                    Packet::PubAck(ack) => acknowledged.push(ack.pkid),
                    Packet::Publish(publish) => {
                        let text = std::str::from_utf8(&publish.payload).unwrap();
                        delivered.push(text.parse::<u16>().unwrap());
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        let all: Vec<_> = (1..=COUNT).collect();
        assert_eq!(acknowledged, all);
        assert_eq!(delivered, all);
    }
}
