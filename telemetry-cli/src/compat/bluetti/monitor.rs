//! `bluetti-monitor`: the Python program that writes stations into four tables.

use super::{password, stations, tables};
use crate::cli::BluettiMonitorArgs;
use crate::config::{self, Config, DropIn, Environment, MariaDbNames};
use crate::filter::Keep;
use crate::sink::Context;
use crate::sink::mariadb::originals::{self, Originals};
use crate::supervisor::{Exit, Task};

/// The name of the command.
pub const NAME: &str = "bluetti-monitor";

/// The gateway that does what `args` ask for.
pub fn config(args: &BluettiMonitorArgs, environment: &Environment) -> Config {
    let mut stations = stations(&args.addresses, args.interval);
    for station in &mut stations {
        // Each of them is a row.
        station.store = Keep::All;
        station.settings_interval = station.interval;
        station.registers = true;
    }
    let mut config = Config {
        mariadb: Some(config::MariaDb {
            host: args.dbhost.clone(),
            port: args.dbport,
            user: args.dbuser.clone(),
            password: password(args.dbpass.as_deref(), environment, "DBPASS"),
            database: args.dbname.clone(),
            names: MariaDbNames::FLAGS,
            ..config::MariaDb::default()
        }),
        bluetti: stations,
        drop_in: Some(DropIn::BluettiMonitor),
        ..Config::default()
    };
    config.gateway.name = NAME.to_owned();
    config.store.sqlite = false;
    config
}

/// The sink: the four tables.
pub async fn run(mariadb: config::MariaDb, context: Context, task: Task) -> Exit {
    let originals = Originals {
        tables: &tables::TABLES,
        rows: tables::rows_of,
    };
    originals::run(mariadb, originals, context, task).await
}
