//! `telemetry status`: one device now.

use super::run::guest_radio;
use super::{account, once, pack, prepare_or_default, print, which};
use crate::cli::{
    LogArgs, OnceArgs, StatusBluettiArgs, StatusCommand, StatusJbdArgs, StatusSaicArgs,
};
use crate::config::Config;
use crate::event::{Device, Reading};
use crate::exit::{Code, Failure};
use crate::source::bluetooth::Trouble;
use crate::source::{self, Context};

mod bmw;
mod car;
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
        StatusCommand::Saic(args) => saic(args, log).await,
        StatusCommand::Bmw(args) => bmw::bmw(args, log).await,
        StatusCommand::Bluetti(args) => bluetti(args, log).await,
    }
}

async fn saic(args: &StatusSaicArgs, log: &LogArgs) -> Result<(), Failure> {
    let account = account::open(&args.account, log).await?;
    let hub = account.context.hub.clone();
    let troubles = source::saic::once(
        account.saic,
        account.context,
        account.rival,
        args.spend_quota,
    )
    .await;
    if args.json {
        return once::finish(&hub, troubles.into_iter().map(once::Trouble::of_car), true);
    }
    let known = hub.snapshot();
    let reports = known.iter().filter_map(|known| {
        let reading = known.reading.as_deref()?;
        Some(car::report(&known.device, reading))
    });
    print(&reports.collect::<String>())?;
    match troubles.into_iter().next() {
        None => Ok(()),
        Some((device, error)) => Err(error.failure(&device)),
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
        let args = OnceArgs {
            json,
            ..OnceArgs::default()
        };
        return once::once(config, &args).await;
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
