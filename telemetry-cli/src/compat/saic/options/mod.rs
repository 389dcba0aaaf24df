//! What the original's flags and environment variables mean. A flag comes
//! before its variable; an empty variable counts as none.

use std::collections::BTreeMap;
use std::time::Duration;

use super::charging_station::ChargingStation;
use super::mapping;
use crate::cli::{Hidden, SaicMqttGatewayArgs};
use crate::config::{self, Environment, Secret};
use crate::exit::Failure;
use crate::zone::Zone;
use given::{Given, http_url, positive, usage};

pub use log::Log;

mod account;
mod broker;
mod given;
mod log;
mod stations;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Options {
    /// The broker; none to print everything.
    pub mqtt: Option<config::Mqtt>,
    /// First level of all topics.
    pub prefix: String,
    /// Dots may stay in topics.
    pub allow_dots: bool,
    /// The account.
    pub account: Account,
    /// Between two looks for messages.
    pub messages_interval: Duration,
    /// Between two looks for cars.
    pub account_interval: Duration,
    /// Usable batteries by VIN, kWh.
    pub battery_kwh: BTreeMap<String, f64>,
    /// How much a battery charges between two polls, percent.
    pub charge_min_percent: f64,
    /// Look at the cloud's cache, too.
    pub hybrid: bool,
    /// No command reaches a car.
    pub read_only: bool,
    /// Publish what is said to the cloud.
    pub raw_api: bool,
    /// First level of Home Assistant's topics, if it is to be told.
    pub home_assistant: Option<String>,
    /// Entities follow the availability of their car.
    pub show_unavailable: bool,
    /// Wallboxes by the VIN of their car.
    pub stations: BTreeMap<String, ChargingStation>,
    /// What the gateway calls its version.
    pub version: String,
    /// A Better Routeplanner.
    pub abrp: Abrp,
    /// Traccar and the like.
    pub osmand: Option<Osmand>,
}

/// The account.
#[derive(Clone, Debug)]
pub struct Account {
    /// E-mail address or phone number.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Of the phone number.
    pub country_code: Option<String>,
    /// The cloud.
    pub rest_uri: String,
    /// Its region.
    pub region: String,
    /// Its tenant.
    pub tenant: String,
    /// How long the account is left to another device.
    pub relogin_delay: Duration,
    /// How long a request may take.
    pub read_timeout: Duration,
    /// Of the schedules, if not that of the account.
    pub zone: Option<Zone>,
}

/// A Better Routeplanner.
#[derive(Clone, Debug)]
pub struct Abrp {
    /// Where it is.
    pub uri: String,
    /// Who we are.
    pub api_key: String,
    /// Who the user is, by VIN. Secret.
    pub tokens: BTreeMap<String, Secret>,
    /// Publish what is said to it.
    pub raw: bool,
}

/// A server that takes OsmAnd's protocol.
#[derive(Clone, Debug)]
pub struct Osmand {
    /// Where it is.
    pub uri: String,
    /// Its names by VIN.
    pub device_ids: BTreeMap<String, String>,
    /// Speed in knots, else in km/h.
    pub knots: bool,
    /// Publish what is said to it.
    pub raw: bool,
}

/// Shared by all programs with an open source.
const ABRP_API_KEY: &str = "8cfc314b-03cd-4efe-ab7d-4431cd8f2e2d";
const ABRP_URI: &str = "https://api.iternio.com";

