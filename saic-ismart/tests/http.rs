//! What goes over the wire, header by header, and what happens when it breaks.

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use mockito::{Matcher, Server};
use saic_ismart::{Client, Error, Region};
use serde_json::Value;
use support::{VIN, credentials, list, logged_in, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const VEHICLES: &str = r#"{"code":0,"message":"success","data":{"vinList":[{"vin":"LSJTEST0000000001","series":"EH32 S","modelName":"MG4 Electric"}]}}"#;

fn request(name: &str) -> Value {
    let vectors = support::json(include_str!("data/envelope.json"));
    let requests = list(&vectors["requests"]);
    requests
        .iter()
        .find(|case| case["name"] == name)
        .unwrap()
        .clone()
}

fn response(name: &str) -> Value {
    let vectors = support::json(include_str!("data/envelope.json"));
    let responses = list(&vectors["responses"]);
    responses
        .iter()
        .find(|case| case["name"] == name)
        .unwrap()
        .clone()
}

/// Expects a published request with all its headers and its body, answers with
/// a published response.
async fn expecting(server: &mut Server, case: &Value, answer: &Value) -> mockito::Mock {
    let path = format!("/api.app/v1{}", text(&case["path"]));
    let mut mock = server.mock(text(&case["method"]), path.as_str());
    for (name, value) in case["headers"].as_object().unwrap() {
        // What the connection is, not what is said.
        if !matches!(name.as_str(), "Host" | "Content-Length") {
            mock = mock.match_header(name.as_str(), text(value));
        }
    }
    let body = text(&case["wire_body"]);
    if !body.is_empty() {
        mock = mock
            .match_body(Matcher::Exact(body.to_owned()))
            .match_header("content-length", body.len().to_string().as_str());
    }
    for (name, value) in answer["headers"].as_object().unwrap() {
        mock = mock.with_header(name.as_str(), text(value));
    }
    mock.with_body(text(&answer["wire_body"]))
        .expect(1)
        .create_async()
        .await
}

fn at(server: &Server, case: &Value) -> Region {
    Region::Custom {
        base_url: format!("{}/api.app/v1/", server.url()),
        code: text(&case["region"]).to_owned(),
        tenant: text(&case["tenant"]).to_owned(),
    }
}

fn fixed(case: &Value) -> impl Fn() -> i64 + Send + Sync + 'static {
    let timestamp_ms = case["timestamp_ms"].as_i64().unwrap();
    move || timestamp_ms
}

#[tokio::test]
async fn login_as_published() {
    let case = request("login_email");
    let mut server = Server::new_async().await;
    let mock = expecting(&mut server, &case, &response("ok_login")).await;
    let device_id = format!(
        "simulator{}1700000000###com.saicmotor.europecar",
        "*".repeat(45)
    );
    let client = Client::builder(at(&server, &case), credentials())
        .device_id(device_id)
        .clock(fixed(&case))
        .build()
        .unwrap();
    client.login().await.unwrap();
    mock.assert_async().await;
    assert_eq!(client.bad_signatures(), 0);
}

#[tokio::test]
async fn login_by_phone_as_published() {
    let case = request("login_phone_it");
    let mut server = Server::new_async().await;
    let mock = expecting(&mut server, &case, &response("ok_login")).await;
    let body = text(&case["body"]);
    let field = |name: &str| {
        let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .unwrap()
            .1
            .replace("%2A", "*")
            .replace("%23", "#")
    };
    let credentials =
        saic_ismart::Credentials::phone(&field("countryCode"), &field("username"), "Passw0rd");
    let client = Client::builder(at(&server, &case), credentials)
        .device_id(field("deviceId"))
        .clock(fixed(&case))
        .build()
        .unwrap();
    client.login().await.unwrap();
    mock.assert_async().await;
}

