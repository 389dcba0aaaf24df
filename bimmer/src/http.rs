//! The way to the clouds: plain requests and responses, and the one transport
//! that really sends them. Nothing else in this crate knows the HTTP library.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::error::{Error, TransportError};

/// Pictures are the longest answers, well below this.
const LONGEST_ANSWER: usize = 16 << 20;

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Asks, commands and creates.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// In capitals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request as it goes over the wire. `Debug` shows the method only: path,
/// headers and body hold VINs and secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Address with query.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// Body, empty for none.
    pub body: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a body of form fields.
    #[must_use]
    pub fn with_form(self, fields: &[(&str, &str)]) -> Self {
        let mut request = self.with_header("content-type", "application/x-www-form-urlencoded");
        request.body = crate::form::encode(fields);
        request
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }
}

/// A response as it came over the wire. `Debug` shows the status only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values. Names may be in any case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Whether the status is 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// A response on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// What carries requests to a cloud. The clients bring their own; another one
/// serves tests, simulators and unusual networks. It must not follow redirects.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once. Dropping the future gives the request up.
    fn send(&self, request: Request) -> Sending<'_>;
}

/// HTTP over TLS.
pub(crate) struct Https {
    client: reqwest::Client,
}

impl Https {
    /// With the certificates of the system and, if given, those of a PEM text.
    pub(crate) fn new(extra_ca: Option<&[u8]>, timeout: Duration) -> Result<Self, Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(extra_ca)?)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .build()
            .map_err(|error| Error::Configuration(format!("HTTP cannot be set up: {error}")))?;
        Ok(Self { client })
    }
}

/// TLS 1.2 and 1.3 that trusts the system and the certificates of a PEM text.
pub(crate) fn tls(extra_ca: Option<&[u8]>) -> Result<rustls::ClientConfig, Error> {
    let failed =
        |what: &str, error: &dyn fmt::Display| Error::Configuration(format!("{what}: {error}"));
    let mut roots = Vec::new();
    if let Some(pem) = extra_ca {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.push(certificate.map_err(|error| failed("the extra CA is no PEM", &error))?);
        }
        if roots.is_empty() {
            return Err(Error::Configuration(
                "the extra CA holds no certificate".to_owned(),
            ));
        }
    }
    let provider = provider()?;
    let verifier =
        rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
            .map_err(|error| failed("the certificates cannot be used", &error))?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed("TLS cannot be set up", &error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

#[cfg(feature = "rustls-ring")]
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(feature = "rustls-ring"))]
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    CryptoProvider::get_default().cloned().ok_or_else(|| {
        let missing = "no TLS: install a rustls provider, or turn on the feature `rustls-ring`";
        Error::Configuration(missing.to_owned())
    })
}

impl Transport for Https {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            let method = match request.method {
                Method::Get => reqwest::Method::GET,
                Method::Post => reqwest::Method::POST,
                Method::Delete => reqwest::Method::DELETE,
            };
            let mut builder = self.client.request(method, &request.url);
            for (name, value) in &request.headers {
                let mut value =
                    reqwest::header::HeaderValue::from_str(value).map_err(|_| TransportError {
                        not_sent: true,
                        message: format!("the header {name} cannot hold its value"),
                    })?;
                value.set_sensitive(matches!(&**name, "authorization" | "hcaptchatoken"));
                builder = builder.header(&**name, value);
            }
            if request.body.is_empty() && request.method == Method::Post {
                builder = builder.header("content-length", "0");
            }
            let answer = builder.body(request.body).send().await.map_err(failed)?;
            read(answer).await
        })
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Response, TransportError> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
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
