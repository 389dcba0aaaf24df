//! The SDKs' simulated clouds as HTTP servers: for `simulate`, the demo and
//! tests of whole programs.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::lock::lock;

pub mod bmw;
pub mod saic;

/// More than any request that a client of these clouds makes.
const MAX_BODY: usize = 1 << 20;

/// A cloud that answers requests.
pub trait Cloud: Send + 'static {
    /// Answers one request; it may be any bytes.
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer;
}

/// What a cloud answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

/// An HTTP server around a cloud.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// If it cannot be listened on.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves `cloud` until `shutdown`. Others may look into it meanwhile.
    ///
    /// # Errors
    /// If connections cannot be accepted any more.
    pub async fn run<C: Cloud>(
        self,
        cloud: Arc<Mutex<C>>,
        shutdown: CancellationToken,
    ) -> std::io::Result<()> {
        let router = Router::new().fallback(exchange::<C>).with_state(cloud);
        let server = axum::serve(self.listener, router);
        tokio::select! {
            result = server.into_future() => result,
            // Clients that keep their connection must not hold up the end.
            () = shutdown.cancelled() => Ok(()),
        }
    }
}

async fn exchange<C: Cloud>(
    State(cloud): State<Arc<Mutex<C>>>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    match to_bytes(body, MAX_BODY).await {
        Ok(body) => response(lock(&cloud).answer(&head, &body)),
        Err(_) => response(Answer {
            status: StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
            ..Answer::default()
        }),
    }
}

/// A cloud may answer what is no HTTP: that is left out.
fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    struct Echo;

    impl Cloud for Echo {
        fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
            Answer {
                status: 201,
                headers: vec![
                    ("x-target".to_owned(), head.uri.to_string()),
                    ("no name".to_owned(), String::new()),
                ],
                body: body.to_vec(),
            }
        }
    }

    #[tokio::test]
    async fn requests_reach_the_cloud_as_they_were_sent() {
        // Whichever test is first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let base = format!("http://{}", server.local_addr());
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(server.run(Arc::new(Mutex::new(Echo)), shutdown.clone()));

        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{base}/a/b?c=d%20e")).body("bytes");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-target"], "/a/b?c=d%20e");
        assert_eq!(response.text().await.unwrap(), "bytes");

        let large = client.post(&base).body(vec![0; MAX_BODY + 1]);
        assert_eq!(large.send().await.unwrap().status(), 413);
        shutdown.cancel();
        running.await.unwrap().unwrap();
    }
}