#[tokio::test]
async fn vehicle_list_as_published() {
    let case = request("get_vehicle_list");
    let mut server = Server::new_async().await;
    let mock = expecting(&mut server, &case, &response("ok_vehicle_list_min")).await;
    let client = logged_in(at(&server, &case), text(&case["token"]))
        .clock(fixed(&case))
        .strict_signatures()
        .build()
        .unwrap();
    let vehicles = client.vehicles().await.unwrap();
    assert_eq!(vehicles[0].model.as_deref(), Some("MG4 Electric"));
    mock.assert_async().await;
}

/// A command: request, event, body, with the headers of each request.
#[tokio::test]
async fn a_command_as_published() {
    let case = request("post_unlock");
    let mut server = Server::new_async().await;
    let path = "/api.app/v1/vehicle/control";
    let body = text(&case["wire_body"]);
    let event = |id: &str| {
        server_mock(&mut server, path, body)
            .match_header("event-id", id)
            .match_header("APP-VERIFICATION-STRING", text(&case["verification"]))
            .match_header("blade-auth", text(&case["token"]))
            .match_header("authorization", Matcher::Missing)
            .expect(1)
    };
    fn server_mock(server: &mut Server, path: &str, body: &str) -> mockito::Mock {
        server
            .mock("POST", path)
            .match_body(Matcher::Exact(body.to_owned()))
    }
    let mut event = event;
    let first = event("0")
        .with_header("event-id", "4711")
        .with_body(r#"{"code":0,"message":"success"}"#)
        .create_async()
        .await;
    let second = event("4711")
        .with_body(r#"{"code":0,"data":{"rvcReqType":"Ag==","rvcReqSts":"AQ==","failureType":0}}"#)
        .create_async()
        .await;
    let client = logged_in(at(&server, &case), text(&case["token"]))
        .clock(fixed(&case))
        .poll_timing(saic_ismart::PollTiming {
            first: Duration::from_millis(5),
            ..saic_ismart::PollTiming::default()
        })
        .build()
        .unwrap();
    let answer = client.vehicle_by_vin(VIN).unlock().await.unwrap();
    assert_eq!(answer.request_status.bytes(), [1]);
    first.assert_async().await;
    second.assert_async().await;
}

/// One session for all: the list and a message call share the token of one login.
#[tokio::test]
async fn login_happens_when_it_is_needed() {
    let mut server = Server::new_async().await;
    let login = server
        .mock("POST", "/oauth/token")
        .match_header("authorization", "Basic c3dvcmQ6c3dvcmRfc2VjcmV0")
        .match_header("blade-auth", Matcher::Missing)
        .match_header("event-id", Matcher::Missing)
        .match_header(
            "content-type",
            "application/x-www-form-urlencoded;charset=utf-8",
        )
        .with_body(r#"{"code":0,"data":{"access_token":"T-1","expires_in":3600}}"#)
        .expect(1)
        .create_async()
        .await;
    let vehicles = server
        .mock("GET", "/vehicle/list")
        .match_header("blade-auth", "T-1")
        .match_header("event-id", Matcher::Missing)
        .with_body(VEHICLES)
        .expect(1)
        .create_async()
        .await;
    let messages = server
        .mock("GET", "/message/unreadCount")
        .match_header("blade-auth", "T-1")
        .with_body(r#"{"code":0,"message":"success"}"#)
        .expect(1)
        .create_async()
        .await;
    let client = Client::new(Region::at(server.url()), credentials()).unwrap();
    client.vehicles().await.unwrap();
    assert_eq!(client.unread_messages().await.unwrap().alarms, None);
    for mock in [login, vehicles, messages] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_busy_cloud_says_when_to_come_back() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("GET", "/vehicle/list")
        .with_status(429)
        .with_header("retry-after", "120")
        .with_body("slow down")
        .expect(1)
        .create_async()
        .await;
    let client = logged_in(Region::at(server.url()), "T").build().unwrap();
    let error = client.vehicles().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
    mock.assert_async().await;
}

#[tokio::test]
async fn bug_reports_hold_everything_but_the_login() {
    let mut server = Server::new_async().await;
    let login = r#"{"code":0,"data":{"access_token":"T-1","expires_in":3600}}"#;
    server
        .mock("POST", "/oauth/token")
        .with_body(login)
        .create_async()
        .await;
    server
        .mock("GET", "/vehicle/list")
        .with_body(VEHICLES)
        .create_async()
        .await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&seen);
    let client = Client::builder(Region::at(server.url()), credentials())
        .observer(move |exchange| {
            let names: Vec<_> = exchange
                .request_headers
                .iter()
                .map(|(name, _)| *name)
                .collect();
            assert!(names.contains(&"tenant-id") && !names.contains(&"blade-auth"));
            assert!(!format!("{exchange:?}").contains("T-1"));
            assert!(!exchange.response_headers.is_empty());
            let line = format!(
                "{} {} {}",
                exchange.method, exchange.path, exchange.response
            );
            sink.lock().unwrap().push(line);
        })
        .build()
        .unwrap();
    client.vehicles().await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [format!("GET /vehicle/list {VEHICLES}")]
    );
}

/// A server that reads a request, answers with these bytes and hangs up.
async fn raw_server(answer: &'static [u8]) -> Region {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    Region::at(format!("http://{address}/api.app/v1/"))
}

#[tokio::test]
async fn half_an_answer_may_have_been_sent() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n9a7c7b52";
    for answer in [&half[..], b"", b"no http\r\n\r\n"] {
        let region = raw_server(answer).await;
        let client = logged_in(region.clone(), "T").build().unwrap();
        let error = client.vehicles().await.unwrap_err();
        assert!(matches!(error, Error::MaybeSent { .. }), "{error:?}");
        assert!(error.is_retryable());
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        let error = client.vehicle_by_vin(VIN).lock().await.unwrap_err();
        assert!(error.may_have_taken_effect(), "{error:?}");
    }
}

#[tokio::test]
async fn a_closed_port_was_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let region = Region::at(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let client = logged_in(region, "T").build().unwrap();
    let error = client.vehicle_by_vin(VIN).lock().await.unwrap_err();
    assert!(matches!(error, Error::NotSent { .. }), "{error:?}");
    assert!(!error.may_have_taken_effect());
    assert!(
        error
            .to_string()
            .starts_with("lock of LSJTEST0000******: not sent: "),
        "{error}"
    );
}

#[tokio::test]
async fn silence_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let region = Region::at(format!("http://{}", listener.local_addr().unwrap()));
    let client = logged_in(region, "T")
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.vehicles().await.unwrap_err();
    assert!(matches!(error, Error::MaybeSent { .. }), "{error:?}");
    drop(listener);
}

/// An answer longer than any should be is not read to its end.
#[tokio::test]
async fn endless_answers_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let region = Region::at(format!("http://{}", listener.local_addr().unwrap()));
    let flood = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let mut sent = 0_usize;
        loop {
            match stream.write(&[b'a'; 65_536]).await {
                Ok(written) => sent += written,
                Err(error) => return (sent, error.kind()),
            }
        }
    });
    let client = logged_in(region, "T")
        .timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let error = client.vehicles().await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    drop(client);
    let (sent, kind) = flood.await.unwrap();
    assert!(sent < 64 << 20, "{sent}");
    assert!(
        matches!(kind, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{kind}"
    );
}

#[test]
fn a_bad_extra_ca_is_named() {
    let build = |pem: &str| {
        let builder = Client::builder(Region::Israel, credentials());
        builder.extra_ca(pem).build().unwrap_err().to_string()
    };
    assert_eq!(build("nothing"), "the extra CA holds no certificate");
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(
        build(damaged).starts_with("the extra CA is not usable"),
        "{}",
        build(damaged)
    );
}
