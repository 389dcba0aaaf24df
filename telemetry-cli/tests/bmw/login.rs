//! `telemetry login bmw`, `check` and `once`, and what a user reads when the
//! set-up is wrong.

use std::process::Output;

use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimmer::Token;
use bimmer::cardata::{Client, ClientId, Hosts};
use serde_json::{Value, json};
use telemetry_cli::cloud::bmw::{CAPTCHA_TOKEN, CLIENT_ID, CarData, MyBmw, PASSWORD, USER};
use telemetry_cli::cloud::{Answer, Cloud};

use crate::clouds::{serve, serve_cardata};
use crate::computer::Computer;

async fn run(computer: &Computer, args: &[&str]) -> Output {
    let mut command = computer.telemetry(args);
    command.env("BMW_PASSWORD", PASSWORD);
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn text(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{stdout}{stderr}")
}

fn configure(computer: &Computer, client_id: &str, url: &str, stream: &str) {
    computer.configure(&format!(
        "[gateway]\nstate_dir = \"state\"\n[[bmw]]\nlabel = \"Ours\"\nclient_id = \"{client_id}\"\n\
         auth_url = \"{url}\"\napi_url = \"{url}\"\nstream_url = \"{stream}\"\n"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn cardata_from_nothing_to_readings() {
    let (served, stream) = serve_cardata(CarData::new(1)).await;
    let computer = Computer::blank();
    configure(&computer, CLIENT_ID, &served.url, &stream);
    let output = run(&computer, &["check", "--json"]).await;
    assert_eq!(output.status.code(), Some(5));
    assert!(
        text(&output).contains("telemetry login bmw"),
        "{}",
        text(&output)
    );

    let output = run(&computer, &["login", "bmw"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in [
        "Open this link",
        "/oneid/link?user_code=",
        "▀",
        "ok    login: valid until",
        "ok    rights: data and stream",
        "of 50 calls are left today",
        "ok    cars: PRIMARY user of WBA...0001",
        "ok    container: this program has its one container",
        "ok    stream: connected, and a car speaks",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }

    // Without spending anything there is nothing to tell yet.
    let output = run(&computer, &["once", "--json"]).await;
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    assert!(text(&output).contains("--spend-quota"), "{}", text(&output));
    let output = run(&computer, &["once", "--json", "--spend-quota"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["readings"].as_array().unwrap().len(), 4);
    let used = served.cloud.lock().unwrap().cloud.calls_used();
    // From then on it is known.
    let output = run(&computer, &["once", "--json"]).await;
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["readings"].as_array().unwrap().len(), 4);
    let output = run(&computer, &["check"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(served.cloud.lock().unwrap().cloud.calls_used(), used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_id_is_said_to_be_wrong() {
    let (served, stream) = serve_cardata(CarData::new(1)).await;
    let computer = Computer::blank();
    let other = "ffffffff-89ab-cdef-0123-456789abcdef";
    configure(&computer, other, &served.url, &stream);
    let output = run(&computer, &["login", "bmw"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains("CarData does not know this client id"),
        "{said}"
    );
    assert!(
        said.contains("CarData API and CarData Stream are switched on"),
        "{said}"
    );
    assert!(
        said.contains("correct `client_id` in its [[bmw]] table"),
        "{said}"
    );
}

/// A login that was made before the rights were given.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_named() {
    let (served, stream) = serve_cardata(CarData::new(1)).await;
    let computer = Computer::blank();
    configure(&computer, CLIENT_ID, &served.url, &stream);
    let mut token = Token::from_refresh_token("r");
    token.access_token = "a".into();
    token.scope = Some("authenticate_user openid cardata:api:read".to_owned());
    token.gcid = Some("g".to_owned());
    token.expires_at = bimmer::types::parse_time("2999-01-01").unwrap();
    let directory = computer.directory.path().join("state/bmw");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join(format!("{CLIENT_ID}.token"));
    std::fs::write(file, token.to_json()).unwrap();
    let output = run(&computer, &["check"]).await;
    let said = text(&output);
    assert!(
        said.contains("the login lacks the right cardata:streaming:read"),
        "{said}"
    );
    assert!(said.contains("switch on \"CarData Stream\""), "{said}");
    assert_eq!(output.status.code(), Some(5), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_is_said_to_be_used_up() {
    let (served, stream) = serve_cardata(CarData::new(1)).await;
    let computer = Computer::blank();
    configure(&computer, CLIENT_ID, &served.url, &stream);
    // Another program on the account.
    let hosts = Hosts::default()
        .with_auth_url(&served.url)
        .with_api_url(&served.url);
    let id = ClientId::new(CLIENT_ID).unwrap();
    let other = Client::builder(id).hosts(hosts).build().unwrap();
    other.login(|_| {}).await.unwrap();
    for _ in 0..50 {
        other.mappings().await.unwrap();
    }
    let output = run(&computer, &["login", "bmw"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(
        said.contains("FAIL  cars: vehicle mappings: the quota is used up"),
        "{said}"
    );
    assert!(
        said.contains("other programs on this account use the same quota"),
        "{said}"
    );
    assert!(said.contains("ok    stream: connected"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mybmw_takes_the_token_of_a_captcha() {
    let served = serve(MyBmw::new(1)).await;
    let computer = Computer::blank();
    computer.configure(&format!(
        "[gateway]\nstate_dir = \"state\"\n[[bmw]]\napi = \"mybmw\"\nuser = \"{USER}\"\n\
         password = \"env:BMW_PASSWORD\"\napi_url = \"{}\"\n",
        served.url
    ));
    let output = run(&computer, &["login", "bmw"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    for page in ["captcha/north_america.html", "captcha/rest_of_world.html"] {
        assert!(said.contains(page), "{said}");
    }
    let captcha = format!("{CAPTCHA_TOKEN}x");
    let output = run(&computer, &["login", "bmw", "--captcha-token", &captcha]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let output = run(&computer, &["once", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["readings"].as_array().unwrap().len(), 4);
    // Asked again at once, it would cost calls.
    let output = run(&computer, &["once", "--json"]).await;
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    served.cloud.lock().unwrap().0.faults.blocked = true;
    let output = run(&computer, &["once", "--spend-quota"]).await;
    let said = text(&output);
    assert!(said.contains("blocked by BMW"), "{said}");
    assert!(said.contains("set `api = \"cardata\"`"), "{said}");
}

/// The Chinese login, whose first picture is damaged.
#[derive(Default)]
struct Chinese {
    pictures: usize,
    asked: Vec<(String, String)>,
}

impl Cloud for Chinese {
    fn answer(&mut self, head: &Parts, body: &[u8]) -> Answer {
        const PICTURE: &[u8] = include_bytes!("../data/bmw/slider.jpg");
        let path = head.uri.path().to_owned();
        let data = if path.ends_with("/v2/cop/slider-captcha") {
            self.pictures += 1;
            let picture = if self.pictures == 1 {
                &PICTURE[..600]
            } else {
                PICTURE
            };
            json!({"verifyId": self.pictures.to_string(), "backGroundImg": STANDARD.encode(picture)})
        } else if path.ends_with("/v1/cop/publickey") {
            json!({"value": include_str!("../data/bmw/rsa_public.pem")})
        } else if path.ends_with("/v2/login/pwd") {
            json!({"access_token": "h.e30.s", "refresh_token": "renewed", "gcid": "G"})
        } else {
            json!({})
        };
        self.asked
            .push((path, String::from_utf8_lossy(body).into_owned()));
        Answer {
            status: 200,
            body: json!({"code": 200, "error": false, "data": data})
                .to_string()
                .into_bytes(),
            ..Answer::default()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_the_chinese_login_is_solved() {
    let served = serve(Chinese::default()).await;
    let computer = Computer::blank();
    computer.configure(&format!(
        "[gateway]\nstate_dir = \"state\"\n[[bmw]]\napi = \"mybmw\"\nregion = \"china\"\n\
         user = \"8613800138000\"\npassword = \"env:BMW_PASSWORD\"\napi_url = \"{}\"\n",
        served.url
    ));
    let output = run(&computer, &["login", "bmw"]).await;
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("ok    login"), "{said}");
    let cloud = served.cloud.lock().unwrap();
    let checked = cloud
        .asked
        .iter()
        .find(|(path, _)| path.ends_with("/check-captcha"));
    let (_, body) = checked.expect("the place was checked");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({"position": "0.42", "verifyId": "2"}));
    let file = computer
        .directory
        .path()
        .join("state/bmw/8613800138000.token");
    let token = Token::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(token.refresh_token.expose(), "renewed");
}
