//! Why the server cannot be used, in words.

use rustls::Error as Tls;

use super::settings::Settings;
use crate::config::{self, MariaDbNames};
use crate::exit::{self, Code};
use crate::sink::peer::Peer;
use crate::store::mariadb::layout::{self, LayoutError};
use crate::store::mariadb::server_error;
use crate::supervisor::Exit;

const fn peer(names: &MariaDbNames) -> Peer {
    Peer {
        name: "server",
        address: names.host,
        ca: names.ca,
        client_cert: names.client_cert,
        unencrypted: names.unencrypted,
    }
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) class: Class,
    /// What happened, and what to do.
    pub(super) text: String,
}

/// What helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// To do the same again at once: others were in the way.
    Again,
    /// Another attempt later.
    Later,
    /// The same login later: what is wrong may be on the server's side, and is
    /// mended there.
    Refused,
    /// Another user or password.
    Login,
    /// Something that only a person can decide.
    Person,
}

impl Failure {
    pub(super) fn later(text: impl Into<String>) -> Self {
        Self {
            class: Class::Later,
            text: text.into(),
        }
    }

    pub(super) fn login(text: impl Into<String>) -> Self {
        Self {
            class: Class::Login,
            text: text.into(),
        }
    }

    pub(super) fn no_answer() -> Self {
        Self::later("no answer in time; check host, port, firewall and the server's load")
    }

    /// From an error of the client library.
    pub(super) fn new(error: &sqlx::Error, settings: &Settings) -> Self {
        if let Some(error) = server_error(error) {
            return said(error.number(), error.message(), settings);
        }
        let names = &settings.names;
        let peer = peer(names);
        Self::later(match error {
            sqlx::Error::Io(error) => peer.io(error),
            sqlx::Error::Tls(error) => match error.downcast_ref::<Tls>() {
                Some(error) => peer.tls(error),
                None if error.to_string().contains("does not support TLS") => {
                    "it offers no encryption, and mariadb.tls or mariadb.ca asks for it: give the \
                     server a certificate (ssl_cert, ssl_key), or write tls = \"disabled\""
                        .to_owned()
                }
                None => format!("TLS: {error}"),
            },
            sqlx::Error::Protocol(_) => {
                format!(
                    "what answers there is no MariaDB server; check {} and {}",
                    names.host, names.port
                )
            }
            other => other.to_string(),
        })
    }

    /// From an error of the layout.
    pub(super) fn of_layout(error: &LayoutError, settings: &Settings) -> Self {
        match error {
            LayoutError::Database(error) => Self::new(error, settings),
            LayoutError::Newer { .. } => Self {
                class: Class::Person,
                text: format!(
                    "{error}: a newer version of telemetry was here; upgrade this one, or give it \
                     another {}",
                    settings.names.database
                ),
            },
        }
    }

    /// How the component ends with it.
    pub(super) fn exit(&self, settings: &Settings) -> Exit {
        let text = self.sentence(settings);
        match self.class {
            Class::Again | Class::Later | Class::Refused => Exit::Transient(text),
            Class::Login | Class::Person => Exit::LoginNeeded(text),
        }
    }

    /// How a command ends with it.
    pub(super) fn for_command(&self, settings: &Settings) -> exit::Failure {
        let code = match self.class {
            Class::Login | Class::Refused => Code::Login,
            Class::Again | Class::Later | Class::Person => Code::Backend,
        };
        exit::Failure::new(code, self.sentence(settings))
    }

    fn sentence(&self, settings: &Settings) -> String {
        format!("MariaDB {}: {}", settings.place, self.text)
    }
}

