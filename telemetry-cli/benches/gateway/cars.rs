//! `telemetry saic-mqtt-gateway` with some cars.

use std::fs;

use saic_ismart::simulator::{CarConfig, CloudConfig};
use telemetry_cli::cloud::saic::{BASE_PATH, Saic};

use crate::Program;
use crate::computer::Computer;
use crate::home::serve;
use crate::mosquitto::Mosquitto;
use crate::process::Usage;
use crate::running::Running;
use crate::watcher::Watcher;

/// The drop-in command, and everything around it.
pub(crate) struct Cars {
    count: usize,
    program: Running,
    usage: Usage,
    _computer: Computer,
    _mosquitto: Mosquitto,
}

impl Cars {
    /// Starts it, and waits until every car has been read.
    pub(crate) async fn start(program: &Program, count: usize) -> Self {
        let vin = |number| format!("LSJDEMO000000000{number}");
        let config = CloudConfig {
            cars: (1..=count)
                .map(|number| CarConfig {
                    vin: vin(number),
                    ..CarConfig::default()
                })
                .collect(),
            ..CloudConfig::default()
        };
        let (user, password) = (config.user.clone(), config.password.clone());
        let url = serve(Saic::new(config, 7)).await;
        let mosquitto = Mosquitto::open();
        let computer = Computer::blank();
        let log = fs::File::create(computer.directory.path().join("log")).expect("a file");
        let broker = format!("tcp://{}", mosquitto.address());
        let cloud = format!("{url}{BASE_PATH}/");
        let args = ["saic-mqtt-gateway", "-m", &broker, "-s", &cloud];
        let mut watcher = Watcher::new(mosquitto.address()).await;
        let running = Running::start(
            computer
                .program(&program.path, &args)
                .args(["--state-dir", "state"])
                .env("SAIC_USER", &user)
                .env("SAIC_PASSWORD", &password)
                .stderr(log),
        );
        for number in 1..=count {
            let topic = format!("saic/{user}/vehicles/{}/drivetrain/soc", vin(number));
            watcher
                .wait_until(&topic, |watcher| watcher.last.contains_key(&topic))
                .await;
        }
        Self {
            count,
            usage: Usage::of(running.id()),
            program: running,
            _computer: computer,
            _mosquitto: mosquitto,
        }
    }

    /// Prints what it has used, and ends it.
    pub(crate) fn print(self) {
        let title = format!("saic-mqtt-gateway, cars: {}", self.count);
        self.usage.print(&title);
        assert!(self.program.stop().success());
    }
}
