//! What is logged: `LOG_LEVEL` for everything, `<MODULE>_LOG_LEVEL` for one
//! module, with Python's names of levels. Modules are those of the original, of
//! its libraries, and ours.

use super::given::usage;
use crate::config::Environment;
use crate::exit::Failure;

/// What `LOG_LEVEL` is without the variable.
const NORMAL: Level = Level::Info;

/// The end of every such variable.
const SUFFIX: &str = "LOG_LEVEL";

/// Libraries say what they warn of, unless more is asked for, or less of all.
const LIBRARIES: &[&str] = &[
    "saic_ismart",
    "reqwest",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    "tungstenite",
    "tokio",
    "mio",
];

/// The way to the broker, library included.
const MQTT: &[&str] = &["telemetry_cli::sink::mqtt", "rumqttc"];

/// Names of modules as variables have them, and what they are here.
const MODULES: &[(&str, &[&str])] = &[
    ("MQTT", MQTT),
    ("GMQTT", MQTT),
    ("AIOMQTT", MQTT),
    ("PUBLISHER", MQTT),
    ("RUMQTTC", &["rumqttc"]),
    ("SAIC_ISMART_CLIENT_NG", &["saic_ismart"]),
    ("SAIC_ISMART", &["saic_ismart"]),
    ("HTTPX", &["reqwest"]),
    ("REQWEST", &["reqwest"]),
    ("HTTPCORE", &["hyper", "hyper_util", "h2"]),
    ("HYPER", &["hyper", "hyper_util", "h2"]),
    ("RUSTLS", &["rustls"]),
    ("ASYNCIO", &["tokio", "mio"]),
    ("TOKIO", &["tokio", "mio"]),
    ("TELEMETRY_CLI", &["telemetry_cli"]),
    ("MQTT_GATEWAY", &["telemetry_cli::compat::saic"]),
    ("ACCOUNT", &["telemetry_cli::compat::saic::account"]),
    ("ANNOUNCER", &["telemetry_cli::compat::saic::announcer"]),
    ("CAR", &["telemetry_cli::compat::saic::car"]),
    ("VEHICLE", &["telemetry_cli::compat::saic::car"]),
    ("HANDLERS_VEHICLE", &["telemetry_cli::compat::saic::car"]),
    ("CLIENT", &["telemetry_cli::compat::saic::client"]),
    ("GATEWAY", &["telemetry_cli::compat::saic::gateway"]),
    (
        "HANDLERS_MESSAGE",
        &["telemetry_cli::compat::saic::account"],
    ),
    ("HANDLERS_RELOGIN", &["saic_ismart::session"]),
    ("ABRP", &["telemetry_cli::compat::saic::abrp"]),
    (
        "INTEGRATIONS_ABRP_API",
        &["telemetry_cli::compat::saic::abrp"],
    ),
    ("OSMAND", &["telemetry_cli::compat::saic::osmand"]),
    (
        "INTEGRATIONS_OSMAND_API",
        &["telemetry_cli::compat::saic::osmand"],
    ),
    ("OPTIONS", &["telemetry_cli::compat::saic::options"]),
    ("SHARED", &["telemetry_cli::compat::saic::shared"]),
    // Says nothing here: the time zone is looked up without a library that logs.
    ("TZLOCAL", &[]),
];

/// From the quietest to the most talkative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

