use std::fs;

use super::broker::broker;
use super::*;
use crate::cli::{Cli, Command};
use crate::compat::saic::NAME;
use crate::exit::Code;

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
fn every_flag_has_its_variable_and_comes_before_it() {
    let vin = "LSJTEST0000000001";
    for (flag, variable, value, shown) in [
        ("-m", "MQTT_URI", "tls://b", "url: \"tls://b\""),
        ("--mqtt-uri", "MQTT_URI", "wss://b", "url: \"wss://b\""),
        ("--mqtt-user", "MQTT_USER", "me", "user: Some(\"me\")"),
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
            "http://t/",
            "uri: \"http://t/\"",
        ),
    ] {
        let value = value.replace('V', vin);
        let shown = shown.replace("\"V\"", &format!("\"{vin}\""));
        let by_flag = format!(
            "{:?}",
            options(&format!("{flag} {value}"), &[(variable, "zzz")]).unwrap()
        );
        assert!(by_flag.contains(&shown), "{flag}: {by_flag}");
        let by_variable = format!("{:?}", options("", &[(variable, &value)]).unwrap());
        assert!(by_variable.contains(&shown), "{variable}: {by_variable}");
    }
    let osmand = [
        ("OSMAND_SERVER_URI", "http://t/"),
        ("OSMAND_USE_KNOTS", "0"),
        ("OSMAND_DEVICE_ID", "LSJTEST0000000001=d"),
    ];
    let osmand = options("--publish-raw-osmand-data 1", &osmand)
        .unwrap()
        .osmand
        .unwrap();
    assert!(!osmand.knots && osmand.raw && osmand.device_ids[vin] == "d");
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
fn levels_have_pythons_names() {
    let filter = |variables: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Options::log_filter(&variables.iter().map(own).collect())
    };
    assert_eq!(
        filter(&[]).unwrap(),
        "info,telemetry_cli::sink::mqtt=info,rumqttc=info"
    );
    let both = [("LOG_LEVEL", "critical"), ("MQTT_LOG_LEVEL", "DEBUG")];
    let quiet = filter(&both).unwrap();
    assert_eq!(quiet, "off,telemetry_cli::sink::mqtt=debug,rumqttc=debug");
    assert!(crate::log::check_filter(&quiet).is_ok());
    assert!(
        filter(&[("LOG_LEVEL", "loud")])
            .unwrap_err()
            .message
            .contains("LOG_LEVEL: `loud`")
    );
}

#[test]
fn no_secret_is_shown() {
    let flags = "-p hunter22 --mqtt-user me --mqtt-password hunter22 --abrp-user-token LSJTEST0000000001=hunter22";
    assert!(!format!("{:?}", options(flags, &[]).unwrap()).contains("hunter22"));
}

/// Whoever had switched it off is warned, and connects if the name fits.
#[test]
fn the_name_in_a_certificate_is_checked_whatever_is_asked_for() {
    let options = options(
        "-m tls://b",
        &[("MQTT_SERVER_CERT_CHECK_HOSTNAME", "False")],
    )
    .unwrap();
    assert_eq!(options.mqtt.unwrap().url, "tls://b");
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
