//! `telemetry status`: one device now.

use super::run::guest_radio;
use super::{account, once, pack, prepare_or_default, print};
use crate::cli::{LogArgs, OnceArgs, StatusCommand, StatusJbdArgs, StatusSaicArgs};
use crate::config::Config;
use crate::exit::{Code, Failure};
use crate::source::{self, Context};

mod bmw;
mod car;
mod report;

/// `status KIND`
///
/// # Errors
/// Whatever kept the device from being read.
pub async fn run(command: &StatusCommand, log: &LogArgs) -> Result<(), Failure> {
    match command {
        StatusCommand::Jbd(args) => jbd(args, log).await,
        StatusCommand::Bmw(args) => bmw::bmw(args, log).await,
        StatusCommand::Saic(args) => saic(args, log).await,
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
    let instead = "see its topics or `telemetry export` for what it says";
    if let Err(failure) = pack::refuse_held(&config, &pack, state_dir, instead) {
        if args.json {
            once::print_failure(pack.title(), &failure)?;
        }
        return Err(failure);
    }
    let config = Config {
        jbd: vec![pack.clone()],
        ..config
    };
    if args.json {
        let args = OnceArgs {
            json: true,
            ..OnceArgs::default()
        };
        return once::once(config, &args).await;
    }
    let context = Context::brief(guest_radio(&config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let read = source::jbd::once(pack.clone(), context.clone()).await;
    context.radio.close().await;
    read.map_err(|error| pack::failure(&pack, &error))?;
    let known = context.hub.snapshot();
    let reports = known.iter().filter_map(|known| {
        let reading = known.reading.as_deref()?;
        Some(report::report(&known.device, reading))
    });
    print(&reports.collect::<String>())
}
