//! A private D-Bus daemon.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Who may talk to the Bluetooth service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everybody.
    Open,
    /// Nobody, as on systems that want membership in a group.
    Closed,
    /// Everybody, with this many match rules at most.
    Scarce(u32),
}

/// The daemon, at the same address from start to start; killed when dropped.
#[derive(Debug)]
pub struct Bus {
    _directory: TempDir,
    config: PathBuf,
    address: String,
    daemon: Option<Child>,
}

impl Bus {
    /// Starts it at `address`.
    pub fn start(address: &str, policy: Policy) -> Self {
        let directory = tempfile::tempdir().expect("temporary directory");
        let config = directory.path().join("bus.conf");
        let denied = match policy {
            Policy::Closed => r#"<deny send_destination="org.bluez" send_type="method_call"/>"#,
            Policy::Open | Policy::Scarce(_) => "",
        };
        let rules = match policy {
            Policy::Scarce(rules) => rules,
            Policy::Open | Policy::Closed => 512,
        };
        let text = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow user="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    {denied}
  </policy>
  <limit name="max_match_rules_per_connection">{rules}</limit>
</busconfig>
"#
        );
        std::fs::write(&config, text).expect("the temporary directory takes files");
        let mut bus = Self {
            _directory: directory,
            config,
            address: address.to_owned(),
            daemon: None,
        };
        bus.revive();
        bus
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            // It may have ended by itself.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }

    /// Starts it again after [`kill`](Self::kill).
    pub fn revive(&mut self) {
        if let Some(path) = self.address.strip_prefix("unix:path=") {
            // A killed daemon leaves its socket behind.
            let _ = std::fs::remove_file(path);
        }
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", self.config.display()))
            .args(["--nofork", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("dbus-daemon does not start ({error}): sudo apt-get install dbus")
            });
        let mut line = String::new();
        let stdout = daemon.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("dbus-daemon prints its address");
        assert!(!line.is_empty(), "dbus-daemon ended at once");
        self.daemon = Some(daemon);
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill();
    }
}
