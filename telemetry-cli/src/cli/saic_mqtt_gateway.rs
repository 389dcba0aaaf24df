//! The arguments of the drop-in `saic-mqtt-gateway`. All are text: the same
//! values may come from the environment, and are judged in one place, by
//! [`Options`](crate::compat::saic::Options).

use std::path::PathBuf;

use clap::Args;

use super::Hidden;

/// `saic-mqtt-gateway`
#[derive(Clone, Debug, Default, Args)]
pub struct SaicMqttGatewayArgs {
    /// The broker: `tcp://`, `tls://`, `ws://` or `wss://` [$MQTT_URI]
    #[arg(short = 'm', long, value_name = "URI", help_heading = BROKER)]
    pub mqtt_uri: Option<String>,
    /// User name [$MQTT_USER]
    #[arg(long, value_name = "USER", help_heading = BROKER)]
    pub mqtt_user: Option<String>,
    /// Its password: better `env:NAME`, `file:PATH` or $MQTT_PASSWORD than the text itself
    #[arg(long, value_name = "SECRET", help_heading = BROKER)]
    pub mqtt_password: Option<Hidden>,
    /// Client id; `saic-python-mqtt-gateway` unless set [$MQTT_CLIENT_ID]
    #[arg(long, value_name = "ID", help_heading = BROKER)]
    pub mqtt_client_id: Option<String>,
    /// First level of all topics; `saic` unless set [$MQTT_TOPIC]
    #[arg(long, value_name = "TOPIC", help_heading = BROKER)]
    pub mqtt_topic_prefix: Option<String>,
    /// PEM file with the authority that signed the broker's certificate, for
    /// `tls://`; without it those of the system count [$MQTT_SERVER_CERT]
    #[arg(long, value_name = "FILE", help_heading = BROKER)]
    pub mqtt_server_cert: Option<String>,
    /// Whether the broker's certificate has to be for its host name; true unless
    /// set. Only with `--mqtt-server-cert`, whose authority counts in any case
    /// [$MQTT_SERVER_CERT_CHECK_HOSTNAME]
    #[arg(long, value_name = "BOOL", help_heading = BROKER)]
    pub mqtt_server_cert_check_hostname: Option<String>,
    /// Whether dots may stay in topics; true unless set [$MQTT_ALLOW_DOTS_IN_TOPIC]
    #[arg(long, value_name = "BOOL", help_heading = BROKER)]
    pub mqtt_allow_dots_in_topic: Option<String>,
    /// Run without a broker, and print what would be published
    #[arg(long, help_heading = BROKER)]
    pub console: bool,

    /// The account: an e-mail address, or a phone number [$SAIC_USER]
    #[arg(short = 'u', long, value_name = "USER", help_heading = ACCOUNT)]
    pub saic_user: Option<String>,
    /// Its password: better `env:NAME`, `file:PATH` or $SAIC_PASSWORD than the text itself
    #[arg(short = 'p', long, value_name = "SECRET", help_heading = ACCOUNT)]
    pub saic_password: Option<Hidden>,
    /// Country code of the phone number [$SAIC_PHONE_COUNTRY_CODE]
    #[arg(long, value_name = "CODE", help_heading = ACCOUNT)]
    pub saic_phone_country_code: Option<String>,
    /// The cloud; that of Europe unless set [$SAIC_REST_URI]
    #[arg(short = 's', long, value_name = "URL", help_heading = ACCOUNT)]
    pub saic_rest_uri: Option<String>,
    /// Its region; `eu` unless set [$SAIC_REGION]
    #[arg(long, value_name = "REGION", help_heading = ACCOUNT)]
    pub saic_region: Option<String>,
    /// Its tenant; `459771` unless set [$SAIC_TENANT_ID]
    #[arg(long, value_name = "ID", help_heading = ACCOUNT)]
    pub saic_tenant_id: Option<String>,
    /// Seconds that the account is left to the phone after it logged in; 900
    /// unless set [$SAIC_RELOGIN_DELAY]
    #[arg(long, value_name = "SECONDS", help_heading = ACCOUNT)]
    pub saic_relogin_delay: Option<String>,
    /// Seconds that one request may take; 10 unless set [$SAIC_READ_TIMEOUT]
    #[arg(long, value_name = "SECONDS", help_heading = ACCOUNT)]
    pub saic_read_timeout: Option<String>,
    /// Time zone of the schedules, such as `Europe/Rome`; that of the account
    /// unless set [$SAIC_USER_TIMEZONE]
    #[arg(long, value_name = "ZONE", help_heading = ACCOUNT)]
    pub saic_user_timezone: Option<String>,

