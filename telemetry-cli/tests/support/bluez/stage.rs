//! A process of its own per test. libdbus reads the address of the system bus
//! once, and setting a variable in a process with threads is not safe: so each
//! test starts its own binary anew, for itself alone.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use telemetry_cli::radio::{Radio, Settings, System};

use super::{Bluez, Bus, Config, Policy};

/// Far more than any test takes, on a slow machine, too.
const LIMIT: Duration = Duration::from_secs(300);

/// Bus and Bluetooth service of one test.
#[derive(Debug)]
pub struct Stage {
    /// The system bus of this process.
    pub bus: Bus,
    /// Its Bluetooth service.
    pub bluez: Bluez,
}

impl Stage {
    /// Plays a test, which must be all that its function does, in a process
    /// whose system bus is its own.
    pub fn play<P: AsyncFnOnce(Self)>(play: P) {
        Self::play_with(Policy::Open, play);
    }

    /// The same on a bus with another policy.
    pub fn play_with<P: AsyncFnOnce(Self)>(policy: Policy, play: P) {
        let Some(address) = own_bus::<P>() else {
            return;
        };
        let bus = Bus::start(&address, policy);
        let bluez = Bluez::start(&bus);
        run(play(Self { bus, bluez }));
    }

    /// The same where there is no bus yet at the address it is told.
    pub fn play_without_bus<P: AsyncFnOnce(String)>(play: P) {
        if let Some(address) = own_bus::<P>() {
            run(play(address));
        }
    }

    /// Adds packs called `Pack 1` and so on.
    pub fn add_packs(&self, count: u8) {
        for number in 1..=count {
            self.bluez
                .add(Config::pack(&format!("Pack {number}"), number));
        }
    }
}

/// The radio with time limits for tests.
pub fn radio() -> Radio {
    Radio::System(System::new(settings()))
}

/// Short where a test has to wait for the end of it.
pub fn settings() -> Settings {
    Settings {
        scan_limit: Duration::from_secs(2),
        connect_limit: Duration::from_secs(2),
        discovery_limit: Duration::from_secs(10),
        call_limit: Duration::from_secs(2),
        disconnect_limit: Duration::from_secs(3),
        retry_delay: Duration::from_millis(20),
        check_interval: Duration::from_secs(30),
        pair_limit: Duration::from_secs(2),
        adapter: None,
        adopt: true,
        pins: Vec::new(),
    }
}

/// The address of this test's bus in the process that is for this test alone;
/// elsewhere starts that process and waits for it.
fn own_bus<P>() -> Option<String> {
    const VARIABLE: &str = "DBUS_SYSTEM_BUS_ADDRESS";
    const MARK: &str = "RADIO_TEST";
    let name = test_of::<P>();
    if std::env::var(MARK).is_ok_and(|mark| mark == name) {
        return Some(std::env::var(VARIABLE).expect("set with the mark"));
    }
    let directory = tempfile::tempdir().expect("temporary directory");
    let address = format!("unix:path={}", directory.path().join("bus").display());
    let binary = std::env::current_exe().expect("this test is a program");
    let log = directory.path().join("log");
    let file = std::fs::File::create(&log).expect("the temporary directory takes files");
    let mut child = Command::new(binary)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(VARIABLE, address)
        .env(MARK, name)
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a second handle"))
        .stderr(file)
        .spawn()
        .expect("this test starts once more");
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().expect("a child of ours") {
            Some(status) => break Some(status),
            None if Instant::now() > end => {
                child.kill().expect("a child of ours");
                child.wait().expect("a child of ours");
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let output = std::fs::read_to_string(&log).expect("text");
    let passed = status.is_some_and(|status| status.success()) && output.contains("1 passed");
    assert!(passed, "{name}: {status:?}\n{output}");
    print!("{output}");
    None
}

/// The name of the test that a closure is in. The language does not promise
/// what types are called; should that change, no test of this name is found and
/// that is a failure.
fn test_of<P>() -> &'static str {
    let path = std::any::type_name::<P>();
    let path = path.split("::{{closure}}").next().unwrap_or(path);
    path.split_once("::").map_or(path, |(_, name)| name)
}

fn run(play: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(play);
}
