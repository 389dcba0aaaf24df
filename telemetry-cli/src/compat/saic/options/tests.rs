use std::fs;

use clap::CommandFactory as _;

use super::broker::broker;
use super::*;
use crate::cli::{Cli, Command};
use crate::compat::saic::NAME;
use crate::config::HostName;
use crate::exit::Code;
use crate::sink::mqtt::session::{Session, Speaker};

/// What comes of these flags and of these variables, with an account and a
/// broker.
fn options(flags: &str, variables: &[(&str, &str)]) -> Result<Options, Failure> {
    let always = [
        ("MQTT_URI", "tcp://broker"),
        ("SAIC_USER", "me@example.com"),
        ("SAIC_PASSWORD", "demo-password"),
    ];
    bare(flags, &[&always, variables].concat())
}

fn bare(flags: &str, variables: &[(&str, &str)]) -> Result<Options, Failure> {
    let words = format!("{NAME} {flags}");
    let cli = Cli::of(words.split_whitespace().map(Into::into).collect()).unwrap();
    let Command::SaicMqttGateway(args) = cli.command else {
        panic!("{cli:?}");
    };
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Options::new(&args, &variables.iter().map(own).collect())
}

#[test]
fn defaults_are_those_of_the_original() {
    let options = options("", &[]).unwrap();
    let mqtt = options.mqtt.as_ref().unwrap();
    assert_eq!(mqtt.url, "tcp://broker");
    assert_eq!(mqtt.client_id.as_deref(), Some("saic-python-mqtt-gateway"));
    assert_eq!(options.prefix, "saic");
    assert!(options.allow_dots && !options.hybrid && !options.read_only && !options.raw_api);
    let account = &options.account;
    assert_eq!(
        account.rest_uri,
        "https://gateway-mg-eu.soimt.com/api.app/v1/"
    );
    assert_eq!(
        (account.region.as_str(), account.tenant.as_str()),
        ("eu", "459771")
    );
    assert_eq!(account.relogin_delay, Duration::from_secs(900));
    assert_eq!(account.read_timeout, Duration::from_secs(10));
    assert_eq!(options.messages_interval, Duration::from_secs(60));
    assert_eq!(options.account_interval, Duration::from_secs(86_400));
    assert!((options.charge_min_percent - 1.0).abs() < f64::EPSILON);
    assert_eq!(options.home_assistant.as_deref(), Some("homeassistant"));
    assert_eq!(options.abrp.api_key, "8cfc314b-03cd-4efe-ab7d-4431cd8f2e2d");
    assert!(
        options.abrp.tokens.is_empty() && options.osmand.is_none() && options.stations.is_empty()
    );
}

