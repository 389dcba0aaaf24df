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
        database.checkpoint().await;
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

const READING: &str = "(gateway, number, device, measured_at, fetched_at, soc_percent)
    VALUES ('a', 1, 'jbd-a4c13830c28e', 1000, 1000, 50.0);";

fn export<const N: usize>(args: [&str; N]) -> Cli {
    Cli::new(args).file("telemetry.toml", CONFIG)
}

const TO_FILE: [&str; 3] = ["export", "--output", "rows.csv"];

#[test]
fn a_device_without_description_goes_by_its_id() {
    let cli = export(["export"]);
    history(
        &cli.path("history.sqlite"),
        &format!("INSERT INTO battery {READING}"),
    );
    let outcome = cli.run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let row = outcome.stdout.lines().nth(1).unwrap();
    let start = "1,jbd-a4c13830c28e,jbd-a4c13830c28e,1970-01-01T00:00:01";
    assert!(row.starts_with(start), "{row}");
}

/// Fails, and leaves the file alone.
fn keeps(cli: Cli, expected: &Outcome) {
    let cli = cli.file("rows.csv", "of last year");
    let path = cli.path("rows.csv");
    // The directory is gone after the run, the open file is not.
    let file = File::open(&path).unwrap();
    let outcome = cli.run();
    assert_eq!(&outcome, expected);
    let text = std::io::read_to_string(file).unwrap();
    assert_eq!(text, "of last year");
}

#[test]
fn an_export_of_nothing_leaves_the_output_alone() {
    keeps(
        export(TO_FILE),
        &Outcome::failure(
            6,
            "error: there is no history at history.sqlite\n\
             help: name the gateway's state directory with `--state-dir DIR`\n",
        ),
    );
    let two_kinds = export(TO_FILE);
    history(
        &two_kinds.path("history.sqlite"),
        &format!("INSERT INTO battery {READING} INSERT INTO vehicle {READING}"),
    );
    keeps(
        two_kinds,
        &Outcome::failure(
            2,
            "error: the history holds more than one kind of device, with columns of their own\n\
             help: choose one with `--kind`, or `--format jsonl`\n",
        ),
    );
}

#[test]
fn an_output_that_cannot_be_written_is_a_usage_error() {
    for (output, error) in [
        (
            "no/rows.csv",
            "cannot create no/rows.csv: No such file or directory",
        ),
        ("history.sqlite", "history.sqlite is the history itself"),
    ] {
        let cli = export(["export", "--output", output]);
        history(
            &cli.path("history.sqlite"),
            &format!("INSERT INTO battery {READING}"),
        );
        let help =
            "name a file that can be written with `--output FILE`, or leave it out for stdout";
        assert_eq!(
            cli.run(),
            Outcome::failure(2, &format!("error: {error}\nhelp: {help}\n"))
        );
    }
}

/// The table is for people, who have a clock on the wall.
#[test]
fn the_demo_shows_local_time() {
    let demo = |zone: &str| {
        let outcome = Cli::new(["demo", "--for", "2s", "--mqtt-listen", "127.0.0.1:0"])
            .env("TZ", zone)
            .run();
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let line = outcome.stdout.lines().find(|line| line.contains("0 %"));
        let time = line.unwrap().split(' ').next().unwrap();
        chrono::NaiveTime::parse_from_str(time, "%H:%M:%S").unwrap()
    };
    // What is shown has no fractions of a second.
    let utc = (chrono::Utc::now() - chrono::TimeDelta::seconds(1)).time();
    let apart = demo("EAST-5").signed_duration_since(utc).num_minutes();
    assert_eq!(apart.rem_euclid(24 * 60) / 10, 30, "{apart}");
}
