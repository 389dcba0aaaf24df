//! From the configuration to what a connection needs.

use std::fmt;

use secrecy::ExposeSecret as _;
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::config::{self, MariaDbNames, Secret, Tls};
use crate::sink::pem::{certificates, key};

/// Everything that it takes to connect. No password: that is read anew for
/// each connection, because its file may have changed.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    options: MySqlConnectOptions,
    password: Option<Secret>,
    pub(super) names: MariaDbNames,
    pub(super) place: Place,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) tls: Tls,
}

/// Where the server is, for people.
#[derive(Clone, Debug)]
pub(super) struct Place {
    server: String,
    /// Others may listen on the way to it.
    pub(super) is_remote: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server)
    }
}

impl Settings {
    /// What `config` means, or what is wrong with it.
    pub(super) fn new(config: &config::MariaDb) -> Result<Self, String> {
        let tls = config.tls();
        let options = MySqlConnectOptions::new()
            .host(&config.host)
            .port(config.port)
            .username(&config.user)
            .database(&config.database)
            .ssl_mode(mode(tls))
            .disable_statement_logging();
        let options = with_certificates(options, config, tls)?;
        let (options, place) = match &config.socket {
            Some(socket) => (
                options.socket(socket),
                Place {
                    server: socket.display().to_string(),
                    is_remote: false,
                },
            ),
            None => (
                options,
                Place {
                    server: match config.host.contains(':') {
                        true => format!("[{}]:{}", config.host, config.port),
                        false => format!("{}:{}", config.host, config.port),
                    },
                    is_remote: !is_loopback(&config.host),
                },
            ),
        };
        Ok(Self {
            options,
            password: config.password.clone(),
            names: config.names,
            place,
            user: config.user.clone(),
            database: config.database.clone(),
            tls,
        })
    }

    /// The options with the password in them, or why it cannot be read.
    pub(super) fn reveal(&self) -> Result<MySqlConnectOptions, String> {
        match &self.password {
            None => Ok(self.options.clone()),
            Some(password) => match password.reveal() {
                Ok(password) => Ok(self.options.clone().password(password.expose_secret())),
                Err(error) => Err(format!("{}: {error}", self.names.password)),
            },
        }
    }
}

fn mode(tls: Tls) -> MySqlSslMode {
    match tls {
        Tls::Disabled => MySqlSslMode::Disabled,
        Tls::Preferred => MySqlSslMode::Preferred,
        Tls::Required => MySqlSslMode::Required,
        Tls::VerifyCa => MySqlSslMode::VerifyCa,
        Tls::VerifyIdentity => MySqlSslMode::VerifyIdentity,
    }
}

/// Looks into the files first: what is wrong with them is found at the start,
/// and named.
fn with_certificates(
    mut options: MySqlConnectOptions,
    config: &config::MariaDb,
    tls: Tls,
) -> Result<MySqlConnectOptions, String> {
    if let Some(ca) = &config.ca {
        if !tls.verifies() {
            return Err(
                "mariadb.ca is not looked at with this mariadb.tls: leave tls out, or \
                        write \"verify_identity\""
                    .to_owned(),
            );
        }
        certificates("mariadb.ca", ca)?;
        options = options.ssl_ca(ca);
    }
    match (&config.client_cert, &config.client_key) {
        (None, None) => Ok(options),
        (Some(certificate), Some(secret)) => {
            if matches!(tls, Tls::Disabled | Tls::Preferred) {
                return Err(
                    "mariadb.client_cert may not be used with this mariadb.tls: leave tls out, \
                     or write \"verify_identity\""
                        .to_owned(),
                );
            }
            certificates("mariadb.client_cert", certificate)?;
            key("mariadb.client_key", secret)?;
            Ok(options.ssl_client_cert(certificate).ssl_client_key(secret))
        }
        _ => Err("mariadb.client_cert and mariadb.client_key need each other".to_owned()),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Result<Settings, String> {
        Settings::new(&toml::from_str(text).unwrap())
    }

    #[test]
    fn whoever_names_certificates_is_not_served_without() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        let ca = format!("ca = '{}'", file.display());
        let error = |text: &str| settings(text).unwrap_err();
        assert!(error(&ca).ends_with("ca.pem: no certificate in PEM form in it"));
        assert!(error(&format!("{ca}\ntls = 'required'")).contains("not looked at"));
        assert!(error("client_cert = 'a'").contains("need each other"));
        let both = "client_cert = 'a'\nclient_key = 'b'";
        assert!(error(both).starts_with("mariadb.client_cert a: "));
        assert!(error(&format!("{both}\ntls = 'preferred'")).contains("may not be used"));

        let tls = |text| toml::from_str::<config::MariaDb>(text).unwrap().tls();
        assert_eq!(tls(""), Tls::Preferred);
        assert_eq!(tls("socket = '/s'"), Tls::Disabled);
        assert_eq!(tls("ca = 'x'\nsocket = '/s'"), Tls::VerifyIdentity);
        assert_eq!(tls("client_cert = 'x'"), Tls::VerifyIdentity);
        assert_eq!(tls("tls = 'verify_ca'"), Tls::VerifyCa);
    }

    #[test]
    fn the_password_is_in_no_debug_text() {
        let settings = settings("password = 'hunter2'").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        settings.reveal().unwrap();
    }

    #[test]
    fn places_read_as_people_write_them() {
        let place = |text| settings(text).unwrap().place;
        assert_eq!(place("host = 'db'").to_string(), "db:3306");
        assert_eq!(place("host = '::1'\nport = 1").to_string(), "[::1]:1");
        assert_eq!(place("socket = '/run/s'").to_string(), "/run/s");
        assert!(place("host = 'db'").is_remote);
        assert!(!place("host = '127.0.0.2'").is_remote);
        assert!(!place("").is_remote && !place("host = '::1'").is_remote);
    }
}
