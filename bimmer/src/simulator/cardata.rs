use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::car::{Car, Drive};
use super::random::Random;
use super::stream::Broker;
use crate::form;
use crate::http::{Method, Request, Response};

const TOKEN_S: i64 = 3599;
const REFRESH_S: i64 = 1_209_600;
const CODE_S: i64 = 300;
const DAILY_CALLS: usize = 50;
const MOST_CONTAINERS: usize = 10;
/// The account's number.
const GCID: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const RIGHTS: [&str; 2] = ["cardata:api:read", "cardata:streaming:read"];

/// What goes wrong, and how often (0 to 1).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CarDataFaults {
    /// The server fails after it has redeemed a device code.
    pub lose_code: f64,
    /// A valid access token is refused.
    pub refuse_token: f64,
    /// A valid id token is refused by the broker.
    pub refuse_stream: f64,
    /// A REST call ends in 503.
    pub unavailable: f64,
    /// The server's clock goes ahead by this.
    pub clock_skew: TimeDelta,
    /// Containers with more keys are refused; 0 for no limit.
    pub most_keys: usize,
}

#[derive(Debug)]
struct Code {
    user_code: String,
    challenge: String,
    scope: String,
    confirmed: bool,
    ends: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(super) struct Grant {
    scope: String,
    pub(super) ends: DateTime<Utc>,
}

#[derive(Debug)]
struct Container {
    id: String,
    name: String,
    purpose: String,
    keys: Vec<String>,
    active: bool,
}

/// One CarData account with its cars.
#[derive(Debug)]
pub struct CarDataCloud {
    client_id: String,
    pub(super) cars: Vec<Car>,
    /// What goes wrong.
    pub faults: CarDataFaults,
    pub(super) random: Random,
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Grant>,
    pub(super) id_tokens: BTreeMap<String, Grant>,
    containers: Vec<Container>,
    calls: VecDeque<DateTime<Utc>>,
    pub(super) broker: Broker,
}

impl CarDataCloud {
    /// An account that knows this client id.
    #[must_use]
    pub fn new(client_id: &str, cars: Vec<Car>, seed: u64) -> Self {
        Self {
            client_id: client_id.to_ascii_lowercase(),
            cars,
            faults: CarDataFaults::default(),
            random: Random::new(seed),
            codes: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: BTreeMap::new(),
            id_tokens: BTreeMap::new(),
            containers: Vec::new(),
            calls: VecDeque::new(),
            broker: Broker::default(),
        }
    }

    /// The account's number, which is the user name of the stream.
    #[must_use]
    pub const fn gcid(&self) -> &'static str {
        GCID
    }

    /// The user confirms a code. Tells whether there is such a code.
    pub fn confirm(&mut self, user_code: &str) -> bool {
        let code = self
            .codes
            .values_mut()
            .find(|code| code.user_code == user_code);
        code.map(|code| code.confirmed = true).is_some()
    }

    /// REST calls counted in the last 24 hours.
    #[must_use]
    pub fn calls_used(&self) -> usize {
        self.calls.len()
    }

    /// Names of the active containers.
    pub fn container_names(&self) -> impl Iterator<Item = &str> {
        self.containers
            .iter()
            .filter(|one| one.active)
            .map(|one| one.name.as_str())
    }

    /// A container that another program has made.
    pub fn add_foreign_container(&mut self, name: &str) {
        self.add_container(name, "v1", vec!["vehicle.isMoving".to_owned()]);
    }

