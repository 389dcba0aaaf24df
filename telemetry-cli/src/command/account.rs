//! Which iSMART account a command is about.

use std::path::Path;

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as NameError;

use super::{locate_state_dir, prepare_or_default};
use crate::cli::{AccountArgs, LogArgs};
use crate::config::{Config, Environment, Saic, SaicRegion};
use crate::exit::{Code, Failure};
use crate::radio::{Air, Radio};
use crate::source::Context;
use crate::source::saic::Rival;
use crate::state_dir::StateDir;

/// An account, and what a command on it works with.
pub(super) struct Account {
    pub(super) saic: Saic,
    pub(super) context: Context,
    pub(super) rival: Rival,
    /// Held as long as the command runs.
    _state: Option<StateDir>,
}

/// The account that is meant. Its session is kept in the state directory, which
/// may be a running gateway's.
///
/// # Errors
/// If it is not clear which one.
pub(super) async fn open(args: &AccountArgs, log: &LogArgs) -> Result<Account, Failure> {
    let config = prepare_or_default(log, args.config.file.as_deref())?;
    let saic = choose(&config, args)?;
    let config = Config {
        saic: vec![saic.clone()],
        ..config.without_devices()
    };
    let (context, rival, state) =
        context(&config, args.state_dir.state_dir.as_deref(), nothing()).await?;
    Ok(Account {
        saic,
        context,
        rival,
        _state: state,
    })
}

/// What a command works with that reads accounts and ends.
///
/// # Errors
/// If there is no memory for a database.
pub(super) async fn context(
    config: &Config,
    asked: Option<&Path>,
    radio: Radio,
) -> Result<(Context, Rival, Option<StateDir>), Failure> {
    let mut context = Context::brief(radio)
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    if config.saic.is_empty() && config.bmw.is_empty() {
        return Ok((context, Rival::None, None));
    }
    let directory = locate_state_dir(asked, config);
    if StateDir::holder(&directory).is_some() {
        context.state_dir = Some(directory);
        return Ok((context, Rival::Gateway, None));
    }
    let state = StateDir::open(&directory)?;
    context.state_dir = state.path().map(Path::to_path_buf);
    Ok((context, Rival::None, Some(state)))
}

/// Cars need no radio.
fn nothing() -> Radio {
    Radio::Simulated(Air::default())
}

/// One of the configuration, or any other.
fn choose(config: &Config, args: &AccountArgs) -> Result<Saic, Failure> {
    let usage = |message: &str, hint: String| Failure::new(Code::Usage, message).hint(hint);
    let environment = Environment::of_process();
    let password = args.password.as_deref().map(str::to_owned).or_else(|| {
        let set = environment.get("SAIC_PASSWORD");
        set.map(|_| "env:SAIC_PASSWORD".to_owned())
    });
    let known = match &args.user {
        Some(user) => {
            let mut accounts = config.saic.iter();
            accounts.find(|account| account.user.eq_ignore_ascii_case(user))
        }
        None => match config.saic.as_slice() {
            [one] => Some(one),
            [] => {
                let hint = "name it with `--user ADDRESS`, or add a [[saic]] table".to_owned();
                return Err(usage("which account?", hint));
            }
            several => {
                let users: Vec<_> = several.iter().map(|of| of.user.as_str()).collect();
                let hint = format!("choose one with `--user`: {}", users.join(", "));
                return Err(usage("which of the accounts?", hint));
            }
        },
    };
    let mut account = match (known, &args.user, &password) {
        (Some(known), ..) => known.clone(),
        (None, Some(user), Some(password)) => Saic::new(user.clone(), password.clone().into()),
        (None, Some(_), None) | (None, None, _) => {
            let hint = "give it in SAIC_PASSWORD, or add a [[saic]] table".to_owned();
            return Err(Failure::new(Code::Login, "the password is missing").hint(hint));
        }
    };
    if let Some(password) = &args.password {
        account.password = password.to_string().into();
    }
    if let Some(region) = &args.region {
        let deserializer = region.to_ascii_lowercase().into_deserializer();
        account.region = SaicRegion::deserialize(deserializer).map_err(|error: NameError| {
            usage(
                &format!("`{region}` is no region: {error}"),
                "the usual one is eu".to_owned(),
            )
        })?;
    }
    account.country_code = args.country_code.clone().or(account.country_code);
    account.base_url = args.base_url.clone().or(account.base_url);
    Ok(account)
}
