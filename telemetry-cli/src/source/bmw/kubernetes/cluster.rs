//! Which cluster there is, and how we are let in.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimmer::Secret;
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::yaml;
use crate::config::Environment;

/// Where a pod finds what it may use.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// An API server and our credentials.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) server: String,
    pub(super) client: Client,
    credentials: Credentials,
}

#[derive(Clone, Debug)]
enum Credentials {
    /// It is replaced now and then: read for every call.
    TokenFile(PathBuf),
    Token(Secret),
    /// Part of the TLS connection.
    Certificate,
}

impl Cluster {
    /// The one that this pod runs in, else that of the kubeconfig.
    ///
    /// # Errors
    /// Why there is none that can be used.
    pub fn of_environment(environment: &Environment) -> Result<Self, String> {
        let host = environment.get("KUBERNETES_SERVICE_HOST");
        if let Some(host) = host {
            let port = environment.get("KUBERNETES_SERVICE_PORT").unwrap_or("443");
            return Self::in_pod(host, port, Path::new(SERVICE_ACCOUNT));
        }
        let file = match environment.get("KUBECONFIG") {
            // Of several files the first: merging them is kubectl's business.
            Some(list) => list.split(':').next().unwrap_or_default().into(),
            None => Path::new(environment.get("HOME").unwrap_or("/root")).join(".kube/config"),
        };
        Self::of_kubeconfig(&file)
    }

    fn in_pod(host: &str, port: &str, account: &Path) -> Result<Self, String> {
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let ca = read(&account.join("ca.crt"))?;
        let client = trusting(Client::builder(), &ca)?;
        Ok(Self {
            server: format!("https://{host}:{port}"),
            client: built(client)?,
            credentials: Credentials::TokenFile(account.join("token")),
        })
    }

    /// The current context of a kubeconfig.
    ///
    /// # Errors
    /// What is missing in it, or not supported here.
    pub fn of_kubeconfig(file: &Path) -> Result<Self, String> {
        let wrong = |reason: String| format!("{}: {reason}", file.display());
        let text = fs::read_to_string(file).map_err(|error| {
            wrong(format!(
                "cannot be read ({error}); outside of a cluster a kubeconfig is needed, named by \
                 KUBECONFIG or at ~/.kube/config"
            ))
        })?;
        let document = yaml::read(&text).map_err(wrong)?;
        let config: Kubeconfig = serde_json::from_value(document)
            .map_err(|error| wrong(format!("is no kubeconfig: {error}")))?;
        let directory = file.parent().unwrap_or(Path::new("."));
        config.cluster(directory).map_err(wrong)
    }

    /// The header that lets us in, if not the certificate does.
    pub(super) fn authorization(&self) -> Result<Option<String>, String> {
        let token = match &self.credentials {
            Credentials::TokenFile(path) => {
                let token = fs::read_to_string(path);
                token.map_err(|error| format!("cannot read {}: {error}", path.display()))?
            }
            Credentials::Token(token) => token.expose().to_owned(),
            Credentials::Certificate => return Ok(None),
        };
        Ok(Some(format!("Bearer {}", token.trim())))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kubeconfig {
    #[serde(default)]
    current_context: Option<String>,
    #[serde(default = "Vec::new")]
    contexts: Vec<Named<Context>>,
    #[serde(default = "Vec::new")]
    clusters: Vec<Named<ClusterEntry>>,
    #[serde(default = "Vec::new")]
    users: Vec<Named<User>>,
}

/// `name`, and a table whose key is the kind of the entry.
#[derive(Deserialize)]
struct Named<T> {
    name: String,
    #[serde(
        alias = "context",
        alias = "cluster",
        alias = "user",
        bound = "T: DeserializeOwned"
    )]
    entry: T,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ClusterEntry {
    server: String,
    #[serde(default)]
    certificate_authority: Option<PathBuf>,
    #[serde(default)]
    certificate_authority_data: Option<String>,
    #[serde(default)]
    insecure_skip_tls_verify: bool,
    #[serde(default)]
    proxy_url: Option<String>,
    #[serde(default)]
    tls_server_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    #[serde(default)]
    token: Option<Secret>,
    #[serde(default, rename = "tokenFile")]
    token_file: Option<PathBuf>,
    #[serde(default)]
    client_certificate: Option<PathBuf>,
    #[serde(default)]
    client_certificate_data: Option<String>,
    #[serde(default)]
    client_key: Option<PathBuf>,
    #[serde(default)]
    client_key_data: Option<Secret>,
    #[serde(default)]
    exec: Option<serde_json::Value>,
    #[serde(default)]
    auth_provider: Option<serde_json::Value>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default, rename = "as")]
    impersonated: Option<String>,
}

