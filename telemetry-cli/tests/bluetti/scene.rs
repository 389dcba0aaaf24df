//! A computer with Bluetooth, stations in reach, and the program under another
//! name.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use bluetti_modbus::model::Model;
use bluetti_modbus::simulator::StationConfig;

use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;

/// Nothing that is waited for takes longer, however slow the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// What the stations are called.
pub(crate) const AC300: &str = "AC3002236000123456";
pub(crate) const AC200M: &str = "AC200M2105000654321";

/// Where they are.
pub(crate) const AC300_ADDRESS: &str = "A4:C1:38:00:00:01";
pub(crate) const AC200M_ADDRESS: &str = "A4:C1:38:00:00:02";

#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) computer: Computer,
    _bus: Bus,
    _bluez: Bluez,
}

impl Scene {
    /// Two stations and a battery pack.
    pub(crate) fn new() -> Self {
        let computer = Computer::blank();
        let bus = Bus::start(&computer.bus, Policy::Open);
        let bluez = Bluez::start(&bus);
        bluez.add(station(Model::AC300, 1));
        bluez.add(station(Model::AC200M, 2));
        bluez.add(Config::pack("House battery", 3));
        Self {
            computer,
            _bus: bus,
            _bluez: bluez,
        }
    }

    /// `NAME ARGS`, as a link of that name.
    pub(crate) fn tool(&self, name: &str, args: &[&str]) -> Command {
        let link = self.path(name);
        if !link.exists() {
            let program = env!("CARGO_BIN_EXE_telemetry");
            std::os::unix::fs::symlink(program, &link).expect("a link");
        }
        self.computer.program(&link, args)
    }

    /// A file in the home and working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.computer.directory.path().join(name)
    }

    /// The text of that file, as far as it is there.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

fn station(model: Model, number: u8) -> Config {
    let (name, serial) = match model == Model::AC300 {
        true => (AC300, 2_236_000_123_456),
        false => (AC200M, 2_105_000_654_321),
    };
    let mut config = Config::station(name, number, StationConfig::of_model(model, serial));
    // Nothing here is encrypted: no time limit is short.
    config.speed = 20;
    config.mtu = Some(247);
    config
}

/// Waits until something is true.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
