//! The address of a broker: `tcp://host:1883`.

use std::fmt;

/// `url` of `[mqtt]`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Encrypted: `tls://` and `wss://`.
    pub tls: bool,
    /// MQTT inside a WebSocket: `ws://` and `wss://`.
    pub websocket: bool,
    /// Name or address, an IPv6 address without brackets.
    pub host: String,
    /// The port, or the usual one of the scheme.
    pub port: u16,
    /// For WebSockets: what follows the host, `/mqtt` if nothing does.
    pub path: String,
}

impl BrokerUrl {
    /// Takes `url` apart.
    pub fn parse(url: &str) -> Result<Self, BrokerUrlError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(BrokerUrlError::NoScheme(without_login(url).to_owned()));
        };
        let (tls, websocket, usual_port) = match scheme {
            "tcp" => (false, false, 1883),
            "tls" => (true, false, 8883),
            "ws" => (false, true, 80),
            "wss" => (true, true, 443),
            _ => return Err(BrokerUrlError::Scheme(scheme.to_owned())),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // A password may hold a slash, so look for its end in all of it.
        if rest.contains('@') {
            return Err(BrokerUrlError::Login);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(BrokerUrlError::Host)?;
                let port = match port {
                    "" => None,
                    port => Some(port.strip_prefix(':').ok_or(BrokerUrlError::Host)?),
                };
                (host, port)
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(BrokerUrlError::NoHost);
        }
        if host.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(BrokerUrlError::Host);
        }
        let port = match port {
            None => usual_port,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => return Err(BrokerUrlError::Port(text.to_owned())),
                Ok(port) => port,
            },
        };
        let path = match (websocket, path) {
            (true, "" | "/") => "/mqtt",
            (true, path) => path,
            (false, "" | "/") => "",
            (false, path) => return Err(BrokerUrlError::Path(path.to_owned())),
        };
        Ok(Self {
            tls,
            websocket,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.tls, self.websocket) {
            (false, false) => "tcp",
            (true, false) => "tls",
            (false, true) => "ws",
            (true, true) => "wss",
        };
        let Self {
            host, port, path, ..
        } = self;
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}{path}")
        } else {
            write!(f, "{scheme}://{host}:{port}{path}")
        }
    }
}

/// What is wrong with the address of a broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// There is no `://`.
    #[error("`{0}` has no scheme")]
    NoScheme(String),
    /// Not one of ours.
    #[error("the scheme `{0}` is unknown")]
    Scheme(String),
    /// A user name or password: addresses are logged.
    #[error("user name or password in the address")]
    Login,
    /// There is nothing between scheme and port.
    #[error("there is no host name in it")]
    NoHost,
    /// The host cannot be one.
    #[error("the host name is malformed")]
    Host,
    /// Not a port.
    #[error("`{0}` is not a port")]
    Port(String),
    /// A path where there can be none.
    #[error("`{0}` after the host means nothing without WebSockets")]
    Path(String),
}

impl BrokerUrlError {
    /// What would be right.
    pub fn expected(&self) -> Option<String> {
        let text = match self {
            Self::NoScheme(_) | Self::Scheme(_) | Self::NoHost | Self::Host => {
                "\"tcp://HOST:1883\", \"tls://HOST:8883\", \"ws://HOST:80/mqtt\" or \"wss://HOST:443/mqtt\""
            }
            Self::Port(_) => "a number from 1 to 65535",
            Self::Login | Self::Path(_) => return None,
        };
        Some(text.to_owned())
    }

    /// What to do.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::NoScheme(host) => format!("try \"tcp://{host}\""),
            Self::Scheme(scheme) => match scheme.to_lowercase().as_str() {
                "mqtt" | "tcp" => "write `tcp://`".to_owned(),
                "mqtts" | "ssl" | "tls" => "write `tls://`".to_owned(),
                "http" | "ws" => "write `ws://`".to_owned(),
                "https" | "wss" => "write `wss://`".to_owned(),
                _ => return None,
            },
            Self::Login => {
                "addresses appear in logs: use the keys `user` and `password`".to_owned()
            }
            Self::Path(_) => "remove it, or write `ws://` or `wss://`".to_owned(),
            Self::NoHost | Self::Host | Self::Port(_) => return None,
        };
        Some(text)
    }
}

fn without_login(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_port_and_path() {
        for (url, full) in [
            ("tcp://broker", "tcp://broker:1883"),
            ("tcp://broker:1884/", "tcp://broker:1884"),
            ("tls://broker.example", "tls://broker.example:8883"),
            ("ws://broker", "ws://broker:80/mqtt"),
            ("wss://broker:8443/ws?a=b", "wss://broker:8443/ws?a=b"),
            ("tcp://[fe80::1]", "tcp://[fe80::1]:1883"),
            ("tls://[::1]:1", "tls://[::1]:1"),
        ] {
            let parsed = BrokerUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), full);
            assert_eq!(BrokerUrl::parse(full), Ok(parsed));
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        use BrokerUrlError as E;
        for (url, error) in [
            ("broker:1883", E::NoScheme("broker:1883".to_owned())),
            ("me:secret@broker", E::NoScheme("broker".to_owned())),
            ("mqtt://broker", E::Scheme("mqtt".to_owned())),
            ("tcp://me:secret@broker", E::Login),
            ("tcp://me:se/cret@broker", E::Login),
            ("tcp://", E::NoHost),
            ("tcp://:1883", E::NoHost),
            ("tcp://[::1", E::Host),
            ("tcp://[::1]1883", E::Host),
            ("tcp://a b", E::Host),
            ("tcp://broker:", E::Port(String::new())),
            ("tcp://broker:0", E::Port("0".to_owned())),
            ("tcp://broker:70000", E::Port("70000".to_owned())),
            ("tcp://broker/topic", E::Path("/topic".to_owned())),
        ] {
            assert_eq!(BrokerUrl::parse(url), Err(error), "{url}");
        }
    }
}
