//! What the original's flags and environment variables mean. A flag comes
//! before its variable; an empty variable counts as none.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use crate::cli::SaicMqttGatewayArgs;
use crate::config::{self, BrokerUrl, Environment, Secret};
use crate::exit::{Code, Failure};

use super::charging_station::{self, ChargingStation};
use super::mapping;
use super::zone::Zone;

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

const REST_URI: &str = "https://gateway-mg-eu.soimt.com/api.app/v1/";
/// Shared by all programs with an open source.
const ABRP_API_KEY: &str = "8cfc314b-03cd-4efe-ab7d-4431cd8f2e2d";
const ABRP_URI: &str = "https://api.iternio.com";
const STATIONS: &str = "./charging-stations.json";

impl Options {
    /// What `args` and `environment` ask for.
    ///
    /// # Errors
    /// The flag or variable that cannot be meant.
    pub fn new(args: &SaicMqttGatewayArgs, environment: &Environment) -> Result<Self, Failure> {
        let given = Given(environment);
        let text = |flag: &Option<String>, name, variable| given.text(flag, name, variable);
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
            abrp: Abrp {
                uri: args.abrp_uri.clone().unwrap_or_else(|| ABRP_URI.to_owned()),
                api_key: text(&args.abrp_api_key, "--abrp-api-key", "ABRP_API_KEY")
                    .map_or_else(|| ABRP_API_KEY.to_owned(), |found| found.value),
                tokens: map(
                    &args.abrp_user_token,
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

    /// What is logged: `LOG_LEVEL` and `MQTT_LOG_LEVEL`, Python's names.
    ///
    /// # Errors
    /// The variable that names no level.
    pub fn log_filter(environment: &Environment) -> Result<String, Failure> {
        let level = |variable| match environment.get(variable) {
            None => Ok("info"),
            Some(name) => match name.to_ascii_uppercase().as_str() {
                "CRITICAL" | "FATAL" => Ok("off"),
                "ERROR" => Ok("error"),
                "WARNING" | "WARN" => Ok("warn"),
                "INFO" => Ok("info"),
                "DEBUG" | "NOTSET" => Ok("debug"),
                _ => Err(usage(format!(
                    "environment variable {variable}: `{name}` is no level"
                ))
                .hint("CRITICAL, ERROR, WARNING, INFO or DEBUG")),
            },
        };
        let (all, mqtt) = (level("LOG_LEVEL")?, level("MQTT_LOG_LEVEL")?);
        Ok(format!(
            "{all},telemetry_cli::sink::mqtt={mqtt},rumqttc={mqtt}"
        ))
    }
}

struct Given<'e>(&'e Environment);

/// A value, and where it comes from.
struct Found {
    value: String,
    origin: String,
}

impl Found {
    fn read<T>(self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
        read(&self.value).map_err(|why| usage(format!("{}: {why}", self.origin)))
    }
}

impl Given<'_> {
    fn text(&self, flag: &Option<String>, name: &str, variable: &str) -> Option<Found> {
        if let Some(value) = flag {
            return Some(Found {
                value: value.clone(),
                origin: format!("`{name}`"),
            });
        }
        let value = self.0.get(variable)?;
        Some(Found {
            value: value.to_owned(),
            origin: format!("environment variable {variable}"),
        })
    }

    /// Everything that is not clearly yes is no, as in the original.
    fn boolean(&self, flag: &Option<String>, name: &str, variable: &str, default: bool) -> bool {
        let yes = |found: Found| {
            let value = found.value.to_ascii_lowercase();
            ["true", "1", "yes", "y"].contains(&value.as_str())
        };
        self.text(flag, name, variable).map_or(default, yes)
    }

    fn seconds(
        &self,
        flag: &Option<String>,
        name: &str,
        variable: &str,
        default: u64,
    ) -> Result<Duration, Failure> {
        let whole = |text: &str| {
            let seconds = text
                .trim()
                .parse::<u32>()
                .ok()
                .filter(|seconds| *seconds > 0);
            seconds.ok_or_else(|| format!("`{text}` is no whole number of seconds above 0"))
        };
        let found = self.text(flag, name, variable);
        let seconds = found.map(|found| found.read(whole)).transpose()?;
        Ok(Duration::from_secs(seconds.map_or(default, u64::from)))
    }

    /// A variable is read when it is needed, and stands in no structure.
    fn secret(&self, flag: &Option<String>, variable: &str) -> Option<Secret> {
        match flag {
            Some(text) => Some(text.clone().into()),
            None => self.0.get(variable).map(|text| text.to_owned().into()),
        }
    }

    fn mqtt(&self, args: &SaicMqttGatewayArgs) -> Result<Option<config::Mqtt>, Failure> {
        if args.console {
            return Ok(None);
        }
        let Some(uri) = self.text(&args.mqtt_uri, "--mqtt-uri", "MQTT_URI") else {
            return Err(usage("no broker: `--mqtt-uri` is missing".to_owned()).hint(
                "name it with `--mqtt-uri` or MQTT_URI, or print everything with `--console`",
            ));
        };
        let mut mqtt = config::Mqtt::new(uri.read(broker)?);
        let text = |flag, name, variable| self.text(flag, name, variable).map(|found| found.value);
        mqtt.user = text(&args.mqtt_user, "--mqtt-user", "MQTT_USER");
        // The original looks at the password only if there is a user.
        mqtt.password = self
            .secret(&args.mqtt_password, "MQTT_PASSWORD")
            .filter(|_| mqtt.user.is_some());
        let id = text(&args.mqtt_client_id, "--mqtt-client-id", "MQTT_CLIENT_ID");
        mqtt.client_id = Some(id.unwrap_or_else(|| "saic-python-mqtt-gateway".to_owned()));
        let encrypted = mqtt.url.starts_with("tls://") || mqtt.url.starts_with("wss://");
        mqtt.ca = text(
            &args.mqtt_server_cert,
            "--mqtt-server-cert",
            "MQTT_SERVER_CERT",
        )
        .filter(|_| encrypted)
        .map(Into::into);
        let checked = self.boolean(
            &args.mqtt_server_cert_check_hostname,
            "--mqtt-server-cert-check-hostname",
            "MQTT_SERVER_CERT_CHECK_HOSTNAME",
            true,
        );
        if encrypted && !checked {
            return Err(usage(
                "`--mqtt-server-cert-check-hostname`: the name in the broker's certificate is always checked"
                    .to_owned(),
            )
            .hint("name the broker as its certificate does, or give it a certificate with that name"));
        }
        Ok(Some(mqtt))
    }

    fn account(&self, args: &SaicMqttGatewayArgs) -> Result<Account, Failure> {
        let text = |flag, name, variable| self.text(flag, name, variable).map(|found| found.value);
        let missing = |flag: &str, variable: &str| {
            usage(format!("no account: `{flag}` is missing"))
                .hint(format!("give it with `{flag}` or {variable}"))
        };
        let user = text(&args.saic_user, "--saic-user", "SAIC_USER");
        let user = user.ok_or_else(|| missing("--saic-user", "SAIC_USER"))?;
        let password = self.secret(&args.saic_password, "SAIC_PASSWORD");
        let country_code = text(
            &args.saic_phone_country_code,
            "--saic-phone-country-code",
            "SAIC_PHONE_COUNTRY_CODE",
        );
        if !user.contains('@') && country_code.is_none() {
            return Err(
                missing("--saic-phone-country-code", "SAIC_PHONE_COUNTRY_CODE")
                    .hint("a phone number needs its country code; an e-mail address has an `@`"),
            );
        }
        let timeout = self.text(
            &args.saic_read_timeout,
            "--saic-read-timeout",
            "SAIC_READ_TIMEOUT",
        );
        let zone = self.text(
            &args.saic_user_timezone,
            "--saic-user-timezone",
            "SAIC_USER_TIMEZONE",
        );
        let uri = self.text(&args.saic_rest_uri, "--saic-rest-uri", "SAIC_REST_URI");
        Ok(Account {
            user,
            password: password.ok_or_else(|| missing("--saic-password", "SAIC_PASSWORD"))?,
            country_code,
            rest_uri: uri.map_or(Ok(REST_URI.to_owned()), |found| found.read(http_url))?,
            region: text(&args.saic_region, "--saic-region", "SAIC_REGION")
                .unwrap_or_else(|| "eu".to_owned()),
            tenant: text(&args.saic_tenant_id, "--saic-tenant-id", "SAIC_TENANT_ID")
                .unwrap_or_else(|| "459771".to_owned()),
            relogin_delay: self.seconds(
                &args.saic_relogin_delay,
                "--saic-relogin-delay",
                "SAIC_RELOGIN_DELAY",
                900,
            )?,
            read_timeout: Duration::from_secs_f64(
                timeout
                    .map_or(Ok(10.0), |found| found.read(positive))?
                    .min(600.0),
            ),
            zone: zone
                .map(|found| {
                    found.read(|text| {
                        Zone::parse(text).ok_or_else(|| {
                            format!("`{text}` is no time zone such as `Europe/Rome` or `GMT+01:00`")
                        })
                    })
                })
                .transpose()?,
        })
    }

    /// Entries of the file come before those of the map.
    fn stations(
        &self,
        args: &SaicMqttGatewayArgs,
    ) -> Result<BTreeMap<String, ChargingStation>, Failure> {
        let map = self.text(&args.openwb_lp_map, "--openwb-lp-map", "OPENWB_LP_MAP");
        let map = map
            .map(|found| found.read(mapping::loading_points))
            .transpose()?;
        let mut stations: BTreeMap<_, _> = map
            .unwrap_or_default()
            .into_iter()
            .map(|(vin, number)| (vin.clone(), ChargingStation::loading_point(&number, vin)))
            .collect();
        let file = self.text(
            &args.charging_stations_json,
            "--charging-stations-json",
            "CHARGING_STATIONS_JSON",
        );
        let (path, asked) = match &file {
            Some(found) => (Path::new(&found.value), true),
            None => (Path::new(STATIONS), false),
        };
        match fs::read_to_string(path) {
            Ok(json) => stations.extend(charging_station::read(&json).map_err(|why| {
                Failure::new(Code::Configuration, format!("{}: {why}", path.display()))
                    .hint("each entry needs `vin`, `chargeStateTopic` and `chargingValue`")
            })?),
            Err(error) if !asked && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "no charging stations");
            }
        }
        Ok(stations)
    }
}

fn usage(message: String) -> Failure {
    Failure::new(Code::Usage, message)
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    let number = number.filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("`{text}` is no number above 0"))
}

fn http_url(text: &str) -> Result<String, String> {
    let valid = reqwest::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    match valid {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is no URL that begins with `http://` or `https://`"
        )),
    }
}

/// The original's broker address in our form. Its usual port for `ws://` is
/// 9001; a user name in it is ignored.
fn broker(text: &str) -> Result<String, String> {
    let wrong = |why: &str| {
        format!(
            "{why}; `tcp://HOST`, `tls://HOST`, `ws://HOST` or `wss://HOST`, with `:PORT` if needed"
        )
    };
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| wrong("it has no scheme"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(before, port)| {
        !port.contains(']') && (!before.contains(':') || before.ends_with(']'))
    });
    let port = if scheme == "ws" && !has_port {
        ":9001"
    } else {
        ""
    };
    let path = if scheme.starts_with("ws") { path } else { "" };
    let url = format!("{scheme}://{}{port}{path}", host.to_ascii_lowercase());
    BrokerUrl::parse(&url).map_err(|error| wrong(&error.to_string()))?;
    Ok(url)
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
