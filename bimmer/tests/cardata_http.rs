//! CarData's requests on the wire: real HTTP to scripted answers on loopback.

use bimmer::cardata::{Client, ClientId, Hosts, signature};
use bimmer::{Error, MemoryTokenStore, Token, Vin};
use chrono::{TimeDelta, Utc};
use mockito::{Matcher, Mock, Server, ServerGuard};
use serde_json::json;

const CLIENT: &str = "01234567-89ab-cdef-0123-456789abcdef";

fn vin() -> Vin {
    Vin::new("WBA11AA0001234501").unwrap()
}

fn token(lifetime: TimeDelta) -> Token {
    let mut token = Token::from_refresh_token("R-0");
    token.access_token = "A-0".into();
    token.gcid = Some("g".to_owned());
    token.expires_at = Utc::now() + lifetime;
    token
}

fn client(server: &ServerGuard, lifetime: TimeDelta) -> Client {
    Client::builder(ClientId::new(CLIENT).unwrap())
        .hosts(
            Hosts::default()
                .with_auth_url(&server.url())
                .with_api_url(&server.url()),
        )
        .token_store(MemoryTokenStore::with(token(lifetime)))
        .build()
        .unwrap()
}

async fn all_met(mocks: &[Mock]) {
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn device_login_and_first_call() {
    let mut server = Server::new_async().await;
    let client = Client::builder(ClientId::new(&CLIENT.to_uppercase()).unwrap())
        .hosts(
            Hosts::default()
                .with_auth_url(&server.url())
                .with_api_url(&server.url()),
        )
        .build()
        .unwrap();
    let field = |name: &str, value: &str| Matcher::UrlEncoded(name.into(), value.into());
    let scope = "authenticate_user openid cardata:api:read cardata:streaming:read";
    let start = server
        .mock("POST", "/gcdm/oauth/device/code")
        .match_header("content-type", "application/x-www-form-urlencoded")
        .match_header("accept", "application/json")
        .match_body(Matcher::AllOf(vec![
            field("client_id", CLIENT),
            field("response_type", "device_code"),
            field("scope", scope),
            field("code_challenge_method", "S256"),
            Matcher::Regex("code_challenge=[A-Za-z0-9_-]{43}(&|$)".into()),
        ]))
        .with_body(
            json!({"user_code": "AbCd1234", "device_code": "D", "interval": 1, "expires_in": 300})
                .to_string(),
        )
        .expect(1)
        .create_async()
        .await;
    let poll = |server: &mut ServerGuard, status, body: String| {
        server
            .mock("POST", "/gcdm/oauth/token")
            .match_body(Matcher::AllOf(vec![
                field("client_id", CLIENT),
                field("device_code", "D"),
                field("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                Matcher::Regex("code_verifier=[A-Za-z0-9_-]{86}(&|$)".into()),
            ]))
            .with_status(status)
            .with_body(body)
            .expect(1)
    };
    let pending = json!({"error": "authorization_pending"}).to_string();
    let granted = json!({"access_token": "A-1", "refresh_token": "R-1", "id_token": "I-1",
        "expires_in": 3599, "gcid": "g", "scope": scope});
    let pending = poll(&mut server, 403, pending).create_async().await;
    let granted = poll(&mut server, 200, granted.to_string())
        .create_async()
        .await;
    let mappings = server
        .mock("GET", "/customers/vehicles/mappings")
        .match_header("authorization", "Bearer A-1")
        .match_header("x-version", "v1")
        .match_header("accept", "application/json")
        .with_body(json!([{"vin": vin(), "mappingType": "PRIMARY"}]).to_string())
        .expect(1)
        .create_async()
        .await;
    let mut shown = String::new();
    client
        .login(|code| shown.clone_from(&code.user_code))
        .await
        .unwrap();
    assert_eq!(shown, "AbCd1234");
    assert_eq!(client.mappings().await.unwrap()[0].vin, vin());
    all_met(&[start, pending, granted, mappings]).await;
}

#[tokio::test]
async fn an_ended_token_is_renewed_before_a_call() {
    let mut server = Server::new_async().await;
    let client = client(&server, TimeDelta::minutes(4));
    let field = |name: &str, value: &str| Matcher::UrlEncoded(name.into(), value.into());
    let refresh = server
        .mock("POST", "/gcdm/oauth/token")
        .match_body(Matcher::AllOf(vec![
            field("grant_type", "refresh_token"),
            field("refresh_token", "R-0"),
            field("client_id", CLIENT),
        ]))
        .with_body(
            json!({"access_token": "A-1", "id_token": "I-1", "expires_in": 3599}).to_string(),
        )
        .expect(1)
        .create_async()
        .await;
    let basic = server
        .mock("GET", "/customers/vehicles/WBA11AA0001234501/basicData")
        .match_header("authorization", "Bearer A-1")
        .with_body(
            json!({"brand": "BMWi", "modelName": "i4", "numberOfDoors": "5",
            "hvsMaxEnergyAbsolute": "80.7", "hasNavi": null})
            .to_string(),
        )
        .expect(1)
        .create_async()
        .await;
    let data = client.basic_data(&vin()).await.unwrap();
    assert_eq!(
        (data.number_of_doors, data.hvs_max_energy_kwh),
        (Some(5), Some(80.7))
    );
    // What the answer did not say again is kept.
    let kept = client.token().await.unwrap();
    assert_eq!(
        (kept.refresh_token.expose(), kept.gcid.as_deref()),
        ("R-0", Some("g"))
    );
    all_met(&[refresh, basic]).await;
}

#[tokio::test]
async fn a_container_is_created_and_read_through() {
    let mut server = Server::new_async().await;
    let client = client(&server, TimeDelta::hours(1));
    let keys = ["vehicle.isMoving", "vehicle.vehicle.travelledDistance"];
    let purpose = signature(&keys);
    let listed = json!({"containers": [
        {"containerId": "S1", "name": "somebody else", "purpose": "v6", "state": "ACTIVE"},
        {"containerId": "S2", "name": "bimmer", "purpose": purpose, "state": "DELETED"},
        {"containerId": "S3", "name": "bimmer", "purpose": "older", "state": "ACTIVE"},
    ]});
    let list = server
        .mock("GET", "/customers/containers")
        .with_body(listed.to_string())
        .expect(1)
        .create_async()
        .await;
    let create = server
        .mock("POST", "/customers/containers")
        .match_header("content-type", "application/json")
        .match_body(Matcher::Json(
            json!({"name": "bimmer", "purpose": purpose, "technicalDescriptors": keys}),
        ))
        .with_status(201)
        .with_body(json!({"containerId": "S4"}).to_string())
        .expect(1)
        .create_async()
        .await;
    let delete = server
        .mock("DELETE", "/customers/containers/S3")
        .with_status(204)
        .expect(1)
        .create_async()
        .await;
    let read = server
        .mock(
            "GET",
            "/customers/vehicles/WBA11AA0001234501/telematicData?containerId=S4",
        )
        .with_body(
            json!({"telematicData": {"vehicle.isMoving":
            {"value": "ASN_isTrue", "unit": null, "timestamp": "2026-03-01T10:00:00Z"}}})
            .to_string(),
        )
        .expect(2)
        .create_async()
        .await;
    for _ in 0..2 {
        let data = client.telematic_data(&vin(), &keys).await.unwrap();
        assert_eq!(data.values.len(), 1);
    }
    all_met(&[list, create, delete, read]).await;
}

#[tokio::test]
async fn history_and_pages() {
    let mut server = Server::new_async().await;
    let client = client(&server, TimeDelta::hours(1));
    let from = bimmer::types::parse_time("2026-02-01").unwrap();
    let to = bimmer::types::parse_time("2026-03-01").unwrap();
    let session = json!({"startTime": 1_772_359_200, "endTime": 1_772_362_800, "displayedStartSoc": 20,
        "displayedSoc": 80, "energyConsumedFromPowerGridKwh": 50.5, "mileage": 1000,
        "mileageUnits": "MileageUnits.MI", "chargingBlocks": [{"averagePowerGridKw": 11.0}],
        "publicChargingPoint": {"potentialChargingPointMatches": [{"providerName": "P"}]}});
    let history = server
        .mock(
            "GET",
            "/customers/vehicles/WBA11AA0001234501/chargingHistory",
        )
        .match_query(Matcher::AllOf(vec![
            Matcher::UrlEncoded("from".into(), "2026-02-01T00:00:00.000Z".into()),
            Matcher::UrlEncoded("to".into(), "2026-03-01T00:00:00.000Z".into()),
            Matcher::UrlEncoded("nextToken".into(), "n 1".into()),
        ]))
        .with_body(json!({"data": [session, "no session"], "next_token": "n2"}).to_string())
        .expect(1)
        .create_async()
        .await;
    let page = client
        .charging_history(&vin(), from, to, Some("n 1"))
        .await
        .unwrap();
    assert_eq!(
        (page.sessions.len(), page.next_token.as_deref()),
        (1, Some("n2"))
    );
    let session = &page.sessions[0];
    assert_eq!(session.start_time.unwrap().timestamp(), 1_772_359_200);
    assert_eq!(session.end_soc_percent, Some(80.0));
    assert!((session.odometer_km().unwrap() - 1609.344).abs() < 1e-9);
    assert_eq!(
        session.public_charging_points[0].provider_name.as_deref(),
        Some("P")
    );
    let path = "/customers/vehicles/WBA11AA0001234501/locationBasedChargingSettings";
    let first = server
        .mock("GET", path)
        .with_body(
            json!({"data": [{"id": "1", "startChargingTimePeriodHour": 22}], "nextToken": "p2"})
                .to_string(),
        )
        .expect(1)
        .create_async()
        .await;
    let second = server
        .mock("GET", format!("{path}?nextToken=p2").as_str())
        .with_body(json!({"data": [{"id": "2"}]}).to_string())
        .expect(1)
        .create_async()
        .await;
    let settings = client.location_settings(&vin()).await.unwrap();
    assert_eq!(settings[0].window.start_hour, Some(22));
    assert_eq!(settings[1].id.as_deref(), Some("2"));
    all_met(&[history, first, second]).await;
}

#[tokio::test]
async fn refusals_in_plain_words() {
    for (status, id, words) in [
        (403, "CU-104", "main user"),
        (403, "CU-103", "CarData API"),
        (400, "CU-402", "not known to the cloud"),
        (429, "CU-429", "50 calls of the day"),
    ] {
        let mut server = Server::new_async().await;
        let client = client(&server, TimeDelta::hours(1));
        let body = json!({"exveErrorId": id, "exveErrorMsg": "raw words", "exveErrorRef": "r"});
        let mock = server
            .mock("GET", "/customers/containers")
            .with_status(status)
            .with_header("retry-after", "7200")
            .with_body(body.to_string())
            .expect(1)
            .create_async()
            .await;
        let error = client.containers().await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        if id == "CU-429" {
            assert_eq!(error.retry_after().unwrap().as_secs(), 7200);
            // Not asked again before that.
            assert!(client.containers().await.unwrap_err().is_quota());
        }
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn a_port_without_server_is_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::builder(ClientId::new(CLIENT).unwrap())
        .hosts(Hosts::default().with_auth_url(&url).with_api_url(&url))
        .build()
        .unwrap();
    let error = client.begin_login().await.unwrap_err();
    assert!(
        matches!(error, Error::NotSent { .. }) && error.is_retryable(),
        "{error}"
    );
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}
