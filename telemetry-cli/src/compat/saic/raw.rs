//! What is said to the cloud and to others, for those who want to look at it:
//! a message of the moment, which no broker keeps, without secrets.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode, Url};
use saic_ismart::Exchange;
use serde_json::{Value, json};

use super::reply;
use super::shared::Shared;

/// Names of fields, of headers and in queries, in lower case.
const SECRET: [&str; 15] = [
    "access_token",
    "refresh_token",
    "password",
    "token",
    "username",
    "useraccount",
    "user_name",
    "account",
    "authorization",
    "blade-auth",
    "cookie",
    "set-cookie",
    "api_key",
    "phone",
    "email",
];

/// In place of a secret.
const HIDDEN: &str = "***";

/// One direction of a call.
struct Half<'h> {
    service: &'h str,
    path: &'h str,
    query: &'h str,
    headers: Value,
    body: &'h str,
}

impl Half<'_> {
    /// In the original's form.
    fn message(&self) -> Value {
        json!({
            "path": self.path,
            "query": query(self.query),
            "body": body(self.body),
            "headers": self.headers,
        })
    }

    fn tell(&self, shared: &Shared, direction: &str) {
        let topic = shared.names.raw(self.service, self.path, direction);
        shared.tell(topic, self.message().to_string());
    }
}

/// Publishes what was said to the cloud. Login is not shown by the client.
pub fn publish(shared: &Shared, exchange: &Exchange<'_>) {
    let (path, query) = exchange.path.split_once('?').unwrap_or((exchange.path, ""));
    let half = |headers, body| Half {
        service: "api",
        path: path.trim_start_matches('/'),
        query,
        headers,
        body,
    };
    let sent = exchange.request_headers.iter();
    let sent = headers(sent.map(|(name, value)| (*name, value.as_str())));
    half(sent, exchange.request).tell(shared, "request");
    let arrived = exchange.response_headers.iter();
    let arrived = headers(arrived.map(|(name, value)| (name.as_str(), value.as_str())));
    half(arrived, exchange.response).tell(shared, "response");
}

/// Sends a request, and publishes it and what comes back for `service`, if that
/// is to be. Status and text of the answer.
///
/// # Errors
/// If there is no answer; no address is in the text, as it may hold secrets.
pub async fn send(
    shared: &Shared,
    service: Option<&str>,
    request: RequestBuilder,
) -> Result<(StatusCode, String), String> {
    let plain = |error: reqwest::Error| format!("not reached: {}", error.without_url());
    let request = request.build().map_err(plain)?;
    let url = request.url().clone();
    if let Some(service) = service {
        of(service, &url, request.headers(), "").tell(shared, "request");
    }
    let response = shared.http.execute(request).await.map_err(plain)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let text = reply::text(response).await.map_err(plain)?;
    if let Some(service) = service {
        of(service, &url, &headers, &text).tell(shared, "response");
    }
    Ok((status, text))
}

fn of<'h>(service: &'h str, url: &'h Url, map: &HeaderMap, body: &'h str) -> Half<'h> {
    let text = map.iter().map(|(name, value)| {
        let value = value.to_str().unwrap_or_default();
        (name.as_str(), value)
    });
    Half {
        service,
        path: url.path().trim_start_matches('/'),
        query: url.query().unwrap_or_default(),
        headers: headers(text),
        body,
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name.to_ascii_lowercase().as_str())
}

fn shown<'v>(name: &str, value: &'v str) -> &'v str {
    match is_secret(name) {
        true => HIDDEN,
        false => value,
    }
}

fn headers<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>) -> Value {
    headers
        .map(|(name, value)| (name.to_owned(), shown(name, value).into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Each name with all of its values.
fn query(text: &str) -> Value {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // The host does not matter: the text is what follows it.
    let url = Url::parse(&format!("http://host/?{text}")).ok();
    for (name, value) in url.iter().flat_map(Url::query_pairs) {
        let value = shown(&name, &value).to_owned();
        names.entry(name.into_owned()).or_default().push(value);
    }
    json!(names)
}

fn body(text: &str) -> Value {
    serde_json::from_str(text).map_or_else(|_| text.into(), redacted)
}

/// Without what would let others in.
fn redacted(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| match is_secret(&key) {
                true => (key, HIDDEN.into()),
                false => (key, redacted(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let half = Half {
            service: "api",
            path: "vehicle/status",
            query: "vin=V&vin=W&token=hush&empty&tlm=%7B%22soc%22%3A1%7D",
            headers: headers(
                [
                    ("Authorization", "hush"),
                    ("Blade-Auth", "hush"),
                    ("REGION", "eu"),
                ]
                .into_iter(),
            ),
            body: r#"{"data": [{"access_token": "hush", "vin": "V", "userName": "hush"}]}"#,
        };
        assert_eq!(
            half.message(),
            json!({
                "path": "vehicle/status",
                "query": {"vin": ["V", "W"], "token": ["***"], "empty": [""], "tlm": ["{\"soc\":1}"]},
                "body": {"data": [{"access_token": "***", "vin": "V", "userName": "***"}]},
                "headers": {"Authorization": "***", "Blade-Auth": "***", "REGION": "eu"},
            })
        );
    }

    #[test]
    fn what_is_no_json_is_text() {
        assert_eq!((body("taken"), body("")), (json!("taken"), json!("")));
        assert_eq!(query(""), json!({}));
        assert_eq!(query("a=%zz#"), json!({"a": ["%zz"]}));
    }
}
