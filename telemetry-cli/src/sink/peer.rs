//! Why a link to a server failed, in the words of its settings.

use std::io::{self, ErrorKind};

use rustls::{CertificateError, Error as Tls};

/// What to call the server and its settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    /// What it is: a broker, a server.
    pub(super) name: &'static str,
    /// What leads to it, such as `mqtt.url`.
    pub(super) address: &'static str,
    /// What names the file of the authority.
    pub(super) ca: &'static str,
    /// What names our certificate.
    pub(super) client_cert: &'static str,
    /// What to try if it does not encrypt.
    pub(super) unencrypted: &'static str,
}

impl Peer {
    /// What an IO error means; one of TLS may be in it.
    pub(super) fn io(&self, error: &io::Error) -> String {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return self.tls(tls);
        }
        let Self { name, address, .. } = self;
        match error.kind() {
            ErrorKind::ConnectionRefused => {
                format!("nothing listens there; is the {name} running, and is the port right?")
            }
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
                "the connection was cut".to_owned()
            }
            ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
            ErrorKind::TimedOut => "no answer; check host, port and firewall".to_owned(),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
                "out of reach; check the network".to_owned()
            }
            // The kind of a failed look-up has no name yet.
            _ if error.to_string().contains("lookup") => {
                format!("unknown host; check {address} and the name server")
            }
            _ => error.to_string(),
        }
    }

    /// What an error of TLS means.
    pub(super) fn tls(&self, error: &Tls) -> String {
        let Self {
            address,
            ca,
            client_cert,
            ..
        } = self;
        match error {
            // The second one: by an authority that has the name of a known one.
            Tls::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => {
                format!("nobody known has signed its certificate; set {ca} to the authority's file")
            }
            Tls::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) => format!("its certificate is for another host name; check {address}"),
            Tls::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => "its certificate is expired or not valid yet; check it, and this clock".to_owned(),
            Tls::InvalidMessage(_) => {
                format!("what answers there is not encrypted; {}", self.unencrypted)
            }
            Tls::AlertReceived(alert) => {
                format!("it refuses the encryption ({alert:?}); does it ask for {client_cert}?")
            }
            other => format!("TLS: {other}"),
        }
    }
}
