//! Why there is no connection, in words.

use std::io::{self, ErrorKind};

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::{CertificateError, Error as Tls};

use crate::config::MqttNames;
use crate::sink::peer::Peer;

const fn peer(names: &MqttNames) -> Peer {
    Peer {
        name: "broker",
        address: names.url,
        ca: names.ca,
        client_cert: names.client_cert,
        unencrypted: names.unencrypted,
    }
}

/// Why a connection ended, or did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What happened, and what to do.
    pub(super) text: String,
    /// The broker does not want this user, password or certificate.
    pub(super) login: bool,
}

impl Failure {
    /// From the client library's error; `connected` if it had worked before.
    pub(super) fn new(error: &ConnectionError, connected: bool, names: &MqttNames) -> Self {
        let io = |error: &io::Error| io(error, connected, names);
        let url = names.url;
        let text = match error {
            ConnectionError::ConnectionRefused(code) => return refused(*code, names),
            ConnectionError::NetworkTimeout => {
                "no answer; check host, port and firewall".to_owned()
            }
            ConnectionError::FlushTimeout => "it takes no more data".to_owned(),
            ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => {
                io(error)
            }
            ConnectionError::MqttState(state) => match state {
                StateError::ConnectionAborted if connected => {
                    let id = names.client_id.unwrap_or("client id");
                    format!("it closed the connection; another client with the same {id}?")
                }
                StateError::ConnectionAborted => cut_at_once(names),
                StateError::AwaitPingResp => "it does not answer any more".to_owned(),
                StateError::Deserialization(rumqttc::Error::Io(error)) => io(error),
                StateError::Deserialization(_) | StateError::WrongPacket if !connected => {
                    "what answers there is no MQTT broker".to_owned()
                }
                other => other.to_string(),
            },
            ConnectionError::NotConnAck(_) => "what answers there is no MQTT broker".to_owned(),
            ConnectionError::Tls(TlsError::Io(error)) => io(error),
            ConnectionError::Tls(TlsError::TLS(error)) => peer(names).tls(error),
            ConnectionError::Tls(TlsError::DNSName(_)) => {
                format!("{url} needs a host name that a certificate can be issued for")
            }
            ConnectionError::Tls(error) => format!("TLS: {error}"),
            ConnectionError::Websocket(error) => match io_cause(error) {
                Some(error) => io(error),
                None => format!("web socket: {error}; check the path in {url}"),
            },
            ConnectionError::ResponseValidation(error) => {
                format!("web socket: {error}; check the path in {url}")
            }
            other => other.to_string(),
        };
        Self { text, login: false }
    }
}

fn cut_at_once(names: &MqttNames) -> String {
    let url = names.url;
    format!(
        "it closed the connection at once; encrypted port with an unencrypted {url}, or the other \
         way round?"
    )
}

/// Whether the broker's certificate is for another host name, and nothing else
/// is wrong with it.
pub(super) fn is_another_name(error: &ConnectionError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>()
            && let Some(inner) = io.get_ref()
        {
            cause = Some(inner);
            continue;
        }
        if let Some(Tls::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) = error.downcast_ref()
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn refused(code: ConnectReturnCode, names: &MqttNames) -> Failure {
    let plain = |text: &str| (text.to_owned(), false);
    let (text, login) = match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => (
            format!(
                "it refuses this user; check {} and {}",
                names.user, names.password
            ),
            true,
        ),
        ConnectReturnCode::BadClientId => match names.client_id {
            Some(id) => (format!("it refuses the client id; set {id}"), false),
            None => plain("it refuses the client id"),
        },
        ConnectReturnCode::RefusedProtocolVersion => plain("it does not speak MQTT 3.1.1"),
        ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::Success => {
            plain("it is not ready")
        }
    };
    Failure { text, login }
}

fn io(error: &io::Error, connected: bool, names: &MqttNames) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
            if !connected =>
        {
            cut_at_once(names)
        }
        _ => peer(names).io(error),
    }
}

fn io_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn reasons_say_what_to_do() {
        let text = |error: ConnectionError| Failure::new(&error, false, &MqttNames::KEYS).text;
        assert!(
            text(io::Error::from(ErrorKind::ConnectionRefused).into())
                .starts_with("nothing listens there")
        );
        let unknown = io::Error::other("failed to lookup address information: Name unknown");
        assert!(text(unknown.into()).starts_with("unknown host"));
        let issuer = Tls::InvalidCertificate(CertificateError::UnknownIssuer);
        let tls = TlsError::Io(io::Error::new(ErrorKind::InvalidData, issuer));
        let issuer = ConnectionError::Tls(tls);
        assert!(!is_another_name(&issuer));
        assert!(text(issuer).contains("set mqtt.ca"));
        let name = Tls::InvalidCertificate(CertificateError::NotValidForName);
        let wrapped = TlsError::Io(io::Error::new(ErrorKind::InvalidData, name.clone()));
        for error in [
            ConnectionError::Tls(wrapped),
            ConnectionError::Tls(TlsError::TLS(name)),
        ] {
            assert!(is_another_name(&error));
            assert!(text(error).contains("another host name"));
        }
    }

    #[test]
    fn bad_credentials_are_told_apart() {
        for code in [
            ConnectReturnCode::BadUserNamePassword,
            ConnectReturnCode::NotAuthorized,
        ] {
            assert!(
                Failure::new(
                    &ConnectionError::ConnectionRefused(code),
                    false,
                    &MqttNames::KEYS
                )
                .login
            );
        }
        let busy = ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable);
        assert!(!Failure::new(&busy, false, &MqttNames::KEYS).login);
    }

    /// A drop-in has flags, and its user no configuration.
    #[test]
    fn a_drop_in_speaks_of_flags() {
        let refused = |code| ConnectionError::ConnectionRefused(code);
        let issuer = Tls::InvalidCertificate(CertificateError::UnknownIssuer);
        let alert = Tls::AlertReceived(rustls::AlertDescription::CertificateRequired);
        for (error, flag) in [
            (
                refused(ConnectReturnCode::NotAuthorized),
                "`--mqtt-password`",
            ),
            (refused(ConnectReturnCode::BadClientId), "client id"),
            (
                ConnectionError::Tls(TlsError::TLS(issuer)),
                "set `--mqtt-ca`",
            ),
            (ConnectionError::Tls(TlsError::TLS(alert)), "telemetry run"),
            (
                ConnectionError::MqttState(StateError::ConnectionAborted),
                "`--mqtt-host`",
            ),
        ] {
            let text = Failure::new(&error, false, &MqttNames::FLAGS).text;
            assert!(text.contains(flag) && !text.contains("mqtt."), "{text}");
        }
    }
}