    /// Answers a request. `now` is real time, which the server's clock may miss.
    pub fn handle(&mut self, request: &Request, now: DateTime<Utc>) -> Response {
        let now = now + self.faults.clock_skew;
        for car in &mut self.cars {
            car.advance(now);
        }
        let after_scheme = request.url.split_once("://").map_or("", |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut response = match (request.method, path) {
            (Method::Post, "/gcdm/oauth/device/code") => self.device_code(request, now),
            (Method::Post, "/gcdm/oauth/token") => self.token(request, now),
            _ => self.rest(request, path, query, now),
        };
        let date = now.to_rfc2822().replace("+0000", "GMT");
        response.headers.push(("date".to_owned(), date));
        response
    }

    fn device_code(&mut self, request: &Request, now: DateTime<Utc>) -> Response {
        let fields = fields(&request.body);
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        if field("client_id") != self.client_id {
            return oauth_error(401, "invalid_client");
        }
        if field("response_type") != "device_code" || field("code_challenge_method") != "S256" {
            return oauth_error(400, "invalid_request");
        }
        let device_code = self.random.token("device");
        let user_code = format!("{:08X}", self.random.next() as u32);
        let code = Code {
            user_code: user_code.clone(),
            challenge: field("code_challenge"),
            scope: field("scope"),
            confirmed: false,
            ends: now + TimeDelta::seconds(CODE_S),
        };
        self.codes.insert(device_code.clone(), code);
        answer(
            200,
            &json!({
                "user_code": user_code,
                "device_code": device_code,
                "interval": 5,
                "verification_uri": "https://customer.bmwgroup.com/oneid/link",
                "expires_in": CODE_S,
            }),
        )
    }

    fn token(&mut self, request: &Request, now: DateTime<Utc>) -> Response {
        let fields = fields(&request.body);
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        if field("client_id") != self.client_id {
            return oauth_error(401, "invalid_client");
        }
        match field("grant_type") {
            "urn:ietf:params:oauth:grant-type:device_code" => {
                self.redeem(field("device_code"), field("code_verifier"), now)
            }
            "refresh_token" => match self.refresh.remove(field("refresh_token")) {
                Some(grant) if grant.ends > now => self.grant(&grant.scope, now),
                Some(_) => oauth_error(400, "invalid_grant"),
                // Used before, or never given.
                None => oauth_error(400, "invalid_request"),
            },
            _ => oauth_error(400, "invalid_request"),
        }
    }

    fn redeem(&mut self, device_code: &str, verifier: &str, now: DateTime<Utc>) -> Response {
        let Some(code) = self.codes.get(device_code) else {
            return oauth_error(403, "access_denied");
        };
        if now >= code.ends {
            self.codes.remove(device_code);
            return oauth_error(401, "expired_token");
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != code.challenge {
            return oauth_error(400, "invalid_grant");
        }
        if !code.confirmed {
            return oauth_error(403, "authorization_pending");
        }
        let scope = code.scope.clone();
        self.codes.remove(device_code);
        if self.random.chance(self.faults.lose_code) {
            return answer(
                500,
                &json!({"fault": {"faultstring": "Invalid Access Token",
                "detail": {"errorcode": "keymanagement.service.invalid_access_token"}}}),
            );
        }
        self.grant(&scope, now)
    }

    fn grant(&mut self, scope: &str, now: DateTime<Utc>) -> Response {
        let ends = now + TimeDelta::seconds(TOKEN_S);
        let grant = Grant {
            scope: scope.to_owned(),
            ends,
        };
        let (access, refresh) = (self.random.token("access"), self.random.token("refresh"));
        let mut claims = json!({"sub": "simulated", "gcid": GCID, "aud": self.client_id,
            "iat": now.timestamp(), "exp": ends.timestamp(), "jti": self.random.next()});
        if scope.contains(RIGHTS[1]) {
            claims["dynamic_scopes"] = json!([format!("read:streaming/*/{GCID}.*")]);
        }
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let id_token = format!("{}.{}.c2ln", part(&header), part(&claims));
        self.access.insert(access.clone(), grant.clone());
        self.id_tokens.insert(id_token.clone(), grant.clone());
        let lasts = Grant {
            ends: now + TimeDelta::seconds(REFRESH_S),
            ..grant
        };
        self.refresh.insert(refresh.clone(), lasts);
        answer(
            200,
            &json!({"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_S,
            "refresh_token": refresh, "scope": scope, "id_token": id_token, "gcid": GCID}),
        )
    }

    fn rest(&mut self, request: &Request, path: &str, query: &str, now: DateTime<Utc>) -> Response {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = token else {
            return refusal(401, "CU-100", "Request has no token");
        };
        let Some(grant) = self.access.get(token) else {
            return refusal(401, "CU-101", "Authentication failed");
        };
        if grant.ends <= now {
            return refusal(401, "CU-102", "Token has expired");
        }
        if !grant.scope.contains(RIGHTS[0]) {
            return refusal(403, "CU-103", "Scope is missing");
        }
        if self.random.chance(self.faults.refuse_token) {
            return refusal(401, "CU-102", "Token has expired");
        }
        while self
            .calls
            .front()
            .is_some_and(|call| now - *call >= TimeDelta::days(1))
        {
            self.calls.pop_front();
        }
        if self.calls.len() >= DAILY_CALLS {
            return refusal(429, "CU-429", "Daily quota is exceeded");
        }
        self.calls.push_back(now);
        if self.random.chance(self.faults.unavailable) {
            return refusal(503, "CU-503", "Service is unavailable");
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method, parts.as_slice()) {
            (Method::Get, ["customers", "vehicles", "mappings"]) => self.mappings(),
            (Method::Get, ["customers", "containers"]) => self.list_containers(),
            (Method::Post, ["customers", "containers"]) => self.create_container(&request.body),
            (Method::Delete, ["customers", "containers", id]) => self.delete_container(id),
            (Method::Get, ["customers", "vehicles", vin, what]) => {
                self.vehicle(vin, what, query, now)
            }
            _ => refusal(404, "CU-400", "No such resource"),
        }
    }

    fn mappings(&self) -> Response {
        let mapping = |car: &Car| json!({"vin": car.vin, "mappedSince": "2025-01-01T00:00:00Z", "mappingType": "PRIMARY"});
        answer(200, &self.cars.iter().map(mapping).collect())
    }

    fn list_containers(&self) -> Response {
        let listed = |one: &Container| {
            let state = if one.active { "ACTIVE" } else { "DELETED" };
            json!({"containerId": one.id, "name": one.name, "purpose": one.purpose, "state": state})
        };
        let containers: Json = self.containers.iter().map(listed).collect();
        answer(200, &json!({"containers": containers}))
    }

    fn create_container(&mut self, body: &str) -> Response {
        let body: Json = serde_json::from_str(body).unwrap_or_default();
        let keys = body["technicalDescriptors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let keys: Vec<String> = keys
            .iter()
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect();
        let (Some(name), Some(purpose)) = (body["name"].as_str(), body["purpose"].as_str()) else {
            return refusal(400, "CU-400", "Bad request");
        };
        if keys
            .iter()
            .any(|key| crate::cardata::descriptor::Descriptor::of(key).is_none())
        {
            return refusal(400, "CU-402", "Unknown telematic key");
        }
        if self.faults.most_keys > 0 && keys.len() > self.faults.most_keys {
            return refusal(403, "CU-403", "Forbidden");
        }
        if self.containers.iter().filter(|one| one.active).count() >= MOST_CONTAINERS {
            return refusal(403, "CU-124", "Container limit is reached");
        }
        let id = self.add_container(name, purpose, keys.clone());
        answer(
            201,
            &json!({"containerId": id, "name": name, "purpose": purpose,
            "state": "ACTIVE", "technicalDescriptors": keys}),
        )
    }

    fn add_container(&mut self, name: &str, purpose: &str, keys: Vec<String>) -> String {
        let id = format!("S{:012X}", self.random.next() & 0xFFFF_FFFF_FFFF);
        let (name, purpose) = (name.to_owned(), purpose.to_owned());
        self.containers.push(Container {
            id: id.clone(),
            name,
            purpose,
            keys,
            active: true,
        });
        id
    }

    fn delete_container(&mut self, id: &str) -> Response {
        match self.containers.iter_mut().find(|one| one.id == id) {
            Some(container) if container.active => {
                container.active = false;
                Response {
                    status: 204,
                    ..Response::default()
                }
            }
            Some(_) => refusal(404, "CU-122", "Container is deleted already"),
            None => refusal(403, "CU-105", "No permission for this container"),
        }
    }

    fn vehicle(&self, vin: &str, what: &str, query: &str, now: DateTime<Utc>) -> Response {
        let Some(car) = self.cars.iter().find(|car| car.vin.as_str() == vin) else {
            return refusal(403, "CU-104", "No permission for this VIN");
        };
        match what {
            "telematicData" => self.telematic_data(car, query, now),
            "basicData" => {
                let train = match car.drive {
                    Drive::Electric => "BEV",
                    Drive::PluginHybrid => "PHEV",
                    Drive::Combustion => "CONV",
                };
                answer(
                    200,
                    &json!({"vin": vin, "brand": car.brand.replace("BMW_I", "BMWi"),
                    "modelName": car.model, "driveTrain": train, "isTelematicsCapable": true,
                    "hvsMaxEnergyAbsolute": format!("{:.1}", car.capacity_kwh)}),
                )
            }
            "chargingHistory" => answer(200, &json!({"data": [], "next_token": null})),
            "smartMaintenanceTyreDiagnosis" => {
                let wear = json!({"status": "fine", "statusColor": "GREEN", "dueMileage": 20000,
                    "unit": "KILOMETER"});
                let tyre = json!({"season": {"value": "SUMMER"}, "tyreWear": wear});
                answer(
                    200,
                    &json!({"passengerCar": {"mountedTyres": {"frontLeft": tyre,
                    "frontRight": tyre, "rearLeft": tyre, "rearRight": tyre}}}),
                )
            }
            "locationBasedChargingSettings" => refusal(404, "CU-127", "No settings"),
            "image" => refusal(404, "CU-126", "No image"),
            _ => refusal(404, "CU-400", "No such resource"),
        }
    }

    fn telematic_data(&self, car: &Car, query: &str, now: DateTime<Utc>) -> Response {
        let wanted = fields(query).remove("containerId").unwrap_or_default();
        let container = self
            .containers
            .iter()
            .find(|one| one.active && one.id == wanted);
        let Some(container) = container else {
            return refusal(403, "CU-105", "No permission for this container");
        };
        let stamp = iso(car.at.unwrap_or(now));
        let mut data = serde_json::Map::new();
        for (key, value, unit) in car.values(now) {
            if container.keys.iter().any(|wanted| wanted == key) {
                let unit = Some(unit).filter(|unit| !unit.is_empty());
                data.insert(
                    key.into(),
                    json!({"value": value, "unit": unit, "timestamp": stamp}),
                );
            }
        }
        answer(200, &json!({"telematicData": data}))
    }

    /// Whether the broker may let this token in.
    pub(super) fn stream_allowed(
        &mut self,
        user: &str,
        id_token: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let valid = self.id_tokens.get(id_token).is_some_and(|grant| {
            grant.ends > now + self.faults.clock_skew && grant.scope.contains(RIGHTS[1])
        });
        valid && user == GCID && !self.random.chance(self.faults.refuse_stream)
    }
}

pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) fn fields(text: &str) -> BTreeMap<String, String> {
    form::decode(text).into_iter().collect()
}

pub(super) fn answer(status: u16, body: &Json) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
    }
}

pub(super) fn oauth_error(status: u16, error: &str) -> Response {
    answer(
        status,
        &json!({"error": error, "error_description": format!("simulated {error}")}),
    )
}

fn refusal(status: u16, id: &str, message: &str) -> Response {
    answer(
        status,
        &json!({"exveErrorId": id, "exveErrorMsg": message, "exveErrorRef": "",
        "exveNote": ""}),
    )
}
