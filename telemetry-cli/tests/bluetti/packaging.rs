//! The samples for systemd do what they say: each command line is one that the
//! program takes.

use std::process::Command;

use telemetry_cli::cli::{Cli, Command as Subcommand};
use telemetry_cli::compat::bluetti::{monitor, mqtt};
use telemetry_cli::config::Environment;

const MONITOR: &str = include_str!("../../packaging/bluetti-monitor.service");
const MQTT: &str = include_str!("../../packaging/bluetti-mqtt.service");

/// The program with the arguments that a shell makes of `line`.
fn subcommand(line: &str) -> Subcommand {
    let script = format!("set -- {line}\nprintf '%s\\n' \"$@\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = words.lines().map(Into::into).collect();
    assert_eq!(words[0], "/usr/local/bin/telemetry");
    Cli::of(words).unwrap().command
}

/// The values of `key`.
fn values<'t>(unit: &'t str, key: &str) -> Vec<&'t str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn the_units_run_without_root_and_start_again() {
    for unit in [MONITOR, MQTT] {
        assert_eq!(values(unit, "Type"), ["exec"]);
        assert_eq!(values(unit, "Restart"), ["always"]);
        assert_eq!(values(unit, "DynamicUser"), ["yes"]);
        assert_eq!(values(unit, "SupplementaryGroups"), ["bluetooth"]);
        assert_eq!(values(unit, "StateDirectory"), ["telemetry"]);
        assert_eq!(values(unit, "WantedBy"), ["multi-user.target"]);
        assert_eq!(values(unit, "LoadCredential").len(), 1);
        assert_eq!(values(unit, "ExecStart").len(), 1);
        for hardened in ["NoNewPrivileges", "PrivateDevices", "ProtectHome"] {
            assert_eq!(values(unit, hardened), ["yes"]);
        }
    }
}

#[test]
fn the_monitors_password_is_a_credential() {
    let Subcommand::BluettiMonitor(args) = subcommand(values(MONITOR, "ExecStart")[0]) else {
        panic!("another command");
    };
    let config = monitor::config(&args, &Environment::default());
    let mariadb = config.mariadb.unwrap();
    assert_eq!(mariadb.database, "bluetti_db");
    let password = format!("{:?}", mariadb.password);
    assert!(password.contains("file:bluetti-dbpass"), "{password}");
    let credential = values(MONITOR, "LoadCredential")[0];
    assert!(credential.starts_with("bluetti-dbpass:"));
    assert_eq!(config.bluetti.len(), 1);
    assert_eq!(config.bluetti[0].interval.as_secs(), 20);
}

#[test]
fn the_brokers_password_is_a_credential() {
    let Subcommand::BluettiMqtt(args) = subcommand(values(MQTT, "ExecStart")[0]) else {
        panic!("another command");
    };
    let config = mqtt::config(&args, &Environment::default()).unwrap();
    let broker = config.mqtt.unwrap();
    assert_eq!(broker.url, "tcp://localhost:1883");
    let password = format!("{:?}", broker.password);
    assert!(password.contains("file:mqtt-password"), "{password}");
    assert!(values(MQTT, "LoadCredential")[0].starts_with("mqtt-password:"));
    assert_eq!(config.bluetti.len(), 1);
}