#[test]
fn a_release_may_have_a_name() {
    let version = |variables: &[(&str, &str)]| options("", variables).unwrap().version;
    assert_eq!(version(&[]), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        version(&[("RELEASE_VERSION", "")]),
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(
        version(&[("RELEASE_VERSION", " 1.2.3-home ")]),
        "1.2.3-home"
    );
}

/// Flag, variable, a value, and what it looks like.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("-m", "MQTT_URI", "tls://b", "url: \"tls://b\""),
    ("--mqtt-uri", "MQTT_URI", "wss://b", "url: \"wss://b\""),
    ("--mqtt-user", "MQTT_USER", "you", "user: Some(\"you\")"),
    (
        "--mqtt-client-id",
        "MQTT_CLIENT_ID",
        "x1",
        "client_id: Some(\"x1\")",
    ),
    (
        "--mqtt-topic-prefix",
        "MQTT_TOPIC",
        "cars",
        "prefix: \"cars\"",
    ),
    (
        "--mqtt-allow-dots-in-topic",
        "MQTT_ALLOW_DOTS_IN_TOPIC",
        "no",
        "allow_dots: false",
    ),
    (
        "-u",
        "SAIC_USER",
        "you@example.com",
        "user: \"you@example.com\"",
    ),
    (
        "--saic-user",
        "SAIC_USER",
        "you@example.com",
        "user: \"you@example.com\"",
    ),
    (
        "--saic-phone-country-code",
        "SAIC_PHONE_COUNTRY_CODE",
        "49",
        "country_code: Some(\"49\")",
    ),
    (
        "-s",
        "SAIC_REST_URI",
        "http://a/v1/",
        "rest_uri: \"http://a/v1/\"",
    ),
    (
        "--saic-rest-uri",
        "SAIC_REST_URI",
        "http://a/v1/",
        "rest_uri: \"http://a/v1/\"",
    ),
    ("--saic-region", "SAIC_REGION", "au", "region: \"au\""),
    ("--saic-tenant-id", "SAIC_TENANT_ID", "1", "tenant: \"1\""),
    (
        "--saic-relogin-delay",
        "SAIC_RELOGIN_DELAY",
        "60",
        "relogin_delay: 60s",
    ),
    (
        "--saic-read-timeout",
        "SAIC_READ_TIMEOUT",
        "2.5",
        "read_timeout: 2.5s",
    ),
    (
        "--saic-user-timezone",
        "SAIC_USER_TIMEZONE",
        "GMT+01:00",
        "zone: Some(Fixed(+01:00))",
    ),
    (
        "--messages-request-interval",
        "MESSAGES_REQUEST_INTERVAL",
        "5",
        "messages_interval: 5s",
    ),
    (
        "--account-refresh-interval",
        "ACCOUNT_REFRESH_INTERVAL",
        "7",
        "account_interval: 7s",
    ),
    (
        "--battery-capacity-mapping",
        "BATTERY_CAPACITY_MAPPING",
        "V=64",
        "{\"V\": 64.0}",
    ),
    (
        "--charge-min-percentage",
        "CHARGE_MIN_PERCENTAGE",
        "0.5",
        "charge_min_percent: 0.5",
    ),
    (
        "--publish-raw-api-data",
        "PUBLISH_RAW_API_DATA_ENABLED",
        "True",
        "raw_api: true",
    ),
    (
        "--ha-discovery",
        "HA_DISCOVERY_ENABLED",
        "off",
        "home_assistant: None",
    ),
    (
        "--ha-discovery-prefix",
        "HA_DISCOVERY_PREFIX",
        "ha",
        "home_assistant: Some(\"ha\")",
    ),
    (
        "--ha-show-unavailable",
        "HA_SHOW_UNAVAILABLE",
        "yes",
        "show_unavailable: true",
    ),
    (
        "--openwb-lp-map",
        "OPENWB_LP_MAP",
        "3=V",
        "openWB/lp/3/boolChargeStat",
    ),
    ("--abrp-api-key", "ABRP_API_KEY", "k1", "api_key: \"k1\""),
    (
        "--abrp-user-token",
        "ABRP_USER_TOKEN",
        "V=t1",
        "tokens: {\"V\": ",
    ),
    (
        "--publish-raw-abrp-data",
        "PUBLISH_RAW_ABRP_DATA_ENABLED",
        "Y",
        "raw: true",
    ),
    (
        "--osmand-server-uri",
        "OSMAND_SERVER_URI",
        "http://u/",
        "uri: \"http://u/\"",
    ),
    (
        "--mqtt-server-cert",
        "MQTT_SERVER_CERT",
        "c.pem",
        "ca: Some(\"c.pem\")",
    ),
    (
        "--mqtt-server-cert-check-hostname",
        "MQTT_SERVER_CERT_CHECK_HOSTNAME",
        "No",
        "host_name: Any",
    ),
    ("--mqtt-password", "MQTT_PASSWORD", "env:X", "env:X"),
    ("-p", "SAIC_PASSWORD", "env:X", "env:X"),
    ("--saic-password", "SAIC_PASSWORD", "env:X", "env:X"),
    (
        "--charging-stations-json",
        "CHARGING_STATIONS_JSON",
        "packaging/saic-mqtt-gateway/charging-stations.json",
        "openWB/chargepoint/2/get/charge_state",
    ),
    (
        "--osmand-device-id",
        "OSMAND_DEVICE_ID",
        "V=d1",
        "device_ids: {\"V\": \"d1\"}",
    ),
    (
        "--osmand-use-knots",
        "OSMAND_USE_KNOTS",
        "0",
        "knots: false",
    ),
    (
        "--publish-raw-osmand-data",
        "PUBLISH_RAW_OSMAND_DATA_ENABLED",
        "1",
        "raw: true",
    ),
];

#[test]
fn every_flag_has_its_variable_and_comes_before_it() {
    let vin = "LSJTEST0000000001";
    // Without these some others say nothing.
    let needed = [
        ("MQTT_URI", "tls://broker"),
        ("MQTT_SERVER_CERT", "ca.pem"),
        ("MQTT_USER", "me"),
        ("OSMAND_SERVER_URI", "http://t/"),
    ];
    for (flag, variable, value, shown) in TABLE {
        let value = value.replace('V', vin);
        let shown = shown.replace("\"V\"", &format!("\"{vin}\""));
        let with = |flags: &str, text: &str| {
            let variables = [&needed[..], &[(*variable, text)]].concat();
            format!("{:?}", options(flags, &variables).unwrap())
        };
        assert!(
            !with("", "").contains(&shown),
            "{flag}: {shown} in any case"
        );
        let by_flag = with(&format!("{flag} {value}"), "zzz");
        assert!(by_flag.contains(&shown), "{flag}: {by_flag}");
        let by_variable = with("", &value);
        assert!(by_variable.contains(&shown), "{variable}: {by_variable}");
    }
}

