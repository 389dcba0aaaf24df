//! `telemetry command`: tells one device something. Whoever types the name of
//! a control allows it by that.

use serde_json::json;

use super::run::guest_radio;
use super::{account, pack, prepare_or_default, print, which};
use crate::cli::{CommandBluettiArgs, CommandCommand, CommandJbdArgs, CommandSaicArgs, LogArgs};
use crate::config::Config;
use crate::control::{Control, Form};
use crate::exit::{Code, Failure};
use crate::source::bluetooth::Trouble as _;
use crate::source::saic::Wish;
use crate::source::{self, Context};

/// `command KIND`
///
/// # Errors
/// Why the device was not told, or did not do it.
pub async fn run(command: &CommandCommand, log: &LogArgs) -> Result<(), Failure> {
    match command {
        CommandCommand::Jbd(args) => {
            let outcome = jbd(args, log).await;
            show(outcome, args.control, &args.value, args.json)
        }
        CommandCommand::Bluetti(args) => {
            let outcome = bluetti(args, log).await;
            show(outcome, args.control, &args.value, args.json)
        }
        CommandCommand::Saic(args) => {
            let outcome = saic(args, log).await;
            show(outcome, args.control, &args.value, args.json)
        }
    }
}

async fn saic(args: &CommandSaicArgs, log: &LogArgs) -> Result<(), Failure> {
    let account = account::open(&args.account, log).await?;
    let wish = Wish {
        vin: args.vin.clone(),
        control: args.control,
        value: args.value.clone(),
    };
    let user = account.saic.user.clone();
    source::saic::command(account.saic, account.context, account.rival, wish)
        .await
        .map_err(|error| error.failure(args.vin.as_deref().unwrap_or(&user)))
}

fn show(
    outcome: Result<(), Failure>,
    control: &Control,
    value: &str,
    json: bool,
) -> Result<(), Failure> {
    if json {
        let error = outcome.as_ref().err().map(|failure| &failure.message);
        let result = json!({"id": null, "ok": outcome.is_ok(), "error": error});
        print(&format!("{result}\n"))?;
    } else if outcome.is_ok() {
        print(&match control.form {
            Form::Button => format!("{}: done\n", control.title),
            _ => format!("{}: {}\n", control.title, value.trim()),
        })?;
    }
    outcome
}

async fn jbd(args: &CommandJbdArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare_or_default(log, args.pack.config.file.as_deref())?;
    let value = args
        .control
        .form
        .parse(&args.value)
        .map_err(|wrong| Failure::new(Code::Usage, wrong))?;
    let pack = pack::find(&config, &args.pack)?;
    let state_dir = args.pack.state_dir.state_dir.as_deref();
    let instead = instead(args.control, &args.value);
    which::refuse_held(&config, &config.jbd, &pack, state_dir, &instead)?;
    let config = Config {
        jbd: vec![pack.clone()],
        ..config.without_devices()
    };
    let context = context(&config).await?;
    let told = source::jbd::command(pack.clone(), context.clone(), args.control, &value).await;
    context.radio.close().await;
    told.map_err(|error| Failure {
        message: format!("{}: {error}", pack.title()),
        ..pack::failure(&pack, error.cause())
    })
}

async fn bluetti(args: &CommandBluettiArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare_or_default(log, args.station.config.file.as_deref())?;
    let station = args.station.find(&config)?;
    let state_dir = args.station.state_dir.state_dir.as_deref();
    let instead = instead(args.control, &args.value);
    which::refuse_held(&config, &config.bluetti, &station, state_dir, &instead)?;
    let context = context(&config).await?;
    let (control, text) = (args.control, &args.value);
    let told = source::bluetti::command(station.clone(), context.clone(), control, text).await;
    context.radio.close().await;
    told.map_err(|error| Failure {
        message: format!("{}: {error}", station.title()),
        ..error.cause().failure(station.title())
    })
}

/// What to do while the gateway holds the device.
fn instead(control: &Control, value: &str) -> String {
    let (value, key) = (value.trim(), control.key);
    format!("publish `{value}` on its topic …/{key}/set")
}

async fn context(config: &Config) -> Result<Context, Failure> {
    Context::brief(guest_radio(config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))
}
