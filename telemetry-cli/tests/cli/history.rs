//! The history: who may use it, what is wrong with it, and its export.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use sqlx::AssertSqlSafe;
use telemetry_cli::database::Database;

use crate::call::{Cli, Outcome};

const CONFIG: &str = "
bluetooth.backend = \"simulated\"
store.path = \"history.sqlite\"
[[jbd]]
name = \"House battery\"
";

/// Makes a history in which `sql` was executed.
fn history(path: &Path, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = Database::open(Some(path)).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *database.lock().await)
            .await
            .unwrap();
        database.close().await;
    });
}

fn run(config: &str) -> Cli {
    Cli::new(["run", "--log", "error", "--state-dir", "state"]).file("telemetry.toml", config)
}

#[test]
fn two_gateways_do_not_share_a_history() {
    let cli = run(CONFIG);
    let mut holder = File::create(cli.path("history.sqlite.lock")).unwrap();
    holder.try_lock().unwrap();
    writeln!(holder, "process 7 (telemetry run)").unwrap();
    assert_eq!(
        cli.run(),
        Outcome::failure(
            3,
            "error: the history history.sqlite is held by process 7 (telemetry run)\n\
             help: stop that process, or give this gateway another `path` in `[store]`\n"
        )
    );
}

#[test]
fn nor_by_another_name() {
    let cli = run(&CONFIG.replace("history.sqlite", "link.sqlite")).file("history.sqlite", "");
    std::os::unix::fs::symlink("history.sqlite", cli.path("link.sqlite")).unwrap();
    let holder = File::create(cli.path("history.sqlite.lock")).unwrap();
    holder.try_lock().unwrap();
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome
            .stderr
            .starts_with("error: the history link.sqlite is held by another process\n"),
        "{}",
        outcome.stderr
    );
}

/// Runs on this history and gives the hint.
fn hint(cli: Cli) -> String {
    let outcome = cli.run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    let hint = outcome.stderr.lines().last().unwrap();
    hint.strip_prefix("help: ").unwrap().to_owned()
}

#[test]
fn a_history_of_a_newer_version_asks_for_an_upgrade() {
    let cli = run(CONFIG);
    history(
        &cli.path("history.sqlite"),
        "INSERT INTO _sqlx_migrations
             (version, description, installed_on, success, checksum, execution_time)
         VALUES (99990101000000, 'later', '2099-01-01', 1, x'00', 0)",
    );
    assert_eq!(
        hint(cli),
        "a newer version of telemetry wrote it: upgrade this one, or move the file away to begin \
         anew"
    );
}

#[test]
fn what_is_no_database_is_called_so() {
    let cli = run(CONFIG).file("history.sqlite", "of no use ".repeat(1000));
    assert_eq!(
        hint(cli),
        "it is damaged, or no database at all: move the file away to begin anew"
    );
}

#[test]
fn a_missing_directory_is_named() {
    let cli = run(&CONFIG.replace("history.sqlite", "no/where/history.sqlite"));
    assert_eq!(hint(cli), "create the directory no/where");
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_cannot_be_written_is_named() {
    // Not even by root.
    let cli = run(&CONFIG.replace("history.sqlite", "/sys/history.sqlite"));
    assert_eq!(
        hint(cli),
        "let this user write to the file and to its directory /sys, or name another file with \
         `path` in `[store]`"
    );
}
