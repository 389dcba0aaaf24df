//! The broker's address.

use std::fmt;

/// How to talk to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Tls,
    WebSocket,
    SecureWebSocket,
}

impl Transport {
    /// True if certificates are involved.
    pub(super) fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::SecureWebSocket)
    }
}

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) transport: Transport,
    /// Name or number; version 6 numbers without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What follows, of web sockets.
    path: String,
}

impl Address {
    /// The address that `url` means, or what is wrong with it.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("mqtt.url = {}: {why}", shown(url)));
        let Some((scheme, rest)) = url.split_once("://") else {
            return wrong("starts with none of tcp://, tls://, ws://, wss://");
        };
        let (transport, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "tcp" | "mqtt" => (Transport::Tcp, 1883),
            "tls" | "mqtts" | "ssl" => (Transport::Tls, 8883),
            "ws" => (Transport::WebSocket, 80),
            "wss" => (Transport::SecureWebSocket, 443),
            _ => return wrong("starts with none of tcp://, tls://, ws://, wss://"),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return wrong("user and password belong into mqtt.user and mqtt.password");
        }
        let web = matches!(transport, Transport::WebSocket | Transport::SecureWebSocket);
        if !web && !matches!(path, "" | "/") {
            return wrong("nothing may follow the port");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((host, port)) => (host, port),
                None => return wrong("`]` is missing"),
            },
            None => match authority.find(':') {
                Some(at) => authority.split_at(at),
                None => (authority, ""),
            },
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => default_port,
            None => return wrong("expected `:` and a port after the host"),
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => port,
                _ => return wrong("the port is no number from 1 to 65535"),
            },
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return wrong("this is no host name");
        }
        if path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return wrong("the path has a space in it");
        }
        Ok(Self {
            transport,
            host: host.to_owned(),
            port,
            path: match path {
                // Where Mosquitto, EMQX and Home Assistant's add-on listen.
                "" | "/" => "/mqtt".to_owned(),
                path => path.to_owned(),
            },
        })
    }

    /// As the client library wants it.
    pub(super) fn broker(&self) -> String {
        match self.transport {
            Transport::Tcp => self.bracketed(),
            // The name in the certificate.
            Transport::Tls => self.host.clone(),
            Transport::WebSocket => format!("ws://{}:{}{}", self.bracketed(), self.port, self.path),
            Transport::SecureWebSocket => {
                format!("wss://{}:{}{}", self.bracketed(), self.port, self.path)
            }
        }
    }

    fn bracketed(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bracketed(), self.port)
    }
}

/// The URL as it may be shown: what stands before an `@` may be a password.
fn shown(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("`{scheme}://…@{after}`")
        }
        None => format!("`{url}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (Transport, String, u16, String) {
        let address = Address::parse(url).unwrap();
        let broker = address.broker();
        (address.transport, address.host, address.port, broker)
    }

    #[test]
    fn every_scheme_has_its_port() {
        use Transport::{SecureWebSocket, Tcp, Tls, WebSocket};
        let cases = [
            ("tcp://broker", Tcp, "broker", 1883, "broker"),
            ("mqtt://10.0.0.1:1884/", Tcp, "10.0.0.1", 1884, "10.0.0.1"),
            ("tcp://[::1]:1", Tcp, "::1", 1, "[::1]"),
            ("tls://broker.lan", Tls, "broker.lan", 8883, "broker.lan"),
            ("ws://b", WebSocket, "b", 80, "ws://b:80/mqtt"),
            ("wss://b/x?y", SecureWebSocket, "b", 443, "wss://b:443/x?y"),
        ];
        for (url, transport, host, port, broker) in cases {
            let expected = (transport, host.to_owned(), port, broker.to_owned());
            assert_eq!(parsed(url), expected, "{url}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (url, why) in [
            ("broker:1883", "starts with none of"),
            ("http://broker", "starts with none of"),
            ("tcp://", "no host name"),
            ("tcp://a b", "no host name"),
            ("tcp://a:0", "the port"),
            ("tcp://a:99999", "the port"),
            ("tcp://[::1", "`]` is missing"),
            ("tcp://[::1]x", "expected `:`"),
            ("tcp://a/topic", "nothing may follow"),
            ("ws://a/x y", "space"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.contains(why), "{error}");
            assert!(error.starts_with("mqtt.url = "), "{error}");
        }
    }

    #[test]
    fn a_password_in_the_url_is_not_shown() {
        let error = Address::parse("tcp://user:geheim@broker").unwrap_err();
        assert_eq!(
            error,
            "mqtt.url = `tcp://…@broker`: user and password belong into mqtt.user and mqtt.password"
        );
    }
}
