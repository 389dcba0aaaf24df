//! With an interval: the normal gateway, which publishes nothing but the
//! original's messages.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use jbd_bms::{BasicInfo, CellVoltages, UnitScale};
use rumqttc::QoS;
use telemetry_cli::cli::{Cli, Command as Subcommand, JbdBmsMqttArgs};
use telemetry_cli::compat::jbd_bms_mqtt::{config, run};
use telemetry_cli::config::{Environment, Mqtt};
use telemetry_cli::event::{Device, DeviceId, DeviceKind, Reading};
use telemetry_cli::filter::Keep;
use telemetry_cli::gateway::Gateway;
use telemetry_cli::hub::{Handling, Hub};
use telemetry_cli::native::{JbdPack, Native};
use telemetry_cli::radio::{Air, Radio};
use telemetry_cli::sink::Context;
use telemetry_cli::stats::Stats;
use telemetry_cli::supervisor::{Exit, Task};
use tokio_util::sync::CancellationToken;

use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::watcher::{DEADLINE, Watcher, retained};

fn parsed(args: &[&str]) -> JbdBmsMqttArgs {
    let words = ["jbd-bms-mqtt"].iter().chain(args).map(Into::into);
    match Cli::of(words.collect()).unwrap().command {
        Subcommand::JbdBmsMqtt(args) => args,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_gateway_publishes_one_message_per_reading_and_nothing_else() {
    let broker = Mosquitto::open();
    let port = broker.address().port().to_string();
    let args = [
        "-n",
        "Workshop battery",
        "-i",
        "5",
        "-t",
        "solar",
        "--mqtt-port",
        &port,
    ];
    let mut config = config(&parsed(&args), &Environment::default()).unwrap();
    assert_eq!(config.jbd[0].interval, Duration::from_secs(300));
    config.jbd[0].interval = Duration::from_secs(1);

    let mut watcher = Watcher::new(broker.address()).await;
    let gateway = Gateway::open(config, Radio::Simulated(Air::demo()), None);
    let gateway = gateway.await.unwrap();
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(gateway.run(shutdown.clone()));
    let three = |watcher: &Watcher| watcher.log.len() >= 3;
    watcher.wait_until("three messages", three).await;
    shutdown.cancel();
    running.await.unwrap().unwrap();

    for (topic, payload, _) in &watcher.log {
        assert_eq!(topic, "solar");
        assert!(
            payload.starts_with(r#"{"topic": "solar", "volts": 53."#),
            "{payload}"
        );
        assert!(
            payload.contains(r#", "percent": 88, "temp1": "#),
            "{payload}"
        );
        assert!(payload.contains(r#", "cell16": "#), "{payload}");
    }
    assert_eq!(watcher.qos["solar"], QoS::AtMostOnce);
    assert!(retained(broker.address()).await.is_empty());
}

/// A reading with this many volts.
fn reading(volts: u8) -> Reading {
    let mut data = [0; 23];
    data[..2].copy_from_slice(&(u16::from(volts) * 100).to_be_bytes());
    let mut reading = Reading::new(DeviceId::new(&["pack"]), DeviceKind::Battery, Utc::now());
    reading.native = Some(Native::Jbd(Arc::new(JbdPack {
        info: BasicInfo::decode(&data, UnitScale::Auto).unwrap(),
        cells: CellVoltages::decode(&[0x0C, 0xFF]).unwrap(),
    })));
    reading
}

fn message(volts: u8) -> String {
    format!(
        "{{\"topic\": \"solar\", \"volts\": {volts}.0, \"amps\": 0.0, \"capacity\": 0.0, \
         \"remain\": 0.0, \"percent\": 0, \"cell1\": 3327}}"
    )
}

#[tokio::test]
async fn what_the_broker_missed_is_never_published_later() {
    let mut broker = Mosquitto::open();
    let hub = Hub::new(None, Duration::from_secs(300), vec![]);
    let device = Device::unknown(DeviceId::new(&["pack"]), DeviceKind::Battery);
    let handling = Handling {
        source: "jbd".to_owned(),
        interval: Duration::from_secs(60),
        keep: Keep::Nothing,
    };
    hub.announce(device, handling);
    // Before the sink begins: old.
    hub.read(reading(1));

    let args = parsed(&["-n", "Pack", "-i", "1", "-t", "solar"]);
    let drop_in = config(&args, &Environment::default()).unwrap().drop_in;
    let Some(telemetry_cli::config::DropIn::JbdBmsMqtt(merged)) = drop_in else {
        panic!("{drop_in:?}");
    };
    let shutdown = CancellationToken::new();
    let task = Task {
        name: "mqtt".to_owned(),
        shutdown: shutdown.clone(),
    };
    let context = Context {
        hub: hub.clone(),
        journal: None,
        controls: telemetry_cli::control::Controls::default(),
        stats: Stats::default(),
        gateway: DeviceId::new(&["gateway-home"]),
        gateway_name: "Home".to_owned(),
    };
    let mqtt = Mqtt::new(format!("tcp://{}", broker.address()));
    let mut watcher = Watcher::new(broker.address()).await;
    let sink = tokio::spawn(run(mqtt, merged, context, task));
    // Not before the sink follows the hub.
    until_arrived(&hub, &mut watcher, 2).await;
    let seen: Vec<_> = watcher.log.iter().map(|(_, payload, _)| payload).collect();
    assert!(
        seen.iter().all(|payload| **payload == message(2)),
        "{seen:?}"
    );

    broker.kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    hub.read(reading(3));
    tokio::time::sleep(Duration::from_secs(1)).await;
    broker.restart();
    let mut watcher = Watcher::new(broker.address()).await;
    until_arrived(&hub, &mut watcher, 4).await;
    let seen: Vec<_> = watcher.log.iter().map(|(_, payload, _)| payload).collect();
    assert!(
        seen.iter().all(|payload| **payload == message(4)),
        "{seen:?}"
    );

    shutdown.cancel();
    assert_eq!(sink.await.unwrap(), Exit::Stopped);
}

/// Measures again and again until one reading comes through.
async fn until_arrived(hub: &Hub, watcher: &mut Watcher, volts: u8) {
    let arrived = async {
        loop {
            hub.read(reading(volts));
            let pause = Duration::from_millis(200);
            if tokio::time::timeout(pause, watcher.read()).await.is_ok() {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, arrived).await.unwrap();
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_pack() {
    let computer = Computer::blank();
    let args = ["jbd-bms-mqtt", "-n", "Pack", "-t", "solar", "-i"];
    let args = |interval| [&args[..], &[interval]].concat();
    let mut first = computer.telemetry(&args("1"));
    let mut first = Running(first.stderr(Stdio::null()).spawn().unwrap());
    let pid = first.0.id();
    let lock = computer.directory.path();
    let lock = lock.join(".local/state/telemetry/jbd-bms-mqtt/pack/lock");
    let end = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&lock).is_ok_and(|text| text.ends_with('\n')) {
        assert!(Instant::now() < end, "no lock");
        std::thread::sleep(Duration::from_millis(20));
    }
    for interval in ["0", "1"] {
        let output = computer.telemetry(&args(interval)).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        let holder = format!("is held by process {pid} (telemetry jbd-bms-mqtt)\n");
        assert!(stderr.contains(&holder), "{stderr}");
    }
    // Another pack is another matter; without Bluetooth it fails, but as such.
    let other = ["jbd-bms-mqtt", "-n", "Other", "-t", "solar", "-i", "0"];
    let output = computer.telemetry(&other).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("error: Other: no connection to the system bus"),
        "{stderr}"
    );

    let kill = Command::new("kill").arg(pid.to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(first.0.wait().unwrap().code(), Some(0));
}
