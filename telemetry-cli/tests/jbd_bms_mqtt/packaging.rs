//! The samples for cron and systemd do what they say: each command line is one
//! that the program takes.

use std::process::Command;

use telemetry_cli::cli::{Cli, Command as Subcommand, JbdBmsMqttArgs};
use telemetry_cli::compat::jbd_bms_mqtt::config;
use telemetry_cli::config::Environment;

const CRONTAB: &str = include_str!("../../packaging/jbd-bms-mqtt.cron");
const SERVICE: &str = include_str!("../../packaging/jbd-bms-mqtt.service");
const TIMER: &str = include_str!("../../packaging/jbd-bms-mqtt.timer");

/// The program with the arguments that a shell makes of `line`.
fn args(line: &str) -> JbdBmsMqttArgs {
    let script = format!("set -- {line}\nprintf '%s\\n' \"$@\"");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = words.lines().map(Into::into).collect();
    assert_eq!(words[0], "/usr/local/bin/telemetry");
    match Cli::of(words).unwrap().command {
        Subcommand::JbdBmsMqtt(args) => args,
        other => panic!("{other:?}"),
    }
}

/// The values of `key`, those that are switched off included.
fn values<'t>(unit: &'t str, key: &str) -> Vec<&'t str> {
    let lines = unit.lines().map(|line| line.trim_start_matches('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

#[test]
fn the_crontab_reads_once_by_name_and_by_address() {
    let commands: Vec<_> = CRONTAB
        .lines()
        .filter_map(|line| Some(line.split_once(" * * * * ")?.1))
        .map(args)
        .collect();
    assert_eq!(commands.len(), 2);
    assert_eq!(commands[0].name.as_deref(), Some("Cabin 580ah"));
    assert_eq!(commands[1].address.as_deref(), Some("A4:C1:38:30:C2:8E"));
    let variables = CRONTAB.lines().filter_map(|line| {
        let (name, value) = line.trim_start_matches('#').split_once('=')?;
        name.starts_with("MQTT_")
            .then(|| (name.to_owned(), value.to_owned()))
    });
    let environment: Environment = variables.collect();
    for command in commands {
        assert_eq!(command.interval, 0);
        let mqtt = config(&command, &environment).unwrap().mqtt.unwrap();
        assert_eq!(mqtt.url, "tcp://localhost:1883");
        assert_eq!(mqtt.user.as_deref(), Some("solar"));
        assert!(mqtt.password.is_some());
    }
}

#[test]
fn the_units_read_once_without_root() {
    let lines = values(SERVICE, "ExecStart");
    assert_eq!(lines.len(), 2);
    for line in lines {
        let args = args(line);
        assert_eq!(args.interval, 0);
        assert_eq!(args.name.as_deref(), Some("Cabin 580ah"));
        let login = args.broker.mqtt_user.is_some();
        assert_eq!(args.broker.mqtt_password.is_some(), login);
    }
    assert_eq!(values(SERVICE, "Type"), ["oneshot"]);
    assert_eq!(values(SERVICE, "DynamicUser"), ["yes"]);
    assert_eq!(values(SERVICE, "SupplementaryGroups"), ["bluetooth"]);
    assert_eq!(values(SERVICE, "StateDirectory"), ["telemetry"]);
    assert_eq!(values(TIMER, "OnCalendar"), ["*:0/5"]);
    assert_eq!(values(TIMER, "WantedBy"), ["timers.target"]);
}