    /// Seconds between two looks for messages; 60 unless set [$MESSAGES_REQUEST_INTERVAL]
    #[arg(long, value_name = "SECONDS", help_heading = CARS)]
    pub messages_request_interval: Option<String>,
    /// Seconds between two looks for cars; 86400 unless set [$ACCOUNT_REFRESH_INTERVAL]
    #[arg(long, value_name = "SECONDS", help_heading = CARS)]
    pub account_refresh_interval: Option<String>,
    /// Usable battery: `VIN=kWh,…` [$BATTERY_CAPACITY_MAPPING]
    #[arg(long, value_name = "MAP", help_heading = CARS)]
    pub battery_capacity_mapping: Option<String>,
    /// How much a battery charges between two polls, percent; 1 unless set
    /// [$CHARGE_MIN_PERCENTAGE]
    #[arg(long, value_name = "PERCENT", help_heading = CARS)]
    pub charge_min_percentage: Option<String>,
    /// `original`, or `hybrid`: also looks at what the cloud knows without
    /// waking the car, and wakes it only when that has changed
    #[arg(long, value_name = "HOW", help_heading = CARS)]
    pub polling: Option<String>,
    /// Refuse all commands but those for the gateway itself
    #[arg(long, help_heading = CARS)]
    pub read_only: bool,
    /// Publish what is said to the cloud, without secrets [$PUBLISH_RAW_API_DATA_ENABLED]
    #[arg(long, value_name = "BOOL", help_heading = CARS)]
    pub publish_raw_api_data: Option<String>,

    /// Home Assistant discovery; true unless set [$HA_DISCOVERY_ENABLED]
    #[arg(long, value_name = "BOOL", help_heading = OTHERS)]
    pub ha_discovery: Option<String>,
    /// Its first topic level; `homeassistant` unless set [$HA_DISCOVERY_PREFIX]
    #[arg(long, value_name = "TOPIC", help_heading = OTHERS)]
    pub ha_discovery_prefix: Option<String>,
    /// If true, entities are unavailable while the car cannot be reached; else
    /// only while the gateway is away [$HA_SHOW_UNAVAILABLE]
    #[arg(long, value_name = "BOOL", help_heading = OTHERS)]
    pub ha_show_unavailable: Option<String>,
    /// Charging stations; ./charging-stations.json unless set [$CHARGING_STATIONS_JSON]
    #[arg(long, value_name = "FILE", help_heading = OTHERS)]
    pub charging_stations_json: Option<String>,
    /// openWB 1.9: `LOADPOINT=VIN,…` [$OPENWB_LP_MAP]
    #[arg(long, value_name = "MAP", help_heading = OTHERS)]
    pub openwb_lp_map: Option<String>,
    /// Key of the program at ABRP; the shared one unless set [$ABRP_API_KEY]
    #[arg(long, value_name = "KEY", help_heading = OTHERS)]
    pub abrp_api_key: Option<Hidden>,
    /// Your tokens at ABRP: `VIN=token,…` [$ABRP_USER_TOKEN]
    #[arg(long, value_name = "MAP", help_heading = OTHERS)]
    pub abrp_user_token: Option<Hidden>,
    /// Another address of ABRP
    #[arg(long, value_name = "URL", help_heading = OTHERS)]
    pub abrp_uri: Option<String>,
    /// Publish what is said to ABRP [$PUBLISH_RAW_ABRP_DATA_ENABLED]
    #[arg(long, value_name = "BOOL", help_heading = OTHERS)]
    pub publish_raw_abrp_data: Option<String>,
    /// A server that takes OsmAnd's protocol, such as Traccar [$OSMAND_SERVER_URI]
    #[arg(long, value_name = "URL", help_heading = OTHERS)]
    pub osmand_server_uri: Option<String>,
    /// Its names for cars: `VIN=id,…`; the VIN unless set [$OSMAND_DEVICE_ID]
    #[arg(long, value_name = "MAP", help_heading = OTHERS)]
    pub osmand_device_id: Option<String>,
    /// Speed in knots, as the protocol wants it, else in km/h; true unless set
    /// [$OSMAND_USE_KNOTS]
    #[arg(long, value_name = "BOOL", help_heading = OTHERS)]
    pub osmand_use_knots: Option<String>,
    /// Publish what is said to that server [$PUBLISH_RAW_OSMAND_DATA_ENABLED]
    #[arg(long, value_name = "BOOL", help_heading = OTHERS)]
    pub publish_raw_osmand_data: Option<String>,

    /// Where session, refresh times and last values are kept; without it
    /// $STATE_DIRECTORY, ~/.local/state/telemetry or /var/lib/telemetry
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

const BROKER: &str = "MQTT broker";
const ACCOUNT: &str = "Account";
const CARS: &str = "Cars";
const OTHERS: &str = "Home Assistant, charging stations, ABRP, OsmAnd";
