//! Parts that are killed while three packs report.

use std::collections::BTreeMap;
use std::time::Instant;

use super::*;
use crate::watcher::retained;

const PACKS: u8 = 3;

/// How often each part is killed.
const ROUNDS: usize = 4;

/// From one kill to the next.
const PAUSE: std::ops::Range<u64> = 200..2500;

/// What can be killed.
#[derive(Clone, Copy, Debug)]
enum Part {
    Gateway,
    Broker,
    Bluetooth,
}

impl Part {
    const ALL: [Self; 3] = [Self::Gateway, Self::Broker, Self::Bluetooth];
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_the_end_is_complete() {
    let seed = 41;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut mosquitto = Mosquitto::open();
    let mut config = format!(
        "[gateway]\ncommit_interval = '200ms'\n[mqtt]\nurl = 'tcp://{}'\n",
        mosquitto.address()
    );
    for number in 1..=PACKS {
        config += &format!("[[jbd]]\nname = 'Pack {number}'\ninterval = '1s'\nstore = 'all'\n");
    }
    let computer = Computer::blank();
    computer.configure(&config);
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    for number in 1..=PACKS {
        bluez.add(Config::pack(&format!("Pack {number}"), number));
    }

    let began = Instant::now();
    let mut gateway = Running::start(&computer);
    let mut kills = Part::ALL.repeat(ROUNDS);
    random.shuffle(&mut kills);
    for part in &kills {
        pause(&mut random).await;
        match part {
            Part::Gateway => gateway.kill(),
            Part::Broker => mosquitto.kill(),
            Part::Bluetooth => bluez.with(|service| service.vanish()),
        }
        pause(&mut random).await;
        match part {
            Part::Gateway => gateway = Running::start(&computer),
            Part::Broker => mosquitto.restart(),
            Part::Bluetooth => bluez.with(|service| service.come()),
        }
    }
    // Everything is there again: each pack reports twice more.
    let mut watcher = Watcher::new(mosquitto.address()).await;
    let came = |watcher: &Watcher, topic: &str| {
        let log = watcher.log.iter();
        log.filter(|(t, _, retained)| t == topic && !retained)
            .count()
    };
    for number in 1..=PACKS {
        watcher
            .wait_until(&format!("pack {number}"), |watcher| {
                came(watcher, &state(number)) >= 2
            })
            .await;
        watcher
            .wait_for(&topic(number, "availability"), "online")
            .await;
    }
    watcher.wait_for("telemetry/status", "online").await;
    assert!(gateway.stop().success(), "{}", log(&computer));

    let rows = rows(&computer);
    let mut last = BTreeMap::new();
    for row in &rows {
        last.insert(row["device"]["id"].as_str().expect("text"), row);
    }
    let kept = retained(mosquitto.address()).await;
    for number in 1..=PACKS {
        let id = format!("jbd-a4c1380000{number:02x}");
        let last = last[id.as_str()];
        let state = json(&kept[&state(number)]);
        assert_eq!(state["measured_at"], last["measured_at"], "{id}");
        for (key, value) in last["values"].as_object().expect("an object") {
            assert_eq!(state[key], *value, "{id} {key}");
            if value.is_number() {
                assert_eq!(kept[&topic(number, key)], value.to_string(), "{id}");
            }
        }
        assert_eq!(kept[&topic(number, "availability")], "offline");
        let document = json(&kept[&format!("homeassistant/device/{id}/config")]);
        let entities = document["cmps"].as_object().expect("entities");
        for key in ["soc_percent", "cell_voltages_v_4", "power_w", "protection"] {
            assert!(entities.contains_key(key), "{id} {key}");
        }
    }
    assert_eq!(kept["telemetry/status"], "offline");
    println!(
        "seed {seed}: {kills:?} killed in {:.0} s, {} rows stored",
        began.elapsed().as_secs_f64(),
        rows.len()
    );
}

async fn pause(random: &mut fastrand::Rng) {
    tokio::time::sleep(Duration::from_millis(random.u64(PAUSE))).await;
}

/// What the store holds, in the order of the journal.
fn rows(computer: &Computer) -> Vec<Value> {
    let output = computer
        .telemetry(&["export", "-c", "telemetry.toml", "--state-dir", "state"])
        .args(["--format", "jsonl", "--kind", "battery"])
        .output()
        .expect("it was built");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(json).collect()
}
