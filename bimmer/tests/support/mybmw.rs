//! Vectors of the app API, and a cloud that knows its login.

use bimmer::http::{Request, Response};
use bimmer::mybmw::{
    Capabilities, Client, ClientBuilder, Poi, Profile, Region, Vehicle, VehicleState,
};
use bimmer::types::parse_time;
use bimmer::{Brand, MemoryTokenStore, Position, Token};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use super::{Script, json as answer};

pub(crate) fn vectors(name: &str) -> Json {
    let all: Json = serde_json::from_str(include_str!("../data/mybmw.json")).unwrap();
    all[name].clone()
}

pub(crate) fn rows(name: &str) -> Vec<Json> {
    vectors(name).as_array().unwrap().clone()
}

pub(crate) fn now() -> DateTime<Utc> {
    parse_time("2026-03-01T10:00:30Z").unwrap()
}

/// Values that each client makes up.
pub(crate) const MADE_UP: [&str; 8] = [
    "bmw-session-id",
    "x-correlation-id",
    "bmw-correlation-id",
    "state",
    "nonce",
    "code_challenge",
    "code_verifier",
    "interaction-id",
];

/// A server that knows the login, and answers anything else by `other`.
pub(crate) fn cloud(
    login: Json,
    first_token_status: u16,
    mut other: impl FnMut(&Request) -> Response + Send + 'static,
) -> Script {
    let mut tokens = 0;
    Script::new(move |request| {
        let canned = &login["canned"];
        if request.url.contains("/oauth/config") {
            return answer(200, &canned["oauth_config"]);
        }
        if request.url.contains("/authenticate?") {
            let location = canned["authenticate_2_location"]
                .as_str()
                .unwrap()
                .to_owned();
            let headers = vec![("Location".to_owned(), location)];
            return Response {
                status: 302,
                headers,
                body: Vec::new(),
            };
        }
        if request.url.contains("/authenticate") {
            return answer(200, &canned["authenticate_1"]);
        }
        if request.url.contains("/oauth/token") {
            tokens += 1;
            if tokens == 1 && first_token_status != 200 {
                return answer(first_token_status, &json!({"error": "invalid_grant"}));
            }
            return answer(200, &canned["token"]);
        }
        other(request)
    })
}

pub(crate) fn client(script: &Script, store: MemoryTokenStore) -> ClientBuilder {
    Client::builder(Region::RestOfWorld)
        .build_string("AP2A.123456.789")
        .transport(script.clone())
        .token_store(store)
        .clock(now)
}

pub(crate) fn profile(vehicle: &Json) -> Profile {
    let mut profile: Profile = serde_json::from_value(vehicle["profile"].clone()).unwrap();
    if profile.brand_name.as_deref() == Some("DRITTKUNDE") {
        profile.listed_as = Some(Brand::Toyota);
    }
    profile
}

pub(crate) fn fresh_token(access: &str) -> Token {
    let mut token = Token::from_refresh_token("RT-0");
    token.access_token = access.into();
    token.expires_at = now() + chrono::TimeDelta::hours(1);
    token.gcid = Some("GCID-1".into());
    token.session_id = Some("22222222-3333-4444-8555-666666666666".into());
    token.session_id_at = Some(now());
    token
}

pub(crate) fn vehicle(name: &str) -> Json {
    let text = match name {
        "bev_charging" => include_str!("../data/vehicles/bev_charging.json"),
        "phev_waiting" => include_str!("../data/vehicles/phev_waiting.json"),
        "erex_invalid" => include_str!("../data/vehicles/erex_invalid.json"),
        "ice" => include_str!("../data/vehicles/ice.json"),
        "mild_hybrid_mini" => include_str!("../data/vehicles/mild_hybrid_mini.json"),
        "supra" => include_str!("../data/vehicles/supra.json"),
        "bev_no_status" => include_str!("../data/vehicles/bev_no_status.json"),
        "bev_unknown_status" => include_str!("../data/vehicles/bev_unknown_status.json"),
        "unknown_drivetrain" => include_str!("../data/vehicles/unknown_drivetrain.json"),
        "no_powertrain_data" => include_str!("../data/vehicles/no_powertrain_data.json"),
        other => panic!("{other}"),
    };
    serde_json::from_str(text).unwrap()
}

pub(crate) fn read(vector: &Json) -> Vehicle {
    let state: VehicleState = serde_json::from_value(vector["state"]["state"].clone()).unwrap();
    let capabilities: Capabilities =
        serde_json::from_value(vector["state"]["capabilities"].clone()).unwrap();
    let charging = serde_json::from_value(vector["charging_settings"].clone()).unwrap();
    let fetched_at = parse_time(vector["fetched_at"].as_str().unwrap()).unwrap();
    Vehicle::new(profile(vector), state, capabilities, charging, fetched_at)
}

pub(crate) fn iso(time: Option<DateTime<Utc>>) -> Json {
    json!(time.map(|time| time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()))
}

pub(crate) fn poi(input: &Json) -> Poi {
    let number = |name: &str| input[name].as_f64().unwrap();
    let position = Position {
        latitude: number("lat"),
        longitude: number("lon"),
    };
    let words = |name: &str| input[name].as_str().map(str::to_owned);
    let mut poi = Poi::new(position, input["name"].as_str().unwrap());
    poi.street = words("street");
    poi.postal_code = words("postal_code");
    poi.city = words("city");
    poi.country = words("country");
    poi
}

/// The vectors' client writes the word None for what is unknown.
pub(crate) fn without_none(place: &Json) -> Json {
    let mut place = place.clone();
    for value in place["address"].as_object_mut().unwrap().values_mut() {
        if *value == "None" {
            *value = Json::Null;
        }
    }
    place
}

/// A client at a real server, with a token that is good for an hour.
pub(crate) fn logged_in(url: &str) -> Client {
    let mut token = Token::from_refresh_token("R");
    token.access_token = "A".into();
    token.gcid = Some("G-1".to_owned());
    token.expires_at = Utc::now() + TimeDelta::hours(1);
    Client::builder(Region::RestOfWorld)
        .api_url(url)
        .token_store(MemoryTokenStore::with(token))
        .build()
        .unwrap()
}
