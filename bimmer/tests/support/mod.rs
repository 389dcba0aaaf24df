//! A network in memory: a function answers, and every request is kept.

#![allow(dead_code, reason = "each test file uses a part")]

#[cfg(all(feature = "simulator", feature = "stream"))]
pub(crate) mod broker;
#[cfg(feature = "mybmw")]
pub(crate) mod mybmw;
#[cfg(feature = "simulator")]
pub(crate) mod simulated;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bimmer::http::{Request, Response, Sending, Transport};
use serde_json::Value as Json;

type Answer = Box<dyn FnMut(&Request) -> Response + Send>;

/// Answers by a function.
#[derive(Clone)]
pub(crate) struct Script {
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    pub(crate) fn new(answer: impl FnMut(&Request) -> Response + Send + 'static) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Box::new(answer))),
            requests: Arc::default(),
        }
    }

    /// What it says to this.
    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        (self.answer.lock().unwrap())(request)
    }

    /// What was sent so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Requests whose address contains this.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.url.contains(part))
            .count()
    }
}

impl Transport for Script {
    fn send(&self, request: Request) -> Sending<'_> {
        let response = (self.answer.lock().unwrap())(&request);
        self.requests.lock().unwrap().push(request);
        Box::pin(async move { Ok(response) })
    }
}

pub(crate) fn json(status: u16, body: &Json) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

pub(crate) fn text(status: u16, body: &str) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// The fields of a form or query.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let unescape = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            (unescape(name), unescape(value))
        })
        .collect()
}

pub(crate) fn query(request: &Request) -> BTreeMap<String, String> {
    fields(request.url.split_once('?').map_or("", |(_, query)| query))
}

/// Compares a request with a recorded one: method, address, query, all its
/// headers, and the JSON body. Values of `free` are made up by each client.
#[track_caller]
pub(crate) fn assert_recorded(request: &Request, recorded: &Json, free: &[&str]) {
    assert_eq!(
        request.method.as_str(),
        recorded["method"].as_str().unwrap()
    );
    let address = request.url.split('?').next().unwrap();
    assert_eq!(address, recorded["url"].as_str().unwrap());
    let sent = query(request);
    if let Some(expected) = recorded["query"].as_object() {
        assert_eq!(sent.len(), expected.len(), "{sent:?}");
        for (name, value) in expected {
            let sent = sent.get(name).unwrap_or_else(|| panic!("no {name}"));
            assert!(free.contains(&name.as_str()) || Some(sent.as_str()) == value.as_str());
        }
    }
    for (name, value) in recorded["headers"].as_object().unwrap() {
        let sent = request
            .header(name)
            .unwrap_or_else(|| panic!("no header {name}"));
        let expected = value.as_str().unwrap();
        assert!(
            free.contains(&name.as_str()) || sent == expected,
            "{name}: {sent}, not {expected}"
        );
    }
    if let Some(form) = recorded["form"].as_object() {
        let sent = fields(&request.body);
        assert_eq!(sent.len(), form.len(), "{sent:?}");
        for (name, value) in form {
            let sent = sent.get(name).unwrap_or_else(|| panic!("no field {name}"));
            assert!(
                free.contains(&name.as_str()) || Some(sent.as_str()) == value.as_str(),
                "{name}"
            );
        }
    }
    if !recorded["json"].is_null() {
        let body: Json = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body, recorded["json"]);
    }
}
