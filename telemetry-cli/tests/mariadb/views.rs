//! The views: the latest reading of each device, and how everything is, in
//! plain words.

use chrono::{TimeDelta, Utc};
use sqlx::Row as _;
use telemetry_cli::event::DeviceKind;
use telemetry_cli::metric::battery;
use telemetry_cli::value::Value;
use tempfile::tempdir;

use crate::gateway::{Gateway, eventually, pack, reading};
use crate::server::execute;
use crate::shared;

#[tokio::test]
async fn the_latest_reading_of_each_device() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directories = [tempdir().unwrap(), tempdir().unwrap()];
    let mut gateways = Vec::new();
    for directory in &directories {
        gateways.push(Gateway::open(directory).await);
    }
    gateways[0].journal.describe(pack("garage", "Garage"));
    gateways[1].journal.describe(pack("shed", "Shed"));
    // Out of order, and measured once but fetched twice.
    let at = Utc::now() - TimeDelta::seconds(100);
    for (gateway, device, measured, fetched, soc) in [
        (0, "garage", 0, 1, 50.0),
        (0, "garage", 40, 60, 51.0),
        (0, "garage", 40, 80, 52.0),
        (1, "garage", 20, 90, 53.0),
        (1, "shed", 10, 11, 54.0),
        (1, "shed", 9, 12, 55.0),
    ] {
        let mut reading = reading(device, 1);
        reading.measured_at = at + TimeDelta::seconds(measured);
        reading.fetched_at = at + TimeDelta::seconds(fetched);
        reading.values.set(&battery::SOC_PERCENT, Value::from(soc));
        gateways[gateway].append(reading);
    }
    let sinks = [
        gateways[0].start(&database.config),
        gateways[1].start(&database.config),
    ];
    eventually(&mut root, "SELECT COUNT(*) FROM battery", 6).await;
    for sink in sinks {
        sink.stop().await;
    }
    let rows = sqlx::query("SELECT * FROM latest_battery ORDER BY device")
        .fetch_all(&mut root)
        .await
        .unwrap();
    let seen: Vec<(&str, &str, f64)> = rows
        .iter()
        .map(|row| (row.get("device"), row.get("name"), row.get("soc_percent")))
        .collect();
    assert_eq!(seen[0].0, "garage");
    assert_eq!((seen[0].2, seen[1]), (52.0, ("shed", "Shed", 54.0)));
    assert!(rows[1].get::<i64, _>("age_s") >= 90);
    for kind in ["power_station", "vehicle"] {
        eventually(&mut root, &format!("SELECT COUNT(*) FROM latest_{kind}"), 0).await;
    }
    // From the index alone: a year of readings must not be searched.
    let plan = sqlx::query("EXPLAIN SELECT * FROM latest_battery")
        .fetch_all(&mut root)
        .await
        .unwrap();
    for row in plan
        .iter()
        .filter(|row| row.get::<&str, _>("table") == "other")
    {
        assert_eq!(row.get::<&str, _>("key"), "battery_device");
        let extra: &str = row.get("Extra");
        assert!(
            extra.contains("Using index") && !extra.contains("filesort"),
            "{extra}"
        );
    }
}

#[tokio::test]
async fn health_in_plain_words() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    gateway.journal.describe(pack("pack", "Garage"));
    gateway.count("pack", 0, 2).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 2).await;
    sink.stop().await;
    let states = async |root: &mut sqlx::mysql::MySqlConnection| -> Vec<(String, String, String)> {
        sqlx::query_as("SELECT kind, name, state FROM health ORDER BY kind DESC")
            .fetch_all(root)
            .await
            .unwrap()
    };
    let text = |kind: DeviceKind, name: &str, state: &str| {
        (kind.as_str().to_owned(), name.to_owned(), state.to_owned())
    };
    let (home, garage) = (
        (DeviceKind::Gateway, "Home"),
        (DeviceKind::Battery, "Garage"),
    );
    assert_eq!(
        states(&mut root).await,
        [
            text(home.0, home.1, "reporting"),
            text(garage.0, garage.1, "reporting")
        ]
    );
    for (gateway, device, of_gateway, of_device) in [
        (200, 3000, "silent for 3 min", "reporting"),
        (7199, 4000, "silent for 119 min", "silent for 66 min"),
        (3 * 3600 + 5, 49 * 3600, "silent for 3 h", "silent for 2 d"),
    ] {
        let shift = format!(
            "UPDATE gateway SET last_contact = UTC_TIMESTAMP(3) - INTERVAL {gateway} SECOND; \
             UPDATE device SET last_seen = UTC_TIMESTAMP(3) - INTERVAL {device} SECOND"
        );
        execute(&mut root, &shift).await;
        assert_eq!(
            states(&mut root).await,
            [
                text(home.0, home.1, of_gateway),
                text(garage.0, garage.1, of_device)
            ]
        );
    }
    let behind = "UPDATE gateway SET last_contact = UTC_TIMESTAMP(3), behind = 5000";
    execute(&mut root, behind).await;
    assert_eq!(
        states(&mut root).await[0].2,
        "catching up, 5000 readings behind"
    );

    // Why it was away is said when it is back.
    gateway
        .stats
        .failed("mariadb", "trying again", "nothing listens there");
    let sink = gateway.start(&database.config);
    eventually(
        &mut root,
        "SELECT COUNT(*) FROM health WHERE last_error = 'nothing listens there' \
         AND last_error_at > UTC_TIMESTAMP(3) - INTERVAL 5 MINUTE",
        1,
    )
    .await;
    sink.stop().await;
}

/// Grafana's user may read, and nothing else.
#[tokio::test]
async fn a_reader_needs_nothing_but_select() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    gateway.count("pack", 0, 2).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 2).await;
    sink.stop().await;
    let name = &database.name;
    for statement in [
        format!("DROP USER '{name}'@'%'"),
        format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'reader'"),
        format!("GRANT SELECT ON {name}.* TO '{name}'@'%'"),
    ] {
        execute(&mut root, &statement).await;
    }
    let reader = shared()
        .root()
        .username(name)
        .password("reader")
        .database(name);
    let mut reader = sqlx::ConnectOptions::connect(&reader).await.unwrap();
    eventually(&mut reader, "SELECT COUNT(*) FROM latest_battery", 1).await;
    eventually(
        &mut reader,
        "SELECT COUNT(*) FROM health WHERE state = 'reporting'",
        2,
    )
    .await;
}
