//! `[mariadb]`: a database server.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{MariaDbNames, Secret, duration};

/// `[mariadb]`: a database server that gets every stored reading.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MariaDb {
    /// Host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// A socket on this computer, instead of host and port.
    pub socket: Option<PathBuf>,
    /// User name.
    pub user: String,
    /// Its password.
    pub password: Option<Secret>,
    /// Name of the database; it has to exist.
    pub database: String,
    /// How much encryption; see [`MariaDb::tls`].
    pub tls: Option<Tls>,
    /// PEM file with the authority that signed the server's certificate, if
    /// the system does not know it.
    pub ca: Option<PathBuf>,
    /// PEM file with our certificate, if the server asks for one.
    pub client_cert: Option<PathBuf>,
    /// PEM file with its key.
    pub client_key: Option<PathBuf>,
    /// Readings written in one transaction, at most.
    pub batch: u32,
    /// Rows of this gateway that are older are deleted; none without it.
    #[serde(deserialize_with = "duration::optional")]
    pub history: Option<Duration>,
    /// What these settings are called where they were set.
    #[serde(skip)]
    pub names: MariaDbNames,
}

impl Default for MariaDb {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 3306,
            socket: None,
            user: "telemetry".to_owned(),
            password: None,
            database: "telemetry".to_owned(),
            tls: None,
            ca: None,
            client_cert: None,
            client_key: None,
            batch: 512,
            history: None,
            names: MariaDbNames::KEYS,
        }
    }
}

impl MariaDb {
    /// How much encryption is asked for, said or not: whoever names
    /// certificates wants them to be used, and a socket leaves no computer.
    pub fn tls(&self) -> Tls {
        match self.tls {
            Some(tls) => tls,
            None if self.ca.is_some() || self.client_cert.is_some() => Tls::VerifyIdentity,
            None if self.socket.is_some() => Tls::Disabled,
            None => Tls::Preferred,
        }
    }
}

/// How much encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// None.
    Disabled,
    /// If the server offers it; anybody may be the server.
    Preferred,
    /// Always; anybody may be the server.
    Required,
    /// With a certificate that a known authority signed, for whatever host.
    VerifyCa,
    /// With a certificate that a known authority signed for this host.
    VerifyIdentity,
}

impl Tls {
    /// True if the server's certificate is checked.
    pub fn verifies(self) -> bool {
        matches!(self, Self::VerifyCa | Self::VerifyIdentity)
    }
}
