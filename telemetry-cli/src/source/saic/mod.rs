//! Source: MG and other SAIC cars, by the iSMART cloud.

use std::fs;
use std::sync::Arc;

use chrono::Utc;
use saic_ismart::{
    Client, ClientBuilder, Credentials, FileTokenStore, LoginError, Region, Relogin, VehicleInfo,
};
use secrecy::ExposeSecret;

use super::Context;
use crate::config::Saic;
use crate::control::Control;
use crate::supervisor::{Exit, Task};

pub use error::{SaicError, advice};
pub use memory::Files;

use account::{Account, Clock, Step};

mod account;
mod car;
mod control;
mod error;
mod extra;
mod memory;
pub mod polling;
mod schedule;
mod text;
mod values;

#[cfg(test)]
mod days;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod together;

/// Reads the cars of one account until it is told to stop, or cannot go on.
pub async fn run(config: Saic, context: Context, task: Task) -> Exit {
    let user = config.user.clone();
    let mut account = match open(config, context, &task.name) {
        Ok(account) => account,
        Err(error) => return error.exit(&user),
    };
    tokio::select! {
        exit = account.run() => exit,
        () = task.shutdown.cancelled() => {
            account.save();
            Exit::Stopped
        }
    }
}

/// Who reads the cars besides this command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Nobody.
    None,
    /// A gateway that runs: what it learnt is used, its session is shared, and
    /// nothing is written down.
    Gateway,
}

/// Reads every car once: asks what is due, and tells what is known. `demand`
/// asks the cars whatever was asked before. Returns what could not be read, by
/// the name of the account or the car.
pub async fn once(
    config: Saic,
    context: Context,
    rival: Rival,
    demand: bool,
) -> Vec<(String, SaicError)> {
    let user = config.user.clone();
    let mut account = match open(config, context, "once") {
        Ok(account) => account,
        Err(error) => return vec![(user, error)],
    };
    let mut troubles = Vec::new();
    if rival == Rival::Gateway {
        account = account.for_guest();
    }
    if rival == Rival::Gateway && !demand && account.cars.is_empty() {
        return vec![(user, SaicError::NotYet)];
    }
    if rival == Rival::None || demand {
        troubles.extend(
            catch_up(&mut account, demand)
                .await
                .map(|error| (user, error)),
        );
    }
    for index in 0..account.cars.len() {
        account.emit(index);
        if let Some(car) = account.cars.get_mut(index)
            && let Some(error) = car.error.take()
        {
            troubles.push((car.name().to_owned(), error));
        }
    }
    troubles
}

/// Does what is due.
async fn catch_up(account: &mut Account, demand: bool) -> Option<SaicError> {
    if let Some(until) = account.elsewhere(account.now()) {
        let retry_after = (until - account.now()).to_std().ok();
        let elsewhere = LoginError::LoggedInElsewhere { retry_after };
        return Some(SaicError::Cloud(elsewhere.into()));
    }
    if demand {
        for car in &mut account.cars {
            car.plan.demand();
        }
    }
    loop {
        match account.next(account.now()) {
            // That changes the account, which is left to the gateway.
            Step::Wait(_) | Step::StartMessage(_) => return None,
            step => {
                if let Err(error) = account.perform(step).await {
                    account.note_elsewhere(&error);
                    return Some(error);
                }
            }
        }
    }
}

/// Logs in now, even if another device has the account, and lists its cars.
///
/// # Errors
/// Why the cloud refuses.
pub async fn login(config: Saic, context: Context) -> Result<Vec<VehicleInfo>, SaicError> {
    let mut account = open(config, context, "login")?;
    account.client.login().await?;
    account.regained();
    account.list().await?;
    Ok(account
        .cars
        .iter()
        .map(|car| car.known.info.clone())
        .collect())
}

/// Which of the cars, what is to be done with it, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// VIN, if there are several.
    pub vin: Option<String>,
    /// What is told.
    pub control: &'static Control,
    /// What the user wrote.
    pub value: String,
}

