//! `check`: each part that works, and each that does not.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use telemetry_cli::database::Database;

use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::outcome;
use crate::running::Running;
use crate::watcher::Watcher;

/// Two packs, and a broker that wants to know who comes.
fn configure(computer: &Computer, broker: &Mosquitto, password: &str) {
    computer.configure(&format!(
        "[gateway]\nstate_dir = 'state'\n\
         [mqtt]\nurl = 'tcp://{}'\nuser = 'me'\npassword = '{password}'\n\
         [[jbd]]\nname = 'House battery'\ninterval = '1s'\n\
         [[jbd]]\naddress = 'A4:C1:38:00:00:02'\nlabel = 'Shed'\n",
        broker.address()
    ));
    let path = computer.directory.path().join("telemetry.toml");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, private).unwrap();
}

/// Exit code and checks of `telemetry check --json`.
fn check(computer: &Computer) -> (Option<i32>, Vec<Value>) {
    let output = computer.telemetry(&["check", "--json"]).output();
    let (code, stdout, stderr) = outcome(output.unwrap());
    assert_eq!(stderr, "");
    let mut document: Value = serde_json::from_str(&stdout).unwrap();
    let checks = document["checks"].take();
    (code, checks.as_array().unwrap().clone())
}

/// The one about `component`.
fn about<'c>(checks: &'c [Value], component: &str) -> &'c Value {
    let found = checks.iter().find(|check| check["component"] == component);
    found.unwrap_or_else(|| panic!("{component}: {checks:?}"))
}

fn message(check: &Value) -> &str {
    check["message"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_and_nothing_is_changed() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    bluez.add(Config::pack("Second", 2));
    let broker = Mosquitto::with_login("me", "secret");
    configure(&computer, &broker, "secret");
    let mut watcher = Watcher::login(broker.address(), "me", "secret").await;

    let (code, checks) = check(&computer);
    assert_eq!(code, Some(0), "{checks:#?}");
    let components: Vec<_> = checks.iter().map(|check| &check["component"]).collect();
    let expected = [
        "configuration",
        "state_dir",
        "store",
        "mqtt",
        "bluetooth",
        "jbd House battery",
        "jbd Shed",
    ];
    assert_eq!(components, expected);
    for check in &checks {
        assert_eq!((&check["ok"], &check["hint"]), (&json!(true), &Value::Null));
    }
    assert_eq!(message(&checks[0]), "telemetry.toml names 2 devices");
    assert_eq!(message(&checks[1]), "state is made at the first start");
    assert!(message(&checks[5]).starts_with("answers: 70 %, 13."));
    assert!(message(&checks[5]).ends_with(" V, 4 cells, 2 probes"));

    let text = computer.telemetry(&["check"]).output().unwrap();
    let (code, stdout, _) = outcome(text);
    assert_eq!(code, Some(0));
    assert!(stdout.ends_with("\nEverything works: `telemetry run` can start.\n"));

    // Two visits to the broker, of which nothing stays.
    watcher.publish("mark", "", false).await;
    let log = &watcher.log;
    assert_eq!(log.iter().filter(|(topic, ..)| topic != "mark").count(), 2);
    assert!(log[0].0.starts_with("telemetry/check/"));
    let mut later = Watcher::login(broker.address(), "me", "secret").await;
    later.publish("mark", "", false).await;
    assert!(later.log.iter().all(|(_, _, retained)| !retained));
    let files = std::fs::read_dir(computer.directory.path()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["bus", "telemetry.toml"]);
    for number in 1..=2 {
        assert!(!bluez.with(move |air| air.is_connected(number)));
    }
}

/// A gateway with another state directory, as under systemd.
#[test]
fn the_link_of_a_gateway_elsewhere_is_left_alone() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    computer.configure("[[jbd]]\nname = 'House battery'\ninterval = '1s'\n");
    let args = ["run", "--state-dir", "elsewhere"];
    let _gateway = Running::start(computer.telemetry(&args).stderr(Stdio::null()));
    let end = Instant::now() + Duration::from_secs(60);
    while bluez.with(|service| service.peripheral(1).writes.len()) < 6 {
        assert!(Instant::now() < end, "it is not read");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (connects, disconnects) = (bluez.calls("Connect"), bluez.calls("Disconnect"));
    for command in [&["once"][..], &["status", "jbd"], &["check"]] {
        let (code, stdout, stderr) = outcome(computer.telemetry(command).output().unwrap());
        assert_eq!(code, Some(3), "{command:?}");
        let told = format!("{stdout}{stderr}");
        assert!(told.contains("already in use on this computer"), "{told}");
    }
    assert!(bluez.with(|service| service.is_connected(1)));
    assert_eq!(bluez.calls("Connect"), connects);
    assert_eq!(bluez.calls("Disconnect"), disconnects);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_that_fails_says_what_to_do() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    let broker = Mosquitto::with_login("me", "secret");
    configure(&computer, &broker, "secret");

    // One of two packs: the exit code is about it, the rest works.
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(3));
    assert_eq!(about(&checks, "jbd House battery")["ok"], true);
    let missing = about(&checks, "jbd Shed");
    assert_eq!(missing["ok"], false);
    assert!(message(missing).starts_with("A4:C1:38:00:00:02 was not found"));
    assert!(
        missing["hint"]
            .as_str()
            .unwrap()
            .contains("close its phone app")
    );

    bluez.with(|air| air.power(false));
    configure(&computer, &broker, "wrong");
    let file = computer.directory.path().join("telemetry.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let server = "[mariadb]\nhost = '127.0.0.1'\nport = 1\n";
    std::fs::write(&file, format!("{server}{config}")).unwrap();
    let state = computer.directory.path().join("state");
    std::fs::write(&state, "in the way").unwrap();
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(6), "the worst of all");
    let failed = |component: &str| {
        let check = about(&checks, component);
        assert_eq!(check["ok"], false, "{component}");
        (
            message(check).to_owned(),
            check["hint"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let (message, hint) = failed("bluetooth");
    assert_eq!(message, "Bluetooth is switched off");
    assert!(hint.contains("bluetoothctl power on"));
    assert_eq!(failed("jbd Shed").0, "not tried: there is no Bluetooth");
    let (message, hint) = failed("mqtt");
    assert!(message.contains("it refuses this user"), "{message}");
    assert!(hint.contains("[mqtt]"), "{hint}");
    assert!(
        !checks
            .iter()
            .any(|check| check.to_string().contains("wrong"))
    );
    let (message, _) = failed("mariadb");
    assert!(
        message.starts_with("MariaDB 127.0.0.1:1: nothing listens there"),
        "{message}"
    );
    let (message, hint) = failed("state_dir");
    assert!(
        message.starts_with("cannot write to state: Not a directory"),
        "{message}"
    );
    assert!(hint.contains("`state_dir` in [gateway]"), "{hint}");
}

#[tokio::test]
async fn a_history_of_a_newer_version_is_not_ours() {
    let computer = Computer::blank();
    computer.configure("[gateway]\nstate_dir = 'state'\n");
    let state = computer.directory.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let file = state.join("telemetry.sqlite");
    let database = Database::open(Some(&file)).await.unwrap();
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(0), "{checks:#?}");
    let store = about(&checks, "store");
    assert_eq!(
        message(store),
        "state/telemetry.sqlite opens, and its layout is current"
    );

    let sql = "INSERT INTO _sqlx_migrations VALUES (99, 'later', 0, TRUE, x'00', 0)";
    let mut connection = database.lock().await;
    sqlx::query(sql).execute(&mut *connection).await.unwrap();
    drop(connection);
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(6));
    let store = about(&checks, "store");
    let hint = store["hint"].as_str().unwrap();
    assert!(
        hint.starts_with("a newer version of telemetry wrote it"),
        "{hint}"
    );
}

#[test]
fn a_broker_that_forbids_our_topics_is_found_out() {
    let computer = Computer::blank();
    // Started by root, it would read the list as another user, who may not.
    let lines = "user root\nallow_anonymous true\nacl_file acl";
    let broker = Mosquitto::start(lines, |directory| {
        std::fs::write(directory.join("acl"), "topic readwrite other/#\n").unwrap();
    });
    computer.configure(&format!("[mqtt]\nurl = 'tcp://{}'\n", broker.address()));
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(6));
    let mqtt = about(&checks, "mqtt");
    let said = message(mqtt);
    assert!(said.contains("it forbids publishing?"), "{said}");
    let hint = mqtt["hint"].as_str().unwrap();
    assert!(hint.contains("read and write telemetry/#"), "{hint}");

    computer.configure(&format!(
        "[mqtt]\nurl = 'tcp://{}'\ntopic_prefix = 'other/house'\n",
        broker.address()
    ));
    let (code, checks) = check(&computer);
    assert_eq!(code, Some(0), "{checks:#?}");
}

