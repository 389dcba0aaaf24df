//! What the settings of a database are called where the user has set them:
//! errors speak of them.

/// Names of the settings of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariaDbNames {
    /// Host.
    pub host: &'static str,
    /// Its port.
    pub port: &'static str,
    /// What to try if the server does not encrypt.
    pub unencrypted: &'static str,
    /// User.
    pub user: &'static str,
    /// Password.
    pub password: &'static str,
    /// Database.
    pub database: &'static str,
    /// File of the authority.
    pub ca: &'static str,
    /// File of our certificate.
    pub client_cert: &'static str,
}

impl MariaDbNames {
    /// Keys of the configuration.
    pub const KEYS: Self = Self {
        host: "mariadb.host",
        port: "mariadb.port",
        unencrypted: "is mariadb.port that of the server?",
        user: "mariadb.user",
        password: "mariadb.password",
        database: "mariadb.database",
        ca: "mariadb.ca",
        client_cert: "mariadb.client_cert",
    };

    /// Flags of a command that knows no certificates.
    pub const FLAGS: Self = Self {
        host: "`--dbhost`",
        port: "`--dbport`",
        unencrypted: "is `--dbport` that of the server?",
        user: "`--dbuser`",
        password: "`--dbpass`",
        database: "`--dbname`",
        ca: "the system's authorities",
        client_cert: "a client's certificate, which only `telemetry run` can have",
    };
}

impl Default for MariaDbNames {
    fn default() -> Self {
        Self::KEYS
    }
}
