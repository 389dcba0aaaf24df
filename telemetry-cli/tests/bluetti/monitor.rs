//! `bluetti-monitor` against a real MariaDB, as a new user runs it and as one who
//! had the original.

use std::process::{Command, Stdio};

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Row as _};

use crate::mariadb::{Database, MariaDb, PASSWORD, execute};
use crate::running::Running;
use crate::scene::{AC200M_ADDRESS, AC300_ADDRESS, DEADLINE, Scene};

const TABLES: [&str; 4] = [
    "general_data",
    "internal_data",
    "settings_data",
    "battery_pack_data",
];

const STATIONS: [&str; 2] = ["AC300-2236000123456", "AC200M-2105000654321"];

fn monitor(scene: &Scene, server: &MariaDb, database: &Database) -> Command {
    let port = server.address().port().to_string();
    let name = database.name.as_str();
    let mut command = scene.tool(
        "bluetti-monitor",
        &[
            "--dbhost",
            "127.0.0.1",
            "--dbport",
            &port,
            "--dbuser",
            name,
            "--dbname",
            name,
            "--interval",
            "1",
            AC300_ADDRESS,
            AC200M_ADDRESS,
            AC300_ADDRESS,
        ],
    );
    command.env("DBPASS", PASSWORD).stderr(Stdio::null());
    command
}

async fn number(connection: &mut MySqlConnection, sql: &str) -> i64 {
    let number = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection);
    // A table may not be there yet.
    number.await.unwrap_or(-1)
}

