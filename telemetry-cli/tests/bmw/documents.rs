//! A MyBMW server that gives out the documents of cars of each drive train, and
//! says of its login what BMW says: that it is at BMW's.

use axum::http::request::Parts;
use serde_json::{Value, json};
use telemetry_cli::cloud::{Answer, Cloud};

pub const NAMES: [&str; 6] = [
    "bev_charging",
    "erex_invalid",
    "ice",
    "mild_hybrid_mini",
    "phev_waiting",
    "supra",
];

pub fn document(name: &str) -> Value {
    let path = format!("{}/tests/data/bmw/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[derive(Debug)]
pub struct Documents {
    cars: Vec<(&'static str, Value)>,
    /// Every path that was asked for.
    pub asked: Vec<String>,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            cars: NAMES.map(|name| (name, document(name))).into(),
            asked: Vec::new(),
        }
    }
}

impl Documents {
    /// The odometer of this car in miles.
    pub fn in_miles(mut self, name: &str, miles: u32) -> Self {
        for (_, car) in self.cars.iter_mut().filter(|(own, _)| *own == name) {
            let units = json!({"mileage": miles, "units": "mi"});
            car["state"]["state"]["currentMileage"] = units;
        }
        self
    }

    fn brand(car: &Value) -> &'static str {
        match car["profile"]["brand"].as_str().unwrap() {
            "MINI" => "mini",
            "DRITTKUNDE" => "toyota",
            _ => "bmw",
        }
    }
}

impl Cloud for Documents {
    fn answer(&mut self, head: &Parts, _body: &[u8]) -> Answer {
        let header = |name: &str| {
            let value = head.headers.get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let path = head.uri.path();
        self.asked.push(path.to_owned());
        let car = || {
            let vin = header("bmw-vin");
            self.cars
                .iter()
                .find(|(_, car)| car["profile"]["vin"] == vin)
        };
        let body = match path {
            "/eadrax-ucs/v1/presentation/oauth/config" => json!({
                "clientName": "mybmwapp", "clientSecret": "s", "clientId": "c",
                "gcdmBaseUrl": "https://customer.bmwgroup.com",
                "returnUrl": "com.bmw.connected://oauth",
                "tokenEndpoint": "https://customer.bmwgroup.com/gcdm/oauth/token",
                "scopes": ["openid", "vehicle_data"], "promptValues": ["login"],
            }),
            "/gcdm/oauth/authenticate" if head.uri.query().is_none() => {
                assert_eq!(header("hcaptchatoken"), "P1_eY");
                json!({"redirect_to": "redirect_uri=com.bmw.connected://oauth?client_id=c&\
                    response_type=code&scope=openid vehicle_data&state=s&authorization=A"})
            }
            "/gcdm/oauth/authenticate" => {
                let location = "com.bmw.connected://oauth?code=C&state=s".to_owned();
                return Answer {
                    status: 302,
                    headers: vec![("location".to_owned(), location)],
                    body: Vec::new(),
                };
            }
            "/gcdm/oauth/token" => json!({"access_token": "AT", "token_type": "Bearer",
                "expires_in": 3599, "refresh_token": "RT", "gcid": "G"}),
            "/eadrax-vcs/v5/vehicle-list" => {
                let brand = header("x-user-agent").split(';').nth(1).unwrap();
                let cars = self
                    .cars
                    .iter()
                    .filter(|(_, car)| Self::brand(car) == brand);
                let infos = cars.map(|(_, car)| json!({"vin": car["profile"]["vin"]}));
                json!({"gcid": "G", "mappingInfos": infos.collect::<Value>()})
            }
            "/eadrax-vcs/v5/vehicle-data/profile" => car().unwrap().1["profile"].clone(),
            "/eadrax-vcs/v4/vehicles/state" => car().unwrap().1["state"].clone(),
            "/eadrax-crccs/v2/vehicles" => car().unwrap().1["charging_settings"].clone(),
            _ => {
                return Answer {
                    status: 404,
                    ..Answer::default()
                };
            }
        };
        Answer {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}