#[test]
fn the_table_the_help_and_the_documentation_have_all_flags() {
    /// What the original does not know.
    const NEW: [&str; 6] = [
        "console",
        "polling",
        "read-only",
        "state-dir",
        "abrp-uri",
        "help",
    ];
    let documentation = include_str!("../../../../docs/saic-mqtt-gateway.md");
    let cli = Cli::command();
    let command = cli.find_subcommand(NAME).unwrap();
    let mut known = 0;
    for argument in command.get_arguments() {
        let long = argument.get_long().unwrap();
        if NEW.contains(&long) {
            continue;
        }
        known += 1;
        let flag = format!("--{long}");
        let row = TABLE.iter().find(|row| row.0 == flag);
        let (_, variable, ..) = row.unwrap_or_else(|| panic!("no row for {flag}"));
        let help = argument.get_help().unwrap().to_string();
        assert!(help.contains(&format!("${variable}")), "{flag}: {help}");
        let short = argument.get_short().map(|short| format!("`-{short}`, "));
        let row = format!("| {}`{flag}` | `{variable}` |", short.unwrap_or_default());
        assert!(documentation.contains(&row), "no {row}");
    }
    assert_eq!(known, 34);
}

#[test]
fn a_file_of_variables_comes_after_those_that_are_set() {
    let set = [("MQTT_TOPIC", "cars"), ("SAIC_REGION", "")];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let file = "MQTT_TOPIC=file\nSAIC_REGION=au\nMQTT_CLIENT_ID='me'\nSAIC_TENANT_ID=\n";
    let environment: Environment = set.map(own).into_iter().collect();
    let environment = environment.or(crate::compat::saic::dotenv::parse(file));
    let get = |name| environment.get(name);
    assert_eq!(get("MQTT_TOPIC"), Some("cars"));
    // An empty one counts as none.
    assert_eq!(get("SAIC_REGION"), Some("au"));
    assert_eq!(get("MQTT_CLIENT_ID"), Some("me"));
    assert_eq!(get("SAIC_TENANT_ID"), None);
}

#[test]
fn what_cannot_be_meant_names_its_flag() {
    for (flags, variables, why) in [
        (
            "--saic-relogin-delay 0",
            &[][..],
            "`--saic-relogin-delay`: `0` is no whole number",
        ),
        (
            "",
            &[("MESSAGES_REQUEST_INTERVAL", "x")],
            "environment variable MESSAGES_REQUEST_INTERVAL: `x`",
        ),
        (
            "--saic-read-timeout nan",
            &[],
            "`--saic-read-timeout`: `nan`",
        ),
        (
            "--battery-capacity-mapping LSJTEST0000000001=-1",
            &[],
            "`--battery-capacity-mapping`: LSJTEST0000000001: `-1`",
        ),
        (
            "--abrp-user-token secret",
            &[],
            "`--abrp-user-token`: an entry has no `=`",
        ),
        (
            "--abrp-uri nowhere",
            &[],
            "`--abrp-uri`: `nowhere` is no URL",
        ),
        (
            "--osmand-server-uri ftp://a",
            &[],
            "`--osmand-server-uri`: `ftp://a` is no URL",
        ),
        ("-s nowhere", &[], "`--saic-rest-uri`: `nowhere` is no URL"),
        (
            "--saic-user-timezone Mars",
            &[],
            "`--saic-user-timezone`: `Mars` is no time zone",
        ),
        ("-m broker", &[], "`--mqtt-uri`: it has no scheme"),
        (
            "-m mqtt://broker",
            &[],
            "`--mqtt-uri`: the scheme `mqtt` is unknown",
        ),
        ("--polling often", &[], "`--polling`: `often`"),
        ("-u 123", &[], "`--saic-phone-country-code` is missing"),
        ("--openwb-lp-map 1=2", &[], "`--openwb-lp-map`: "),
    ] {
        let failure = options(flags, variables).unwrap_err();
        assert_eq!(failure.code, Code::Usage, "{flags}");
        assert!(
            failure.message.contains(why),
            "{flags}: {}",
            failure.message
        );
        assert!(!failure.message.contains("secret"));
    }
    for (flags, why) in [
        ("-u a@b -p c", "`--mqtt-uri` is missing"),
        ("-m tcp://b -p c", "`--saic-user` is missing"),
        ("-m tcp://b -u a@b", "`--saic-password` is missing"),
    ] {
        assert!(
            bare(flags, &[]).unwrap_err().message.contains(why),
            "{flags}"
        );
    }
    assert!(bare("--console -u a@b -p c", &[]).unwrap().mqtt.is_none());
}

