//! One request and its response: seal, send, open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::answer::is_session_status;
use crate::endpoint::{Answer, Endpoint, Reach};
use crate::envelope::{self, ContentType, Received, Sealing, Signature};
use crate::error::{Call, DecodeError, Error, TransportError};
use crate::http::{Request, Response, Transport};
use crate::region::Region;
use crate::token::Token;

/// What the app calls itself.
const USER_AGENT: &str = "Europe/2.1.0 (iPad; iOS 18.5; Scale/2.00)";
/// The app's own account at the token endpoint.
const APP_AUTHORIZATION: &str = "Basic c3dvcmQ6c3dvcmRfc2VjcmV0";

/// Milliseconds of Unix time.
pub(crate) type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
pub(crate) type Observer = Arc<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// A call in plain text, for bug reports. Login is left out.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path and query; VINs in it are hashes.
    pub path: &'a str,
    /// Headers of the request: names and values. Session and authorization
    /// are left out.
    pub request_headers: &'a [(&'static str, String)],
    /// Body of the request, empty for none.
    pub request: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Headers of the response: names and values.
    pub response_headers: &'a [(String, String)],
    /// Body of the response. Holds VINs, positions and names.
    pub response: &'a str,
}

pub(crate) struct Wire {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) region: Region,
    pub(crate) base_url: String,
    pub(crate) strict: bool,
    pub(crate) clock: Clock,
    pub(crate) observer: Option<Observer>,
    pub(crate) bad_signatures: AtomicU64,
    /// What the region India needs, there only.
    #[cfg(feature = "india")]
    pub(crate) india: Option<crate::india::India>,
}

/// An answer that could be read.
pub(crate) struct Arrived {
    pub(crate) status: u16,
    pub(crate) event_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) answer: Answer,
}

impl Wire {
    pub(crate) fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Sends a call once and reads what comes back, whatever it says.
    pub(crate) async fn exchange<E: Endpoint>(
        &self,
        endpoint: &E,
        token: Option<&Token>,
        event_id: Option<&str>,
    ) -> Result<Arrived, Error> {
        #[cfg(feature = "india")]
        if let (Some(india), Some(token)) = (&self.india, token) {
            let event_id = event_id.unwrap_or(crate::poll::NO_EVENT);
            return self
                .exchange_in_india(india, endpoint, token, event_id)
                .await;
        }
        let call = Call {
            name: endpoint.name(),
            vin: endpoint.vin().cloned(),
        };
        let path = endpoint.path();
        let body = endpoint.body();
        let request = self.request(endpoint, &path, &body, token, event_id);
        let observed = self.observer.as_ref().filter(|_| token.is_some());
        let headers = observed.map(|_| without_secrets(&request.headers));
        let response = self.transport.send(request).await;
        let response = response.map_err(|source| unanswered(call.clone(), source))?;
        let text = self.open(&response).map_err(|source| Error::Unreadable {
            call: call.clone(),
            source,
        })?;
        tracing::debug!(call = %call, status = response.status, bytes = response.body.len(), "answered");
        if let Some(observer) = observed {
            observer(&Exchange {
                method: endpoint.method().as_str(),
                path: &path,
                request_headers: headers.as_deref().unwrap_or_default(),
                request: &body,
                status: response.status,
                response_headers: &response.headers,
                response: &text,
            });
        }
        let retry_after = response
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let answer = match Answer::read(&text) {
            Ok(answer) => answer,
            // The status says enough about a session. Of a login without one it
            // says nothing: a firewall or a proxy does not know the password.
            Err(_) if is_session_status(response.status) && token.is_some() => Answer {
                code: response.status.into(),
                message: "session not accepted".to_owned(),
                data: None,
            },
            Err(_)
                if response.status >= 500
                    || response.status == 429
                    || is_session_status(response.status) =>
            {
                return Err(Error::Unavailable {
                    call,
                    status: response.status,
                    code: -1,
                    message: "no data in the answer".to_owned(),
                    retry_after,
                });
            }
            Err(_) if text.trim_start().starts_with('<') => {
                let source = DecodeError::WebPage(response.status);
                return Err(Error::Unreadable { call, source });
            }
            Err(source) => return Err(Error::Unreadable { call, source }),
        };
        Ok(Arrived {
            status: response.status,
            event_id: response.header("event-id").map(|id| id.trim().to_owned()),
            retry_after,
            answer,
        })
    }