impl Level {
    fn parse(variable: &str, name: &str) -> Result<Self, Failure> {
        Ok(match name.trim().to_ascii_uppercase().as_str() {
            "CRITICAL" | "FATAL" => Self::Off,
            "ERROR" => Self::Error,
            "WARNING" | "WARN" => Self::Warn,
            "INFO" => Self::Info,
            "DEBUG" | "NOTSET" => Self::Debug,
            _ => {
                return Err(usage(format!(
                    "environment variable {variable}: `{name}` is no level"
                ))
                .hint("CRITICAL, ERROR, WARNING, INFO or DEBUG"));
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// For the subscriber.
    pub filter: String,
    /// Variables that end in `_LOG_LEVEL`, and name no module that is known.
    pub unknown: Vec<String>,
}

impl Log {
    /// What `environment` asks for.
    ///
    /// # Errors
    /// The variable that names no level.
    pub fn new(environment: &Environment) -> Result<Self, Failure> {
        let all = environment.get(SUFFIX);
        let all = all.map_or(Ok(NORMAL), |name| Level::parse(SUFFIX, name))?;
        let at_most = |level: Level| level.min(all);
        let mut levels: Vec<(&str, Level)> = Vec::new();
        levels.extend(MQTT.iter().map(|target| (*target, at_most(NORMAL))));
        levels.extend(
            LIBRARIES
                .iter()
                .map(|target| (*target, at_most(Level::Warn))),
        );
        let mut unknown = Vec::new();
        for (variable, name) in environment.iter() {
            let module = variable
                .strip_suffix(SUFFIX)
                .and_then(|m| m.strip_suffix('_'));
            let Some(module) = module.filter(|module| !module.is_empty()) else {
                continue;
            };
            match MODULES.iter().find(|(known, _)| *known == module) {
                Some((_, targets)) => {
                    let level = Level::parse(variable, name)?;
                    for target in *targets {
                        levels.retain(|(known, _)| known != target);
                        levels.push((target, level));
                    }
                }
                None => unknown.push(variable.to_owned()),
            }
        }
        let mut filter = all.name().to_owned();
        for (target, level) in levels {
            filter.push_str(&format!(",{target}={}", level.name()));
        }
        Ok(Self { filter, unknown })
    }

    /// Says which variables have no effect.
    pub fn warn(&self) {
        for variable in &self.unknown {
            tracing::warn!("environment variable {variable} names no module that is known here");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::Targets;

    use super::*;

    fn log(variables: &[(&str, &str)]) -> Result<Log, Failure> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Log::new(&variables.iter().map(own).collect())
    }

    /// The level of a target: the longest directive that it begins with.
    fn level<'f>(filter: &'f str, target: &str) -> &'f str {
        let of = |directive: &'f str| directive.split_once('=').unwrap_or(("", directive));
        let fitting = filter
            .split(',')
            .map(of)
            .filter(|(t, _)| target.starts_with(t));
        fitting.max_by_key(|(t, _)| t.len()).unwrap().1
    }

    #[test]
    fn levels_have_pythons_names() {
        let car = "telemetry_cli::compat::saic::car::poll";
        let mqtt = "telemetry_cli::sink::mqtt::session";
        for (variables, target, expected) in [
            (&[][..], car, "info"),
            (&[], mqtt, "info"),
            (&[], "rumqttc::state", "info"),
            (&[], "saic_ismart::wire", "warn"),
            (&[], "reqwest::connect", "warn"),
            (&[("LOG_LEVEL", "debug")], car, "debug"),
            (&[("LOG_LEVEL", "Debug")], mqtt, "info"),
            (&[("LOG_LEVEL", "DEBUG")], "hyper::client", "warn"),
            (&[("LOG_LEVEL", "ERROR")], "hyper::client", "error"),
            (&[("LOG_LEVEL", "WARNING")], mqtt, "warn"),
            (&[("LOG_LEVEL", "CRITICAL")], car, "off"),
            (&[("LOG_LEVEL", "CRITICAL")], mqtt, "off"),
            (&[("LOG_LEVEL", "CRITICAL")], "saic_ismart::wire", "off"),
            (
                &[("LOG_LEVEL", "CRITICAL"), ("MQTT_LOG_LEVEL", "DEBUG")],
                mqtt,
                "debug",
            ),
            (&[("MQTT_LOG_LEVEL", "CRITICAL")], "rumqttc::state", "off"),
            (&[("GMQTT_LOG_LEVEL", "WARN")], mqtt, "warn"),
            (
                &[("SAIC_ISMART_CLIENT_NG_LOG_LEVEL", "DEBUG")],
                "saic_ismart::wire",
                "debug",
            ),
            (
                &[("SAIC_ISMART_CLIENT_NG_LOG_LEVEL", "INFO")],
                "reqwest",
                "warn",
            ),
            (&[("HTTPX_LOG_LEVEL", "INFO")], "reqwest::connect", "info"),
            (
                &[("HTTPCORE_LOG_LEVEL", "notset")],
                "hyper_util::client",
                "debug",
            ),
            (&[("ASYNCIO_LOG_LEVEL", "FATAL")], "tokio::task", "off"),
            (&[("HANDLERS_VEHICLE_LOG_LEVEL", "DEBUG")], car, "debug"),
            (&[("CAR_LOG_LEVEL", "ERROR")], car, "error"),
            (
                &[("CAR_LOG_LEVEL", "ERROR")],
                "telemetry_cli::compat::saic::account",
                "info",
            ),
            (&[("TELEMETRY_CLI_LOG_LEVEL", "WARNING")], car, "warn"),
            (&[("LOG_LEVEL", ""), ("MQTT_LOG_LEVEL", "")], car, "info"),
        ] {
            let log = log(variables).unwrap();
            assert_eq!(
                level(&log.filter, target),
                expected,
                "{variables:?}: {log:?}"
            );
            assert!(log.unknown.is_empty());
            assert!(crate::log::check_filter(&log.filter).is_ok());
            // Nothing is lost on the way to the subscriber.
            let parsed = log.filter.parse::<Targets>().unwrap().to_string();
            assert!(parsed.contains(level(&log.filter, target)), "{parsed}");
        }
    }

    #[test]
    fn a_level_or_module_that_is_none_is_named() {
        for variable in ["LOG_LEVEL", "MQTT_LOG_LEVEL", "HTTPX_LOG_LEVEL"] {
            let failure = log(&[(variable, "loud")]).unwrap_err();
            let why = format!("environment variable {variable}: `loud` is no level");
            assert_eq!(failure.message, why);
        }
        // Another program's: no reason to refuse to start.
        let log = log(&[("NODE_LOG_LEVEL", "silly"), ("_LOG_LEVEL", "x")]).unwrap();
        assert_eq!(log.unknown, ["NODE_LOG_LEVEL"]);
    }
}