const SUPPORTED: &str = "a static `token` or a client certificate is supported";

impl Kubeconfig {
    fn cluster(self, directory: &Path) -> Result<Cluster, String> {
        let current = self.current_context.filter(|name| !name.is_empty());
        let current = current.ok_or("has no `current-context`")?;
        let context = named(self.contexts, &current, "context")?;
        let entry = named(self.clusters, &context.cluster, "cluster")?;
        let user = named(self.users, &context.user, "user")?;
        if entry.insecure_skip_tls_verify {
            let reason = "the cluster says `insecure-skip-tls-verify`, which would give the login \
                          to anybody in between; set `certificate-authority` instead";
            return Err(reason.to_owned());
        }
        for (there, what) in [
            (entry.proxy_url.is_some(), "proxy-url"),
            (entry.tls_server_name.is_some(), "tls-server-name"),
        ] {
            if there {
                return Err(format!("the cluster has `{what}`: not supported"));
            }
        }
        if !entry.server.starts_with("https://") && !is_loopback(&entry.server) {
            return Err(format!("`{}` is not encrypted: use https", entry.server));
        }
        let mut client = Client::builder();
        let ca = bytes(
            directory,
            entry.certificate_authority_data.as_deref(),
            entry.certificate_authority.as_deref(),
        )?;
        if let Some(ca) = ca {
            client = trusting(client, &ca)?;
        }
        let (credentials, client) = user.credentials(directory, client)?;
        Ok(Cluster {
            server: entry.server.trim_end_matches('/').to_owned(),
            client: built(client)?,
            credentials,
        })
    }
}

impl User {
    fn credentials(
        self,
        directory: &Path,
        client: ClientBuilder,
    ) -> Result<(Credentials, ClientBuilder), String> {
        for (there, what) in [
            (self.exec.is_some(), "`exec`, which runs another program"),
            (self.auth_provider.is_some(), "`auth-provider`"),
            (self.username.is_some(), "user name and password"),
            (
                self.token_file.is_some(),
                "`tokenFile`, whose token changes",
            ),
            (
                self.impersonated.is_some(),
                "`as`, which is another user's name",
            ),
        ] {
            if there {
                return Err(format!(
                    "the user logs in by {what}: not supported; {SUPPORTED}"
                ));
            }
        }
        if let Some(token) = self.token {
            return Ok((Credentials::Token(token), client));
        }
        let certificate = bytes(
            directory,
            self.client_certificate_data.as_deref(),
            self.client_certificate.as_deref(),
        )?;
        let key = self.client_key_data.as_ref().map(Secret::expose);
        let key = bytes(directory, key, self.client_key.as_deref())?;
        let (Some(mut pem), Some(key)) = (certificate, key) else {
            return Err(format!("the user has no way to log in; {SUPPORTED}"));
        };
        pem.push(b'\n');
        pem.extend(key);
        let identity = Identity::from_pem(&pem)
            .map_err(|error| format!("the client certificate cannot be used: {error}"))?;
        Ok((Credentials::Certificate, client.identity(identity)))
    }
}

fn named<T>(entries: Vec<Named<T>>, name: &str, kind: &str) -> Result<T, String> {
    let mut entries = entries.into_iter();
    let found = entries.find(|entry| entry.name == name);
    let missing = || format!("has no {kind} `{name}`");
    found.map(|entry| entry.entry).ok_or_else(missing)
}

