//! `-i 0`: one reading, one message, and an exit code that says what went
//! wrong.

use std::path::Path;
use std::process::Output;

use jbd_bms::simulator::{Access, Faults, Load};
use rumqttc::QoS;
use telemetry_cli::state_dir::StateDir;

use crate::bluez::{Bluez, Bus, Config, Policy, Security};
use crate::computer::Computer;
use crate::mosquitto::Mosquitto;
use crate::watcher::Watcher;

/// A computer with Bluetooth, and a broker.
struct Stage {
    computer: Computer,
    _bus: Bus,
    bluez: Bluez,
    broker: Mosquitto,
}

impl Stage {
    fn new(broker: Mosquitto) -> Self {
        let computer = Computer::blank();
        let bus = Bus::start(&computer.bus, Policy::Open);
        let bluez = Bluez::start(&bus);
        Self {
            computer,
            _bus: bus,
            bluez,
            broker,
        }
    }

    /// Adds a pack that is always the same but for the noise of its cells.
    fn add(&self, name: &str, number: u8, change: impl FnOnce(&mut Config)) {
        let mut config = Config::pack(name, number);
        config.pack.load = Load::Constant(-12_340);
        change(&mut config);
        self.bluez.add(config);
    }

    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut all = vec!["jbd-bms-mqtt", "-i", "0", "-t", "solar"];
        all.extend(args);
        let mut command = self.computer.telemetry(&all);
        command
            .env("MQTT_HOST", "127.0.0.1")
            .env("MQTT_PORT", self.broker.address().port().to_string())
            .envs(variables.iter().copied());
        command.output().unwrap()
    }

    /// Exit code and stderr of a command that fails. It leaves no pack
    /// connected.
    fn fails(&self, args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let output = self.command(args, variables);
        assert!(output.stdout.is_empty());
        let stderr = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), stderr)
    }
}

fn succeeds(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(stderr, "");
}

/// What Python would print of the frames in `said`.
fn expected(topic: &str, said: &[u8]) -> String {
    let frame = |register: u8| {
        let start = said
            .windows(3)
            .rposition(|bytes| bytes == [0xDD, register, 0])
            .unwrap();
        said[start + 4..start + 4 + usize::from(said[start + 3])].to_vec()
    };
    let (info, cells) = (frame(3), frame(4));
    let word = |data: &[u8], at: usize| u16::from_be_bytes([data[at], data[at + 1]]);
    let hundredth = |at: usize| f64::from(word(&info, at)) / 100.0;
    let amps = f64::from(word(&info, 2).cast_signed()) / 100.0;
    let mut text = format!(
        "{{\"topic\": \"{topic}\", \"volts\": {:?}, \"amps\": {amps:?}, \"capacity\": {:?}, \
         \"remain\": {:?}, \"percent\": {}",
        hundredth(0),
        hundredth(6),
        hundredth(4),
        info[19],
    );
    for probe in 0..usize::from(info[22]) {
        let celsius = (f64::from(word(&info, 23 + 2 * probe)) - 2731.0) / 10.0;
        text += &format!(", \"temp{}\": {celsius:?}", probe + 1);
    }
    for cell in 0..cells.len() / 2 {
        text += &format!(", \"cell{}\": {}", cell + 1, word(&cells, 2 * cell));
    }
    text + "}"
}

