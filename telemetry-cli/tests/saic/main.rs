//! iSMART accounts: the program against the simulated cloud over HTTP.

mod cloud;
mod config;
mod once;
#[path = "../support/running.rs"]
pub mod running;

mod program;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use cloud::TestCloud;

/// A directory with a configuration for `cloud` in it.
fn home(cloud: &TestCloud) -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let config = format!(
        "[gateway]\nstate_dir = \"{}\"\n[[saic]]\nuser = \"demo@example.com\"\n\
         password = \"demo-password\"\nbase_url = \"{}\"\n",
        home.path().join("state").display(),
        cloud.base_url,
    );
    fs::write(home.path().join("telemetry.toml"), config).expect("a file");
    home
}

/// `telemetry ARGS`, without the environment of whoever runs the tests.
fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("TELEMETRY_LOG", "error")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// Its exit code, stdout as JSON, and stderr.
fn json(home: &Path, args: &[&str]) -> (Option<i32>, Value, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(home, args).output().expect("the program starts");
    let stderr = String::from_utf8(stderr).expect("text");
    let json = serde_json::from_slice(&stdout);
    (
        status.code(),
        json.unwrap_or_else(|error| panic!("{error}: {stderr}")),
        stderr,
    )
}
