//! A computer for the program: a home directory, and the address of a system
//! bus that may or may not have come up.

use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Everything that the program sees of its computer.
#[derive(Debug)]
pub struct Computer {
    /// The home and working directory.
    pub directory: TempDir,
    /// Where the system bus is looked for.
    pub bus: String,
}

impl Computer {
    /// Without a bus, for now.
    pub fn blank() -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let bus = format!("unix:path={}", directory.path().join("bus").display());
        Self { directory, bus }
    }

    /// Writes the configuration.
    pub fn configure(&self, config: &str) {
        let path = self.directory.path().join("telemetry.toml");
        std::fs::write(path, config).expect("file");
    }

    /// `telemetry ARGS`
    pub fn telemetry(&self, args: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_telemetry").as_ref(), args)
    }

    /// `PROGRAM ARGS`
    pub fn program(&self, program: &std::path::Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.bus)
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }
}
