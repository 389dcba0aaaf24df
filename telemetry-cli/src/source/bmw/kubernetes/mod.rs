//! The login of an account in a Secret of a Kubernetes cluster, with the keys
//! that the replaced service gave it.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimmer::token::Storing;
use bimmer::types::parse_time;
use bimmer::{Token, TokenStore};
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::Environment;

pub use cluster::Cluster;

mod cluster;
mod yaml;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Once to create what was gone, once to write what somebody created meanwhile.
const ATTEMPTS: u32 = 3;

const KEYS: [&str; 5] = [
    "refresh_token",
    "gcid",
    "access_token",
    "session_id",
    "session_id_timestamp",
];

/// One Secret.
#[derive(Clone, Debug)]
pub struct KubernetesTokenStore {
    cluster: Cluster,
    namespace: String,
    name: String,
}

impl KubernetesTokenStore {
    /// In the cluster that the environment names.
    ///
    /// # Errors
    /// Why there is none that can be used.
    pub fn of_environment(namespace: &str, name: &str) -> Result<Self, String> {
        let cluster = Cluster::of_environment(&Environment::of_process())
            .map_err(|error| format!("no Kubernetes: {error}"))?;
        Ok(Self::new(cluster, namespace, name))
    }

    /// In this cluster.
    pub fn new(cluster: Cluster, namespace: &str, name: &str) -> Self {
        Self {
            cluster,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    async fn call(&self, method: Method, name: &str, body: Option<(&str, Value)>) -> Answer {
        let failed = |reason: String| {
            io::Error::other(format!(
                "Kubernetes Secret {}/{}: {reason}",
                self.namespace, self.name
            ))
        };
        let (server, namespace) = (&self.cluster.server, &self.namespace);
        let url = format!("{server}/api/v1/namespaces/{namespace}/secrets{name}");
        let mut request = self.cluster.client.request(method, url);
        if let Some(header) = self.cluster.authorization().map_err(failed)? {
            request = request.header("authorization", header);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body.to_string());
        }
        let sent = request.send().await;
        let response = sent.map_err(|error| failed(error.without_url().to_string()))?;
        let status = response.status();
        let text = response.text().await;
        let text = text.map_err(|error| failed(error.without_url().to_string()))?;
        if status.is_success() {
            let read: Result<Secret, _> = serde_json::from_str(&text);
            return Ok(Ok(
                read.map_err(|_| failed("an answer that is no Secret".to_owned()))?
            ));
        }
        if matches!(status, StatusCode::NOT_FOUND | StatusCode::CONFLICT) {
            return Ok(Err(status));
        }
        let help = match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                "; the service account needs `get`, `create` and `patch` on secrets"
            }
            _ => "",
        };
        Err(failed(format!("HTTP {}{help}", status.as_u16())))
    }

    fn own(&self) -> String {
        format!("/{}", self.name)
    }

    async fn read(&self) -> io::Result<Option<Token>> {
        let answer = self.call(Method::GET, &self.own(), None).await?;
        Ok(answer.ok().and_then(|secret| token(&secret.data)))
    }

    async fn write(&self, data: Value) -> io::Result<()> {
        let patch = json!({ "stringData": data });
        let whole = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": data,
            "metadata": {"name": self.name, "namespace": self.namespace},
        });
        let mut last = StatusCode::NOT_FOUND;
        for _ in 0..ATTEMPTS {
            let body = Some(("application/merge-patch+json", patch.clone()));
            match self.call(Method::PATCH, &self.own(), body).await? {
                Ok(_) => return Ok(()),
                Err(StatusCode::NOT_FOUND) => {}
                Err(status) => {
                    last = status;
                    continue;
                }
            }
            let body = Some(("application/json", whole.clone()));
            match self.call(Method::POST, "", body).await? {
                Ok(_) => return Ok(()),
                // Somebody created it meanwhile, or there is no such namespace.
                Err(status) => last = status,
            }
        }
        Err(io::Error::other(format!(
            "Kubernetes Secret {}/{}: cannot be written, HTTP {}; is there such a namespace?",
            self.namespace,
            self.name,
            last.as_u16()
        )))
    }
}

/// A Secret, or one of the refusals that are no failure.
type Answer = io::Result<Result<Secret, StatusCode>>;

#[derive(Deserialize)]
struct Secret {
    #[serde(default, deserialize_with = "null_is_empty")]
    data: BTreeMap<String, String>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// What the Secret says; `None` without a refresh token.
fn token(data: &BTreeMap<String, String>) -> Option<Token> {
    let text = |key: &str| {
        let bytes = STANDARD.decode(data.get(key)?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    // How long the access token is good for is not kept: the first call renews it.
    let mut token = Token::from_refresh_token(text("refresh_token")?);
    token.access_token = text("access_token").unwrap_or_default().into();
    token.gcid = text("gcid");
    token.session_id = text("session_id");
    token.session_id_at = text("session_id_timestamp").and_then(|text| moment(&text));
    Some(token)
}

/// Seconds since 1970, with or without a fraction, or RFC 3339.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    match text.parse::<f64>() {
        Ok(seconds) => DateTime::from_timestamp(seconds as i64, 0),
        Err(_) => parse_time(text),
    }
}

fn string_data(token: &Token) -> Value {
    let at = token.session_id_at.map(|at| at.timestamp().to_string());
    json!({
        "refresh_token": token.refresh_token.expose(),
        "gcid": token.gcid.as_deref().unwrap_or_default(),
        "access_token": token.access_token.expose(),
        "session_id": token.session_id.as_deref().unwrap_or_default(),
        "session_id_timestamp": at.unwrap_or_default(),
    })
}

impl TokenStore for KubernetesTokenStore {
    fn load(&self) -> Storing<'_, Option<Token>> {
        Box::pin(self.read())
    }

    fn save<'a>(&'a self, token: &'a Token) -> Storing<'a, ()> {
        Box::pin(self.write(string_data(token)))
    }

    fn clear(&self) -> Storing<'_, ()> {
        let empty = KEYS.map(|key| (key.to_owned(), Value::from("")));
        Box::pin(self.write(Value::Object(empty.into_iter().collect())))
    }
}

#[cfg(test)]
mod tests;
