//! What several tests need.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::sync::{Arc, Mutex};

use saic_ismart::http::{Request, Response, Sending, Transport};
use saic_ismart::{
    Client, ClientBuilder, Credentials, MemoryTokenStore, Region, Token, TransportError,
};
use serde_json::Value;

pub(crate) const VIN: &str = "LSJTEST0000000001";

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// A token that the client takes for its own without a login.
pub(crate) fn token(access_token: &str, region: &Region) -> Token {
    let address = "driver@example.com";
    let identity = format!("{}\n{}\n{address}", region.base_url(), region.tenant());
    Token {
        access_token: access_token.to_owned(),
        refresh_token: None,
        expires_at_ms: i64::MAX,
        account: saic_ismart::envelope::vin_hash(&identity),
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::email("driver@example.com", "Passw0rd")
}

/// A client that is logged in already.
pub(crate) fn logged_in(region: Region, access_token: &str) -> ClientBuilder {
    let token = token(access_token, &region);
    Client::builder(region, credentials()).token_store(MemoryTokenStore::with(token))
}

/// Answers in the order given, and remembers what was asked.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) requests: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<std::collections::VecDeque<Result<Response, TransportError>>>>,
}

impl Script {
    pub(crate) fn new(answers: Vec<Result<Response, TransportError>>) -> Self {
        Self {
            requests: Arc::default(),
            answers: Arc::new(Mutex::new(answers.into())),
        }
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let header = |request: &Request| request.header(name).unwrap_or("none").to_owned();
        requests.iter().map(header).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub(crate) fn unused(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> Sending<'_> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.expect("one request more than the script has answers") })
    }
}

/// A plain answer.
pub(crate) fn plain(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// A plain answer with an event id.
pub(crate) fn event(body: &str, id: &str) -> Response {
    let mut response = plain(200, body);
    response
        .headers
        .push(("Event-ID".to_owned(), id.to_owned()));
    response
}
