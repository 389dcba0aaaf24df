//! `telemetry command`: tells one device something. Whoever types the name of
//! a control allows it by that.

use serde_json::json;

use super::run::guest_radio;
use super::{account, pack, prepare_or_default, print};
use crate::cli::{CommandCommand, CommandJbdArgs, CommandSaicArgs, LogArgs};
use crate::config::Config;
use crate::control::Form;
use crate::exit::{Code, Failure};
use crate::source::jbd::CommandError;
use crate::source::saic::Wish;
use crate::source::{self, Context};

/// `command KIND`
///
/// # Errors
/// Why the device was not told, or did not do it.
pub async fn run(command: &CommandCommand, log: &LogArgs) -> Result<(), Failure> {
    let (control, value, json, outcome) = match command {
        CommandCommand::Jbd(args) => (args.control, &args.value, args.json, jbd(args, log).await),
        CommandCommand::Saic(args) => (args.control, &args.value, args.json, saic(args, log).await),
    };
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

async fn jbd(args: &CommandJbdArgs, log: &LogArgs) -> Result<(), Failure> {
    let config = prepare_or_default(log, args.pack.config.file.as_deref())?;
    let value = args
        .control
        .form
        .parse(&args.value)
        .map_err(|wrong| Failure::new(Code::Usage, wrong))?;
    let pack = pack::find(&config, &args.pack)?;
    let state_dir = args.pack.state_dir.state_dir.as_deref();
    let instead = format!(
        "publish `{}` on its topic …/{}/set",
        args.value.trim(),
        args.control.key
    );
    pack::refuse_held(&config, &pack, state_dir, &instead)?;
    let config = Config {
        jbd: vec![pack.clone()],
        ..config
    };
    let context = Context::brief(guest_radio(&config)?)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    let told = source::jbd::command(pack.clone(), context.clone(), args.control, &value).await;
    context.radio.close().await;
    told.map_err(|error| {
        let (CommandError::NotSent(cause) | CommandError::Failed(cause)) = &error;
        let mut failure = pack::failure(&pack, cause);
        failure.message = format!("{}: {error}", pack.title());
        failure
    })
}
