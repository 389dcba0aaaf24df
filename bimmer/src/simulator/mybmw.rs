use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::car::{Car, Drive};
use super::cardata::{answer, fields, iso, oauth_error};
use super::history;
use super::random::Random;
use crate::http::{Method, Request, Response};

const TOKEN_S: i64 = 3599;
const CLIENT: (&str, &str) = ("simulated-client", "simulated-secret");
const RETURN_URL: &str = "com.bmw.connected://oauth";
const GCID: &str = "11111111-2222-4333-8444-555555555555";
/// A 1 by 1 picture.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82";

/// What goes wrong, and how often (0 to 1).
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MyBmwFaults {
    /// The whole API is closed: every request gets `Blocked`.
    pub blocked: bool,
    /// A valid token is refused.
    pub refuse_token: f64,
    /// A call gets 429 with two seconds to wait.
    pub rate_limit: f64,
    /// Calls until the quota is used up; `None` for no end.
    pub quota_left: Option<u32>,
    /// A command ends in an error.
    pub command_fails: f64,
}

/// One account of the app with its cars.
#[derive(Debug)]
pub struct MyBmwCloud {
    user: String,
    password: String,
    cars: Vec<Car>,
    /// What goes wrong.
    pub faults: MyBmwFaults,
    random: Random,
    used_captchas: Vec<String>,
    /// Challenge by authorization, then by code.
    dialogues: BTreeMap<String, String>,
    access: BTreeMap<String, DateTime<Utc>>,
    refresh: Vec<String>,
    /// Questions already answered by event.
    events: BTreeMap<String, (u32, bool)>,
}