async fn eventually(connection: &mut MySqlConnection, sql: &str, least: i64) {
    let reached = async {
        while number(connection, sql).await < least {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let reached = tokio::time::timeout(DEADLINE, reached).await;
    reached.unwrap_or_else(|_| panic!("never {least}: {sql}"));
}

/// Every entry made one row of the first table, and none two.
async fn assert_exactly_once(connection: &mut MySqlConnection) {
    let rows = number(connection, "SELECT COUNT(*) FROM general_data").await;
    let taken = number(connection, "SELECT number FROM telemetry_taken").await;
    let moments = "SELECT COUNT(DISTINCT device, ts) FROM general_data";
    assert_eq!(rows, taken);
    assert_eq!(rows, number(connection, moments).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_gets_four_tables_and_every_row_once() {
    let mut server = MariaDb::start();
    let database = server.database().await;
    let scene = Scene::new();
    let mut running = Running::start(&mut monitor(&scene, &server, &database));
    let mut inside = database.inside().await;
    for table in TABLES {
        for device in STATIONS {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE device = '{device}'");
            eventually(&mut inside, &sql, 1).await;
        }
    }
    // Two packs each.
    let packs = "SELECT COUNT(DISTINCT device, pack_num) FROM battery_pack_data";
    eventually(&mut inside, packs, 4).await;
    let row = sqlx::query(
        "SELECT device_type, serial_number, CAST(arm_version AS CHAR), ac_output_on FROM \
         general_data WHERE device LIKE 'AC300%' ORDER BY id LIMIT 1",
    );
    let row = row.fetch_one(&mut inside).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "AC300");
    assert_eq!(row.get::<String, _>(1), "2236000123456");
    assert!(row.get::<String, _>(2).contains('.'));
    assert!(row.get::<bool, _>(3));
    let mode = "SELECT COUNT(*) FROM settings_data WHERE ups_mode = 'STANDARD'";
    assert!(number(&mut inside, mode).await > 0);
    // What the original lost: fields that no table has a column for.
    let extra = "SELECT COUNT(*) FROM battery_pack_data WHERE device LIKE 'AC300%' AND \
                 JSON_VALUE(extra, '$.pack_status') IS NOT NULL AND JSON_LENGTH(cell_voltages) = 16";
    assert!(number(&mut inside, extra).await > 0);

    // The server goes away, and then we do, in the middle of it.
    drop(inside);
    tokio::task::block_in_place(|| server.kill());
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    running.kill();
    let running = Running::start(&mut monitor(&scene, &server, &database));
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    tokio::task::block_in_place(|| server.restart());
    let mut inside = database.inside().await;
    let before = number(&mut inside, "SELECT COUNT(*) FROM general_data").await;
    eventually(
        &mut inside,
        "SELECT COUNT(*) FROM general_data",
        before + 12,
    )
    .await;
    assert_eq!(running.stop().code(), Some(0));
    assert_exactly_once(&mut inside).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_original_get_what_they_have_columns_for() {
    let server = MariaDb::start();
    let database = server.database().await;
    let mut inside = database.inside().await;
    for (table, columns) in [
        (
            "general_data",
            "device_type VARCHAR(20), ac_output_on BOOLEAN, power_generation VARCHAR(20)",
        ),
        (
            "internal_data",
            "ac_output_mode VARCHAR(40), internal_ac_voltage FLOAT",
        ),
        (
            "settings_data",
            "ups_mode VARCHAR(40), auto_sleep_mode VARCHAR(40), pack_num INT",
        ),
        (
            "battery_pack_data",
            "pack_num INT, pack_voltage VARCHAR(10), cell_voltages TEXT",
        ),
    ] {
        let sql = format!(
            "CREATE TABLE {table} (id INT AUTO_INCREMENT PRIMARY KEY, \
             time DATETIME DEFAULT CURRENT_TIMESTAMP, device VARCHAR(40), {columns})"
        );
        execute(&mut inside, &sql).await;
    }
    let scene = Scene::new();
    let running = Running::start(&mut monitor(&scene, &server, &database));
    for table in TABLES {
        for device in STATIONS {
            // This model has no mode that the original knew of.
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE device = '{device}'");
            eventually(&mut inside, &sql, 1).await;
        }
    }
    assert_eq!(running.stop().code(), Some(0));
    let texts = "SELECT COUNT(*) FROM settings_data WHERE ups_mode = 'UpsMode.STANDARD' AND \
                 auto_sleep_mode LIKE 'AutoSleepMode.%'";
    assert!(number(&mut inside, texts).await > 0);
    let mode = "SELECT COUNT(*) FROM internal_data WHERE ac_output_mode = \
                'OutputMode.INVERTER_OUTPUT' AND internal_ac_voltage > 200";
    assert!(number(&mut inside, mode).await > 0);
    let cells =
        "SELECT COUNT(*) FROM battery_pack_data WHERE cell_voltages LIKE '[\\'3.%\\', \\'3.%'";
    assert!(number(&mut inside, cells).await > 0);
    // By the server's clock, as in rows of the original.
    let now =
        "SELECT COUNT(*) FROM general_data WHERE ABS(TIMESTAMPDIFF(SECOND, time, NOW())) < 600";
    let all = "SELECT COUNT(*) FROM general_data";
    assert_eq!(
        number(&mut inside, now).await,
        number(&mut inside, all).await
    );
}

/// Somebody tidies up, or grants us only now what the counting takes.
#[tokio::test(flavor = "multi_thread")]
async fn counting_begins_where_the_journal_is() {
    let server = MariaDb::start();
    let database = server.database().await;
    let scene = Scene::new();
    let mut inside = database.inside().await;
    let rows = "SELECT COUNT(*) FROM general_data";
    let running = Running::start(&mut monitor(&scene, &server, &database));
    eventually(&mut inside, rows, 6).await;
    assert_eq!(running.stop().code(), Some(0));
    let before = number(&mut inside, rows).await;
    execute(&mut inside, "DROP TABLE telemetry_taken").await;
    let running = Running::start(&mut monitor(&scene, &server, &database));
    eventually(&mut inside, rows, before + 2).await;
    assert_eq!(running.stop().code(), Some(0));
    assert_exactly_once(&mut inside).await;
}

/// A table whose columns must not be empty, and a station that lacks one of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_holds_up_no_other() {
    let server = MariaDb::start();
    let database = server.database().await;
    let mut inside = database.inside().await;
    let table = "CREATE TABLE settings_data (id INT AUTO_INCREMENT PRIMARY KEY, \
                 time DATETIME DEFAULT CURRENT_TIMESTAMP, device VARCHAR(40) NOT NULL, \
                 ups_mode VARCHAR(40) NOT NULL, auto_sleep_mode VARCHAR(40) NOT NULL)";
    execute(&mut inside, table).await;
    let scene = Scene::new();
    let running = Running::start(&mut monitor(&scene, &server, &database));
    for (table, device) in [
        ("general_data", STATIONS[0]),
        ("general_data", STATIONS[1]),
        ("settings_data", STATIONS[0]),
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE device = '{device}'");
        eventually(&mut inside, &sql, 3).await;
    }
    assert_eq!(running.stop().code(), Some(0));
    let lacking = format!(
        "SELECT COUNT(*) FROM settings_data WHERE device = '{}'",
        STATIONS[1]
    );
    assert_eq!(number(&mut inside, &lacking).await, 0);
}