/// What an error of the server means. The numbers are those of MariaDB's
/// manual, section "Error codes".
fn said(number: u16, message: &str, settings: &Settings) -> Failure {
    let class = match number {
        // Deadlock, also that of a cluster's other node; lock wait; a row that
        // somebody else changed meanwhile.
        1213 | 1205 | 1020 => Class::Again,
        // Wrong password; socket authentication; locked; password expired.
        1045 | 1698 | 4151 | 1862 | 1820 => Class::Refused,
        _ => Class::Later,
    };
    let Settings {
        user,
        database,
        names,
        ..
    } = settings;
    let account = format!("'{}'@'%'", user.replace('\'', "''"));
    let quoted = quoted(database);
    let grant = format!("GRANT ALL ON {quoted}.* TO {account};");
    let text = match number {
        1045 | 1698 => {
            let tls = match settings.tls {
                config::Tls::Disabled => {
                    "; if it lets this user in over TLS only, leave out mariadb.tls"
                }
                _ => "",
            };
            format!(
                "it refuses the user {user}; check {} and {} (a new user: CREATE USER {account} \
                 IDENTIFIED BY '…'; {grant}){tls}",
                names.user, names.password
            )
        }
        4151 => format!("the user {user} is locked: ALTER USER {account} ACCOUNT UNLOCK;"),
        1862 | 1820 => format!("the password of the user {user} has expired; set a new one"),
        1130 => format!(
            "it lets nobody in from this computer: CREATE USER {account} IDENTIFIED BY '…'; {grant}"
        ),
        1129 => "it has blocked this computer after many failures: FLUSH HOSTS;".to_owned(),
        1040 | 1203 | 1226 => format!("it has too many connections: {message}"),
        1049 => format!(
            "it has no database {database}: CREATE DATABASE {quoted} CHARACTER SET utf8mb4; {grant}"
        ),
        1044 => format!(
            "the user {user} may not use a database {database}: CREATE DATABASE IF NOT EXISTS \
             {quoted} CHARACTER SET utf8mb4; {grant}"
        ),
        1142 | 1143 | 1227 | 1370 | 1410 => {
            format!("the user {user} may not do this ({message}): {grant}")
        }
        1290 | 1792 | 1836 => {
            format!(
                "it is read-only; is it a replica? Let {} be the server that takes writes",
                names.host
            )
        }
        1047 => "this node of the cluster is not ready for queries".to_owned(),
        1053 | 1927 => "it is shutting down, or ended the connection".to_owned(),
        1021 | 1114 => format!("its disk is full: {message}"),
        1153 => format!("{message}; is there a proxy with a smaller limit?"),
        1054 | 1136 | 1146 | 1356 | 1364 => format!(
            "its tables are not as telemetry makes them ({message}); let {} be one of its own, or \
             undo the change",
            names.database
        ),
        _ => format!("{message} (error {number})"),
    };
    Failure { class, text }
}

fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match name.bytes().all(plain) {
        true => name.to_owned(),
        false => format!("`{}`", name.replace('`', "``")),
    }
}

/// What was found, for people.
pub(super) fn layout_words(version: usize) -> String {
    match version {
        0 => "no tables yet (telemetry run makes them)".to_owned(),
        layout::VERSION => format!("layout {version}"),
        older => format!(
            "layout {older} (telemetry run makes it {})",
            layout::VERSION
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_can_be_pasted() {
        let config = "user = \"o'hara\"\ndatabase = 'home data'";
        let settings = Settings::new(&toml::from_str(config).unwrap()).unwrap();
        let text = said(1049, "Unknown database", &settings).text;
        assert!(text.contains("CREATE DATABASE `home data` CHARACTER SET utf8mb4;"));
        assert!(text.contains("GRANT ALL ON `home data`.* TO 'o''hara'@'%';"));
    }

    #[test]
    fn only_other_credentials_are_a_login() {
        let settings = Settings::new(&config::MariaDb::default()).unwrap();
        let class = |number| said(number, "", &settings).class;
        assert_eq!(class(1045), Class::Refused);
        assert_eq!(class(1049), Class::Later);
        assert_eq!(class(1142), Class::Later);
        assert_eq!(class(1213), Class::Again);
        assert_eq!(class(1290), Class::Later);
    }

    /// A drop-in has flags, and its user no configuration.
    #[test]
    fn a_drop_in_speaks_of_flags() {
        let config = config::MariaDb {
            names: MariaDbNames::FLAGS,
            ..config::MariaDb::default()
        };
        let settings = Settings::new(&config).unwrap();
        for (number, flag) in [
            (1045, "`--dbuser` and `--dbpass`"),
            (1290, "`--dbhost`"),
            (1146, "`--dbname`"),
        ] {
            let text = said(number, "", &settings).text;
            assert!(text.contains(flag) && !text.contains("mariadb."), "{text}");
        }
        let wrong = Failure::new(&sqlx::Error::Protocol(String::new()), &settings).text;
        assert!(
            wrong.ends_with("check `--dbhost` and `--dbport`"),
            "{wrong}"
        );
    }
}
