//! Parts that are killed while three packs report.

use std::collections::BTreeMap;
use std::time::Instant;

use sqlx::mysql::MySqlConnection;

use super::*;
use crate::mariadb::{Database, MariaDb};
use crate::watcher::{DEADLINE, retained};

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
    Database,
    Bluetooth,
}

impl Part {
    const ALL: [Self; 4] = [Self::Gateway, Self::Broker, Self::Database, Self::Bluetooth];
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_the_end_is_complete() {
    // Another one: `KILL_SEED=7 cargo test -p telemetry-cli --test gateway`.
    let seed = std::env::var("KILL_SEED").map_or(41, |seed| seed.parse().expect("a number"));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut mosquitto = Mosquitto::open();
    let mut mariadb = MariaDb::start();
    let database = mariadb.database().await;
    let mut config = format!(
        "[gateway]\ncommit_interval = '200ms'\n[mqtt]\nurl = 'tcp://{}'\n[mariadb]\n{}",
        mosquitto.address(),
        database.config,
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
    let mut gateway = start(&computer);
    let mut kills = Part::ALL.repeat(ROUNDS);
    random.shuffle(&mut kills);
    for part in &kills {
        pause(&mut random).await;
        stored_without_gaps(&database).await;
        match part {
            Part::Gateway => gateway.kill(),
            Part::Broker => mosquitto.kill(),
            Part::Database => mariadb.kill(),
            Part::Bluetooth => bluez.with(|service| service.vanish()),
        }
        pause(&mut random).await;
        match part {
            Part::Gateway => gateway = start(&computer),
            Part::Broker => mosquitto.restart(),
            Part::Database => mariadb.restart(),
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
    let caught_up = rows(&computer).len();
    while stored_without_gaps(&database).await < caught_up {
        assert!(began.elapsed() < DEADLINE, "{}", log(&computer));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(gateway.stop().success(), "{}", log(&computer));

    let rows = rows(&computer);
    equal(&rows, &database).await;
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
        for entity in entities_of(&last["values"]) {
            assert!(entities.contains_key(&entity), "{id} {entity}");
        }
    }
    assert_eq!(kept["telemetry/status"], "offline");
    println!(
        "seed {seed}: {kills:?} killed in {:.0} s, {} rows stored",
        began.elapsed().as_secs_f64(),
        rows.len()
    );
}

/// The entities that show these values.
fn entities_of(values: &Value) -> Vec<String> {
    let mut entities = Vec::new();
    for (key, value) in values.as_object().expect("an object") {
        match value {
            Value::Array(parts) if key != "protection" => {
                entities.extend((1..=parts.len()).map(|part| format!("{key}_{part}")));
            }
            Value::Object(parts) => {
                entities.extend(parts.keys().map(|part| format!("{key}_{part}")));
            }
            _ => entities.push(key.clone()),
        }
    }
    assert!(entities.len() > 30, "{entities:?}");
    entities
}

async fn pause(random: &mut fastrand::Rng) {
    tokio::time::sleep(Duration::from_millis(random.u64(PAUSE))).await;
}

/// How many readings the database holds: all up to the last one of them.
async fn stored_without_gaps(database: &Database) -> usize {
    let mut root: MySqlConnection = database.inside().await;
    let exists = "SELECT COUNT(*) FROM information_schema.tables \
                  WHERE table_schema = DATABASE() AND table_name = 'battery'";
    let tables: i64 = sqlx::query_scalar(exists)
        .fetch_one(&mut root)
        .await
        .expect("a count");
    if tables == 0 {
        return 0;
    }
    let (count, last): (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COALESCE(MAX(number), 0) FROM battery")
            .fetch_one(&mut root)
            .await
            .expect("a count");
    assert_eq!(count, last, "in order, each once");
    usize::try_from(count).expect("a count")
}

/// The database holds these rows and no others.
async fn equal(rows: &[Value], database: &Database) {
    let sql = "SELECT number, device, CAST(measured_at AS CHAR), soc_percent, power_w, \
               cell_voltages_v FROM battery ORDER BY number";
    let there: Vec<(i64, String, String, f64, f64, String)> = sqlx::query_as(sql)
        .fetch_all(&mut database.inside().await)
        .await
        .expect("rows");
    assert_eq!(there.len(), rows.len());
    for (row, (number, device, measured_at, soc, power, cells)) in rows.iter().zip(there) {
        let values = &row["values"];
        assert_eq!(row["number"], number);
        assert_eq!(row["device"]["id"], device);
        let time = format!("{}Z", measured_at.replace(' ', "T"));
        assert_eq!(row["measured_at"], time, "{number}");
        assert_eq!(values["soc_percent"], soc, "{number}");
        assert_eq!(values["power_w"], power, "{number}");
        assert_eq!(values["cell_voltages_v"], json(&cells), "{number}");
    }
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