    fn request<E: Endpoint>(
        &self,
        endpoint: &E,
        path: &str,
        body: &str,
        token: Option<&Token>,
        event_id: Option<&str>,
    ) -> Request {
        let timestamp_ms = self.now_ms();
        let content_type = endpoint.content_type();
        let sealed = envelope::seal(&Sealing {
            path,
            tenant: self.region.tenant(),
            token: token.map_or("", |token| token.access_token.as_str()),
            timestamp_ms,
            content_type: content_type.clone(),
            body,
        });
        let mut headers = vec![
            ("User-Agent", USER_AGENT.to_owned()),
            (
                "Content-Type",
                format!("{};charset=utf-8", content_type.as_str()),
            ),
            ("Accept", "application/json".to_owned()),
            ("Accept-Encoding", "gzip".to_owned()),
            ("REGION", self.region.code().to_owned()),
            ("APP-SEND-DATE", timestamp_ms.to_string()),
            ("APP-CONTENT-ENCRYPTED", "1".to_owned()),
            ("tenant-id", self.region.tenant().to_owned()),
            ("User-Type", "app".to_owned()),
            ("APP-LANGUAGE-TYPE", "en".to_owned()),
            ("ORIGINAL-CONTENT-TYPE", content_type.as_str().to_owned()),
            ("APP-VERIFICATION-STRING", sealed.verification),
        ];
        if let Some(token) = token {
            headers.push(("blade-auth", token.access_token.clone()));
        }
        if content_type == ContentType::Form {
            headers.push(("Authorization", APP_AUTHORIZATION.to_owned()));
        }
        if endpoint.reach() == Reach::Car {
            headers.push((
                "event-id",
                event_id.unwrap_or(crate::poll::NO_EVENT).to_owned(),
            ));
        }
        Request {
            method: endpoint.method(),
            url: format!("{}{path}", self.base_url.trim_end_matches('/')),
            headers,
            body: sealed.body,
        }
    }

    fn open(&self, response: &Response) -> Result<String, DecodeError> {
        let opened = envelope::open(&Received {
            send_date: response.header("APP-SEND-DATE"),
            content_type: response.header("ORIGINAL-CONTENT-TYPE"),
            verification: response.header("APP-VERIFICATION-STRING"),
            body: &response.body,
        });
        let opened = match opened {
            Ok(opened) => opened,
            // A page that is no text is still a page: the status decides.
            Err(_) if is_session_status(response.status) || response.status >= 500 => {
                return Ok(String::new());
            }
            Err(error) => return Err(error.into()),
        };
        match opened.signature {
            Signature::Valid | Signature::NotEncrypted => {}
            Signature::Missing if !self.strict => {}
            Signature::Invalid | Signature::Missing => {
                self.bad_signatures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!("the signature of an answer is wrong or missing");
                if self.strict {
                    return Err(DecodeError::Signature);
                }
            }
        }
        Ok(opened.text.into_owned())
    }
}

/// What would let others in is for the cloud alone.
fn without_secrets(headers: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    const SECRET: [&str; 2] = ["blade-auth", "Authorization"];
    let shown = headers.iter().filter(|(name, _)| !SECRET.contains(name));
    shown.cloned().collect()
}

pub(crate) fn unanswered(call: Call, source: TransportError) -> Error {
    if source.not_sent {
        Error::NotSent { call, source }
    } else {
        Error::MaybeSent { call, source }
    }
}
