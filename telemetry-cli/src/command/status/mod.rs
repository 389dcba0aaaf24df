//! `telemetry status`: one device now.

use super::run::guest_radio;
use super::{once, pack, prepare_or_default, print, which};
use crate::cli::{LogArgs, StatusBluettiArgs, StatusCommand, StatusJbdArgs};
use crate::config::Config;
use crate::event::{Device, Reading};
use crate::exit::{Code, Failure};
use crate::source::bluetooth::Trouble;
use crate::source::{self, Context};

mod page;
mod report;
mod station;

/// What to do while the gateway holds the device.
const INSTEAD: &str = "see its topics or `telemetry export` for what it says";

/// `status KIND`
///
/// # Errors
/// Whatever kept the device from being read.
pub async fn run(command: &StatusCommand, log: &LogArgs) -> Result<(), Failure> {
    match command {
        StatusCommand::Jbd(args) => jbd(args, log).await,
        StatusCommand::Bluetti(args) => bluetti(args, log).await,
    }
}

async fn jbd(args: &StatusJbdArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare_or_default(log, args.pack.config.file.as_deref())?;
    let pack = pack::find(&config, &args.pack)?;
    let state_dir = args.pack.state_dir.state_dir.as_deref();
    let held = which::refuse_held(&config, &config.jbd, &pack, state_dir, INSTEAD);
    let config = Config {
        jbd: vec![pack.clone()],
        ..config.without_devices()
    };
    show(
        config,
        pack.title(),
        held,
        args.json,
        report::report,
        async |context| {
            let read = source::jbd::once(pack.clone(), context).await;
            read.map_err(|error| pack::failure(&pack, &error))
        },
    )
    .await
}

async fn bluetti(args: &StatusBluettiArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare_or_default(log, args.station.config.file.as_deref())?;
    let station = args.station.find(&config)?;
    let state_dir = args.station.state_dir.state_dir.as_deref();
    let held = which::refuse_held(&config, &config.bluetti, &station, state_dir, INSTEAD);
    let config = Config {
        bluetti: vec![station.clone()],
        ..config.without_devices()
    };
    show(
        config,
        station.title(),
        held,
        args.json,
        station::report,
        async |context| {
            let read = source::bluetti::once(station.clone(), context).await;
            read.map_err(|error| error.failure(station.title()))
        },
    )
    .await
}

/// Reads the only device of `config` with `read`, unless the gateway holds it.
async fn show(
    config: Config,
    title: &str,
    held: Result<(), Failure>,
    json: bool,
    report: fn(&Device, &Reading) -> String,
    read: impl AsyncFnOnce(Context) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Err(failure) = held {
        if json {
            once::print_failure(title, &failure)?;
        }
        return Err(failure);
    }
    if json {
        return once::once(config, true).await;
    }
    let context = Context::brief(guest_radio(&config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let read = read(context.clone()).await;
    context.radio.close().await;
    read?;
    let known = context.hub.snapshot();
    let reports = known.iter().filter_map(|known| {
        let reading = known.reading.as_deref()?;
        Some(report(&known.device, reading))
    });
    print(&reports.collect::<String>())
}