#[test]
fn a_wrong_or_missing_configuration_is_the_first_thing_to_mend() {
    let computer = Computer::blank();
    let (code, checks) = check(&computer);
    assert_eq!((code, checks.len()), (Some(78), 1));
    assert!(message(&checks[0]).starts_with("there is no configuration"));
    computer.configure("[[jbd]]\nnam = 'a'\n");
    let (code, checks) = check(&computer);
    assert_eq!((code, checks.len()), (Some(78), 1));
    assert!(message(&checks[0]).contains("unknown key `nam`"));
    assert_eq!(
        checks[0]["hint"],
        "`telemetry config check` shows the places"
    );
}

/// What the gateway holds stays in its hands.
#[test]
fn a_running_gateway_is_left_alone() {
    let computer = Computer::blank();
    let bus = Bus::start(&computer.bus, Policy::Open);
    let bluez = Bluez::start(&bus);
    bluez.add(Config::pack("House battery", 1));
    computer.configure("[[jbd]]\nname = 'House battery'\ninterval = '1s'\n");
    let mut run = computer.telemetry(&["run", "--state-dir", "state"]);
    let gateway = Running::start(run.stderr(Stdio::null()));
    let holder = format!("process {} (telemetry run)", gateway.id());
    let end = Instant::now() + Duration::from_secs(60);
    while bluez.with(|air| air.peripheral(1).said.is_empty()) {
        assert!(Instant::now() < end, "the pack is not read");
        std::thread::sleep(Duration::from_millis(20));
    }

    let connections = bluez.calls("Connect");
    let command = |args: &[&str]| {
        let args = [args, &["--state-dir", "state", "--json"]].concat();
        outcome(computer.telemetry(&args).output().unwrap())
    };
    let (code, stdout, _) = command(&["check"]);
    assert_eq!(code, Some(0), "{stdout}");
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let held = format!("held by the running gateway, {holder}");
    assert_eq!(message(about(checks, "jbd House battery")), held);
    assert_eq!(
        message(about(checks, "state_dir")),
        format!("state is {held}")
    );
    let (code, stdout, stderr) = command(&["status", "jbd"]);
    assert_eq!(code, Some(3));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let error = document["errors"][0]["error"].as_str().unwrap();
    assert_eq!(error, format!("House battery is {held}"));
    assert!(
        stderr.starts_with(&format!("error: {error}\nhelp: ")),
        "{stderr}"
    );
    assert_eq!(bluez.calls("Connect"), connections);
    assert!(bluez.with(|air| air.is_connected(1)));

    assert_eq!(gateway.stop().code(), Some(0));
}