/// In place in base64, or in a file.
fn bytes(
    directory: &Path,
    data: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<Vec<u8>>, String> {
    match (data, file) {
        (Some(data), _) => {
            let decoded = STANDARD.decode(data.trim());
            decoded
                .map(Some)
                .map_err(|_| "holds data that is no base64".to_owned())
        }
        (None, Some(file)) => read(&directory.join(file)).map(Some),
        (None, None) => Ok(None),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn trusting(client: ClientBuilder, pem: &[u8]) -> Result<ClientBuilder, String> {
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| format!("the cluster's certificate cannot be used: {error}"))?;
    Ok(client.tls_certs_only(certificates))
}

fn built(client: ClientBuilder) -> Result<Client, String> {
    client
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(super::TIMEOUT)
        .build()
        .map_err(|error| format!("HTTP cannot be set up: {error}"))
}

fn is_loopback(server: &str) -> bool {
    let host = server.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| {
        let rest = host.strip_prefix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(user: &str, cluster: &str) -> Result<Cluster, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        let text = format!(
            "current-context: home\ncontexts:\n- name: home\n  context: {{cluster: c, user: u}}\n\
             clusters:\n- name: c\n  cluster: {cluster}\nusers:\n- name: u\n  user: {user}\n"
        );
        fs::write(&file, text).unwrap();
        Cluster::of_kubeconfig(&file)
    }

    #[test]
    fn what_is_supported_and_what_is_refused() {
        let https = "{server: 'https://a:6443/'}";
        let cluster = of("{token: abc}", https).unwrap();
        assert_eq!(cluster.server, "https://a:6443");
        assert_eq!(cluster.authorization(), Ok(Some("Bearer abc".to_owned())));
        assert!(!format!("{cluster:?}").contains("abc"));
        for (user, cluster, reason) in [
            ("{exec: {command: aws}}", https, "by `exec`"),
            ("{auth-provider: {name: gcp}}", https, "by `auth-provider`"),
            (
                "{username: me, password: x}",
                https,
                "by user name and password",
            ),
            ("{token: abc, tokenFile: t}", https, "by `tokenFile`"),
            ("{token: abc, as: other}", https, "by `as`"),
            (
                "{token: abc}",
                "{server: 'https://a', proxy-url: 'http://p'}",
                "`proxy-url`",
            ),
            ("{}", https, "no way to log in"),
            ("{token: abc}", "{server: 'http://a'}", "not encrypted"),
            (
                "{token: abc}",
                "{server: 'http://localhost.evil'}",
                "not encrypted",
            ),
            (
                "{token: abc}",
                "{server: 'https://a', insecure-skip-tls-verify: true}",
                "insecure-skip-tls-verify",
            ),
            ("{client-certificate-data: '!'}", https, "no base64"),
            (
                "{client-certificate: no, client-key: no}",
                https,
                "cannot read",
            ),
        ] {
            let error = of(user, cluster).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_client_certificate_lets_in() {
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["me".to_owned()]).unwrap();
        let certificate = own.self_signed(&key).unwrap();
        let user = format!(
            "{{client-certificate-data: {}, client-key-data: {}}}",
            STANDARD.encode(certificate.pem()),
            STANDARD.encode(key.serialize_pem())
        );
        let cluster = of(&user, "{server: 'https://a:6443'}").unwrap();
        assert_eq!(cluster.authorization(), Ok(None));
    }

    #[test]
    fn a_pod_reads_its_token_for_every_call() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let account = tempfile::tempdir().unwrap();
        let own = rcgen::CertificateParams::new(vec!["kubernetes".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let ca = own.self_signed(&key).unwrap().pem();
        fs::write(account.path().join("ca.crt"), ca).unwrap();
        let cluster = Cluster::in_pod("fd00::1", "443", account.path()).unwrap();
        assert_eq!(cluster.server, "https://[fd00::1]:443");
        assert!(cluster.authorization().unwrap_err().contains("token"));
        for token in ["one", "two\n"] {
            fs::write(account.path().join("token"), token).unwrap();
            let header = format!("Bearer {}", token.trim());
            assert_eq!(cluster.authorization(), Ok(Some(header)));
        }
    }
}
