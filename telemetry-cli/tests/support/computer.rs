//! A computer of its own: a home directory and a system bus, and the program
//! `telemetry` as a user starts it there.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A home directory, and where the system bus is if there is one.
#[derive(Debug)]
pub struct Computer {
    directory: TempDir,
    bus: String,
}

impl Computer {
    /// With this `telemetry.toml`.
    pub fn new(config: &str) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let bus = format!("unix:path={}", directory.path().join("bus").display());
        let computer = Self { directory, bus };
        computer.configure(config);
        computer
    }

    /// Another `telemetry.toml`.
    pub fn configure(&self, config: &str) {
        fs::write(self.home().join("telemetry.toml"), config).expect("written");
    }

    /// Address of the system bus.
    pub fn bus(&self) -> &str {
        &self.bus
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    /// `telemetry NAME -c telemetry.toml`
    pub fn telemetry(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry"));
        command
            .args([name, "-c", "telemetry.toml"])
            .env_clear()
            .env("HOME", self.home())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .current_dir(self.home())
            .stdin(Stdio::null());
        command
    }

    /// `telemetry run`; what it says is added to the file `log`.
    pub fn run(&self) -> Running {
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.home().join("log"))
            .expect("the directory takes files");
        let mut run = self.telemetry("run");
        run.args(["--state-dir", "state"]).stderr(log);
        Running(run.spawn().expect("it was built"))
    }

    /// What `telemetry run` said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home().join("log")).unwrap_or_default()
    }

    /// Waits until `telemetry run` said `text` so many times.
    pub fn wait_for_log(&self, text: &str, times: usize) {
        let end = Instant::now() + Duration::from_secs(120);
        while self.log().matches(text).count() < times {
            assert!(Instant::now() < end, "never: {text}; said: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ends with the test, however that ends.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Kills it as a power failure would.
    pub fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("a child of ours");
    }

    /// Asks it to end, and waits for that.
    pub fn stop(mut self) -> ExitStatus {
        let pid = self.0.id().to_string();
        let asked = Command::new("kill").arg(pid).status().expect("a tool");
        assert!(asked.success(), "it had ended before");
        self.0.wait().expect("a child of ours")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended by itself if all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
