//! The tables: made once, by whoever comes first, and shared.

use sqlx::Row as _;
use telemetry_cli::metric;
use telemetry_cli::store::{ColumnType, STORED, column_type, columns};
use telemetry_cli::supervisor::Exit;
use tempfile::tempdir;

use crate::gateway::{Gateway, assert_counted, eventually, pack, rows};
use crate::server::execute;
use crate::shared;

#[tokio::test]
async fn tables_have_the_columns_of_the_catalogue() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    for kind in STORED {
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT COLUMN_NAME, CAST(COLUMN_TYPE AS CHAR) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
        )
        .bind(kind.as_str())
        .fetch_all(&mut root)
        .await
        .unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, columns(kind));
        for metric in metric::catalogue(kind) {
            let expected = match column_type(metric) {
                ColumnType::Real => "double",
                ColumnType::Integer => "bigint(20)",
                ColumnType::Boolean => "tinyint(1)",
                ColumnType::Text => "text",
                ColumnType::Time => "datetime(3)",
                ColumnType::Json => "longtext",
            };
            let (_, found) = found.iter().find(|(name, _)| name == metric.key).unwrap();
            assert_eq!(found, expected, "{}", metric.key);
        }
    }
    // A cluster wants a key of every table, and no counter in it.
    let without: Vec<String> = sqlx::query_scalar(
        "SELECT TABLE_NAME FROM information_schema.TABLES AS t WHERE TABLE_SCHEMA = DATABASE() \
         AND TABLE_TYPE = 'BASE TABLE' AND (AUTO_INCREMENT IS NOT NULL OR NOT EXISTS \
         (SELECT 1 FROM information_schema.STATISTICS AS s WHERE s.TABLE_SCHEMA = DATABASE() \
         AND s.TABLE_NAME = t.TABLE_NAME AND s.INDEX_NAME = 'PRIMARY'))",
    )
    .fetch_all(&mut root)
    .await
    .unwrap();
    assert!(without.is_empty(), "{without:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_start_at_once_all_succeed_and_share_the_tables() {
    const GATEWAYS: i64 = 5;
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directories: Vec<_> = (0..GATEWAYS).map(|_| tempdir().unwrap()).collect();
    let mut gateways = Vec::new();
    for directory in &directories {
        let gateway = Gateway::open(directory).await;
        gateway.journal.describe(pack("shared", "Garage"));
        gateway.count("shared", 0, 300).await;
        gateways.push(gateway);
    }
    let config = database.with("batch = 20");
    let sinks: Vec<_> = gateways
        .iter()
        .map(|gateway| gateway.start(&config))
        .collect();
    eventually(&mut root, "SELECT COUNT(*) FROM battery", GATEWAYS * 300).await;
    for sink in sinks {
        sink.stop().await;
    }
    for gateway in &gateways {
        assert_counted(&mut root, gateway.id(), 300).await;
    }
    eventually(
        &mut root,
        "SELECT COUNT(*) FROM gateway WHERE taken = 300",
        GATEWAYS,
    )
    .await;
    eventually(&mut root, "SELECT COUNT(*) FROM device", 1).await;
    eventually(&mut root, "SELECT COUNT(*) FROM layout", 1).await;
}

/// As on two nodes of a cluster, where a named lock keeps nobody away.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_keeps_nobody_away_does_no_harm() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directories: Vec<_> = (0..4).map(|_| tempdir().unwrap()).collect();
    let mut sinks = Vec::new();
    for directory in &directories {
        let gateway = Gateway::open(directory).await;
        gateway.count("pack", 0, 10).await;
        sinks.push((gateway.start(&database.config), gateway));
    }
    for _ in 0..10 {
        // Halfway migrations, too: whoever comes next begins at the first one.
        let _ = sqlx::raw_sql("DELETE FROM layout").execute(&mut root).await;
        for (sink, gateway) in &mut sinks {
            let again = gateway.start(&database.config);
            std::mem::replace(sink, again).kill().await;
        }
    }
    eventually(&mut root, "SELECT COUNT(*) FROM battery", 40).await;
    for (sink, gateway) in sinks {
        sink.stop().await;
        assert_counted(&mut root, gateway.id(), 10).await;
    }
}