/// Tells one car something, and reads what came of it.
///
/// # Errors
/// Why it was not told, or did not do it.
pub async fn command(
    config: Saic,
    context: Context,
    rival: Rival,
    wish: Wish,
) -> Result<(), SaicError> {
    let mut account = open(config, context, "once")?;
    if rival == Rival::Gateway {
        account = account.for_guest();
    }
    if account.cars.is_empty() {
        account.list().await?;
    }
    let index = choose(&account, wish.vin.as_deref())?;
    let offers = account.cars[index].device().controls;
    let offer = offers.iter().find(|offer| offer.control == wish.control);
    let offer = offer.ok_or_else(|| {
        let names: Vec<_> = offers.iter().map(|offer| offer.control.name).collect();
        let name = wish.control.name;
        SaicError::Control(format!(
            "this car has no `{name}`; it has {}",
            names.join(", ")
        ))
    })?;
    let value = offer.form.parse(&wish.value).map_err(SaicError::Control)?;
    account.tell(index, wish.control, &value).await
}

fn choose(account: &Account, vin: Option<&str>) -> Result<usize, SaicError> {
    let vins: Vec<_> = account
        .cars
        .iter()
        .map(|car| car.vin().to_owned())
        .collect();
    let all = match vins.is_empty() {
        true => "none".to_owned(),
        false => vins.join(", "),
    };
    match vin {
        Some(vin) => {
            let place = vins.iter().position(|own| own.eq_ignore_ascii_case(vin));
            place.ok_or(SaicError::NoSuchCar(all))
        }
        None if vins.len() == 1 => Ok(0),
        None if vins.is_empty() => Err(SaicError::NoSuchCar(all)),
        None => Err(SaicError::WhichCar(all)),
    }
}

/// What the cloud says of an account without waking a car: how many cars it
/// has, and whether the session lives.
///
/// # Errors
/// Why it cannot be had.
pub async fn probe(config: Saic, context: Context) -> Result<Vec<VehicleInfo>, SaicError> {
    let account = open(config, context, "check")?;
    if let Some(until) = account.elsewhere(account.now()) {
        let retry_after = (until - account.now()).to_std().ok();
        return Err(SaicError::Cloud(
            LoginError::LoggedInElsewhere { retry_after }.into(),
        ));
    }
    Ok(account.client.vehicles().await?)
}

fn open(config: Saic, context: Context, source: &str) -> Result<Account, SaicError> {
    let files = context.state_dir.as_deref().and_then(|directory| {
        let files = Files::of(&config, directory);
        files
            .inspect_err(|error| {
                tracing::warn!(
                    directory = %directory.display(),
                    %error,
                    "the session cannot be kept: the next start logs in anew, and the phone out"
                );
            })
            .ok()
    });
    let mut builder = builder(&config)?;
    if let Some(files) = &files {
        builder = builder.token_store(FileTokenStore::new(files.token()));
    }
    let clock: Clock = Arc::new(Utc::now);
    let client: Client = builder.build()?;
    Ok(Account::new(config, context, source, client, clock, files))
}

/// A client of the account of `config`, without a place for its session.
fn builder(config: &Saic) -> Result<ClientBuilder, SaicError> {
    let password = config.password.reveal()?;
    let password = password.expose_secret();
    let credentials = match (&config.country_code, config.user.contains('@')) {
        (_, true) => Credentials::email(&config.user, password),
        (Some(code), false) => Credentials::phone(code, &config.user, password),
        (None, false) => return Err(SaicError::NoCountryCode(config.user.clone())),
    };
    let region = Region::by_code(config.region.code()).ok_or(SaicError::OtherCloud)?;
    let relogin = match config.relogin_delay.is_zero() {
        true => Relogin::AtOnce,
        false => Relogin::After(config.relogin_delay),
    };
    let mut builder = Client::builder(region, credentials).relogin(relogin);
    if let Some(url) = &config.base_url {
        builder = builder.base_url(url);
    }
    if let Some(ca) = &config.ca {
        let pem = fs::read(ca).map_err(|error| SaicError::Ca(ca.clone(), error))?;
        builder = builder.extra_ca(pem);
    }
    Ok(builder)
}