impl MyBmwCloud {
    /// An account with this user and password. Any captcha token that begins
    /// with `P1_` is good once.
    #[must_use]
    pub fn new(user: &str, password: &str, cars: Vec<Car>, seed: u64) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            cars,
            faults: MyBmwFaults::default(),
            random: Random::new(seed),
            used_captchas: Vec::new(),
            dialogues: BTreeMap::new(),
            access: BTreeMap::new(),
            refresh: Vec::new(),
            events: BTreeMap::new(),
        }
    }

    /// The cars as they are.
    #[must_use]
    pub fn cars(&self) -> &[Car] {
        &self.cars
    }

    /// Answers a request. The token server is at the host of the request.
    pub fn handle(&mut self, request: &Request, now: DateTime<Utc>) -> Response {
        if self.faults.blocked {
            return Response {
                status: 403,
                headers: Vec::new(),
                body: b"Blocked".to_vec(),
            };
        }
        for car in &mut self.cars {
            car.advance(now);
        }
        let (scheme, rest) = request
            .url
            .split_once("://")
            .unwrap_or(("http", &request.url));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match path {
            "/eadrax-ucs/v1/presentation/oauth/config" => settings(request, scheme, host),
            "/gcdm/oauth/authenticate" if query.is_empty() => self.authenticate(request),
            "/gcdm/oauth/authenticate" => self.authorize(request),
            "/gcdm/oauth/token" => self.token(request, now),
            _ => self.api(request, path, query, now),
        }
    }

    fn authenticate(&mut self, request: &Request) -> Response {
        let fields = fields(&request.body);
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let captcha = request
            .header("hcaptchatoken")
            .unwrap_or_default()
            .to_owned();
        if !captcha.starts_with("P1_") || self.used_captchas.contains(&captcha) {
            return oauth_error(401, "invalid_captcha");
        }
        self.used_captchas.push(captcha);
        if field("username") != self.user || field("password") != self.password {
            return oauth_error(401, "invalid_client");
        }
        let authorization = self.random.token("authorization");
        self.dialogues
            .insert(authorization.clone(), field("code_challenge").to_owned());
        let redirect = format!(
            "redirect_uri={RETURN_URL}?client_id={}&response_type=code&scope={}&state={}&authorization={authorization}",
            CLIENT.0,
            field("scope"),
            field("state"),
        );
        answer(200, &json!({"redirect_to": redirect}))
    }

    fn authorize(&mut self, request: &Request) -> Response {
        let authorization = fields(&request.body)
            .remove("authorization")
            .unwrap_or_default();
        let Some(challenge) = self.dialogues.remove(&authorization) else {
            return oauth_error(400, "invalid_grant");
        };
        let code = self.random.token("code");
        self.dialogues.insert(code.clone(), challenge);
        let location = format!("{RETURN_URL}?code={code}");
        Response {
            status: 302,
            headers: vec![("location".to_owned(), location)],
            body: Vec::new(),
        }
    }

    fn token(&mut self, request: &Request, now: DateTime<Utc>) -> Response {
        let basic = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1))
        );
        if request.header("authorization") != Some(&basic) {
            return oauth_error(401, "invalid_client");
        }
        let fields = fields(&request.body);
        let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
        let granted = match field("grant_type") {
            "authorization_code" => {
                let verifier = field("code_verifier").as_bytes();
                let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                self.dialogues.remove(field("code")) == Some(challenge)
            }
            "refresh_token" => {
                let known = self
                    .refresh
                    .iter()
                    .position(|one| one == field("refresh_token"));
                known.map(|at| self.refresh.remove(at)).is_some()
            }
            _ => false,
        };
        if !granted {
            return oauth_error(400, "invalid_grant");
        }
        let (access, refresh) = (self.random.token("access"), self.random.token("refresh"));
        self.access
            .insert(access.clone(), now + TimeDelta::seconds(TOKEN_S));
        self.refresh.push(refresh.clone());
        answer(
            200,
            &json!({"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_S,
            "refresh_token": refresh, "gcid": GCID}),
        )
    }

    fn api(&mut self, request: &Request, path: &str, query: &str, now: DateTime<Utc>) -> Response {
        let token = request
            .header("authorization")
            .and_then(|text| text.strip_prefix("Bearer "));
        let valid = token
            .and_then(|token| self.access.get(token))
            .is_some_and(|ends| *ends > now);
        if !valid || self.random.chance(self.faults.refuse_token) {
            return oauth_error(401, "invalid_token");
        }
        if self.random.chance(self.faults.rate_limit) {
            let words = "Rate limit is exceeded. Try again in 2 seconds.";
            return answer(429, &json!({"statusCode": 429, "message": words}));
        }
        match &mut self.faults.quota_left {
            Some(0) => {
                let words = "Out of call volume quota. Quota will be replenished in 02:12:20.";
                return answer(403, &json!({"statusCode": 403, "message": words}));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let query = fields(query);
        let car = request.header("bmw-vin");
        match (request.method, parts.as_slice()) {
            (Method::Post, ["eadrax-vcs", "v5", "vehicle-list"]) => self.list(request),
            (Method::Get, ["eadrax-vcs", "v5", "vehicle-data", "profile"]) => {
                self.about(car, |car| answer(200, &profile(car)))
            }
            (Method::Get, ["eadrax-vcs", "v4", "vehicles", "state"]) => {
                self.about(car, |car| answer(200, &state(car, now)))
            }
            (Method::Get, ["eadrax-crccs", "v2", "vehicles"]) => {
                self.about(car, |car| answer(200, &charging_details(car)))
            }
            (Method::Get, ["eadrax-chs", "v2", what, id @ ..]) => {
                let car = query.get("vin").map(String::as_str).or(car);
                self.about(car, |car| history::charges(car, what, id, &query, now))
            }
            (
                Method::Get,
                [
                    "eadrax-suscs",
                    "v1",
                    "vehicles",
                    "sustainability",
                    what @ ..,
                ],
            ) => {
                if request.header("x-gcid") != Some(GCID) {
                    return answer(
                        400,
                        &json!({"statusCode": 400, "message": "x-gcid missing"}),
                    );
                }
                self.about(car, |car| history::trips(car, what))
            }
            (Method::Get, ["eadrax-ics", "v5", "presentation", "vehicles", "images"]) => {
                let headers = vec![("content-type".to_owned(), "image/png".to_owned())];
                Response {
                    status: 200,
                    headers,
                    body: PNG.to_vec(),
                }
            }
            (Method::Post, ["eadrax-vrccs", _, "presentation", "remote-commands", what]) => {
                self.remote(what, car, &query)
            }
            (Method::Post, ["eadrax-crccs", "v1", "vehicles", vin, what]) => {
                self.charging(vin, what, &request.body)
            }
            (Method::Post, ["eadrax-dcs", "v2", "user", GCID, "send-to-car"]) => Response {
                status: 201,
                ..Response::default()
            },
            _ => answer(
                404,
                &json!({"statusCode": 404, "message": "no such resource"}),
            ),
        }
    }

    fn list(&self, request: &Request) -> Response {
        let agent = request.header("x-user-agent").unwrap_or_default();
        let brand = agent.split(';').nth(1).unwrap_or_default();
        let listed = |car: &&Car| car.brand.to_ascii_lowercase().starts_with(brand);
        let info = |car: &Car| {
            json!({"vin": car.vin, "isAssociated": true, "isPrimaryUser": true,
                "mappingStatus": "CONFIRMED", "vehicleMappingType": "CONNECTED"})
        };
        let infos: Json = self.cars.iter().filter(listed).map(info).collect();
        answer(200, &json!({"gcid": GCID, "mappingInfos": infos}))
    }

    fn about(&mut self, vin: Option<&str>, reply: impl FnOnce(&mut Car) -> Response) -> Response {
        match self
            .cars
            .iter_mut()
            .find(|car| Some(car.vin.as_str()) == vin)
        {
            Some(car) => reply(car),
            None => answer(
                404,
                &json!({"statusCode": 404, "message": "no such vehicle"}),
            ),
        }
    }

    fn event(&mut self) -> Response {
        let id = self.random.token("event");
        let fails = self.random.chance(self.faults.command_fails);
        self.events.insert(id.clone(), (0, fails));
        answer(
            200,
            &json!({"creationTime": "2026-03-01T10:00:30Z", "eventId": id}),
        )
    }

    fn remote(
        &mut self,
        what: &str,
        vin: Option<&str>,
        query: &BTreeMap<String, String>,
    ) -> Response {
        let event = query.get("eventId").map(String::as_str).unwrap_or_default();
        match what {
            "eventStatus" => {
                let Some((asked, fails)) = self.events.get_mut(event) else {
                    return answer(404, &json!({"statusCode": 404, "message": "no such event"}));
                };
                *asked += 1;
                answer(
                    200,
                    &match (*asked, *fails) {
                        (1, _) => json!({"eventStatus": "PENDING"}),
                        (2, _) => json!({"eventStatus": "DELIVERED"}),
                        (_, false) => json!({"eventStatus": "EXECUTED"}),
                        (_, true) => json!({"eventStatus": "ERROR", "errorDetails":
                        {"title": "Not possible", "description": "simulated failure"}}),
                    },
                )
            }
            "eventPosition" => answer(
                200,
                &json!({"positionData": {"status": "OK",
                "position": {"latitude": 51.5, "longitude": 7.25, "heading": 180}}}),
            ),
            _ => {
                let start = query.get("action").is_some_and(|action| action == "START");
                let done = self.about(vin, |car| {
                    match what {
                        "door-lock" => car.locked = true,
                        "door-unlock" => car.locked = false,
                        "climate-now" => car.climate = start,
                        _ => {}
                    }
                    Response {
                        status: 200,
                        ..Response::default()
                    }
                });
                if done.is_success() {
                    self.event()
                } else {
                    done
                }
            }
        }
    }

    fn charging(&mut self, vin: &str, what: &str, body: &str) -> Response {
        let body: Json = serde_json::from_str(body).unwrap_or_default();
        let done = self.about(Some(vin), |car| {
            match what {
                "start-charging" => car.held = false,
                "stop-charging" => car.held = true,
                "charging-settings" => {
                    car.target_percent = body["chargingTarget"]
                        .as_f64()
                        .unwrap_or(car.target_percent);
                }
                _ => {}
            }
            Response {
                status: 200,
                ..Response::default()
            }
        });
        if done.is_success() {
            self.event()
        } else {
            done
        }
    }
}

fn settings(request: &Request, scheme: &str, host: &str) -> Response {
    if request
        .header("ocp-apim-subscription-key")
        .is_none_or(str::is_empty)
    {
        return answer(
            401,
            &json!({"statusCode": 401, "message": "missing subscription key"}),
        );
    }
    answer(
        200,
        &json!({
            "clientName": "mybmwapp", "clientId": CLIENT.0, "clientSecret": CLIENT.1,
            "gcdmBaseUrl": format!("{scheme}://{host}"), "returnUrl": RETURN_URL,
            "tokenEndpoint": format!("{scheme}://{host}/gcdm/oauth/token"),
            "scopes": ["openid", "profile", "vehicle_data", "remote_services"],
            "promptValues": ["login"],
        }),
    )
}

fn profile(car: &Car) -> Json {
    let train = match car.drive {
        Drive::Electric => "ELECTRIC",
        Drive::PluginHybrid => "PLUGIN_HYBRID",
        Drive::Combustion => "COMBUSTION",
    };
    json!({"vin": car.vin, "brand": car.brand, "model": car.model, "year": 2024,
        "bodyType": "G99", "driveTrain": train, "headUnitType": "MGU", "hmiVersion": "ID8",
        "softwareVersionCurrent": {"iStep": 555, "puStep": {"month": 7, "year": 25},
            "seriesCluster": "G099"}})
}

fn state(car: &Car, now: DateTime<Utc>) -> Json {
    let at = car.at.unwrap_or(now);
    let mut state = json!({
        "currentMileage": car.odometer_km as i64,
        "lastFetched": iso(now), "lastUpdatedAt": iso(at), "isLscSupported": true,
        "doorsState": {"combinedSecurityState": if car.locked { "SECURED" } else { "UNLOCKED" },
            "combinedState": "CLOSED", "hood": "CLOSED", "trunk": "CLOSED",
            "leftFront": "CLOSED", "rightFront": "CLOSED"},
        "location": {"coordinates": {"latitude": car.latitude, "longitude": 7.25}, "heading": 90},
        "climateControlState": {"activity": if car.climate { "HEATING" } else { "INACTIVE" }},
    });
    if car.drive != Drive::Combustion {
        let status = match (car.is_plugged(at), car.is_charging(at)) {
            (_, true) => "CHARGING",
            (true, false) if car.soc_percent >= car.target_percent => "TARGET_REACHED",
            (true, false) => "PLUGGED_IN",
            (false, false) => "NOT_CHARGING",
        };
        state["electricChargingState"] = json!({"chargingLevelPercent": car.soc_percent as i64,
            "chargingStatus": status, "chargingTarget": car.target_percent as i64,
            "isChargerConnected": car.is_plugged(at), "range": car.range_km() as i64});
    }
    if car.drive != Drive::Electric {
        let total = car.fuel_range_km()
            + if car.drive == Drive::PluginHybrid {
                car.range_km()
            } else {
                0.0
            };
        state["combustionFuelLevel"] =
            json!({"range": total as i64, "remainingFuelLiters": 30, "remainingFuelPercent": 60});
    }
    let electric = car.drive != Drive::Combustion;
    let control = if electric {
        json!(["START", "STOP"])
    } else {
        json!(["NOT_SUPPORTED"])
    };
    json!({"state": state, "capabilities": {
        "climateNow": true, "horn": true, "lights": true, "lock": true, "unlock": true,
        "sendPoi": true, "vehicleFinder": true, "isChargingPlanSupported": false,
        "isChargingSettingsEnabled": electric, "isChargingTargetSocEnabled": electric,
        "isChargingPowerLimitEnabled": electric, "lastStateCallState": "ACTIVATED",
        "remoteChargingCommands": {"chargingControl": control},
        "vehicleStateSource": "LAST_STATE_CALL"}})
}

fn charging_details(car: &Car) -> Json {
    json!({"servicePack": "WAVE_01", "chargingSettingsDetail": {
        "acLimit": {"current": {"unit": "A", "value": 16}, "min": 6, "max": 32,
            "values": [6, 8, 10, 16, 20, 32], "isUnlimited": false},
        "chargingTarget": car.target_percent as i64, "dcLoudness": "UNLIMITED_LOUD"}})
}
