//! `bmw-mqtt`: the service that reads BMW and MINI cars and publishes one JSON
//! message for each.

use std::collections::BTreeMap;

use super::broker;
use crate::cli::BmwMqttArgs;
use crate::config::{
    self, Bmw, BmwApi, BmwMessages, Config, DropIn, Environment, HomeAssistant, Secret,
};
use crate::event::Reading;
use crate::exit::{Code, Failure};
use crate::filter::Keep;
use crate::native::Native;
use crate::sink::Context;
use crate::sink::mqtt::fleeting::{self, Message};
use crate::supervisor::{Exit, Task};

pub use message::message;

mod message;

/// The name of the command.
pub const NAME: &str = "bmw-mqtt";

/// What the variable of a vehicle ends with.
const VIN: &str = "_VIN";

/// The gateway that does what `args` and the environment ask for.
///
/// # Errors
/// If they cannot be meant.
pub fn config(args: &BmwMqttArgs, environment: &Environment) -> Result<Config, Failure> {
    let vehicles = vehicles(args, environment)?;
    let names = vehicles
        .iter()
        .map(|vehicle| (vehicle.vin.to_uppercase(), vehicle.name.clone()))
        .collect();
    let mut config = Config {
        mqtt: Some(broker::mqtt(
            args.mqtt_host.as_deref(),
            "MQTT_BROKER",
            &args.broker,
            environment,
        )?),
        home_assistant: HomeAssistant {
            enabled: false,
            ..HomeAssistant::default()
        },
        bmw: accounts(args, vehicles),
        drop_in: Some(DropIn::BmwMqtt(BmwMessages {
            topic: args.topic.clone(),
            value_pairs: args.value_pairs,
            names,
        })),
        ..Config::default()
    };
    config.gateway.name = NAME.to_owned();
    config.store.sqlite = false;
    Ok(config)
}

/// A vehicle of the environment.
struct Vehicle {
    /// As it is written there.
    name: String,
    vin: String,
    login: Login,
}

enum Login {
    CarData {
        client_id: String,
    },
    MyBmw {
        user: String,
        password: Secret,
        captcha: Option<String>,
    },
}