#[tokio::test]
async fn a_newer_layout_is_left_alone() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    gateway.count("pack", 0, 3).await;
    eventually(&mut root, "SELECT taken FROM gateway", 3).await;
    sink.stop().await;
    execute(
        &mut root,
        "INSERT INTO layout VALUES (99, '9.9.9', UTC_TIMESTAMP(3))",
    )
    .await;
    let Exit::LoginNeeded(why) = gateway.run_once(&database.config).await else {
        panic!("a person is needed");
    };
    assert!(
        why.contains(
            "its tables have layout 99, and this version knows layouts up to 1: a newer \
                      version of telemetry was here; upgrade this one"
        ),
        "{why}"
    );
}

/// Whoever has made the tables may be somebody else.
#[tokio::test]
async fn writing_needs_no_right_to_make_tables() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let name = &database.name;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT COUNT(*) FROM gateway", 1).await;
    sink.stop().await;
    execute(
        &mut root,
        &format!("REVOKE ALL ON {name}.* FROM '{name}'@'%'"),
    )
    .await;
    let rights = format!("GRANT SELECT, INSERT, UPDATE ON {name}.* TO '{name}'@'%'");
    execute(&mut root, &rights).await;
    gateway.count("pack", 0, 5).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 5).await;
    sink.stop().await;
}

/// A copied or restored state directory would number its readings as others
/// were numbered before.
#[tokio::test]
async fn a_journal_that_is_behind_the_database_is_not_written() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let (directory, copy) = (tempdir().unwrap(), tempdir().unwrap());
    let gateway = Gateway::open(&directory).await;
    gateway.count("pack", 0, 10).await;
    gateway.close().await;
    let name = "telemetry.sqlite";
    std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    let gateway = Gateway::open(&directory).await;
    gateway.count("pack", 10, 50).await;
    let sink = gateway.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 50).await;

    let twin = Gateway::open(&copy).await;
    let Exit::LoginNeeded(why) = twin.run_once(&database.config).await else {
        panic!("a person is needed");
    };
    assert!(
        why.contains("up to number 50, and the journal here ends at 10"),
        "{why}"
    );

    // Once it has overtaken: nothing is overwritten, and both are told.
    twin.count("pack", 1000, 1100).await;
    let other = twin.start(&database.config);
    eventually(&mut root, "SELECT taken FROM gateway", 110).await;
    gateway.count("pack", 50, 60).await;
    let end = std::time::Instant::now() + crate::server::DEADLINE;
    loop {
        let counts = gateway.stats.counts();
        let error = counts["mariadb"]
            .last_error
            .as_ref()
            .map(|(_, text)| text.clone());
        if error.is_some_and(|text| text.contains("a copy") || text.contains("the copy")) {
            break;
        }
        assert!(std::time::Instant::now() < end, "nobody was told");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    sink.kill().await;
    other.kill().await;
    let rows = rows(&mut root, gateway.id()).await;
    assert!((0..50).all(|number| rows[number as usize] == (number + 1, number)));
}

#[tokio::test]
async fn tables_of_somebody_else_are_not_touched() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    execute(
        &mut root,
        "CREATE TABLE gateway (address TEXT); INSERT INTO gateway VALUES ('x')",
    )
    .await;
    let directory = tempdir().unwrap();
    let gateway = Gateway::open(&directory).await;
    let why = gateway.trouble(&database.config).await;
    assert!(
        why.contains("its tables are not as telemetry makes them"),
        "{why}"
    );
    assert!(why.contains("mariadb.database"), "{why}");
    let row = sqlx::query("SELECT * FROM gateway")
        .fetch_one(&mut root)
        .await
        .unwrap();
    assert_eq!((row.len(), row.get::<&str, _>(0)), (1, "x"));
}
