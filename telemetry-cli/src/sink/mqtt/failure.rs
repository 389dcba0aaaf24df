//! Why there is no connection, in words.

use std::io::{self, ErrorKind};

use rumqttc::{ConnectReturnCode, ConnectionError, StateError, TlsError};
use rustls::{CertificateError, Error as Tls};

use crate::sink::peer::Peer;

const PEER: Peer = Peer {
    table: "mqtt",
    name: "broker",
    address: "mqtt.url",
    unencrypted: "tcp:// instead of tls://?",
};

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
    pub(super) fn new(error: &ConnectionError, connected: bool) -> Self {
        let text = match error {
            ConnectionError::ConnectionRefused(code) => return refused(*code),
            ConnectionError::NetworkTimeout => {
                "no answer; check host, port and firewall".to_owned()
            }
            ConnectionError::FlushTimeout => "it takes no more data".to_owned(),
            ConnectionError::Io(error) | ConnectionError::MqttState(StateError::Io(error)) => {
                io(error, connected)
            }
            ConnectionError::MqttState(state) => match state {
                StateError::ConnectionAborted if connected => {
                    "it closed the connection; another client with the same mqtt.client_id?"
                        .to_owned()
                }
                StateError::ConnectionAborted => CUT_AT_ONCE.to_owned(),
                StateError::AwaitPingResp => "it does not answer any more".to_owned(),
                StateError::Deserialization(rumqttc::Error::Io(error)) => io(error, connected),
                StateError::Deserialization(_) | StateError::WrongPacket if !connected => {
                    "what answers there is no MQTT broker".to_owned()
                }
                other => other.to_string(),
            },
            ConnectionError::NotConnAck(_) => "what answers there is no MQTT broker".to_owned(),
            ConnectionError::Tls(TlsError::Io(error)) => io(error, connected),
            ConnectionError::Tls(TlsError::TLS(error)) => PEER.tls(error),
            ConnectionError::Tls(TlsError::DNSName(_)) => {
                "mqtt.url needs a host name that a certificate can be issued for".to_owned()
            }
            ConnectionError::Tls(error) => format!("TLS: {error}"),
            ConnectionError::Websocket(error) => match io_cause(error) {
                Some(error) => io(error, connected),
                None => format!("web socket: {error}; check the path in mqtt.url"),
            },
            ConnectionError::ResponseValidation(error) => {
                format!("web socket: {error}; check the path in mqtt.url")
            }
            other => other.to_string(),
        };
        Self { text, login: false }
    }
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

const CUT_AT_ONCE: &str = "it closed the connection at once; \
    encrypted port with an unencrypted mqtt.url, or the other way round?";

fn refused(code: ConnectReturnCode) -> Failure {
    let (text, login) = match code {
        ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => (
            "it refuses this user; check mqtt.user and mqtt.password",
            true,
        ),
        ConnectReturnCode::BadClientId => ("it refuses the client id; set mqtt.client_id", false),
        ConnectReturnCode::RefusedProtocolVersion => ("it does not speak MQTT 3.1.1", false),
        ConnectReturnCode::ServiceUnavailable | ConnectReturnCode::Success => {
            ("it is not ready", false)
        }
    };
    Failure {
        text: text.to_owned(),
        login,
    }
}

fn io(error: &io::Error, connected: bool) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
            if !connected =>
        {
            CUT_AT_ONCE.to_owned()
        }
        _ => PEER.io(error),
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
        let text = |error: ConnectionError| Failure::new(&error, false).text;
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
            assert!(Failure::new(&ConnectionError::ConnectionRefused(code), false).login);
        }
        let busy = ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable);
        assert!(!Failure::new(&busy, false).login);
    }
}
