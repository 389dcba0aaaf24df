//! `telemetry run` with one device of each kind, Mosquitto and MariaDB.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bimmer::FileTokenStore;
use bimmer::cardata::{Client, ClientId, Hosts};
use bluetti_modbus::model::Model;
use bluetti_modbus::simulator::StationConfig;
use jbd_bms::simulator::Load;
use saic_ismart::simulator::{Activity, CloudConfig, Phase};
use sqlx::AssertSqlSafe;
use telemetry_cli::cloud::bmw::{CLIENT_ID, CarData, Stream, cars};
use telemetry_cli::cloud::saic::{BASE_PATH, Saic};
use telemetry_cli::cloud::{Cloud, Server};
use telemetry_cli::database::Database;
use tokio_util::sync::CancellationToken;

use crate::Program;
use crate::bluez::{Bluez, Bus, Config, Policy};
use crate::computer::Computer;
use crate::mariadb::{self, MariaDb};
use crate::mosquitto::Mosquitto;
use crate::process::Usage;
use crate::running::Running;
use crate::watcher::Watcher;

const STATION: &str = "AC3002237000000001";

const DEVICES: [&str; 4] = [
    "jbd-a4c138000001",
    "bluetti-ac300-2237000000001",
    "lsjdemo0000000001",
    "wba00sim000000001",
];

/// What the devices do.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Hour {
    /// Sun and loads change all the time, and the MG charges.
    Day,
    /// Nothing happens but noise in the last digit; cars sleep.
    Night,
}

/// What is measured.
#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) hour: Hour,
    /// Set up to spare the disk.
    pub(crate) sparing: bool,
}

/// The gateway, and everything around it.
pub(crate) struct Home {
    scene: Scene,
    gateway: Running,
    usage: Usage,
    computer: Computer,
    database: mariadb::Database,
    _mosquitto: Mosquitto,
    _bluez: Bluez,
    _bus: Bus,
}

impl Home {
    /// Starts it, and waits until every device has been read.
    pub(crate) async fn start(program: &Program, mariadb: &MariaDb, scene: Scene) -> Self {
        let Scene { hour, sparing } = scene;
        let mosquitto = Mosquitto::open();
        let database = mariadb.database().await;
        let computer = Computer::blank();
        let bus = Bus::start(&computer.bus, Policy::Open);
        let bluez = bluetooth(&bus, hour);
        let mg = mg(hour).await;
        let bmw = bmw(&computer, hour).await;
        let store = match sparing {
            true => "[gateway]\ncommit_interval = '1m'\n[store]\nexclusive = true\n",
            false => "",
        };
        computer.configure(&format!(
            "{store}[mqtt]\nurl = 'tcp://{}'\n\
             [mariadb]\n{}[[jbd]]\nname = 'Pack 1'\n[[bluetti]]\nname = '{STATION}'\n{mg}{bmw}",
            mosquitto.address(),
            database.config,
        ));
        let mut watcher = Watcher::new(mosquitto.address()).await;
        let gateway = program.gateway(&computer);
        for device in DEVICES {
            let topic = format!("telemetry/{device}/availability");
            watcher.wait_for(&topic, "online").await;
        }
        Self {
            scene,
            usage: Usage::of(gateway.id()),
            gateway,
            computer,
            database,
            _mosquitto: mosquitto,
            _bluez: bluez,
            _bus: bus,
        }
    }

    /// Prints what it has used, and ends it.
    pub(crate) async fn print(self) {
        let hour = match self.scene.hour {
            Hour::Day => "everything changes",
            Hour::Night => "nothing changes",
        };
        let store = match self.scene.sparing {
            true => "; `exclusive`, `commit_interval` 1m",
            false => "",
        };
        self.usage.print(&format!(
            "a device of each kind, Mosquitto, MariaDB; {hour}{store}"
        ));
        assert!(self.gateway.stop().success());
        let file = self
            .computer
            .directory
            .path()
            .join("state/telemetry.sqlite");
        let stored = Database::open_read_only(&file).await.expect("a history");
        let mut inside = self.database.inside().await;
        for kind in ["battery", "power_station", "vehicle"] {
            let sql = format!("SELECT COUNT(*) FROM {kind}");
            let here: i64 = sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
                .fetch_one(&mut *stored.lock().await)
                .await
                .expect("a count");
            let there: i64 = sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
                .fetch_one(&mut inside)
                .await
                .expect("a count");
            println!("rows of {kind:<15} {here:>10}, in MariaDB {there}");
        }
    }
}

fn bluetooth(bus: &Bus, hour: Hour) -> Bluez {
    let bluez = Bluez::start(bus);
    let mut pack = Config::pack("Pack 1", 1);
    pack.pack.cell_count = 16;
    pack.speed = 1;
    let mut station = StationConfig::of_model(Model::AC300, 2_237_000_000_001);
    match hour {
        Hour::Day => station.living = Some(Model::AC300),
        Hour::Night => {
            pack.pack.load = Load::Constant(0);
            pack.pack.cell_offsets_mv = vec![];
        }
    }
    bluez.add(pack);
    bluez.add(Config {
        mtu: Some(247),
        ..Config::station(STATION, 2, station)
    });
    bluez
}

async fn mg(hour: Hour) -> String {
    let mut config = CloudConfig::default();
    let activity = match hour {
        Hour::Day => Activity::Charging { kw: 7.2 },
        Hour::Night => Activity::Parked,
    };
    let (user, password) = (config.user.clone(), config.password.clone());
    config.cars[0].plan = vec![Phase {
        activity,
        minutes: 1e6,
    }];
    if hour == Hour::Night {
        config.cars[0].sleeps_after_s = 0.0;
    }
    let url = serve(Saic::new(config, 7)).await;
    format!("[[saic]]\nuser = '{user}'\npassword = '{password}'\nbase_url = '{url}{BASE_PATH}/'\n")
}

/// An account of CarData that has been logged in.
async fn bmw(computer: &Computer, hour: Hour) -> String {
    let bmws = cars().into_iter().take(1).collect();
    let cloud = Arc::new(Mutex::new(CarData::with_cars(bmws, 1)));
    let stream = Stream::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let stream = stream.expect("a port");
    let stream_url = format!("tcp://{}", stream.local_addr());
    // The simulated car drives and charges all the time; a parked one has
    // nothing to say.
    if hour == Hour::Day {
        tokio::spawn(stream.run(cloud.clone(), CancellationToken::new()));
    }
    let url = serve_shared(cloud).await;
    let tokens = computer.directory.path().join("state/bmw");
    fs::create_dir_all(&tokens).expect("a directory");
    let client = Client::builder(ClientId::new(CLIENT_ID).expect("an id"))
        .hosts(Hosts::default().with_auth_url(&url))
        .token_store(FileTokenStore::new(
            tokens.join(format!("{CLIENT_ID}.token")),
        ))
        .build()
        .expect("a client");
    client.login(|_| {}).await.expect("a login");
    format!(
        "[[bmw]]\nclient_id = '{CLIENT_ID}'\nauth_url = '{url}'\napi_url = '{url}'\n\
         stream_url = '{stream_url}'\n"
    )
}

/// A cloud in this process, on a port of its own.
pub(crate) async fn serve<C: Cloud>(cloud: C) -> String {
    serve_shared(Arc::new(Mutex::new(cloud))).await
}

async fn serve_shared<C: Cloud>(cloud: Arc<Mutex<C>>) -> String {
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await;
    let server = server.expect("a port");
    let url = format!("http://{}", server.local_addr());
    tokio::spawn(server.run(cloud, CancellationToken::new()));
    url
}