fn vehicles(args: &BmwMqttArgs, environment: &Environment) -> Result<Vec<Vehicle>, Failure> {
    let usage = |message: String| Failure::new(Code::Usage, message);
    // Names are matched without regard to case.
    let variable = |wanted: &str| {
        environment
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let mut captchas: BTreeMap<String, String> = args
        .captcha_tokens
        .iter()
        .map(|(name, token)| (name.to_lowercase(), token.to_string()))
        .collect();
    let mut vehicles: Vec<Vehicle> = Vec::new();
    for (variable_name, vin) in environment.iter() {
        let end = variable_name.len().saturating_sub(VIN.len());
        let (Some(name), Some(ending)) = (variable_name.get(..end), variable_name.get(end..))
        else {
            continue;
        };
        if name.is_empty() || !ending.eq_ignore_ascii_case(VIN) {
            continue;
        }
        if bimmer::Vin::new(vin).is_none() {
            return Err(usage(format!(
                "environment variable {variable_name}: `{vin}` is no VIN"
            ))
            .hint("17 letters and digits, as in the car's papers"));
        }
        let same = |other: &&Vehicle| {
            other.vin.eq_ignore_ascii_case(vin) || other.name.eq_ignore_ascii_case(name)
        };
        if let Some(other) = vehicles.iter().find(same) {
            let message = format!("{name} and {} are the same vehicle", other.name);
            return Err(usage(message).hint("take away one of the two variables"));
        }
        let of = |what: &str| variable(&format!("{name}_{what}"));
        let captcha = captchas.remove(&name.to_lowercase());
        let login = match (of("CARDATA_CLIENT_ID"), of("USERNAME"), of("PASSWORD")) {
            (Some((_, id)), ..) => Login::CarData {
                client_id: id.trim().to_lowercase(),
            },
            (None, Some((_, user)), Some((password, _))) => Login::MyBmw {
                user: user.to_owned(),
                password: format!("env:{password}").into(),
                captcha,
            },
            (None, user, _) => {
                let missing = if user.is_some() {
                    "PASSWORD"
                } else {
                    "USERNAME"
                };
                let message = format!("{variable_name} is set, but {name}_{missing} is not");
                return Err(usage(message).hint(format!(
                    "set {name}_USERNAME and {name}_PASSWORD, or {name}_CARDATA_CLIENT_ID"
                )));
            }
        };
        vehicles.push(Vehicle {
            name: name.to_owned(),
            vin: vin.trim().to_owned(),
            login,
        });
    }
    if let Some(name) = captchas.into_keys().next() {
        let message = format!("a captcha token for `{name}`, but no such vehicle");
        return Err(usage(message).hint("name the vehicle by NAME_VIN in the environment"));
    }
    if vehicles.is_empty() {
        let message = "no vehicle: the environment has no NAME_VIN".to_owned();
        return Err(usage(message).hint(
            "set for example BMW_VIN, BMW_USERNAME and BMW_PASSWORD; or BMW_VIN and \
             BMW_CARDATA_CLIENT_ID",
        ));
    }
    Ok(vehicles)
}

/// Each vehicle has a login of its own, but for those of one CarData client,
/// which share one stream and one quota.
fn accounts(args: &BmwMqttArgs, vehicles: Vec<Vehicle>) -> Vec<Bmw> {
    let mut accounts: Vec<Bmw> = Vec::new();
    for Vehicle { name, vin, login } in vehicles {
        let common = Bmw {
            label: Some(name.clone()),
            token_name: Some(name.to_lowercase()),
            vin: vec![vin.clone()],
            region: args.region,
            interval: args.interval,
            parked_interval: args.interval,
            store: Keep::Nothing,
            token_store: args.token_store,
            namespace: args.namespace.clone(),
            auth_url: args.base_url.clone(),
            api_url: args.base_url.clone(),
            stream_url: args.stream_url.clone(),
            repeat: Some(args.interval),
            ..Bmw::default()
        };
        match login {
            Login::MyBmw {
                user,
                password,
                captcha,
            } => accounts.push(Bmw {
                api: BmwApi::MyBmw,
                user: Some(user),
                password: Some(password),
                captcha_token: captcha.map(Into::into),
                ..common
            }),
            Login::CarData { client_id } => {
                let shared = accounts
                    .iter_mut()
                    .find(|account| account.client_id.as_ref() == Some(&client_id));
                match shared {
                    Some(account) => account.vin.push(vin),
                    None => accounts.push(Bmw {
                        client_id: Some(client_id),
                        ..common
                    }),
                }
            }
        }
    }
    accounts
}

/// The sink: one message for each reading of each car.
pub async fn run(mqtt: config::Mqtt, messages: BmwMessages, context: Context, task: Task) -> Exit {
    let publication = move |reading: &Reading| {
        let Native::Bmw(car) = reading.native.as_ref()? else {
            return None;
        };
        let vin = reading.device.as_str().to_uppercase();
        let name = messages.names.get(&vin).map_or("", String::as_str);
        Some(Message {
            topic: messages
                .topic
                .replace("{name}", name)
                .replace("{vin}", &vin),
            payload: message(car, messages.value_pairs),
            at_least_once: false,
            retain: false,
        })
    };
    fleeting::run(mqtt, context, task, publication).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};

    fn configured(flags: &str, variables: &[(&str, &str)]) -> Result<Config, Failure> {
        let words = format!("{NAME} {flags}");
        let cli = Cli::of(words.split_whitespace().map(Into::into).collect()).unwrap();
        let Command::BmwMqtt(args) = cli.command else {
            panic!("{cli:?}");
        };
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        config(&args, &variables.iter().map(own).collect())
    }

    const TWO: [(&str, &str); 6] = [
        ("BMW_VIN", "WBA00SIM000000001"),
        ("BMW_USERNAME", "me@example.com"),
        ("BMW_PASSWORD", "x"),
        ("Mini_VIN", "wmw00sim000000004"),
        ("MINI_USERNAME", "me@example.com"),
        ("mini_password", "y"),
    ];

    #[test]
    fn a_vehicle_is_each_name_with_a_vin() {
        let flags = "--captcha_token_MINI P1_m --region north_america --interval 600";
        let config = configured(flags, &TWO).unwrap();
        let [bmw, mini] = config.bmw.as_slice() else {
            panic!("{:?}", config.bmw);
        };
        assert_eq!((bmw.title(), bmw.account().as_str()), ("BMW", "bmw"));
        assert!(bmw.captcha_token.is_none());
        assert_eq!((mini.title(), mini.account().as_str()), ("Mini", "mini"));
        assert!(mini.captcha_token.is_some());
        assert_eq!(
            format!("{:?}", mini.password),
            "Some(Secret(env:mini_password))"
        );
        assert_eq!(mini.parked_interval.as_secs(), 600);
        assert_eq!(config.mqtt.unwrap().url, "tcp://localhost:1883");
        let Some(DropIn::BmwMqtt(messages)) = config.drop_in else {
            panic!("messages");
        };
        assert_eq!(messages.topic, "data/charging/");
        assert_eq!(messages.names["WMW00SIM000000004"], "Mini");
    }

    #[test]
    fn vehicles_of_one_cardata_client_share_it() {
        let id = "01234567-89AB-CDEF-0123-456789ABCDEF";
        let variables = [
            ("BMW_VIN", "WBA00SIM000000001"),
            ("BMW_CARDATA_CLIENT_ID", id),
            ("Mini_VIN", "WMW00SIM000000004"),
            ("Mini_CARDATA_CLIENT_ID", id),
            ("MQTT_BROKER", "broker"),
            ("MQTT_PORT", "1884"),
        ];
        let config = configured("", &variables).unwrap();
        assert_eq!(config.bmw.len(), 1);
        assert_eq!(config.bmw[0].vin.len(), 2);
        assert_eq!(config.mqtt.unwrap().url, "tcp://broker:1884");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (flags, variables, message) in [
            ("", &TWO[..0], "no vehicle: the environment has no NAME_VIN"),
            ("", &TWO[..1], "BMW_VIN is set, but BMW_USERNAME is not"),
            ("", &TWO[..2], "BMW_VIN is set, but BMW_PASSWORD is not"),
            (
                "--captcha_token_Rover P1_x",
                &TWO[..3],
                "a captcha token for `rover`, but no such vehicle",
            ),
            (
                "",
                &[("BMW_VIN", "1")][..],
                "environment variable BMW_VIN: `1` is no VIN",
            ),
        ] {
            let failure = configured(flags, variables).unwrap_err();
            assert_eq!(
                (failure.code, failure.message.as_str()),
                (Code::Usage, message)
            );
        }
    }
}
