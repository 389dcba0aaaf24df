use crate::error::Error;

/// Where CarData lives. Other addresses serve tests and other markets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hosts {
    /// Login server, without a slash at the end.
    pub auth_url: String,
    /// REST server, without a slash at the end.
    pub api_url: String,
    /// Host name of the stream.
    pub stream_host: String,
    /// TCP port of the stream.
    pub stream_port: u16,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            auth_url: "https://customer.bmwgroup.com".to_owned(),
            api_url: "https://api-cardata.bmwgroup.com".to_owned(),
            stream_host: "customer.streaming-cardata.bmwgroup.com".to_owned(),
            stream_port: 9000,
        }
    }
}

impl Hosts {
    /// Another login server.
    #[must_use]
    pub fn with_auth_url(mut self, url: &str) -> Self {
        self.auth_url = url.trim_end_matches('/').to_owned();
        self
    }

    /// Another REST server.
    #[must_use]
    pub fn with_api_url(mut self, url: &str) -> Self {
        self.api_url = url.trim_end_matches('/').to_owned();
        self
    }

    /// Another stream server.
    #[must_use]
    pub fn with_stream(mut self, host: &str, port: u16) -> Self {
        self.stream_host = host.to_owned();
        self.stream_port = port;
        self
    }
}

/// The id of a CarData client, as the portal shows it after "Create CarData client".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Takes a UUID in any case; it is sent in lower case, because the login
    /// server has been seen to refuse capitals.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if it is no UUID with dashes.
    pub fn new(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_ascii_lowercase();
        let is_uuid = text.len() == 36 && uuid::Uuid::try_parse(&text).is_ok();
        is_uuid.then_some(Self(text)).ok_or_else(|| {
            let hint = "the CarData client id is no UUID: copy it from the CarData page of the \
                        customer portal, it looks like 01234567-89ab-cdef-0123-456789abcdef";
            Error::Configuration(hint.to_owned())
        })
    }

    /// In lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