impl Options {
    /// What `args` and `environment` ask for.
    ///
    /// # Errors
    /// The flag or variable that cannot be meant.
    pub fn new(args: &SaicMqttGatewayArgs, environment: &Environment) -> Result<Self, Failure> {
        let given = Given(environment);
        let text = |flag: &Option<String>, name, variable| given.text(flag, name, variable);
        let shown = |flag: &Option<Hidden>| flag.as_deref().map(str::to_owned);
        let map = |flag: &Option<String>, name, variable| match text(flag, name, variable) {
            Some(found) => found.read(mapping::by_vin),
            None => Ok(BTreeMap::new()),
        };
        let hybrid = match args.polling.as_deref() {
            None | Some("original") => false,
            Some("hybrid") => true,
            Some(other) => {
                return Err(usage(format!("`--polling`: `{other}` is no way to poll"))
                    .hint("`original` or `hybrid`"));
            }
        };
        let battery_kwh = map(
            &args.battery_capacity_mapping,
            "--battery-capacity-mapping",
            "BATTERY_CAPACITY_MAPPING",
        )?;
        let capacity = |(vin, kwh): (String, String)| {
            let kwh = positive(&kwh)
                .map_err(|why| usage(format!("`--battery-capacity-mapping`: {vin}: {why}")))?;
            Ok((vin, kwh))
        };
        Ok(Self {
            mqtt: given.mqtt(args)?,
            prefix: text(&args.mqtt_topic_prefix, "--mqtt-topic-prefix", "MQTT_TOPIC")
                .map_or_else(|| "saic".to_owned(), |found| found.value),
            allow_dots: given.boolean(
                &args.mqtt_allow_dots_in_topic,
                "--mqtt-allow-dots-in-topic",
                "MQTT_ALLOW_DOTS_IN_TOPIC",
                true,
            ),
            account: given.account(args)?,
            messages_interval: given.seconds(
                &args.messages_request_interval,
                "--messages-request-interval",
                "MESSAGES_REQUEST_INTERVAL",
                60,
            )?,
            account_interval: given.seconds(
                &args.account_refresh_interval,
                "--account-refresh-interval",
                "ACCOUNT_REFRESH_INTERVAL",
                86_400,
            )?,
            battery_kwh: battery_kwh
                .into_iter()
                .map(capacity)
                .collect::<Result<_, Failure>>()?,
            charge_min_percent: match text(
                &args.charge_min_percentage,
                "--charge-min-percentage",
                "CHARGE_MIN_PERCENTAGE",
            ) {
                Some(found) => found.read(positive)?,
                None => 1.0,
            },
            hybrid,
            read_only: args.read_only,
            raw_api: given.boolean(
                &args.publish_raw_api_data,
                "--publish-raw-api-data",
                "PUBLISH_RAW_API_DATA_ENABLED",
                false,
            ),
            home_assistant: given
                .boolean(
                    &args.ha_discovery,
                    "--ha-discovery",
                    "HA_DISCOVERY_ENABLED",
                    true,
                )
                .then(|| {
                    text(
                        &args.ha_discovery_prefix,
                        "--ha-discovery-prefix",
                        "HA_DISCOVERY_PREFIX",
                    )
                    .map_or_else(|| "homeassistant".to_owned(), |found| found.value)
                }),
            // On only if asked for: a sleeping car is no reason to lose all values.
            show_unavailable: given.boolean(
                &args.ha_show_unavailable,
                "--ha-show-unavailable",
                "HA_SHOW_UNAVAILABLE",
                false,
            ),
            stations: given.stations(args)?,
            version: given.version(),
            abrp: Abrp {
                uri: match &args.abrp_uri {
                    None => ABRP_URI.to_owned(),
                    Some(uri) => {
                        http_url(uri).map_err(|why| usage(format!("`--abrp-uri`: {why}")))?
                    }
                },
                api_key: text(&shown(&args.abrp_api_key), "--abrp-api-key", "ABRP_API_KEY")
                    .map_or_else(|| ABRP_API_KEY.to_owned(), |found| found.value),
                tokens: map(
                    &shown(&args.abrp_user_token),
                    "--abrp-user-token",
                    "ABRP_USER_TOKEN",
                )?
                .into_iter()
                .map(|(vin, token)| (vin, token.into()))
                .collect(),
                raw: given.boolean(
                    &args.publish_raw_abrp_data,
                    "--publish-raw-abrp-data",
                    "PUBLISH_RAW_ABRP_DATA_ENABLED",
                    false,
                ),
            },
            osmand: match text(
                &args.osmand_server_uri,
                "--osmand-server-uri",
                "OSMAND_SERVER_URI",
            ) {
                None => None,
                Some(found) => Some(Osmand {
                    uri: found.read(http_url)?,
                    device_ids: map(
                        &args.osmand_device_id,
                        "--osmand-device-id",
                        "OSMAND_DEVICE_ID",
                    )?,
                    knots: given.boolean(
                        &args.osmand_use_knots,
                        "--osmand-use-knots",
                        "OSMAND_USE_KNOTS",
                        true,
                    ),
                    raw: given.boolean(
                        &args.publish_raw_osmand_data,
                        "--publish-raw-osmand-data",
                        "PUBLISH_RAW_OSMAND_DATA_ENABLED",
                        false,
                    ),
                }),
            },
        })
    }
}

#[cfg(test)]
mod tests;
