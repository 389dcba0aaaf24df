//! From the configuration to what a connection needs.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_platform_verifier::BuilderVerifierExt;

use super::any_host_name::AnyHostName;
use crate::config::{self, BrokerUrl, HostName, MqttNames, Secret};
use crate::event::DeviceId;
use crate::sink::pem::{certificates, key};

/// Everything that it takes to connect.
pub(super) struct Settings {
    pub(super) broker: BrokerUrl,
    pub(super) client_id: String,
    pub(super) login: Option<(String, Option<Secret>)>,
    pub(super) names: MqttNames,
    /// For secure transports.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// The flag that lets a certificate for another host name pass.
    pub(super) name_flag: Option<&'static str>,
    /// Topic and payload that the broker publishes when we vanish.
    pub(super) will: Option<(String, &'static str)>,
}

impl Settings {
    /// What `config` means, or what is wrong with it.
    pub(super) fn new(
        config: &config::Mqtt,
        gateway: &DeviceId,
        will: Option<(String, &'static str)>,
    ) -> Result<Self, String> {
        let names = config.names;
        let broker = BrokerUrl::parse(&config.url).map_err(|error| match error.help() {
            Some(help) => format!("{}: {error}; {help}", names.url),
            None => format!("{}: {error}", names.url),
        })?;
        let given = [
            (names.ca, &config.ca),
            (names.client_cert, &config.client_cert),
            (names.client_key, &config.client_key),
        ];
        if let Some((name, _)) = given.iter().find(|(_, path)| path.is_some())
            && !broker.tls
        {
            return Err(format!(
                "{name} needs an encrypted connection: {} must start with tls:// or wss://",
                names.url
            ));
        }
        if config.user.is_none() && config.password.is_some() {
            return Err(format!(
                "{} is set, but {} is not",
                names.password, names.user
            ));
        }
        let user = config.user.clone();
        let client_id = match &config.client_id {
            Some(id) if id.is_empty() => {
                return Err(format!(
                    "{} is empty",
                    names.client_id.unwrap_or("the client id")
                ));
            }
            Some(id) => id.clone(),
            None => format!("telemetry-{gateway}"),
        };
        Ok(Self {
            tls: match broker.tls {
                true => Some(Arc::new(tls(config)?)),
                false => None,
            },
            names,
            name_flag: match config.host_name {
                HostName::CheckedUnless(flag) => Some(flag),
                HostName::Checked | HostName::Any => None,
            },
            broker,
            client_id,
            login: user.map(|user| (user, config.password.clone())),
            will,
        })
    }
}

/// Trusts what the system trusts, or else only the given authority.
fn tls(config: &config::Mqtt) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    let builder = match &config.ca {
        None => builder
            .with_platform_verifier()
            .map_err(|error| format!("the system's certificates cannot be used: {error}"))?,
        Some(path) if config.host_name == HostName::Any => {
            let verifier = AnyHostName::new(authority(config.names.ca, path)?, provider)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
        }
        Some(path) => builder.with_root_certificates(authority(config.names.ca, path)?),
    };
    let MqttNames {
        client_cert,
        client_key,
        ..
    } = config.names;
    match (&config.client_cert, &config.client_key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(certificate), Some(secret)) => {
            let chain = certificates(client_cert, certificate)?;
            builder
                .with_client_auth_cert(chain, key(client_key, secret)?)
                .map_err(|error| {
                    let certificate = certificate.display();
                    let key = secret.display();
                    format!("{client_cert} {certificate} and {client_key} {key}: {error}")
                })
        }
        _ => Err(format!("{client_cert} and {client_key} need each other")),
    }
}

fn authority(name: &str, path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(name, path)? {
        roots
            .add(certificate)
            .map_err(|error| format!("{name} {}: {error}", path.display()))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn config(text: &str) -> config::Mqtt {
        toml::from_str(text).unwrap()
    }

    fn error(config: &config::Mqtt) -> String {
        Settings::new(config, &DeviceId::new(&["home"]), None)
            .err()
            .unwrap()
    }

    #[test]
    fn certificates_that_cannot_be_used_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let mut config = config("url = 'tls://broker'");
        config.ca = Some(path.clone());
        assert!(error(&config).starts_with(&format!("mqtt.ca {}: No such file", path.display())));
        fs::write(&path, "not a certificate").unwrap();
        assert!(error(&config).ends_with("ca.pem: no certificate in PEM form in it"));
        fs::write(
            &path,
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        assert!(error(&config).contains("ca.pem: "));
        config.ca = None;
        config.client_cert = Some(path.clone());
        assert!(error(&config).contains("need each other"));
        config.client_key = Some(path);
        assert!(error(&config).starts_with("mqtt.client_key "));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (text, why) in [
            ("url = 'tcp://b'\nca = 'x'", "mqtt.ca needs an encrypted"),
            ("url = 'tcp://b'\npassword = 'x'", "mqtt.user is not"),
            ("url = 'tcp://b'\nclient_id = ''", "client_id is empty"),
            ("url = 'b'", "mqtt.url: `b` has no scheme"),
        ] {
            assert!(error(&config(text)).contains(why), "{text}");
        }
    }

    #[test]
    fn the_client_id_comes_from_the_gateway() {
        let settings =
            Settings::new(&config("url = 'tls://b'"), &DeviceId::new(&["home"]), None).unwrap();
        assert_eq!(settings.client_id, "telemetry-home");
        assert!(settings.tls.is_some());
    }
}
