//! `telemetry status bmw`: every car of a MyBMW account.

use bimmer::Error;
use bimmer::mybmw::{Profile, Vehicle};
use serde_json::{Map, Value as Json, json};

use crate::cli::{LogArgs, StatusBmwArgs};
use crate::command::{BRIEF, print, start_log};
use crate::config::{Bmw, BmwApi, Environment};
use crate::event::{DeviceKind, Values};
use crate::exit::{Code, Failure};
use crate::metric::{Metric, catalogue};
use crate::source::bmw::tokens::Tokens;
use crate::source::bmw::{BmwError, account, values};

const PASSWORD: &str = "BIMMER_PASSWORD";

/// A car, or why it could not be read.
type Car<'a> = (&'a Profile, Result<Vehicle, Error>);

/// Logs in, prints all cars of all brands, forgets the login.
///
/// # Errors
/// Whatever kept the account, or the first of its cars, from being read.
pub(super) async fn bmw(args: &StatusBmwArgs, log: &LogArgs) -> Result<(), Failure> {
    start_log(log, BRIEF)?;
    let config = config(args)?;
    let failed = |error: BmwError| error.failure("").hint_unless(LOGIN);
    let client = account::mybmw(&config, Tokens::memory(), None).map_err(failed)?;
    let failed = |error: Error| failed(error.into());
    let mut profiles = client.profiles().await.map_err(failed)?;
    profiles.retain(|profile| config.wants(profile.vin.as_str()));
    if let (Some(vin), true) = (&args.vin, profiles.is_empty()) {
        return Err(failed_vin(vin));
    }
    let outcomes = client.vehicles(&profiles).await.map_err(failed)?;
    let cars: Vec<Car<'_>> = profiles
        .iter()
        .zip(outcomes.into_iter().map(|(_, outcome)| outcome))
        .collect();
    print(&match args.json {
        true => format!(
            "{}\n",
            json!({ "vehicles": cars.iter().map(as_json).collect::<Json>() })
        ),
        false => cars.iter().map(as_text).collect(),
    })?;
    let first = cars.into_iter().find_map(|(_, outcome)| outcome.err());
    first.map_or(Ok(()), |error| Err(failed(error)))
}

const LOGIN: &str = "check `--username`, BIMMER_PASSWORD and `--region`, and take a fresh captcha \
                     token";

fn failed_vin(vin: &str) -> Failure {
    BmwError::NoSuchCar(vin.to_owned()).failure("")
}

fn config(args: &StatusBmwArgs) -> Result<Bmw, Failure> {
    if Environment::of_process().get(PASSWORD).is_none() {
        let message = format!("environment variable {PASSWORD} is not set");
        return Err(Failure::new(Code::Login, message).hint("it is the password of the account"));
    }
    Ok(Bmw {
        api: BmwApi::MyBmw,
        user: Some(args.username.clone()),
        password: Some(format!("env:{PASSWORD}").into()),
        region: args.region,
        vin: args.vin.iter().cloned().collect(),
        api_url: args.base_url.clone(),
        stream_ca: args.ca.clone(),
        captcha_token: args
            .captcha_token
            .as_deref()
            .map(|text| text.to_owned().into()),
        ..Bmw::default()
    })
}

impl Failure {
    /// A login by arguments is no matter of any configuration.
    fn hint_unless(self, login: &str) -> Self {
        match self.code {
            Code::Login => self.hint(login),
            _ => self,
        }
    }
}

fn name(profile: &Profile) -> String {
    let model = profile.model.clone();
    model.unwrap_or_else(|| profile.vin.to_string())
}

fn as_json((profile, outcome): &Car<'_>) -> Json {
    let mut json = json!({
        "vin": profile.vin,
        "brand": profile.brand(),
        "name": name(profile),
    });
    match outcome {
        Ok(vehicle) => {
            let (values, extra) = values::mybmw(vehicle);
            json["values"] = in_order(&values);
            json["extra"] = Json::Object(extra);
        }
        Err(error) => {
            json["values"] = json!({});
            json["error"] = error.to_string().into();
        }
    }
    json
}

fn known(values: &Values) -> impl Iterator<Item = (&'static Metric, String, Json)> {
    let rows = catalogue(DeviceKind::Vehicle).iter();
    rows.filter_map(|metric| {
        let value = values.get(metric)?.clone().rounded(metric.decimals);
        let json = serde_json::to_value(&value).unwrap_or_default();
        Some((*metric, value.to_string(), json))
    })
}

fn in_order(values: &Values) -> Json {
    let entries = known(values).map(|(metric, _, json)| (metric.key.to_owned(), json));
    Json::Object(entries.collect::<Map<_, _>>())
}

fn as_text((profile, outcome): &Car<'_>) -> String {
    let mut page = format!("{} ({}, {})\n", name(profile), profile.brand(), profile.vin);
    match outcome {
        Ok(vehicle) => {
            for (metric, text, _) in known(&values::mybmw(vehicle).0) {
                let label = metric.name.replace(" {}", "");
                let line = format!("  {label:<24}{text} {}", metric.unit);
                page.push_str(line.trim_end());
                page.push('\n');
            }
        }
        Err(error) => page.push_str(&format!("  cannot be read: {error}\n")),
    }
    page
}
