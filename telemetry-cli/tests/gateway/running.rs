//! `telemetry run` as a user starts it.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus};

use crate::computer::Computer;

/// Ends with the test, however that ends.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    /// Starts it; what it says is added to the file `log`.
    pub(crate) fn start(computer: &Computer) -> Self {
        let log = File::options()
            .append(true)
            .create(true)
            .open(computer.directory.path().join("log"))
            .expect("the directory takes files");
        let args = ["run", "-c", "telemetry.toml", "--state-dir", "state"];
        let mut run = computer.telemetry(&args);
        Self(run.stderr(log).spawn().expect("it was built"))
    }

    /// Kills it as a power failure would.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("a child of ours");
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").arg(pid).status().expect("a tool");
        assert!(asked.success(), "it had ended before");
        self.0.wait().expect("a child of ours")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What it said on this computer.
pub(crate) fn log(computer: &Computer) -> String {
    fs::read_to_string(computer.directory.path().join("log")).unwrap_or_default()
}
