//! The way to the cloud: plain requests and responses, and the one transport
//! that really sends them. Nothing else in this crate knows the HTTP library.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::endpoint::Method;
use crate::error::{Error, TransportError};

/// No answer of this cloud is nearly as long.
const LONGEST_ANSWER: usize = 4 << 20;

/// A request as it goes over the wire.
#[derive(Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Address.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// Body, empty for none.
    pub body: String,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(
            self.headers
                .iter()
                .map(|(key, value)| (*key, value.as_str())),
            name,
        )
    }
}

/// A response as it came over the wire.
#[derive(Clone, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values. Names may be in any case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find(
            self.headers
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
            name,
        )
    }
}

fn find<'a>(mut headers: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Option<&'a str> {
    headers
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// A response on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// What carries requests to the cloud. The client brings its own; another one
/// serves tests, simulators and unusual networks.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once. Dropping the future gives the request up.
    fn send(&self, request: Request) -> Sending<'_>;
}

/// HTTP/1.1 over TLS.
pub(crate) struct Https {
    client: reqwest::Client,
}

impl Https {
    /// With the certificates of the system and, if given, those of a PEM text.
    pub(crate) fn new(extra_ca: Option<&[u8]>, timeout: Duration) -> Result<Self, Error> {
        let configuration = |what: &str, error: &dyn std::fmt::Display| {
            Error::Configuration(format!("{what}: {error}"))
        };
        let provider = provider()?;
        let mut roots = Vec::new();
        if let Some(pem) = extra_ca {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.push(
                    certificate.map_err(|error| configuration("the extra CA is no PEM", &error))?,
                );
            }
            let mut store = RootCertStore::empty();
            for root in &roots {
                store
                    .add(root.clone())
                    .map_err(|error| configuration("the extra CA is not usable", &error))?;
            }
            if store.is_empty() {
                let message = "the extra CA holds no certificate".to_owned();
                return Err(Error::Configuration(message));
            }
        }
        let verifier =
            rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
                .map_err(|error| {
                    configuration("the system's certificates cannot be used", &error)
                })?;
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| configuration("TLS cannot be set up", &error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout)
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| configuration("HTTP cannot be set up", &error))?;
        Ok(Self { client })
    }
}

#[cfg(feature = "rustls-ring")]
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(feature = "rustls-ring"))]
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    CryptoProvider::get_default().cloned().ok_or_else(|| {
        Error::Configuration(
            "no TLS: install a rustls provider, or turn on the feature `rustls-ring`".to_owned(),
        )
    })
}

impl Transport for Https {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            let method = match request.method {
                Method::Get => reqwest::Method::GET,
                Method::Post => reqwest::Method::POST,
                Method::Put => reqwest::Method::PUT,
            };
            let mut builder = self.client.request(method, &request.url);
            for (name, value) in &request.headers {
                let mut value =
                    reqwest::header::HeaderValue::from_str(value).map_err(|_| unsendable(name))?;
                value.set_sensitive(matches!(*name, "blade-auth" | "Authorization"));
                builder = builder.header(*name, value);
            }
            if !request.body.is_empty() {
                builder = builder.body(request.body);
            }
            let mut answer = builder.send().await.map_err(failed)?;
            let headers = answer
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), lossy(value.as_bytes())))
                .collect();
            let status = answer.status().as_u16();
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(failed)? {
                body.extend_from_slice(&chunk);
                if body.len() > LONGEST_ANSWER {
                    return Err(TransportError {
                        not_sent: false,
                        message: format!("the answer is longer than {LONGEST_ANSWER} bytes"),
                    });
                }
            }
            Ok(Response {
                status,
                headers,
                body,
            })
        })
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unsendable(name: &str) -> TransportError {
    TransportError {
        not_sent: true,
        message: format!("the header {name} cannot hold its value"),
    }
}

/// The library's error with all its causes, without the address.
fn failed(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let not_sent = error.is_connect() || error.is_builder();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !message.contains(&words) {
            message = format!("{message}: {words}");
        }
        cause = error.source();
    }
    TransportError { not_sent, message }
}
