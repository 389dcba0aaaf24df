//! What the settings of a broker are called where the user has set them: errors
//! speak of them.

/// Names of the settings of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MqttNames {
    /// Leads to the broker.
    pub url: &'static str,
    /// What to try if the broker does not encrypt.
    pub unencrypted: &'static str,
    /// User.
    pub user: &'static str,
    /// Password.
    pub password: &'static str,
    /// Client id, if it can be set.
    pub client_id: Option<&'static str>,
    /// File of the authority.
    pub ca: &'static str,
    /// File of our certificate.
    pub client_cert: &'static str,
    /// File of its key.
    pub client_key: &'static str,
}

impl MqttNames {
    /// Keys of the configuration.
    pub const KEYS: Self = Self {
        url: "mqtt.url",
        unencrypted: "tcp:// instead of tls://?",
        user: "mqtt.user",
        password: "mqtt.password",
        client_id: Some("mqtt.client_id"),
        ca: "mqtt.ca",
        client_cert: "mqtt.client_cert",
        client_key: "mqtt.client_key",
    };

    /// Flags of a command that knows no certificate of its own.
    pub const FLAGS: Self = Self {
        url: "`--mqtt-host`",
        unencrypted: "`--mqtt-tls` without need?",
        user: "`--mqtt-user`",
        password: "`--mqtt-password`",
        client_id: None,
        ca: "`--mqtt-ca`",
        client_cert: "a client's certificate, which only `telemetry run` can have",
        client_key: "a client's key",
    };
}

impl Default for MqttNames {
    fn default() -> Self {
        Self::KEYS
    }
}