/// All messages up to now: what the watcher sees before its own.
async fn messages(watcher: &mut Watcher) -> Vec<(String, String, bool)> {
    watcher.publish("mark", "end", false).await;
    watcher
        .wait_until("mark", |watcher| watcher.last.contains_key("mark"))
        .await;
    watcher.last.remove("mark");
    let mut log = std::mem::take(&mut watcher.log);
    log.retain(|(topic, ..)| topic != "mark");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_by_name_and_by_address_and_through_a_link() {
    let stage = Stage::new(Mosquitto::open());
    stage.add("Cabin 580ah", 1, |_| {});
    stage.add("Shed", 2, |config| {
        config.pack.cell_count = 16;
        config.pack.probe_count = 3;
    });
    let mut watcher = Watcher::new(stage.broker.address()).await;
    let said = |number| {
        stage
            .bluez
            .with(move |air| air.peripheral(number).said.clone())
    };
    let one = |topic: &str, number| vec![(topic.to_owned(), expected(topic, &said(number)), false)];

    succeeds(&stage.command(&["-n", "Cabin 580ah"], &[]));
    assert_eq!(messages(&mut watcher).await, one("solar", 1));
    assert_eq!(watcher.qos["solar"], QoS::AtMostOnce);
    assert!(watcher.last["solar"].starts_with(r#"{"topic": "solar", "volts": 13.2"#));
    assert!(watcher.last["solar"].contains(r#", "capacity": 100.0, "remain": "#));

    succeeds(&stage.command(&["-a", "a4:c1:38:00:00:02"], &[]));
    assert_eq!(messages(&mut watcher).await, one("solar", 2));
    assert!(watcher.last["solar"].contains(r#""temp3": "#));
    assert!(watcher.last["solar"].contains(r#""cell16": "#));

    // As the original is called, with a broker from the command line.
    let link = stage.computer.directory.path().join("jbd-bms-mqtt");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_telemetry"), &link).unwrap();
    let port = stage.broker.address().port().to_string();
    let args = ["-n", "Shed", "-i", "0", "-t", "a/b", "--mqtt-port", &port];
    let mut program = stage.computer.program(&link, &args);
    succeeds(
        &program
            .args(["--mqtt-qos", "1", "--mqtt-retain"])
            .output()
            .unwrap(),
    );
    assert_eq!(messages(&mut watcher).await, one("a/b", 2));
    assert_eq!(watcher.qos["a/b"], QoS::AtLeastOnce);
    let kept = crate::watcher::retained(stage.broker.address()).await;
    assert_eq!(kept.into_keys().collect::<Vec<_>>(), ["a/b"]);

    for number in 1..=2 {
        assert!(!stage.bluez.with(move |air| air.is_connected(number)));
    }
    // Nothing but the lock: no journal, no history.
    let state = stage
        .computer
        .directory
        .path()
        .join(".local/state/telemetry");
    assert_eq!(files(&state), ["lock", "lock", "lock"]);
}

fn files(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(self::files(&entry.path())),
            false => files.push(entry.file_name().into_string().unwrap()),
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_code_and_publishes_nothing() {
    let mut stage = Stage::new(Mosquitto::open());
    stage.add("Pack", 1, |_| {});
    stage.add("Mute", 2, |config| config.pack.faults = lossy());
    stage.add("Secret", 3, |config| {
        config.pack.access = Access::ModuleLogin {
            password: Some("123456".to_owned()),
            password_is_key: false,
        };
    });
    stage.add("Shy", 4, |config| {
        config.security = Security::Attributes(123_456);
    });
    let mut watcher = Watcher::new(stage.broker.address()).await;

    let (code, stderr) = stage.fails(&["-n", "Nobody"], &[]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(
        stderr.starts_with("error: Nobody: Nobody was not found"),
        "{stderr}"
    );
    assert!(
        stderr.contains("help: such a device takes one connection"),
        "{stderr}"
    );

    let state = stage.computer.directory.path().join("state");
    let held = StateDir::open(&state.join("jbd-bms-mqtt/pack")).unwrap();
    let (code, stderr) = stage.fails(&["-n", "Pack", "--state-dir", "state"], &[]);
    drop(held);
    assert_eq!(code, Some(3), "{stderr}");
    let holder = format!("is held by process {} (", std::process::id());
    assert!(stderr.contains(&holder), "{stderr}");
    assert!(
        stderr.contains("help: wait for the end of that process"),
        "{stderr}"
    );

    let (code, stderr) = stage.fails(&["-n", "Mute"], &[]);
    assert_eq!(code, Some(4), "{stderr}");
    assert!(
        stderr.starts_with("error: Mute: register 0x03 unanswered"),
        "{stderr}"
    );

    let (code, stderr) = stage.fails(&["-n", "Secret"], &[]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(
        stderr.starts_with("error: Secret: the device wants a password"),
        "{stderr}"
    );
    assert!(stderr.contains("JBD_PASSWORD"), "{stderr}");
    let (code, stderr) = stage.fails(&["-n", "Secret"], &[("JBD_PASSWORD", "654321")]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(!stderr.contains("654321"));

    let (code, stderr) = stage.fails(&["-n", "Shy"], &[]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("bluetoothctl pair"), "{stderr}");

    stage.bluez.with(|air| air.power(false));
    let (code, stderr) = stage.fails(&["-n", "Pack"], &[]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(
        stderr.starts_with("error: Pack: Bluetooth is switched off"),
        "{stderr}"
    );
    stage.bluez.with(|air| air.power(true));

    for (args, variables) in [
        (&["-n", "Pack", "--mqtt-host", "broker:1884"][..], &[][..]),
        (&["-n", "Pack"], &[("MQTT_PORT", "mqtt")]),
        (&["-n", "Pack"], &[("MQTT_PASSWORD", "secret")]),
        (&["-n", "Pack", "--mqtt-ca", "no.pem"], &[]),
        (
            &[
                "-n",
                "Pack",
                "--mqtt-user",
                "me",
                "--mqtt-password",
                "file:no",
            ],
            &[],
        ),
        (&["-n", "Pack", "-a", "nowhere"], &[]),
        (&[], &[]),
    ] {
        let (code, stderr) = stage.fails(args, variables);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(!stderr.contains("secret"), "{stderr}");
    }
    assert_eq!(messages(&mut watcher).await, []);

    // The right password, by environment.
    succeeds(&stage.command(&["-n", "Secret"], &[("JBD_PASSWORD", "123456")]));
    assert_eq!(messages(&mut watcher).await.len(), 1);

    stage.broker.kill();
    let (code, stderr) = stage.fails(&["-n", "Pack"], &[]);
    assert_eq!(code, Some(6), "{stderr}");
    let broker = format!(
        "error: MQTT broker tcp://{}: nothing listens",
        stage.broker.address()
    );
    assert!(stderr.starts_with(&broker), "{stderr}");
    assert!(!stage.bluez.with(|air| air.is_connected(1)));
}

/// Of each answer a chunk is missing.
fn lossy() -> Faults {
    Faults {
        drop: 1.0,
        ..Faults::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_wants_a_password_gets_it_from_the_environment() {
    let stage = Stage::new(Mosquitto::with_login("me", "pass word"));
    stage.add("Pack", 1, |_| {});
    let mut watcher = Watcher::login(stage.broker.address(), "me", "pass word").await;
    for variables in [&[][..], &[("MQTT_USER", "me"), ("MQTT_PASSWORD", "wrong")]] {
        let (code, stderr) = stage.fails(&["-n", "Pack"], variables);
        assert_eq!(code, Some(6), "{stderr}");
        assert!(stderr.contains("it refuses this user"), "{stderr}");
        assert!(
            stderr.contains("help: the broker is what `--mqtt-host`"),
            "{stderr}"
        );
        assert!(!stderr.contains("wrong"), "{stderr}");
    }
    let login = [("MQTT_USER", "me"), ("MQTT_PASSWORD", "pass word")];
    succeeds(&stage.command(&["-n", "Pack"], &login));
    let file = stage.computer.directory.path().join("password");
    std::fs::write(&file, "pass word\n").unwrap();
    let password = [
        "-n",
        "Pack",
        "--mqtt-user",
        "me",
        "--mqtt-password",
        "file:password",
    ];
    succeeds(&stage.command(&password, &[]));
    assert_eq!(messages(&mut watcher).await.len(), 2);
}

/// The link is lost in the middle of an answer: the second one is whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_link_brings_one_whole_message() {
    let stage = Stage::new(Mosquitto::open());
    stage.add("Pack", 1, |_| {});
    stage
        .bluez
        .with(|air| air.peripheral(1).cut_after = Some(3));
    let mut watcher = Watcher::new(stage.broker.address()).await;
    succeeds(&stage.command(&["-n", "Pack"], &[]));
    let said = stage.bluez.with(|air| air.peripheral(1).said.clone());
    let whole = ("solar".to_owned(), expected("solar", &said), false);
    assert_eq!(messages(&mut watcher).await, [whole]);
}
