//! Where the broker is.

use super::given::{Given, usage};
use crate::cli::SaicMqttGatewayArgs;
use crate::config::{self, BrokerUrl, HostName, MqttNames};
use crate::exit::Failure;

const NAMES: MqttNames = MqttNames {
    url: "`--mqtt-uri`",
    unencrypted: MqttNames::KEYS.unencrypted,
    client_id: Some("`--mqtt-client-id`"),
    ca: "`--mqtt-server-cert`",
    ..MqttNames::FLAGS
};

/// What switches off that the broker's certificate has to be for its name.
const HOST_NAME_FLAG: &str = "--mqtt-server-cert-check-hostname false";

impl Given<'_> {
    pub(super) fn mqtt(&self, args: &SaicMqttGatewayArgs) -> Result<Option<config::Mqtt>, Failure> {
        if args.console {
            return Ok(None);
        }
        let Some(uri) = self.text(&args.mqtt_uri, "--mqtt-uri", "MQTT_URI") else {
            return Err(usage("no broker: `--mqtt-uri` is missing".to_owned()).hint(
                "name it with `--mqtt-uri` or MQTT_URI, or print everything with `--console`",
            ));
        };
        let mut mqtt = config::Mqtt::new(uri.read(broker)?);
        mqtt.names = NAMES;
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
        mqtt.host_name = match (checked, mqtt.ca.is_some()) {
            (false, true) => HostName::Any,
            (true, true) => HostName::CheckedUnless(HOST_NAME_FLAG),
            (_, false) => HostName::Checked,
        };
        if encrypted && !checked && mqtt.ca.is_none() {
            tracing::warn!(
                "`--mqtt-server-cert-check-hostname false` has no effect without \
                 `--mqtt-server-cert`: the name in the broker's certificate is checked"
            );
        }
        Ok(Some(mqtt))
    }
}

/// The original's broker address in our form. Its usual port for `ws://` is
/// 9001; a user name in it is ignored.
pub(super) fn broker(text: &str) -> Result<String, String> {
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
