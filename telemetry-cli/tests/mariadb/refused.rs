//! Readings that the server refuses for themselves are set aside; the others
//! pass.

use chrono::DateTime;
use telemetry_cli::event::{DeviceId, Reading};
use telemetry_cli::metric::battery;
use telemetry_cli::value::Value;
use tempfile::tempdir;

use crate::gateway::{Gateway, assert_rows, eventually, reading};
use crate::server::{MariaDb, execute};
use crate::shared;

const TAKEN: &str = "SELECT taken FROM gateway";

#[tokio::test]
async fn refused_readings_are_set_aside_with_the_reason() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    // A rule of the owner, a trigger, a column made smaller.
    for statement in [
        "ALTER TABLE battery ADD CONSTRAINT sane CHECK (soc_percent <= 90)",
        "ALTER TABLE battery MODIFY software_version VARCHAR(3)",
        "CREATE TRIGGER picky BEFORE INSERT ON battery FOR EACH ROW BEGIN IF NEW.power_w = 13 \
         THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no thirteen'; END IF; END",
    ] {
        execute(&mut root, statement).await;
    }
    let mut expected = Vec::new();
    for number in 0..1000 {
        let mut reading = reading("pack", number);
        match number {
            17 => reading.values.set(&battery::SOC_PERCENT, Value::from(95.0)),
            18 => reading.values.set(&battery::POWER_W, Value::from(13.0)),
            600 => reading
                .values
                .set(&battery::SOFTWARE_VERSION, Value::from("1.2.3")),
            601 => reading.device = DeviceId::new(&[&"x".repeat(300)]),
            999 => reading.measured_at = DateTime::from_timestamp(1_000_000_000_000, 0).unwrap(),
            _ => expected.push(number),
        }
        gateway.append(reading);
    }
    let sink = gateway.start(&database.config);
    eventually(&mut root, TAKEN, 1000).await;
    assert_rows(&mut root, gateway.id(), &expected).await;
    let aside: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT number, kind, reason, reading FROM set_aside WHERE gateway = ? ORDER BY number",
    )
    .bind(gateway.id())
    .fetch_all(&mut root)
    .await
    .unwrap();
    let reasons: Vec<_> = aside
        .iter()
        .map(|(number, _, why, _)| (*number, why.as_str()))
        .collect();
    let parts = [
        "CONSTRAINT `sane`",
        "no thirteen",
        "'software_version'",
        "'device'",
        "'+33658-",
    ];
    assert_eq!(
        reasons
            .iter()
            .map(|(number, _)| *number)
            .collect::<Vec<_>>(),
        [18, 19, 601, 602, 1000]
    );
    for ((_, reason), part) in reasons.iter().zip(parts) {
        assert!(reason.contains(part), "{reason}");
    }
    let whole: serde_json::Value = serde_json::from_str(&aside[0].3).unwrap();
    assert_eq!(whole["values"]["soc_percent"], 95);
    assert_eq!(whole["values"]["cycles"], 17);
    assert_eq!(whole["device"]["id"], "pack");

    // Counted and visible, and nothing waits.
    let counts = gateway.stats.counts();
    assert_eq!(counts["mariadb"].set_aside, 5);
    assert_eq!(counts["mariadb"].health(), "ok, 5 readings set aside");
    assert_eq!(gateway.journal.backlog().await.unwrap()["mariadb"], 0);
    eventually(
        &mut root,
        "SELECT COUNT(*) FROM health WHERE kind = 'gateway' \
         AND state = 'reporting, 5 readings set aside'",
        1,
    )
    .await;
    sink.stop().await;
}

fn large(number: i64, bytes: usize) -> Reading {
    let mut reading = reading("pack", number);
    reading
        .extra
        .insert("log".to_owned(), "x".repeat(bytes).into());
    reading
}

/// Batches are cut by bytes, too; what is too large by itself is set aside.
#[tokio::test]
async fn the_largest_packet_is_respected() {
    let server = MariaDb::with(&["--max-allowed-packet=64K"], |_| {});
    let database = server.database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    for number in 0..300 {
        gateway.append(match number {
            40 => large(number, 200_000),
            number if number % 10 == 0 => large(number, 30_000),
            number => reading("pack", number),
        });
    }
    let sink = gateway.start(&database.config);
    eventually(&mut root, TAKEN, 300).await;
    eventually(&mut root, "SELECT COUNT(*) FROM battery", 299).await;
    let (number, reason): (i64, String) = sqlx::query_as("SELECT number, reason FROM set_aside")
        .fetch_one(&mut root)
        .await
        .unwrap();
    assert_eq!(number, 41);
    assert!(
        reason.contains("the server's max_allowed_packet is 65536"),
        "{reason}"
    );
    sink.stop().await;
    assert_eq!(gateway.stats.counts()["mariadb"].failures, 0);
}

/// What is wrong with the tables, not with a reading, sets nothing aside.
#[tokio::test]
async fn a_changed_table_is_no_reason_to_set_everything_aside() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    execute(
        &mut root,
        "ALTER TABLE battery ADD COLUMN mine INT NOT NULL",
    )
    .await;
    gateway.count("pack", 0, 10).await;
    let why = gateway.trouble(&database.config).await;
    assert!(
        why.contains("its tables are not as telemetry makes them"),
        "{why}"
    );
    assert!(why.contains("'mine'"), "{why}");
    eventually(&mut root, "SELECT COUNT(*) FROM set_aside", 0).await;
    execute(&mut root, "ALTER TABLE battery DROP COLUMN mine").await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, TAKEN, 10).await;
    sink.stop().await;
}

/// Somebody holds locks that the sink needs.
#[tokio::test]
async fn deadlocks_are_tried_again() {
    // Of its own: others would be seen waiting, too.
    let server = MariaDb::start();
    let database = server.database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    gateway.count("pack", 0, 1).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, TAKEN, 1).await;
    // Takes the device first and the gateway second, the sink the other way
    // round: one of them has to give in. The lighter transaction does, and
    // that is the sink's.
    execute(&mut root, "CREATE TABLE heavy (number INT PRIMARY KEY)").await;
    let id = gateway.id();
    for round in 1..=5 {
        execute(
            &mut root,
            "START TRANSACTION; INSERT INTO heavy SELECT seq FROM seq_1_to_2000; \
             UPDATE device SET vendor = CONCAT(vendor, 'x')",
        )
        .await;
        let mut later = reading("pack", round);
        later.fetched_at += chrono::TimeDelta::minutes(round * 5);
        gateway.append(later);
        // Until the sink waits for the device.
        let mut other = database.inside().await;
        eventually(
            &mut other,
            "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
            1,
        )
        .await;
        let rename = format!("UPDATE gateway SET name = CONCAT(name, 'x') WHERE id = '{id}'");
        execute(&mut root, &rename).await;
        execute(&mut root, "ROLLBACK").await;
        eventually(&mut other, TAKEN, round + 1).await;
    }
    sink.stop().await;
    assert_eq!(
        gateway.stats.counts()["mariadb"].failures,
        0,
        "no reconnect"
    );
}
