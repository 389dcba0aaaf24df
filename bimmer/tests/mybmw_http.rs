//! The app API's requests on the wire: real HTTP to scripted answers on loopback.

mod support;

use bimmer::Error;
use bimmer::mybmw::{Client, Command, Region};
use mockito::{Matcher, Server};
use serde_json::{Value as Json, json};
use support::mybmw::logged_in;

fn vector() -> Json {
    serde_json::from_str(include_str!("data/vehicles/bev_charging.json")).unwrap()
}

#[tokio::test]
async fn login_with_a_redirect_that_leads_nowhere() {
    let mut server = Server::new_async().await;
    let url = server.url();
    let settings = json!({"clientId": "c", "clientSecret": "s", "returnUrl": "com.bmw.connected://oauth",
        "tokenEndpoint": format!("{url}/gcdm/oauth/token"), "scopes": ["openid", "profile"]});
    let config = server
        .mock("GET", "/eadrax-ucs/v1/presentation/oauth/config")
        .match_header(
            "ocp-apim-subscription-key",
            "4f1c85a3-758f-a37d-bbb6-f8704494acfa",
        )
        .match_header("user-agent", "Dart/3.3 (dart:io)")
        .with_body(settings.to_string())
        .expect(1)
        .create_async()
        .await;
    let first = server
        .mock("POST", "/gcdm/oauth/authenticate")
        .match_header("hcaptchatoken", "P1_x")
        .match_body(Matcher::AllOf(vec![
            Matcher::UrlEncoded("username".into(), "driver@example.com".into()),
            Matcher::UrlEncoded("password".into(), "p&ss wörd".into()),
            Matcher::UrlEncoded("scope".into(), "openid profile".into()),
        ]))
        .with_body(json!({"redirect_to": "redirect_uri=com.bmw.connected://oauth?scope=a b&authorization=Z.1"}).to_string())
        .expect(1)
        .create_async()
        .await;
    let second = server
        .mock("POST", "/gcdm/oauth/authenticate")
        .match_query(Matcher::Regex(
            "interaction-id=.{36}&client-version=android".into(),
        ))
        .match_body(Matcher::UrlEncoded("authorization".into(), "Z.1".into()))
        .with_status(302)
        .with_header("location", "com.bmw.connected://oauth?code=C-1&state=s")
        .expect(1)
        .create_async()
        .await;
    let token = server
        .mock("POST", "/gcdm/oauth/token")
        .match_header("authorization", "Basic Yzpz")
        .match_body(Matcher::UrlEncoded("code".into(), "C-1".into()))
        .with_body(
            json!({"access_token": "A", "refresh_token": "R", "expires_in": "3599"}).to_string(),
        )
        .expect(1)
        .create_async()
        .await;
    let client = Client::builder(Region::RestOfWorld)
        .api_url(&url)
        .credentials("driver@example.com", "p&ss wörd")
        .captcha_token("P1_x")
        .build()
        .unwrap();
    let granted = client.token().await.unwrap();
    assert_eq!(granted.refresh_token.expose(), "R");
    for mock in [config, first, second, token] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_command_and_its_result() {
    let mut server = Server::new_async().await;
    let vector = vector();
    let vin = vector["profile"]["vin"].as_str().unwrap();
    let state = server
        .mock("GET", "/eadrax-vcs/v4/vehicles/state")
        .match_query(Matcher::UrlEncoded("apptimezone".into(), "0".into()))
        .match_header("bmw-vin", vin)
        .match_header("authorization", "Bearer A")
        .with_body(vector["state"].to_string())
        .expect(1)
        .create_async()
        .await;
    let charging = server
        .mock("GET", "/eadrax-crccs/v2/vehicles")
        .match_query(Matcher::UrlEncoded(
            "fields".into(),
            "charging-profile".into(),
        ))
        .with_body(vector["charging_settings"].to_string())
        .expect(1)
        .create_async()
        .await;
    let flash = server
        .mock(
            "POST",
            "/eadrax-vrccs/v4/presentation/remote-commands/light-flash",
        )
        .match_header("bmw-vin", vin)
        .match_body(Matcher::Json(json!({})))
        .with_body(json!({"eventId": "E 1"}).to_string())
        .expect(1)
        .create_async()
        .await;
    let status = server
        .mock(
            "POST",
            "/eadrax-vrccs/v3/presentation/remote-commands/eventStatus?eventId=E+1",
        )
        .match_header("content-length", "0")
        .with_body(json!({"eventStatus": "EXECUTED"}).to_string())
        .expect(1)
        .create_async()
        .await;
    let client = logged_in(&server.url());
    let profile = serde_json::from_value(vector["profile"].clone()).unwrap();
    let mut car = client.vehicle(&profile).await.unwrap();
    client
        .command(&mut car, &Command::LightFlash)
        .await
        .unwrap();
    for mock in [state, charging, flash, status] {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn blocked_is_an_error_of_its_own_and_final() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("POST", "/eadrax-vcs/v5/vehicle-list")
        .with_status(403)
        .with_body("Blocked")
        .expect(1)
        .create_async()
        .await;
    let error = logged_in(&server.url()).profiles().await.unwrap_err();
    assert!(matches!(error, Error::Blocked { .. }), "{error}");
    mock.assert_async().await;
}

#[tokio::test]
async fn unreadable_answers_say_where_and_not_what() {
    let mut server = Server::new_async().await;
    let mock = server
        .mock("POST", "/eadrax-vcs/v5/vehicle-list")
        .with_body("<html>WBA11AA0001234501</html>")
        .expect(1)
        .create_async()
        .await;
    let error = logged_in(&server.url()).profiles().await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    assert!(!error.to_string().contains("1234501"));
    mock.assert_async().await;
}