#[test]
fn brokers_are_written_as_the_original_takes_them() {
    for (uri, url) in [
        ("tcp://Broker", "tcp://broker"),
        ("tcp://me:secret@broker:1884/path", "tcp://broker:1884"),
        ("ws://broker", "ws://broker:9001"),
        ("ws://broker:80/mqtt", "ws://broker:80/mqtt"),
        ("ws://[::1]", "ws://[::1]:9001"),
        ("tls://broker", "tls://broker"),
    ] {
        assert_eq!(broker(uri).as_deref(), Ok(url));
    }
}

#[test]
fn stations_come_from_the_file_then_from_the_map() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("stations.json");
    let entry =
        r#"[{"vin": "LSJTEST0000000001", "chargeStateTopic": "wallbox", "chargingValue": 1}]"#;
    fs::write(&file, entry).unwrap();
    let map = "--openwb-lp-map 1=LSJTEST0000000001,2=LSJTEST0000000002";
    let path = file.display().to_string();
    let variables = [("CHARGING_STATIONS_JSON", path.as_str())];
    let stations = options(map, &variables).unwrap().stations;
    assert_eq!(stations["LSJTEST0000000001"].charge_state_topic, "wallbox");
    assert_eq!(
        stations["LSJTEST0000000002"].charge_state_topic,
        "openWB/lp/2/boolChargeStat"
    );

    fs::write(&file, "{").unwrap();
    let failure = options(map, &variables).unwrap_err();
    assert_eq!(failure.code, Code::Configuration);
    assert!(failure.message.starts_with(&path));
    let nowhere = [("CHARGING_STATIONS_JSON", "/nonexistent/stations.json")];
    assert!(options("", &nowhere).unwrap().stations.is_empty());
}

#[test]
fn no_secret_is_shown() {
    let flags = "-p hunter22 --mqtt-user me --mqtt-password hunter22 --abrp-user-token LSJTEST0000000001=hunter22";
    assert!(!format!("{:?}", options(flags, &[]).unwrap()).contains("hunter22"));
}

#[test]
fn the_name_in_a_certificate_counts_unless_an_authority_is_given() {
    for (flags, expected) in [
        ("-m tls://b", HostName::Checked),
        (
            "-m tls://b --mqtt-server-cert-check-hostname false",
            HostName::Checked,
        ),
        (
            "-m tls://b --mqtt-server-cert ca.pem",
            HostName::CheckedUnless("--mqtt-server-cert-check-hostname false"),
        ),
        (
            "-m wss://b --mqtt-server-cert ca.pem --mqtt-server-cert-check-hostname false",
            HostName::Any,
        ),
        // Nothing to verify.
        (
            "-m tcp://b --mqtt-server-cert ca.pem --mqtt-server-cert-check-hostname no",
            HostName::Checked,
        ),
    ] {
        let mqtt = options(flags, &[]).unwrap().mqtt.unwrap();
        assert_eq!(mqtt.host_name, expected, "{flags}");
    }
    let variables = [
        ("MQTT_SERVER_CERT", "ca.pem"),
        ("MQTT_SERVER_CERT_CHECK_HOSTNAME", "False"),
    ];
    let mqtt = options("-m tls://b", &variables).unwrap().mqtt.unwrap();
    assert_eq!(mqtt.host_name, HostName::Any);
}

#[test]
fn a_flag_that_is_left_empty_is_not_given() {
    let options = options(
        "--mqtt-user= --mqtt-server-cert= --osmand-server-uri= --mqtt-topic-prefix= \
         --saic-password=",
        &[("SAIC_PASSWORD", "of-the-variable")],
    )
    .unwrap();
    let mqtt = options.mqtt.as_ref().unwrap();
    assert_eq!((&mqtt.user, &mqtt.ca), (&None, &None));
    assert!(options.osmand.is_none());
    assert_eq!(options.prefix, "saic");
    assert!(options.account.password.reveal().is_ok());
}

#[test]
fn what_is_wrong_with_the_broker_is_said_of_its_flag() {
    let options = options("-m tls://broker --mqtt-server-cert nowhere/ca.pem", &[]).unwrap();
    let (_, outgoing) = Speaker::new();
    let mqtt = options.mqtt.unwrap();
    let why = Session::new(&mqtt, "lwt".to_owned(), outgoing).unwrap_err();
    assert!(
        why.starts_with("`--mqtt-server-cert` nowhere/ca.pem: No such file"),
        "{why}"
    );
}
