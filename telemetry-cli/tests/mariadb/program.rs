//! The program itself, with simulated packs.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::{TempDir, tempdir};

use crate::gateway::eventually;
use crate::server::{Database, PASSWORD};
use crate::shared;

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn telemetry(directory: &TempDir, database: &Database) -> Running {
    let config = format!(
        "[bluetooth]\nbackend = 'simulated'\n\
         [[jbd]]\nname = 'House battery'\ninterval = '1s'\nstore = 'all'\n\
         [mariadb]\n{}",
        database.config.replace(PASSWORD, "env:PASSWORD")
    );
    std::fs::write(directory.path().join("telemetry.toml"), config).unwrap();
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["run", "-c", "telemetry.toml", "--state-dir", "state"])
        .env_clear()
        .env("HOME", directory.path())
        .env("PASSWORD", PASSWORD)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stderr(log)
        .spawn();
    Running(child.unwrap())
}

/// What is stored here and what is stored there are the same, through kills.
#[tokio::test]
async fn killed_and_started_again_it_writes_every_row_once() {
    let database = shared().database().await;
    let mut root = database.inside().await;
    let directory = tempdir().unwrap();
    for kill in 1..=4 {
        let gateway = telemetry(&directory, &database);
        let sql = format!("SELECT COUNT(*) > {} FROM battery", kill * 2);
        eventually(&mut root, &sql, 1).await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..1500))).await;
        // SIGKILL: no goodbye, no flush.
        drop(gateway);
    }
    let mut gateway = telemetry(&directory, &database);
    eventually(&mut root, "SELECT COUNT(*) > 12 FROM battery", 1).await;
    let pid = gateway.0.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(gateway.0.wait().unwrap().code(), Some(0));

    let output = Command::new(env!("CARGO_BIN_EXE_telemetry"))
        .args(["export", "--format", "jsonl", "--state-dir", "state"])
        .env("PASSWORD", PASSWORD)
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let stored: Vec<(i64, f64)> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let power = row["values"]["power_w"].as_f64().unwrap();
            (row["number"].as_i64().unwrap(), power)
        })
        .collect();
    let rows: Vec<(i64, f64)> =
        sqlx::query_as("SELECT number, power_w FROM battery ORDER BY number")
            .fetch_all(&mut root)
            .await
            .unwrap();
    assert_eq!(rows, stored);
    let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(
        log.contains("connected") && !log.contains(PASSWORD),
        "{log}"
    );
    eventually(
        &mut root,
        "SELECT COUNT(*) FROM latest_battery WHERE name = 'House battery' AND age_s < 600",
        1,
    )
    .await;
}
